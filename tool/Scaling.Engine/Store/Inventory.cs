// What a store holds: entries and blobs, one after the other, and everything else by its size.
using Scaling.Engine.Files;
using Scaling.Engine.Keys;

namespace Scaling.Engine.Store;

/// <summary>An entry that can be read.</summary>
/// <param name="Manifest">What it says.</param>
/// <param name="Bytes">Of its file, without blobs.</param>
public sealed record StoredEntry(Manifest Manifest, long Bytes)
{
    /// <summary>Whether it joins rows that are entries themselves: it costs no compute to make again.</summary>
    public bool IsCollection { get; } = Is(Manifest, "collect");

    /// <summary>Whether it describes a plugin, or a kind of node: no run record names it, and whoever reads a pipeline needs it.</summary>
    public bool IsDescription { get; } = Is(Manifest, "describe") || Is(Manifest, "device");

    /// <summary>Seconds of compute that it took, and that making it again would take.</summary>
    public double Seconds => IsCollection || IsDescription ? 0 : Manifest.Seconds;

    /// <summary>Digests of its files that are blobs.</summary>
    public IEnumerable<string> Blobs => Manifest.Files.Where(f => f.Inline is null).Select(f => f.Sha256);

    /// <summary>Keys of the rows that it joins.</summary>
    public IEnumerable<string> Members => IsCollection ? Manifest.Entries.Where(e => e.Kind == EntryKind.Member).Select(e => e.Value) : [];

    private static bool Is(Manifest manifest, string action) => manifest.Entries.Any(e => e is { Kind: EntryKind.Stage, Name: "action" } && e.Value == action);
}

/// <summary>Walks a store.</summary>
/// <param name="store">Which one.</param>
public sealed class Inventory(ContentStore store)
{
    /// <summary>Every entry; one that is damaged is moved aside, reported, and left out. Blobs are not looked at.</summary>
    public IEnumerable<StoredEntry> Entries()
    {
        foreach (string path in Files("entries"))
        {
            string key = Path.GetFileName(path);
            if (!IsHash(key) || path != store.EntryPath(key))
            {
                store.Quarantine(path, $"{path} is no entry", "is not needed");
            }
            else if (store.Read(key) is { } manifest && Size(path) is var bytes and >= 0)
            {
                yield return new StoredEntry(manifest, bytes);
            }
        }
    }

    /// <summary>Every blob with its size.</summary>
    public IEnumerable<(string Digest, long Bytes)> Blobs()
    {
        foreach (string path in Files("blobs"))
        {
            string digest = Path.GetFileName(path);
            if (!IsHash(digest) || path != store.BlobPath(digest))
            {
                store.Quarantine(path, $"{path} is no blob", "is not needed");
            }
            else if (Size(path) is var bytes and >= 0)
            {
                yield return (digest, bytes);
            }
        }
    }

    /// <summary>Every file below a folder of the store, those that are being written left out.</summary>
    /// <param name="folder">Its name.</param>
    internal IEnumerable<string> Files(string folder) => All(folder).Where(f => Path.GetFileName(f)[0] != '.');

    /// <summary>Files that were being written when their process ended; a day is longer than any write takes.</summary>
    internal IEnumerable<string> Unfinished() =>
        new[] { "entries", "blobs", "history" }.SelectMany(All).Where(f => Path.GetFileName(f)[0] == '.' && IsOlder(f, TimeSpan.FromDays(1)));

    /// <summary>Whether a file or folder was last moved or written before a time ago, as far as this machine's clock tells.</summary>
    internal bool IsOlder(string path, TimeSpan age) => FileIdentity.TryOf(path, out var file) && file.IsSettled(store.Now - age);

    /// <summary>Bytes and files below a folder of the store.</summary>
    /// <param name="folder">Its name.</param>
    public (long Bytes, int Files) SizeOf(string folder)
    {
        long bytes = 0;
        int files = 0;
        foreach (string path in All(folder))
        {
            bytes += Math.Max(0, Size(path));
            files++;
        }

        return (bytes, files);
    }

    /// <summary>Of a file; -1 where it went meanwhile.</summary>
    internal static long Size(string path)
    {
        try
        {
            return new FileInfo(path) is { Exists: true } file ? file.Length : -1;
        }
        catch (FileNotFoundException)
        {
            return -1;
        }
    }

    private static bool IsHash(string name) => name.Length == 64 && name.All(char.IsAsciiHexDigitLower);

    private IEnumerable<string> All(string folder)
    {
        string path = Path.Combine(store.Root, folder);
        var everything = new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = FileAttributes.None, IgnoreInaccessible = true };
        return Directory.Exists(path) ? Directory.EnumerateFiles(path, "*", everything) : [];
    }
}
