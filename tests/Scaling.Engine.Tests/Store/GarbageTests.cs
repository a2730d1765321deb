// gc: what recorded and living runs use stays, everything else goes, and one that was killed loses nothing.
using System.Text;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Store;

public sealed class GarbageTests : IDisposable
{
    private static readonly GarbageOptions Usual = new(null, null, DryRun: false);
    private readonly TemporaryFolder _folder = new();
    private readonly List<Diagnostic> _reported = [];
    private readonly ContentStore _store;

    public GarbageTests() => _store = ContentStore.Open(_folder["store"], _reported.Add);

    public void Dispose()
    {
        _store.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public async Task What_no_recorded_run_uses_goes_with_its_blobs_and_its_price_is_told()
    {
        Publish('a', seconds: 10, large: "first");
        Publish('b', seconds: 20, large: "second");
        Publish('c', seconds: 5, large: "second");
        Record("one", 'a', 'c');

        var would = await Collect(Usual with { DryRun = true });
        Assert.NotNull(_store.Read(Key('b')));
        var report = await Collect(Usual);

        Assert.Equal((20.0, 1, 0, 2), (report.Seconds, report.Stages.Single().Entries, report.Blobs, report.KeptEntries));
        Assert.Equal(would.FreedBytes, report.FreedBytes);
        Assert.Null(_store.Find(Key('b')));
        Assert.NotNull(_store.Find(Key('a')));
        Assert.NotNull(_store.Find(Key('c'))); // Its blob was the other's too.
        Assert.Equal(0, (await Collect(Usual)).FreedBytes);
    }

    [Fact]
    public async Task What_a_living_run_has_noted_stays_with_the_rows_of_a_collection_and_goes_when_it_has_ended()
    {
        Publish('a', large: "row");
        Publish('b');
        Publish('c', members: [Key('a'), Key('b')]);
        Publish('d');
        using (var run = ContentStore.Open(_folder["store"], _ => { }))
        {
            run.NoteUses();
            Assert.NotNull(run.Find(Key('c')));

            var report = await Collect(Usual);

            Assert.Equal((1, 3, 3), (report.Stages.Sum(s => s.Entries), report.KeptEntries, report.InUse));
            Assert.All("abc", c => Assert.NotNull(run.Find(Key(c))));
        }

        Assert.Equal(3, (await Collect(Usual)).Stages.Sum(s => s.Entries));
        Assert.Empty(new Inventory(_store).Blobs());
    }

    [Fact]
    public async Task What_a_run_took_and_has_not_published_yet_stays()
    {
        using var worker = ContentStore.Open(_folder["store"], _ => { });
        worker.Live();
        var file = worker.Take(Encoding.ASCII.GetBytes(new string('x', 10_000)), "file.bin", "file");

        Assert.Equal(0, (await Collect(Usual)).Blobs);
        worker.Publish(new Manifest(Key('a'), "test", null, [new KeyEntry("stage", "type", "test")], [file], 1, worker.Now));
        Assert.NotNull(worker.Find(Key('a')));
    }

    [Fact]
    public async Task What_lies_in_the_trash_is_taken_back_by_who_misses_it_and_by_the_next_gc()
    {
        Publish('a', large: "first");
        Publish('b', large: "second");
        Record("one", 'a', 'b');
        foreach (string file in Directory.EnumerateFiles(_folder["store/entries"], "*", SearchOption.AllDirectories).ToArray())
        {
            ToTrash("entries", file);
        }

        foreach (string file in Directory.EnumerateFiles(_folder["store/blobs"], "*", SearchOption.AllDirectories).ToArray())
        {
            ToTrash("blobs", file);
        }

        Assert.NotNull(_store.Find(Key('a')));
        Assert.Equal(0, (await Collect(Usual)).FreedBytes);
        Assert.NotNull(_store.Find(Key('b')));
        Assert.False(Directory.Exists(_folder["store/trash"]));
        Assert.Empty(_reported);
    }

    [Fact]
    public async Task Runs_of_long_ago_count_for_nothing_where_that_is_asked()
    {
        Publish('a');
        Publish('b');
        string old = Record("one", 'a');
        Record("two", 'b');
        File.SetLastWriteTimeUtc(old, DateTime.UtcNow.AddDays(-40));

        Assert.Empty((await Collect(Usual)).Stages);
        Assert.Equal(1, (await Collect(Usual with { OlderThan = TimeSpan.FromDays(30) })).Stages.Single().Entries);
        Assert.NotNull(_store.Find(Key('b')));
    }

    [Fact]
    public async Task Beyond_a_size_those_go_first_that_were_used_least_recently_and_none_in_use()
    {
        foreach (char c in "abcd")
        {
            Publish(c, large: $"{c}");
        }

        string[] records = [.. "abcd".Select(c => Record($"{c}", c))];
        for (int i = 0; i < 4; i++)
        {
            File.SetLastWriteTimeUtc(records[i], DateTime.UtcNow.AddDays(-4 + i));
        }

        using var run = ContentStore.Open(_folder["store"], _ => { });
        run.NoteUses();
        Assert.NotNull(run.Find(Key('a')));

        var report = await Collect(Usual with { MaxBytes = 2 * 11_000 });

        Assert.Equal((2, 2), (report.Stages.Single().Entries, report.Blobs));
        Assert.Equal("ad", string.Concat("abcd".Where(c => _store.Find(Key(c)) is not null)));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Where_the_record_of_a_run_is_damaged_no_entry_goes_until_it_is_known(bool dryFirst)
    {
        Publish('a');
        string record = Record("one", 'a');
        byte[] bytes = File.ReadAllBytes(record);
        bytes[^3] ^= 1;
        File.WriteAllBytes(record, bytes);
        if (dryFirst)
        {
            await Collect(Usual with { DryRun = true });
        }

        Assert.Equal(0, (await Collect(Usual)).FreedBytes);
        Assert.Equal("SCAL4002", Assert.Single(_reported).Code);
        Assert.Equal(1, (await Collect(Usual)).Stages.Single().Entries);
    }

    [Fact]
    public async Task What_runs_left_that_were_killed_goes_and_their_checkpoints_rest()
    {
        var dead = ContentStore.Open(_folder["store"], _ => { });
        dead.NoteUses();
        dead.Find(Key('f'));
        string token = dead.Live().Token;
        var lease = dead.Leases.TryTake(Key('e'), dead.Live(), null, out _)!;
        Directory.CreateDirectory(lease.Work);
        File.WriteAllText(Path.Combine(lease.Work, "checkpoint"), "step 7");
        string said = $"process 7 on {Environment.MachineName}\nkernel {LifeSight.Kernel}\nlocked\n", list = File.ReadAllText(_folder[$"store/uses/{token}"]);
        dead.Dispose(); // Its lease was not released: as if it had been killed, but for the files that are put back.
        File.WriteAllText(_folder[$"store/lives/{token}"], said);
        File.WriteAllText(_folder[$"store/uses/{token}"], list);

        await Collect(Usual);

        Assert.Equal([_store.Live().Token], Directory.EnumerateFiles(_folder["store/lives"]).Select(Path.GetFileName));
        Assert.Equal([token], Directory.EnumerateFiles(_folder["store/uses"]).Select(Path.GetFileName).Where(f => f != _store.Live().Token)); // What it finished is no other's to name.
        File.SetLastWriteTimeUtc(_folder[$"store/uses/{token}"], DateTime.UtcNow - TimeSpan.FromDays(31));
        Assert.Null(_store.Leases.Of(Key('e')));
        Assert.Equal("step 7", File.ReadAllText(Path.Combine(_store.Leases.RestingWork(Key('e')), "checkpoint")));
    }

    private Task<GarbageReport> Collect(GarbageOptions options) => new GarbageCollector(_store, TimeProvider.System).Run(options, _ => { }, CancellationToken.None);

    private static string Key(char c) => new(c, 64);

    private void Publish(char c, double seconds = 1, string? large = null, string[]? members = null)
    {
        byte[] content = Encoding.ASCII.GetBytes(large is null ? "small" : string.Concat(Enumerable.Repeat(large.PadRight(10, '.'), 1000)));
        KeyEntry[] entries = [new(EntryKind.Stage, "action", members is null ? "run" : "collect"), .. (members ?? []).Select((m, i) => new KeyEntry(EntryKind.Member, $"p{i}", m))];
        // Through a store of its own, whose life has ended when gc comes.
        using var store = ContentStore.Open(_folder["store"], _reported.Add);
        store.Publish(new Manifest(Key(c), "test", null, entries, [store.Take(content, "file.bin", "file")], seconds, store.Now));
    }

    private string Record(string pipeline, params char[] keys)
    {
        var history = new RunHistory(_store, _folder[pipeline]);
        history.Keep(new RunRecord(pipeline, _folder[pipeline], _store.Now, _store.Now, 0, [new RecordedStage("s", "test", [.. keys.Select(k => new RecordedAction($"{k}", Key(k)))], keys.Length, [])], "", []), null);
        return Directory.EnumerateFiles(_folder["store/history"], "*", SearchOption.AllDirectories).OrderBy(File.GetCreationTimeUtc).MaxBy(File.GetLastWriteTimeUtc)!;
    }

    private void ToTrash(string kind, string file)
    {
        Directory.CreateDirectory(_folder[$"store/trash/{kind}"]);
        File.Move(file, _folder[$"store/trash/{kind}/{Path.GetFileName(file)}"]);
    }
}
