// Entries as they leave a store and come into one: handed out whole, taken in from strangers only where every byte is proved.
using System.Security.Cryptography;
using System.Text.Json;
using Scaling.Engine.Files;
using Scaling.Engine.Keys;

namespace Scaling.Engine.Store;

/// <summary>The door of a store for entries of other stores.</summary>
/// <param name="store">The store.</param>
public sealed class StoreExchange(ContentStore store)
{
    private const int LongestName = 1024;

    /// <summary>Where a file is kept while it comes, on the store's file system; made here. What a killed process left is removed after a day.</summary>
    public string IncomingPath
    {
        get
        {
            string path = Path.Combine(store.Root, "incoming");
            Directory.CreateDirectory(path);
            foreach (var left in new DirectoryInfo(path).EnumerateFiles().Where(f => f.LastWriteTimeUtc < store.Now.UtcDateTime - TimeSpan.FromDays(1)))
            {
                left.Delete();
            }

            return path;
        }
    }

    /// <summary>The keys of all entries, in no order.</summary>
    public IEnumerable<string> Keys
    {
        get
        {
            string entries = Path.Combine(store.Root, "entries");
            return !Directory.Exists(entries) ? [] : Directory.EnumerateFiles(entries, "*", SearchOption.AllDirectories).Select(f => Path.GetFileName(f)).Where(IsDigest);
        }
    }

    /// <summary>An entry with the text that is signed and sent, its manifest without the seal, and where it came from. Null where it is not there whole.</summary>
    /// <param name="key">Its key.</param>
    public (Manifest Manifest, byte[] Json, Origin? Origin)? Take(string key) =>
        store.Find(key) is { } manifest && Text(key) is var (json, origin) ? (manifest, json, origin) : null;

    /// <summary>As <see cref="Take"/>, without a look at the files.</summary>
    /// <param name="key">Its key.</param>
    public (byte[] Json, Origin? Origin)? Text(string key) => Sealed.Read(store.EntryPath(key), out _) is { } text ? Origin.Split(text) : null;

    /// <summary>Whether a file's content is in the store, whole.</summary>
    /// <param name="file">Of a manifest.</param>
    public bool Has(StoredFile file)
    {
        store.Use([file.Sha256]); // Before it is looked for: until the manifest is there, nothing else tells gc of it.
        string blob = store.BlobPath(file.Sha256);
        return file.Inline is not null || (File.Exists(blob) && store.Digest(blob) == file.Sha256);
    }

    /// <summary>Takes a file that came, durably; it is moved away from where it was.</summary>
    /// <param name="path">Complete, below <see cref="IncomingPath"/>.</param>
    /// <param name="file">What it is; its digest was taken of these bytes as they came.</param>
    public void Accept(string path, StoredFile file)
    {
        store.Use([file.Sha256]); // Until the manifest is there, nothing else tells gc of it.
        Durable.Move(path, store.BlobPath(file.Sha256));
    }

    /// <summary>Publishes an entry that came, all its files taken already: from now on it is a hit.</summary>
    /// <param name="manifest">What <see cref="Parse"/> gave.</param>
    /// <param name="json">The text that it gave it for: the entry is byte for byte that of its writer.</param>
    /// <param name="origin">What is remembered of the writer.</param>
    public void Accept(Manifest manifest, byte[] json, Origin origin)
    {
        store.Use([manifest.Key]);
        if (store.Read(manifest.Key) is not null)
        {
            return; // Made here meanwhile: what was noted of its files is another's.
        }

        Sealed.Write(store.EntryPath(manifest.Key), origin.After(json));
    }

    /// <summary>Reads a manifest from outside. Nothing of it is believed: its entries must hash to the key, names may not lead out of their folder, small files must be what their digests say.</summary>
    /// <param name="json">From anybody.</param>
    /// <param name="key">The key that was asked for.</param>
    /// <exception cref="FormatException">What is wrong with it, as the end of a sentence.</exception>
    public static Manifest Parse(byte[] json, string key)
    {
        Manifest manifest;
        try
        {
            manifest = Manifest.Read(json);
        }
        catch (JsonException)
        {
            throw new FormatException("its manifest is no manifest");
        }

        if (manifest.Key != key)
        {
            throw new FormatException($"it is that of another key, {Shown(manifest.Key)}");
        }

        if (ActionKey.Of(manifest.Entries) != key || manifest.Entries.FirstOrDefault(e => e is { Kind: EntryKind.Stage, Name: "type" })?.Value != manifest.Stage)
        {
            throw new FormatException("what it says that it was made from does not give its key");
        }

        if (!double.IsFinite(manifest.Seconds) || manifest.Seconds < 0)
        {
            throw new FormatException("it took no time that there is");
        }

        foreach (var file in manifest.Files)
        {
            Check(file);
        }

        return manifest.Files.Select(f => f.ResultName).Distinct(StringComparer.Ordinal).Count() == manifest.Files.Count ? manifest : throw new FormatException("it has two files of one name");
    }

    private static void Check(StoredFile file)
    {
        if (file.Kind is not { Length: > 0 and < LongestName } || !IsName(file.Name) || (file.Point is not null && (!IsName(file.Point) || file.Point.Contains('/'))))
        {
            throw new FormatException($"it has a file whose name no stage could give, '{Shown(file.Name)}'");
        }

        if (!IsDigest(file.Sha256) || file.Bytes < 0)
        {
            throw new FormatException($"its file '{file.Name}' has no digest or no size");
        }

        if (file.Inline is { } content && (content.Length != file.Bytes || Convert.ToHexStringLower(SHA256.HashData(content)) != file.Sha256))
        {
            throw new FormatException($"its file '{file.Name}' has other bytes than its digest says");
        }
    }

    /// <summary>Whether it stays in the folder that it is put into.</summary>
    private static bool IsName(string? name) =>
        name is { Length: > 0 and < LongestName } && !name.Any(c => c is '\\' or ':' || char.IsControl(c)) && Array.TrueForAll(name.Split('/'), part => part.Length > 0 && part is not ("." or ".."));

    private static bool IsDigest(string? text) => text is { Length: 64 } && text.All(char.IsAsciiHexDigitLower);

    /// <summary>A stranger's text as it may stand in a message.</summary>
    private static string Shown(string? text) => new([.. (text ?? "").Take(80).Select(c => c is > ' ' and < (char)127 ? c : '?')]);
}
