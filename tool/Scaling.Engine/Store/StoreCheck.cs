// cache verify: reads every byte of the store, whatever is remembered of it, and moves aside what is damaged.
using System.Collections.Concurrent;
using Scaling.Engine.Execution;
using Scaling.Sdk;

namespace Scaling.Engine.Store;

/// <summary>What a check came to.</summary>
/// <param name="Entries">Read.</param>
/// <param name="Blobs">Read.</param>
/// <param name="Bytes">Of them.</param>
/// <param name="Records">Of runs, read.</param>
/// <param name="Damaged">What was moved aside, in words.</param>
/// <param name="Gone">Entries with files that are not there: key, stage type, and the first such file.</param>
public sealed record StoreFindings(int Entries, int Blobs, long Bytes, int Records, IReadOnlyList<Diagnostic> Damaged, IReadOnlyList<(string Key, string Stage, string File)> Gone)
{
    /// <summary>Whether everything is as it was written.</summary>
    public bool AreNone => Damaged.Count + Gone.Count == 0;
}

/// <summary>One check.</summary>
/// <param name="root">The store.</param>
public sealed class StoreCheck(string root)
{
    private readonly ConcurrentQueue<Diagnostic> _damaged = new();

    /// <summary>Reads everything.</summary>
    /// <param name="progress">Takes bytes done and in all.</param>
    /// <param name="stop">Stops between two files.</param>
    /// <exception cref="InfrastructureException">There is no such store.</exception>
    /// <exception cref="IOException">The store cannot be read.</exception>
    public StoreFindings Run(Action<long, long> progress, CancellationToken stop)
    {
        using var store = ContentStore.Open(root, _damaged.Enqueue);
        var inventory = new Inventory(store);
        var blobs = inventory.Blobs().ToArray();
        long all = blobs.Sum(b => b.Bytes) + inventory.SizeOf("entries").Bytes;
        long done = 0;

        // Entries first: an entry that is damaged needs no blobs.
        var entries = new List<StoredEntry>();
        foreach (var entry in inventory.Entries())
        {
            stop.ThrowIfCancellationRequested();
            entries.Add(entry);
            progress(done += entry.Bytes, all);
        }

        Parallel.ForEach(blobs, new ParallelOptions { MaxDegreeOfParallelism = Environment.ProcessorCount, CancellationToken = stop }, blob =>
        {
            Read(store, blob.Digest);
            progress(Interlocked.Add(ref done, blob.Bytes), all);
        });

        // Looked for now, and not in the list from before: entries may have come, and blobs gone with a gc, since.
        var gone = entries.Where(e => File.Exists(store.EntryPath(e.Manifest.Key)))
            .Select(e => (e.Manifest.Key, e.Manifest.Stage, Missing: e.Manifest.Files.FirstOrDefault(f => f.Inline is null && !File.Exists(store.BlobPath(f.Sha256)))))
            .Where(g => g.Missing is not null).Select(g => (g.Key, g.Stage, g.Missing!.ResultName)).OrderBy(g => g.Key, StringComparer.Ordinal).ToArray();
        int records = Records(store, inventory);
        Checkpoints(store, stop);
        return new StoreFindings(entries.Count, blobs.Length, done, records, [.. _damaged], gone);
    }

    private static void Read(ContentStore store, string digest)
    {
        string path = store.BlobPath(digest);
        try
        {
            if (ProofCache.Take(path) != digest)
            {
                store.Quarantine(path, $"The blob {digest[..12]} is damaged");
            }
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            // gc took it away; what refers to it is told.
        }
    }

    private static void Checkpoints(ContentStore store, CancellationToken stop)
    {
        string work = Path.Combine(store.Root, "work");
        foreach (string scratch in Directory.Exists(work) ? Directory.GetDirectories(work) : [])
        {
            stop.ThrowIfCancellationRequested();
            try
            {
                string key = Path.GetFileName(scratch).Split('.')[0];
                _ = new Checkpoints(Path.Combine(scratch, "scratch"), key, path => store.Quarantine(path, $"A checkpoint of the unfinished action {key[..Math.Min(12, key.Length)]} is damaged", "is not gone on from")).Last();
            }
            catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
            {
                // None was saved, or a run went on from it meanwhile.
            }
        }
    }

    private static int Records(ContentStore store, Inventory inventory)
    {
        string[] records = [.. inventory.Files("history")];
        foreach (string record in records.Where(RunHistory.IsDamaged))
        {
            store.Quarantine(record, $"The record {Path.GetRelativePath(store.Root, record)} of a run is damaged", "is not needed; 'why' does without it");
        }

        return records.Length;
    }
}

/// <summary>Entries of one stage type.</summary>
/// <param name="Stage">Its type.</param>
/// <param name="Entries">So many.</param>
/// <param name="Bytes">With their blobs, of which those that several entries share count for each.</param>
/// <param name="Seconds">Of compute that they hold.</param>
public sealed record StatisticsOfStage(string Stage, int Entries, long Bytes, double Seconds);

/// <summary>What a store holds.</summary>
/// <param name="Stages">By type, the most expensive first.</param>
/// <param name="Entries">All of them.</param>
/// <param name="EntryBytes">Without blobs.</param>
/// <param name="Blobs">All of them.</param>
/// <param name="BlobBytes">Their size.</param>
/// <param name="Others">Everything else, folder by folder: bytes and files.</param>
public sealed record StoreStatistics(
    IReadOnlyList<StatisticsOfStage> Stages, int Entries, long EntryBytes, int Blobs, long BlobBytes, IReadOnlyList<(string Folder, string Holds, long Bytes, int Files)> Others)
{
    private static readonly (string Folder, string Holds)[] Rest =
    [
        ("history", "records of runs"), ("work", "scratch of unfinished actions"), ("logs", "logs"), ("jobs", "jobs of a cluster"), ("tools", "copies of the tool for a cluster"), ("runs", "what runs in the background said"), ("quarantine", "damage"), ("trash", "left of a gc that was ended"), ("machine", "packages and what this machine can make again"),
    ];

    /// <summary>Of compute that the store holds.</summary>
    public double Seconds => Stages.Sum(s => s.Seconds);

    /// <summary>Counts.</summary>
    /// <param name="store">What.</param>
    public static StoreStatistics Of(ContentStore store)
    {
        var inventory = new Inventory(store);
        var blobs = inventory.Blobs().ToDictionary(b => b.Digest, b => b.Bytes);
        var entries = inventory.Entries().ToList();
        return new StoreStatistics(
            [
                .. entries.GroupBy(e => e.Manifest.Stage)
                    .Select(s => new StatisticsOfStage(s.Key, s.Count(), s.Sum(e => e.Bytes + e.Blobs.Distinct().Sum(b => blobs.GetValueOrDefault(b))), s.Sum(e => e.Seconds)))
                    .OrderByDescending(s => s.Seconds).ThenBy(s => s.Stage, StringComparer.Ordinal),
            ],
            entries.Count, entries.Sum(e => e.Bytes), blobs.Count, blobs.Values.Sum(),
            [.. Rest.Select(r => (r.Folder, r.Holds, inventory.SizeOf(r.Folder).Bytes, inventory.SizeOf(r.Folder).Files)).Where(r => r.Files > 0)]);
    }
}
