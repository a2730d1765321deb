// gc: takes away what no run uses, beside runs that go on, and may be killed at any moment. STORE.md says why it is right.
using Scaling.Engine.Execution;
using Scaling.Engine.Executors.Slurm;

namespace Scaling.Engine.Store;

/// <summary>What to take away.</summary>
/// <param name="OlderThan">Runs that were last true before count for nothing. Null: every recorded run counts.</param>
/// <param name="MaxBytes">What is left at most, least recently used entries gone first. Null: any.</param>
/// <param name="DryRun">Only tell.</param>
public sealed record GarbageOptions(TimeSpan? OlderThan, long? MaxBytes, bool DryRun);

/// <summary>What goes, of one stage type.</summary>
/// <param name="Stage">Its type.</param>
/// <param name="Entries">So many.</param>
/// <param name="Bytes">Of their files.</param>
/// <param name="Seconds">Of compute to make them again.</param>
public sealed record GarbageOfStage(string Stage, int Entries, long Bytes, double Seconds);

/// <summary>What went, or would.</summary>
/// <param name="Stages">By type, the most expensive first.</param>
/// <param name="Blobs">Files that nothing refers to any more.</param>
/// <param name="BlobBytes">Their size.</param>
/// <param name="Leftovers">Of runs that ended before they were done, old scratch, logs and damage.</param>
/// <param name="LeftoverBytes">Their size.</param>
/// <param name="KeptEntries">What stays.</param>
/// <param name="KeptBytes">With its blobs.</param>
/// <param name="InUse">Of what stays, entries that only a run that goes on uses.</param>
public sealed record GarbageReport(
    IReadOnlyList<GarbageOfStage> Stages, int Blobs, long BlobBytes, int Leftovers, long LeftoverBytes, int KeptEntries, long KeptBytes, int InUse)
{
    /// <summary>Everything that goes.</summary>
    public long FreedBytes => Stages.Sum(s => s.Bytes) + BlobBytes + LeftoverBytes;

    /// <summary>Of compute to make it again, as recorded when it was made.</summary>
    public double Seconds => Stages.Sum(s => s.Seconds);
}

/// <summary>One collection.</summary>
/// <param name="store">Of which store.</param>
/// <param name="time">Its time stamps count silence.</param>
public sealed class GarbageCollector(ContentStore store, TimeProvider time)
{
    /// <summary>Key of the lease that one gc at a time holds.</summary>
    private const string LeaseKey = "gc-of-this-store";

    /// <summary>Scratch, logs, plugin descriptions and damage that nobody asked for in this time.</summary>
    private static readonly TimeSpan UsualAge = TimeSpan.FromDays(30);

    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(500);
    private readonly Inventory _inventory = new(store);
    private readonly LifeWatch _watch = store.Watch();
    private readonly HashSet<string> _gone = [];

    /// <summary>Collects.</summary>
    /// <param name="options">What.</param>
    /// <param name="tell">Takes for whom it waits.</param>
    /// <param name="stop">Stops between two steps; what is done stays done.</param>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public async Task<GarbageReport> Run(GarbageOptions options, Action<string> tell, CancellationToken stop)
    {
        using var lease = await OneAtATime(tell, stop).ConfigureAwait(false);
        await TellTheDead(stop).ConfigureAwait(false);
        if (!options.DryRun)
        {
            PutBack(_ => true); // What a gc was taking away that was killed: it is decided anew.
        }

        bool damaged = AreRecordsDamaged(options.DryRun);
        var entries = _inventory.Entries().ToDictionary(e => e.Manifest.Key);
        var used = Used(options, entries, out var inUse);
        var whole = _inventory.Blobs().Select(b => b.Digest).ToHashSet();
        // An entry that lacks a file is found by nobody, whichever record names it.
        var beyond = entries.Values.Where(e => !inUse.Contains(e.Manifest.Key) && !e.Blobs.All(whole.Contains)).ToList();
        var goes = damaged ? [] : entries.Values.Where(e => !used.Contains(e.Manifest.Key) && !IsFreshDescription(e, options)).ToList();
        goes = [.. goes.Union(beyond)];
        if (options.MaxBytes is { } most)
        {
            beyond.AddRange(LeastUsed(entries, goes, inUse, most));
            goes = [.. goes.Union(beyond)];
        }


        if (!options.DryRun)
        {
            goes = TakeAway("entries", goes, e => e.Manifest.Key, store.EntryPath, () => UsedNow(options, entries, beyond), stop);
        }

        foreach (var entry in goes)
        {
            entries.Remove(entry.Manifest.Key);
        }

        var (blobs, kept) = Orphans(entries, options);
        if (!options.DryRun)
        {
            blobs = TakeAway("blobs", blobs, b => b.Digest, store.BlobPath, () => [.. Noted(), .. Jobs(options).Used(), .. _inventory.Entries().SelectMany(e => e.Blobs)], stop);
            RemoveTrash();
        }

        var leftovers = Leftovers(entries, options);
        long leftoverBytes = leftovers.Sum(SizeOf);
        if (!options.DryRun)
        {
            leftovers.ForEach(Remove);
            RemoveTheDead();
        }

        GarbageOfStage[] stages =
        [
            .. goes.GroupBy(e => e.Manifest.Stage).Select(s => new GarbageOfStage(s.Key, s.Count(), s.Sum(e => e.Bytes), s.Sum(e => e.Seconds)))
                .OrderByDescending(s => s.Seconds).ThenBy(s => s.Stage, StringComparer.Ordinal),
        ];
        return new GarbageReport(
            stages, blobs.Count, blobs.Sum(b => b.Bytes), leftovers.Count, leftoverBytes, entries.Count, entries.Values.Sum(e => e.Bytes) + kept, inUse.Count(k => entries.ContainsKey(k)));
    }

    private async Task<Lease> OneAtATime(Action<string> tell, CancellationToken stop)
    {
        string? told = null;
        string? silent = null;
        while (true)
        {
            if (store.Leases.TryTake(LeaseKey, store.Live(), silent, out string? other) is { } lease)
            {
                return lease;
            }

            string life = Leases.LifeOf(other!);
            silent = _watch.IsGone(life) ? other : null;
            if (told != life)
            {
                tell($"Waiting for {_watch.Holder(life)}, which collects garbage here.");
                told = life;
            }

            await Task.Delay(Look, stop).ConfigureAwait(false);
        }
    }

    /// <summary>Learns which lives are gone. Those of other hosts and of before a restart are told by silence, which takes seconds; there are none as a rule.</summary>
    private async Task TellTheDead(CancellationToken stop)
    {
        string own = store.Live().Token;
        var open = Lives().Where(l => l != own).ToDictionary(l => l, l => LifeSight.Of(Path.Combine(store.LivesPath, l)).Stamp);
        long began = time.GetTimestamp();
        while (open.Count > 0)
        {
            foreach (string life in open.Keys.ToArray())
            {
                var sight = LifeSight.Of(Path.Combine(store.LivesPath, life));
                if (_watch.IsGone(life))
                {
                    _gone.Add(life);
                    open.Remove(life);
                }
                else if (sight.Stamp != open[life] || sight.IsLocked)
                {
                    open.Remove(life);
                }
            }

            if (open.Count > 0)
            {
                await Task.Delay(Look, stop).ConfigureAwait(false);
                if (time.GetElapsedTime(began) > 4 * LifeWatch.LongestSilence)
                {
                    return; // Neither renewed nor silent, as when looks take long: it lives until it is known better.
                }
            }
        }
    }

    private IEnumerable<string> Lives() =>
        new[] { store.LivesPath, store.UsesPath }.Where(Directory.Exists).SelectMany(Directory.EnumerateFiles).Select(f => Path.GetFileName(f))
            .Concat(store.Leases.Keys().Select(store.Leases.Of).OfType<string>().Select(Leases.LifeOf)).Distinct();

    /// <summary>Keys and digests that runs have noted which may still go on.</summary>
    private HashSet<string> Noted() =>
        [.. Lists().Where(f => !_gone.Contains(Path.GetFileName(f))).SelectMany(UseList.Read)];

    /// <summary>Keys that runs have noted which ended without a record, since then.</summary>
    private IEnumerable<string> Interrupted(TimeSpan age) => Lists().Where(f => _gone.Contains(Path.GetFileName(f)) && IsYounger(f, age)).SelectMany(UseList.Read);

    private IEnumerable<string> Lists() => Directory.Exists(store.UsesPath) ? Directory.EnumerateFiles(store.UsesPath) : [];

    private bool IsYounger(string path, TimeSpan age) => File.GetLastWriteTimeUtc(path) > store.Now.UtcDateTime - age;

    /// <summary>
    /// What runs use: those that go on first, then the recorded ones. In that order, since a run that ends in between has kept its record before its list went. A collection covers its rows.
    /// </summary>
    private HashSet<string> Used(GarbageOptions options, Dictionary<string, StoredEntry> entries, out HashSet<string> onlyNow)
    {
        var now = Noted();
        now.UnionWith(Jobs(options).Used());
        foreach (string key in now.ToArray())
        {
            if (entries.TryGetValue(key, out var entry))
            {
                now.UnionWith(entry.Members);
            }
            else if (store.Read(key) is { } published)
            {
                now.UnionWith(new StoredEntry(published, 0).Members); // A collection that is younger than our walk.
            }
        }

        // What a run noted that was killed is named by no record: it goes on from there, if it is typed again before long.
        var used = new HashSet<string>(now);
        used.UnionWith(Interrupted(options.OlderThan ?? UsualAge));
        foreach (var (run, lastTrue) in RunHistory.All(store))
        {
            if (options.OlderThan is not { } age || lastTrue > store.Now - age)
            {
                used.UnionWith(run.Stages.SelectMany(s => s.Keys));
            }
        }

        onlyNow = now;
        return used;
    }

    /// <summary>What must not go, now that all candidates are in the trash; of those that are beyond the size, or not whole, only what a run that goes on uses.</summary>
    private HashSet<string> UsedNow(GarbageOptions options, Dictionary<string, StoredEntry> entries, List<StoredEntry> beyond)
    {
        var used = Used(options, entries, out var now);
        used.ExceptWith(beyond.Select(e => e.Manifest.Key).Where(key => !now.Contains(key)));
        return used;
    }

    private bool IsFreshDescription(StoredEntry entry, GarbageOptions options) => entry.IsDescription && entry.Manifest.Published > store.Now - (options.OlderThan ?? UsualAge);

    /// <summary>Entries beyond a size, those first that runs used least recently.</summary>
    private List<StoredEntry> LeastUsed(Dictionary<string, StoredEntry> entries, List<StoredEntry> goes, HashSet<string> inUse, long most)
    {
        var lastUse = new Dictionary<string, DateTimeOffset>();
        foreach (var (run, lastTrue) in RunHistory.All(store))
        {
            foreach (string key in run.Stages.SelectMany(s => s.Keys))
            {
                lastUse[key] = lastUse.TryGetValue(key, out var other) && other > lastTrue ? other : lastTrue;
            }
        }

        var going = goes.Select(g => g.Manifest.Key).ToHashSet();
        var references = new Dictionary<string, int>();
        var sizes = _inventory.Blobs().ToDictionary(b => b.Digest, b => b.Bytes);
        foreach (string blob in entries.Values.Where(e => !going.Contains(e.Manifest.Key)).SelectMany(e => e.Blobs.Distinct()))
        {
            references[blob] = references.GetValueOrDefault(blob) + 1;
        }

        long left = entries.Values.Where(e => !going.Contains(e.Manifest.Key)).Sum(e => e.Bytes) + references.Keys.Sum(b => sizes.GetValueOrDefault(b));
        var more = new List<StoredEntry>();
        foreach (var entry in entries.Values.Where(e => !going.Contains(e.Manifest.Key) && !inUse.Contains(e.Manifest.Key))
            .OrderBy(e => lastUse.GetValueOrDefault(e.Manifest.Key, e.Manifest.Published)).ThenBy(e => e.Seconds).ThenBy(e => e.Manifest.Key, StringComparer.Ordinal))
        {
            if (left <= most)
            {
                break;
            }

            more.Add(entry);
            left -= entry.Bytes + entry.Blobs.Distinct().Where(b => --references[b] == 0).Sum(b => sizes.GetValueOrDefault(b));
        }

        return more;
    }

    private (List<(string Digest, long Bytes)> Orphans, long Kept) Orphans(Dictionary<string, StoredEntry> entries, GarbageOptions options)
    {
        HashSet<string> referred = [.. (options.DryRun ? entries.Values : _inventory.Entries()).SelectMany(e => e.Blobs), .. Noted(), .. Jobs(options).Used()];
        var orphans = new List<(string, long)>();
        long kept = 0;
        foreach (var blob in _inventory.Blobs())
        {
            if (referred.Contains(blob.Digest))
            {
                kept += blob.Bytes;
            }
            else
            {
                orphans.Add(blob);
            }
        }

        return (orphans, kept);
    }

    /// <summary>Moves files into the trash, looks once more who uses them, puts those back, and deletes the others.</summary>
    /// <returns>Those that are gone.</returns>
    private List<T> TakeAway<T>(string kind, List<T> files, Func<T, string> nameOf, Func<string, string> placeOf, Func<HashSet<string>> usedNow, CancellationToken stop)
    {
        string trash = Directory.CreateDirectory(Path.Combine(store.TrashPath, kind)).FullName;
        foreach (var file in files)
        {
            stop.ThrowIfCancellationRequested();
            Move(placeOf(nameOf(file)), Path.Combine(trash, nameOf(file)));
        }

        var used = usedNow();
        PutBack(used.Contains);
        var gone = new List<T>();
        foreach (var file in files.Where(f => !used.Contains(nameOf(f))))
        {
            string trashed = Path.Combine(trash, nameOf(file));
            if (File.Exists(trashed)) // Else a run that noted nothing has taken it back.
            {
                File.Delete(trashed);
                gone.Add(file);
            }
        }

        return gone;
    }

    private void PutBack(Func<string, bool> which)
    {
        PutBack("entries", store.EntryPath);
        PutBack("blobs", store.BlobPath);

        void PutBack(string kind, Func<string, string> placeOf)
        {
            string trash = Path.Combine(store.TrashPath, kind);
            foreach (string file in Directory.Exists(trash) ? Directory.EnumerateFiles(trash).Where(f => which(Path.GetFileName(f))).ToArray() : [])
            {
                string place = placeOf(Path.GetFileName(file));
                Directory.CreateDirectory(Path.GetDirectoryName(place)!);
                if (!Move(file, place))
                {
                    File.Delete(file); // Somebody has made it again.
                }
            }
        }
    }

    /// <summary>False where something is at the place; a file that is gone is no failure.</summary>
    private static bool Move(string from, string to)
    {
        try
        {
            File.Move(from, to);
            return true;
        }
        catch (FileNotFoundException)
        {
            return true;
        }
        catch (IOException) when (File.Exists(to))
        {
            return false;
        }
    }

    private void RemoveTrash()
    {
        try
        {
            foreach (string kind in new[] { "entries", "blobs" })
            {
                Directory.Delete(Path.Combine(store.TrashPath, kind));
            }

            Directory.Delete(store.TrashPath);
        }
        catch (IOException)
        {
            // Not empty after all: the next gc decides.
        }
    }

    /// <summary>Whether the record of a run cannot be read: then nobody knows what it used, and no entry goes until a gc that finds all records whole.</summary>
    private bool AreRecordsDamaged(bool dryRun)
    {
        string[] damaged = [.. _inventory.Files("history").Where(RunHistory.IsDamaged)];
        foreach (string record in dryRun ? [] : damaged)
        {
            store.Quarantine(record, $"The record {Path.GetRelativePath(store.Root, record)} of a run is damaged", "is not needed; what that run alone used goes with the next gc");
        }

        return damaged.Length > 0;
    }

    private List<string> Leftovers(Dictionary<string, StoredEntry> entries, GarbageOptions options)
    {
        var age = options.OlderThan is { } older && older < UsualAge ? older : UsualAge;
        return
        [
            .. _inventory.Unfinished(),
            .. Scratch().Where(w => entries.ContainsKey(Path.GetFileName(w).Split('.')[0]) || IsAllOlder(w, age)),
            .. _inventory.Files("logs").Where(f => _inventory.IsOlder(f, age)),
            .. _inventory.Files("quarantine").Where(f => _inventory.IsOlder(f, age)),
            .. Jobs(options).Leftovers(),
        ];
    }

    private JobGarbage Jobs(GarbageOptions options)
    {
        var age = options.OlderThan is { } older && older < UsualAge ? older : UsualAge;
        return new JobGarbage(store, path => Directory.Exists(path) ? IsAllOlder(path, age) : _inventory.IsOlder(path, age));
    }

    /// <summary>Scratch that nobody works in.</summary>
    private IEnumerable<string> Scratch()
    {
        string work = Path.Combine(store.Root, "work");
        return !Directory.Exists(work) ? [] : Directory.EnumerateDirectories(work).Where(w =>
        {
            string[] name = Path.GetFileName(w).Split('.');
            return name.Length == 1 ? store.Leases.Of(name[0]) is null : _gone.Contains(Leases.LifeOf(name[1])) || !File.Exists(Path.Combine(store.LivesPath, Leases.LifeOf(name[1])));
        });
    }

    private bool IsAllOlder(string folder, TimeSpan age) =>
        _inventory.IsOlder(folder, age) && Directory.EnumerateFileSystemEntries(folder, "*", SearchOption.AllDirectories).All(f => new FileInfo(f).LinkTarget is not null || _inventory.IsOlder(f, age));

    /// <summary>What the dead held is free, and their scratch rests until its action is tried again; then nothing names them any more.</summary>
    private void RemoveTheDead()
    {
        foreach (string key in store.Leases.Keys().Where(k => k != LeaseKey).ToArray())
        {
            if (store.Leases.Of(key) is { } lease && _gone.Contains(Leases.LifeOf(lease)))
            {
                store.Leases.TryTake(key, store.Live(), lease, out _)?.Dispose();
            }

            store.Leases.RemoveLoose(key, _gone.Contains);
        }

        foreach (string life in _gone)
        {
            string list = Path.Combine(store.UsesPath, life);
            if (File.Exists(list) && !IsYounger(list, UsualAge))
            {
                File.Delete(list);
            }

            File.Delete(Path.Combine(store.LivesPath, life));
        }
    }

    private static long SizeOf(string path) => Directory.Exists(path)
        ? Directory.EnumerateFiles(path, "*", SearchOption.AllDirectories).Where(f => new FileInfo(f).LinkTarget is null).Sum(f => Math.Max(0, Inventory.Size(f)))
        : Math.Max(0, Inventory.Size(path));

    private static void Remove(string path)
    {
        try
        {
            if (Directory.Exists(path))
            {
                Directory.Delete(path, recursive: true);
            }
            else
            {
                File.Delete(path);
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Something of it is in use after all.
        }
    }
}
