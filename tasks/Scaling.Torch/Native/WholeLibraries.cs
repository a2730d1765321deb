// Libraries in pieces, put together in the cache: each once, whatever happens meanwhile.
using System.Globalization;
using System.Security.Cryptography;

namespace Scaling.Torch;

/// <summary>How far libraries are put together.</summary>
/// <param name="Done">Bytes written.</param>
/// <param name="Total">Bytes of all that are put together; 0 while another process does it.</param>
/// <param name="News">What is being done.</param>
public readonly record struct StitchProgress(long Done, long Total, string News);

/// <summary>
/// Whole libraries by their digest, <c>FOLDER/SHA256/X.so</c>. A file is written aside, digested on the way, and renamed when it is what its package says: whoever finds one may use it. The lock, which the system
/// takes from a process that dies, is for the disk's sake: several workers start at once, and each would write gigabytes.
/// </summary>
internal sealed class WholeLibraries(string folder, Func<string, long> freeBytes, Action<StitchProgress> progress, CancellationToken stop)
{
    private const int BufferBytes = 1 << 20;
    private const int StepBytes = 64 << 20;
    private const int WouldBlock = 11; // EAGAIN of flock(2): another process holds the lock
    private static readonly TimeSpan Wait = TimeSpan.FromMilliseconds(100);

    /// <summary>The whole library for each first piece: the piece itself where it is whole already, else a file that is there or made now.</summary>
    /// <exception cref="UnusableInputException">SCAL8210 to SCAL8212.</exception>
    public IReadOnlyDictionary<string, string> Of(IReadOnlyList<SplitLibrary> split)
    {
        if (split.Count == 0 || split.All(s => File.Exists(PathOf(s))))
        {
            return split.ToDictionary(s => s.FirstPiece, PathOf);
        }

        Directory.CreateDirectory(folder);
        using var mine = TakeLock();
        var open = split.Where(s => !File.Exists(PathOf(s))).ToArray();
        SweepUnfinished();

        // Without fragments, the first piece is the whole or nothing is. With them it may be too, where fragments are of an interrupted build.
        var whole = open.Where(s => Digest(s) == s.Sha256).ToHashSet();
        SplitLibrary[] pieces = [.. open.Where(s => !whole.Contains(s))];
        foreach (var library in pieces)
        {
            library.DemandFragments();
        }

        DemandRoom(pieces);
        long total = pieces.Sum(p => p.Bytes), done = 0;
        foreach (var library in pieces)
        {
            Join(library, ref done, total);
        }

        return split.ToDictionary(s => s.FirstPiece, s => whole.Contains(s) ? s.FirstPiece : PathOf(s));
    }

    private string PathOf(SplitLibrary library) => Path.Combine(folder, library.Sha256, library.Name);

    private FileStream TakeLock()
    {
        while (true)
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                return new FileStream(Path.Combine(folder, "lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            }
            catch (IOException e) when (e.HResult == WouldBlock)
            {
                progress(new StitchProgress(0, 0, "another process puts libtorch for CUDA together"));
                stop.WaitHandle.WaitOne(Wait);
            }
        }
    }

    /// <summary>What processes left behind that were killed: whoever holds the lock is the only one that writes.</summary>
    private void SweepUnfinished()
    {
        foreach (string unfinished in Directory.EnumerateFiles(folder, "*.unfinished"))
        {
            File.Delete(unfinished);
        }
    }

    private void DemandRoom(SplitLibrary[] pieces)
    {
        long needed = pieces.Sum(p => p.Bytes), free = freeBytes(folder);
        if (needed > free)
        {
            throw new UnusableInputException(
                "SCAL8212",
                string.Create(CultureInfo.InvariantCulture, $"device: cuda, and {string.Join(", ", pieces.Select(p => p.Name))}, which came in pieces, {(pieces.Length == 1 ? "takes" : "take")} {needed / 1e9:0.00} GB whole; the disk of {folder} has {free / 1e9:0.00} GB free."),
                "Make room there, or name a store on another disk with --cache.");
        }
    }

    /// <summary>SHA-256 of the first piece alone.</summary>
    private string Digest(SplitLibrary library)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var file = File.OpenRead(library.FirstPiece);
        long total = file.Length, done = 0;
        Copy(file, digest, null, bytes => progress(new StitchProgress(done += bytes, total, $"looking whether {library.Name} is whole")));
        return Convert.ToHexStringLower(digest.GetHashAndReset());
    }

    private void Join(SplitLibrary library, ref long done, long total)
    {
        string path = PathOf(library), aside = Path.Combine(folder, $"{library.Sha256}.unfinished");
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        long sofar = done;
        try
        {
            using (var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256))
            using (var whole = new FileStream(aside, FileMode.Create, FileAccess.Write, FileShare.None, 0))
            {
                foreach (string piece in library.Pieces)
                {
                    using var file = new FileStream(piece, FileMode.Open, FileAccess.Read, FileShare.Read, 0);
                    Copy(file, digest, whole, bytes => progress(new StitchProgress(sofar += bytes, total, $"putting {library.Name} together from {library.Pieces.Count} packages")));
                }

                whole.Flush(flushToDisk: true);
                string found = Convert.ToHexStringLower(digest.GetHashAndReset());
                if (found != library.Sha256)
                {
                    throw library.Damaged(found);
                }
            }

            File.Move(aside, path, overwrite: true);
        }
        finally
        {
            File.Delete(aside);
        }

        done = sofar;
    }

    /// <summary>Reads a file to its end; progress comes every <see cref="StepBytes"/>, and once at the end.</summary>
    private void Copy(FileStream file, IncrementalHash digest, FileStream? to, Action<long> told)
    {
        byte[] buffer = new byte[BufferBytes];
        long untold = 0;
        while (file.Read(buffer) is > 0 and var read)
        {
            stop.ThrowIfCancellationRequested();
            digest.AppendData(buffer, 0, read);
            to?.Write(buffer, 0, read);
            untold += read;
            if (untold >= StepBytes)
            {
                told(untold);
                untold = 0;
            }
        }

        told(untold);
    }
}
