// The nuspec of an archive that lies behind http, read from a few parts of it.
using System.IO.Compression;
using NuGet.Packaging;

namespace Scaling.Plugins;

/// <summary>
/// A source need not serve nuspec files apart from packages. An archive's list of files is at its end and a nuspec is small, so two or three parts tell what a package needs, and all that is missing can be told with its size before a byte of it comes.
/// </summary>
internal static class RemoteNuspec
{
    private const int PartBytes = 1 << 16;
    private const int MostParts = 16;
    private const int MostBytes = 1 << 20;

    /// <summary>Reads the nuspec; null where the source gives no parts, or the archive is not as archives are.</summary>
    /// <param name="length">Of the archive.</param>
    /// <param name="ask">Gives the bytes from the first number to before the second; null where it cannot.</param>
    public static async Task<NuspecReader?> Read(long length, Func<long, long, Task<byte[]?>> ask)
    {
        var parts = new Dictionary<long, byte[]>();
        long next = (length - 1) / PartBytes;
        while (parts.Count < MostParts)
        {
            long from = next * PartBytes;
            if (await ask(from, Math.Min(from + PartBytes, length)).ConfigureAwait(false) is not { } bytes)
            {
                return null;
            }

            parts[next] = bytes;
            using var known = new KnownParts(length, parts);
            try
            {
                return Find(known);
            }
            catch (Exception e) when (known.Missing is not null || PackageArchive.IsBroken(e))
            {
                if (known.Missing is not { } missing)
                {
                    return null;
                }

                next = missing;
            }
        }

        return null;
    }

    private static NuspecReader? Find(Stream archive)
    {
        using var zip = new ZipArchive(archive, ZipArchiveMode.Read, leaveOpen: true);
        var entry = zip.Entries.FirstOrDefault(e => !e.FullName.Contains('/', StringComparison.Ordinal) && e.FullName.EndsWith(".nuspec", StringComparison.OrdinalIgnoreCase));
        if (entry is null || entry.Length > MostBytes)
        {
            return null;
        }

        byte[] text = new byte[entry.Length];
        using var content = entry.Open();
        content.ReadExactly(text);
        return new NuspecReader(new MemoryStream(text));
    }

    /// <summary>An archive of which some parts are here. Whoever reads another one fails, and <see cref="Missing"/> tells which it was.</summary>
    private sealed class KnownParts(long length, Dictionary<long, byte[]> parts) : Stream
    {
        public long? Missing { get; private set; }

        public override bool CanRead => true;

        public override bool CanSeek => true;

        public override bool CanWrite => false;

        public override long Length => length;

        public override long Position { get; set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            if (Position >= length || count == 0)
            {
                return 0;
            }

            long index = Position / PartBytes;
            if (!parts.TryGetValue(index, out byte[]? part))
            {
                Missing = index;
                throw new IOException($"part {index} is not here");
            }

            int start = (int)(Position - (index * PartBytes));
            int read = Math.Min(count, part.Length - start);
            part.AsSpan(start, read).CopyTo(buffer.AsSpan(offset));
            Position += read;
            return read;
        }

        public override long Seek(long offset, SeekOrigin origin) =>
            Position = origin switch { SeekOrigin.Begin => offset, SeekOrigin.Current => Position + offset, _ => length + offset };

        public override void Flush()
        {
        }

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
