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
/// lives/TOKEN         a process at work here, held locked and renewed
/// leases/ab/KEY       who executes an action; work/KEY.LEASE/ is its scratch
/// work/KEY/           the scratch while nobody does: checkpoints survive a kill here
/// uses/TOKEN          what a run uses: gc leaves it
/// trash/              what gc is taking away; who misses it takes it back
/// incoming/           files that come from a remote cache, until they are whole
/// locks/              held while actions run on a machine
/// logs/ab/KEY         what an action last printed
/// jobs/TOKEN/         a job of a cluster, tools/DIGEST/ what it runs
/// history/ID/NUMBER   what the runs of a pipeline were made of, for why and gc
/// quarantine/         what was found damaged
/// proofs              digests taken, by the file's identity
/// </code>
/// A hit proves its bytes; what is damaged is moved aside, reported, and counts as a miss. STORE.md tells how processes and hosts share it.
/// </summary>
public sealed class ContentStore : IDisposable
{
    /// <summary>Files up to this size stand in the manifest itself: one durable write less for each.</summary>
    private const int InlineLimit = 4096;

    private readonly ProofCache _proofs;
    private readonly Action<Diagnostic> _report;
    private readonly TimeProvider _time;
    private readonly Lock _living = new();
    private Life? _life;
    private UseList? _uses;
    private volatile bool _notesUses;

    private ContentStore(string root, Action<Diagnostic> report, TimeProvider time)
    {
        Root = root;
        _report = report;
        _time = time;
        _proofs = new ProofCache(Path.Combine(root, "proofs"), time);
        Leases = new Leases(root, path => Quarantine(path, $"The lease {Path.GetFileName(path)} is damaged", "is made again where it is needed"));
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

    /// <summary>Who executes what.</summary>
    public Leases Leases { get; }

    /// <summary>This process's life in the store, begun when it is first asked for; it ends with the store's disposal.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public Life Live()
    {
        lock (_living)
        {
            if (_life is null)
            {
                _life = Life.Begin(LivesPath);
                Directory.CreateDirectory(UsesPath);
                _uses = new UseList(Path.Combine(UsesPath, _life.Token));
                _life.Revived = _uses.Restore;
            }

            return _life;
        }
    }

    /// <summary>Watches the lives of others.</summary>
    public LifeWatch Watch() => new(LivesPath, _time);

    /// <summary>From now on every entry that is looked for is noted as used before: gc leaves it until the store's disposal. Files that are taken are noted by whoever lives here.</summary>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public void NoteUses()
    {
        Live();
        _notesUses = true;
    }

    /// <summary>Whether what was noted stays noted after disposal, as after a kill: until a record of the run names it, nothing else keeps it from gc. Default: no.</summary>
    public bool LeavesNotes { get; set; }

    /// <summary>Notes in one step what will be looked for; nothing where uses are not noted.</summary>
    /// <param name="keys">Of entries.</param>
    public void Use(IEnumerable<string> keys)
    {
        if (_notesUses)
        {
            _uses!.Add(keys);
        }
    }

    /// <summary>Who is at work on something: process and host in words. Of those whose lock says nothing here, on another host or before a reboot, a renewal is waited for.</summary>
    /// <param name="work">As it was given to <see cref="Life.WorkOn"/>.</param>
    public IReadOnlyList<string> AtWorkOn(string work)
    {
        var at = (Directory.Exists(LivesPath) ? Directory.EnumerateFiles(LivesPath) : []).Select(path => (Path: path, Sight: LifeSight.Of(path))).Where(l => l.Sight is { IsDead: false } && l.Sight.Work == work).ToList();
        if (at.Exists(l => !l.Sight.IsLocked))
        {
            Thread.Sleep(Life.Renewal + TimeSpan.FromSeconds(1));
            at.RemoveAll(l => !l.Sight.IsLocked && LifeSight.Of(l.Path).Stamp == l.Sight.Stamp);
        }

        return [.. at.Select(l => l.Sight.Holder).Order(StringComparer.Ordinal)];
    }

    /// <summary>Where lives lie.</summary>
    internal string LivesPath => Path.Combine(Root, "lives");

    /// <summary>Where the lists of uses lie, by life.</summary>
    internal string UsesPath => Path.Combine(Root, "uses");

    /// <summary>Where gc puts what it is taking away.</summary>
    internal string TrashPath => Path.Combine(Root, "trash");

    /// <summary>Held shared by ordinary actions of this machine and alone by exclusive ones.</summary>
    public string MachineLockPath => Path.Combine(Root, "locks", $"machine-{Environment.MachineName}");

    /// <summary>What an action last printed.</summary>
    /// <param name="key">Its key.</param>
    public string LogPath(string key) => Path.Combine(Root, "logs", key[..2], key);

    /// <summary>For things of this machine that can be made again.</summary>
    public string MachineCachePath => Path.Combine(Root, "machine");

    /// <summary>SHA-256 of a file, taken once while the file stays the same.</summary>
    /// <param name="path">Any file.</param>
    public string Digest(string path) => _proofs.Digest(path);

    /// <summary>As <see cref="Digest"/>; null where there is no file.</summary>
    /// <param name="path">Any path.</param>
    public string? TryDigest(string path) => _proofs.TryDigest(path);

    /// <summary>The published action of a key whose bytes are all there and right; else null.</summary>
    /// <param name="key">See KEYS.md.</param>
    public Manifest? Find(string key)
    {
        Use([key]);
        return Read(key) is { } manifest && manifest.Files.All(file => Proves(key, file)) ? manifest : null;
    }

    /// <summary>An action that is known to be published.</summary>
    /// <param name="key">See KEYS.md.</param>
    /// <exception cref="InfrastructureException">SCAL4005: it cannot be read back.</exception>
    public Manifest FindPublished(string key) => Find(key) ?? throw new InfrastructureException("SCAL4005", $"The entry {key[..12]} was published and cannot be read back.", "Is the store's disk sound?");

    /// <summary>The published action of a key, its files not looked at; null where there is none or it is damaged.</summary>
    /// <param name="key">See KEYS.md.</param>
    public Manifest? Read(string key)
    {
        string path = EntryPath(key);
        byte[]? json = Sealed.Read(path, out bool damaged);
        if (json is null && !damaged && IsTakenBack("entries", path))
        {
            json = Sealed.Read(path, out damaged);
        }

        var manifest = json is null ? null : Parse(Origin.Split(json).Json);
        if (damaged || (json is not null && manifest?.IsSound(key) != true))
        {
            Quarantine(path, $"The entry {key[..12]} is damaged");
            return null;
        }

        return manifest;
    }

    /// <summary>Where an entry came from; null where it was executed here, or is not there.</summary>
    /// <param name="key">Its key.</param>
    public Origin? OriginOf(string key) => Sealed.Read(EntryPath(key), out _) is { } text ? Origin.Split(text).Origin : null;

    /// <summary>Whether a row stayed where its table was brought from: a hit on a collection brings no rows.</summary>
    /// <param name="key">Of the row, which is not there.</param>
    /// <param name="collection">Of the table; null for none.</param>
    public bool IsElsewhere(string key, string? collection) => collection is not null && !File.Exists(EntryPath(key)) && OriginOf(collection) is not null;

    /// <summary>A manifest that can be worked with; null where the text is none.</summary>
    internal static Manifest? Parse(byte[] json)
    {
        try
        {
            var manifest = Manifest.Read(json);
            return manifest.Files.All(f => f.IsSound) ? manifest : null;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException) // The other: an escape that is no character.
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
        _uses?.Add([digest]); // Before it is looked for: until the manifest is there, nothing else tells gc of it.
        if (!Holds(digest))
        {
            Durable.Move(path, BlobPath(digest));
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
        _uses?.Add([digest]); // Before it is looked for: until the manifest is there, nothing else tells gc of it.
        if (!Holds(digest))
        {
            Durable.Write(BlobPath(digest), content);
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

    /// <inheritdoc/>
    public void Dispose()
    {
        _proofs.Dispose();
        lock (_living)
        {
            if (_life is not null)
            {
                if (!LeavesNotes)
                {
                    Remove(Path.Combine(UsesPath, _life.Token));
                }

                _life.Dispose();
            }
        }
    }

    /// <summary>Removes a file that nothing depends on.</summary>
    private static void Remove(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // gc removes it.
        }
    }

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
            if ((File.Exists(blob) || IsTakenBack("blobs", blob)) && _proofs.Digest(blob) == file.Sha256)
            {
                return true;
            }
        }
        catch (IOException)
        {
            // Told below, if it is still not to be had.
        }

        if (!File.Exists(blob))
        {
            _report(new Diagnostic("SCAL4003", $"The file {file.ResultName} of entry {key[..12]} is gone from the store; it is made again.") { Severity = Severity.Warning });
            return false;
        }

        _proofs.Forget(blob);
        if (Holds(file.Sha256))
        {
            return true;
        }

        Quarantine(blob, $"The file {file.ResultName} of entry {key[..12]} is damaged");
        return false;
    }

    /// <summary>Whether a blob is there whole; its bytes are read.</summary>
    private bool Holds(string digest)
    {
        try
        {
            return ProofCache.Take(BlobPath(digest)) == digest;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return false;
        }
    }

    /// <summary>Takes back what gc is taking away: it was noted as used in time, or nobody noted anything and it costs the next gc a look.</summary>
    private bool IsTakenBack(string kind, string path)
    {
        if (!Directory.Exists(TrashPath))
        {
            return false;
        }

        try
        {
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            File.Move(Path.Combine(TrashPath, kind, Path.GetFileName(path)), path);
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return File.Exists(path); // gc put it back itself, or it is gone.
        }
    }

    /// <summary>Moves what is damaged aside and reports it.</summary>
    /// <param name="path">Of the store.</param>
    /// <param name="what">Is damaged, as a sentence.</param>
    /// <param name="then">What becomes of it.</param>
    internal void Quarantine(string path, string what, string then = "is made again")
    {
        string aside = Path.Combine(QuarantinePath, $"{Path.GetFileName(path)}.{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Move(path, aside);
            }
            else
            {
                File.Move(path, aside);
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return; // Another run moved it first.
        }

        _report(new Diagnostic("SCAL4002", $"{what}; it was moved to {aside} and {then}.") { Severity = Severity.Warning });
    }

    /// <summary>Where damage lies.</summary>
    internal string QuarantinePath => Path.Combine(Root, "quarantine");

    /// <summary>Where an entry lies.</summary>
    /// <param name="key">Its key.</param>
    internal string EntryPath(string key) => Path.Combine(Root, "entries", key[..2], key);

    /// <summary>Where a blob lies.</summary>
    /// <param name="digest">Of its content.</param>
    internal string BlobPath(string digest) => Path.Combine(Root, "blobs", digest[..2], digest);
}
