// Digests that were taken of files, remembered by the files' identity.
using System.Collections.Concurrent;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using Scaling.Engine.Files;

namespace Scaling.Engine.Store;

/// <summary>
/// SHA-256 of files, taken once per identity (device, inode, change time, modification time, size). Remembered in an append-only file that
/// several processes share; a damaged line is ignored, so the file may be lost at any time.
/// </summary>
/// <param name="path">The file.</param>
/// <param name="time">Tells whether a file's change is old enough to be remembered.</param>
public sealed class ProofCache(string path, TimeProvider time) : IDisposable
{
    private const int LinesBeforeStartingAnew = 1_000_000;
    private readonly ConcurrentDictionary<FileIdentity, string> _known = Load(path);
    private readonly ConcurrentQueue<string> _fresh = new();

    /// <summary>SHA-256 of a file, 64 hex digits.</summary>
    /// <param name="file">Links are followed.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public string Digest(string file) => TryDigest(file) ?? throw new FileNotFoundException($"there is no file {file}", file);

    /// <summary>SHA-256 of a file, 64 hex digits; null where there is none.</summary>
    /// <param name="file">Links are followed.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public string? TryDigest(string file)
    {
        while (true)
        {
            if (!FileIdentity.TryOf(file, out var before))
            {
                return null;
            }

            if (_known.TryGetValue(before, out string? known))
            {
                return known;
            }

            var now = time.GetUtcNow();
            string digest = Take(file);
            if (FileIdentity.Of(file) != before)
            {
                continue;
            }

            if (before.IsSettled(now) && _known.TryAdd(before, digest))
            {
                _fresh.Enqueue(Line(before, digest));
            }

            return digest;
        }
    }

    /// <summary>SHA-256 of a file's bytes, read now.</summary>
    /// <param name="file">Links are followed.</param>
    public static string Take(string file)
    {
        using var stream = new FileStream(file, new FileStreamOptions
        {
            Mode = FileMode.Open, Access = FileAccess.Read, Share = FileShare.ReadWrite | FileShare.Delete, BufferSize = 0,
        });
        return Convert.ToHexStringLower(SHA256.HashData(stream));
    }

    /// <summary>Forgets what is known of a file, so that its bytes are read again.</summary>
    /// <param name="file">Links are followed.</param>
    public void Forget(string file)
    {
        if (FileIdentity.TryOf(file, out var identity))
        {
            _known.TryRemove(identity, out _);
        }
    }

    /// <summary>Appends what was learnt. A failure costs time later, nothing else.</summary>
    public void Dispose()
    {
        if (_fresh.IsEmpty)
        {
            return;
        }

        try
        {
            // .NET's own append writes at the length that it saw on opening: over what another process appended since.
            using var file = new SafeFileHandle(LibC.Open(path, LibC.ReadWrite | LibC.Create | LibC.Append | LibC.CloseOnExec, 0x1B4 /* rw-rw-r-- */), ownsHandle: true);
            if (!file.IsInvalid)
            {
                RandomAccess.Write(file, Encoding.ASCII.GetBytes(string.Concat(_fresh)), 0);
            }

            _fresh.Clear();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next run reads the bytes again.
        }
    }

    private static ConcurrentDictionary<FileIdentity, string> Load(string path)
    {
        var known = new ConcurrentDictionary<FileIdentity, string>();
        try
        {
            int lines = 0;
            foreach (string line in File.ReadLines(path))
            {
                lines++;
                if (TryParse(line, out var identity, out string digest))
                {
                    known[identity] = digest;
                }
            }

            if (lines > LinesBeforeStartingAnew)
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // No file, or none that can be read: nothing is known.
        }

        return known;
    }

    private static string Line(FileIdentity f, string digest)
    {
        string facts = string.Create(CultureInfo.InvariantCulture, $"{f.Device:x} {f.Inode:x} {f.Changed:x} {f.Modified:x} {f.Size:x} {digest} ");
        return string.Create(CultureInfo.InvariantCulture, $"{facts}{Check(facts):x16}\n");
    }

    /// <summary>A bit that flipped here would give a file another one's digest, and a result another one's key: each line has a check of its own (FNV-1a, 64 bits; cheap, and against accidents alone).</summary>
    private static ulong Check(ReadOnlySpan<char> facts)
    {
        ulong check = 14695981039346656037;
        foreach (char c in facts)
        {
            check = (check ^ c) * 1099511628211;
        }

        return check;
    }

    private static bool TryParse(ReadOnlySpan<char> line, [NotNullWhen(true)] out FileIdentity? identity, out string digest)
    {
        identity = null;
        digest = "";
        Span<Range> parts = stackalloc Range[8];
        if (line.Split(parts, ' ') != 7 || line[parts[5]].Length != 64
            || !Hex(line[parts[6]], out ulong check) || check != Check(line[..parts[6].Start.Value])
            || !Hex(line[parts[0]], out ulong d) || !Hex(line[parts[1]], out ulong i) || !Hex(line[parts[2]], out ulong c) || !Hex(line[parts[3]], out ulong m) || !Hex(line[parts[4]], out ulong s))
        {
            return false;
        }

        digest = line[parts[5]].ToString();
        identity = new FileIdentity(d, i, (long)c, (long)m, (long)s);
        return true;

        static bool Hex(ReadOnlySpan<char> text, out ulong number) => ulong.TryParse(text, NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out number);
    }
}
