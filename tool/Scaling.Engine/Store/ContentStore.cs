// The store: blobs by content, manifests by key, nothing published before it is whole.
using System.Security.Cryptography;
using System.Text.Json;
using Scaling.Engine.Files;
using Scaling.Sdk;

namespace Scaling.Engine.Store;

/// <summary>
/// A folder shared by all pipelines of a user:
/// <code>
/// entries/ab/KEY      a published action (a sealed manifest; one rename publishes it)
/// blobs/ab/SHA256     content of files too large to stand in their manifest
/// locks/ab/KEY        held while an action runs
/// work/KEY/           scratch of an action: checkpoints survive a kill here
/// logs/ab/KEY         what an action last printed
/// history/ID/NUMBER   what the runs of a pipeline were made of, for why and gc
/// quarantine/         what was found damaged
/// proofs              digests taken, by the file's identity
/// </code>
/// A hit proves its bytes; what is damaged is moved aside, reported, and counts as a miss.
/// </summary>
public sealed class ContentStore : IDisposable
{
    /// <summary>Files up to this size stand in the manifest itself: one durable write less for each.</summary>
    private const int InlineLimit = 4096;

    private readonly ProofCache _proofs;
    private readonly Action<Diagnostic> _report;
    private readonly TimeProvider _time;

    private ContentStore(string root, Action<Diagnostic> report, TimeProvider time)
    {
        Root = root;
        _report = report;
        _time = time;
        _proofs = new ProofCache(Path.Combine(root, "proofs"), time);
    }

    /// <summary>Absolute path.</summary>
    public string Root { get; }

    /// <summary>Opens a store, making its folder.</summary>
    /// <param name="root">The folder.</param>
    /// <param name="report">Takes findings of damage.</param>
    /// <param name="time">The clock.</param>
    /// <exception cref="InfrastructureException">SCAL4001: the folder cannot be made or written.</exception>
    public static ContentStore Open(string root, Action<Diagnostic> report, TimeProvider? time = null)
    {
        root = Path.GetFullPath(root);
        try
        {
            Directory.CreateDirectory(root);
            string tag = Path.Combine(root, "CACHEDIR.TAG");
            if (!File.Exists(tag))
            {
                File.WriteAllText(tag, "Signature: 8a477f597d28d172789f06886806bc55\n# The store of dotnet scaling. It may be deleted; what it held is computed again.\n");
            }

            return new ContentStore(root, report, time ?? TimeProvider.System);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new InfrastructureException("SCAL4001", $"The store {root} cannot be used: {e.Message}", "Name another folder with --cache or SCALING_CACHE.");
        }
    }

    /// <summary>Where an action's lock lies.</summary>
    /// <param name="key">Its key.</param>
    public string LockPath(string key) => Path.Combine(Root, "locks", key[..2], key);

    /// <summary>Held shared by ordinary actions of this machine and alone by exclusive ones.</summary>
    public string MachineLockPath => Path.Combine(Root, "locks", $"machine-{Environment.MachineName}");

    /// <summary>An action's scratch, kept until it is published.</summary>
    /// <param name="key">Its key.</param>
    public string WorkPath(string key) => Path.Combine(Root, "work", key);

    /// <summary>What an action last printed.</summary>
    /// <param name="key">Its key.</param>
    public string LogPath(string key) => Path.Combine(Root, "logs", key[..2], key);

    /// <summary>For things of this machine that can be made again.</summary>
    public string MachineCachePath => Path.Combine(Root, "machine");

    /// <summary>SHA-256 of a file, taken once while the file stays the same.</summary>
    /// <param name="path">Any file.</param>
    public string Digest(string path) => _proofs.Digest(path);

    /// <summary>The published action of a key whose bytes are all there and right; else null.</summary>
    /// <param name="key">See KEYS.md.</param>
    public Manifest? Find(string key) => Read(key) is { } manifest && manifest.Files.All(file => Proves(key, file)) ? manifest : null;

    /// <summary>The published action of a key, its files not looked at; null where there is none or it is damaged.</summary>
    /// <param name="key">See KEYS.md.</param>
    public Manifest? Read(string key)
    {
        string path = EntryPath(key);
        byte[]? json = Sealed.Read(path, out bool damaged);
        var manifest = json is null ? null : Parsed(json);
        if (damaged || (json is not null && manifest?.IsSound(key) != true))
        {
            Quarantine(path, $"The entry {key[..12]} is damaged");
            return null;
        }

        return manifest;
    }

    private static Manifest? Parsed(byte[] json)
    {
        try
        {
            return JsonSerializer.Deserialize(json, EngineJson.Default.Manifest);
        }
        catch (JsonException)
        {
            return null;
        }
    }

    /// <summary>Path of a file's content; for one that stands in its manifest, null.</summary>
    /// <param name="file">Of a manifest.</param>
    public string? ContentPath(StoredFile file) => file.Inline is null ? BlobPath(file.Sha256) : null;

    /// <summary>A file's content.</summary>
    /// <param name="file">Of a manifest that <see cref="Find"/> gave.</param>
    public byte[] Content(StoredFile file) => file.Inline ?? File.ReadAllBytes(BlobPath(file.Sha256));

    /// <summary>Takes a finished file into the store; it is moved away from where it was.</summary>
    /// <param name="path">Complete, on the store's file system.</param>
    /// <param name="name">Name in the manifest.</param>
    /// <param name="kind">Kind in the manifest.</param>
    public StoredFile Take(string path, string name, string kind)
    {
        long size = new FileInfo(path).Length;
        if (size <= InlineLimit)
        {
            return Inline(File.ReadAllBytes(path), name, kind);
        }

        string digest = ProofCache.Take(path);
        string blob = BlobPath(digest);
        if (!File.Exists(blob) || ProofCache.Take(blob) != digest)
        {
            Durable.Move(path, blob);
        }

        return new StoredFile(name, kind, digest, size);
    }

    /// <summary>Takes bytes into the store.</summary>
    /// <param name="content">All of them.</param>
    /// <param name="name">Name in the manifest.</param>
    /// <param name="kind">Kind in the manifest.</param>
    public StoredFile Take(byte[] content, string name, string kind)
    {
        if (content.Length <= InlineLimit)
        {
            return Inline(content, name, kind);
        }

        string digest = Convert.ToHexStringLower(SHA256.HashData(content));
        string blob = BlobPath(digest);
        if (!File.Exists(blob) || ProofCache.Take(blob) != digest)
        {
            Durable.Write(blob, content);
        }

        return new StoredFile(name, kind, digest, content.Length);
    }

    /// <summary>Publishes an action: from now on it is a hit.</summary>
    /// <param name="manifest">All its files taken already.</param>
    public void Publish(Manifest manifest) =>
        Sealed.Write(EntryPath(manifest.Key), JsonSerializer.SerializeToUtf8Bytes(manifest, EngineJson.Default.Manifest));

    /// <summary>The time, for a manifest.</summary>
    public DateTimeOffset Now => _time.GetUtcNow();

    /// <summary>Where the runs of pipelines are kept; see <see cref="Execution.RunHistory"/>.</summary>
    public string HistoryPath => Path.Combine(Root, "history");

    /// <summary>Removes the scratch of an action.</summary>
    /// <param name="key">Its key.</param>
    public void RemoveWork(string key)
    {
        try
        {
            Directory.Delete(WorkPath(key), recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Nothing was left to remove, or something of it is still in use. What is published stays published.
        }
    }

    /// <inheritdoc/>
    public void Dispose() => _proofs.Dispose();

    private static StoredFile Inline(byte[] content, string name, string kind) =>
        new(name, kind, Convert.ToHexStringLower(SHA256.HashData(content)), content.Length) { Inline = content };

    private bool Proves(string key, StoredFile file)
    {
        if (file.Inline is not null)
        {
            return true; // The manifest's seal covers it.
        }

        string blob = BlobPath(file.Sha256);
        try
        {
            if (_proofs.Digest(blob) == file.Sha256)
            {
                return true;
            }
        }
        catch (IOException)
        {
            _report(new Diagnostic("SCAL4003", $"The file {file.ResultName} of entry {key[..12]} is gone from the store; it is made again.") { Severity = Severity.Warning });
            return false;
        }

        _proofs.Forget(blob);
        if (ProofCache.Take(blob) == file.Sha256)
        {
            return true;
        }

        Quarantine(blob, $"The file {file.ResultName} of entry {key[..12]} is damaged");
        return false;
    }

    private void Quarantine(string path, string what)
    {
        string aside = Path.Combine(Root, "quarantine", $"{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        try
        {
            File.Move(path, aside);
        }
        catch (FileNotFoundException)
        {
            return; // Another run moved it first.
        }

        _report(new Diagnostic("SCAL4002", $"{what}; it was moved to {aside} and is made again.") { Severity = Severity.Warning });
    }

    private string EntryPath(string key) => Path.Combine(Root, "entries", key[..2], key);

    private string BlobPath(string digest) => Path.Combine(Root, "blobs", digest[..2], digest);
}
