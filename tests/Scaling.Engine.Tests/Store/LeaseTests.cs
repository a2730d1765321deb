// Leases: one at a time, taken over from who is gone, and never from who only seems so to a look too short.
using Microsoft.Win32.SafeHandles;
using Scaling.Engine.Files;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Store;

public sealed class LeaseTests : IDisposable
{
    private const string Key = "ab00000000000000000000000000000000000000000000000000000000000000";
    private const string Foreign = "0123456789abcdef";
    private readonly TemporaryFolder _folder = new();
    private readonly List<Diagnostic> _reported = [];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_key_is_under_one_lease_at_a_time_and_free_after_it()
    {
        using var store = Open();
        using var other = Open();
        var lease = store.Leases.TryTake(Key, store.Live(), null, out _)!;

        Assert.Null(other.Leases.TryTake(Key, other.Live(), null, out string? holder));
        Assert.Equal(lease.Name, holder);
        Assert.Contains($"process {Environment.ProcessId} on {Environment.MachineName}", HolderOf(other, holder!));
        lease.Dispose();
        using var next = other.Leases.TryTake(Key, other.Live(), null, out _);
        Assert.NotNull(next);
    }

    [Fact]
    public void Of_many_that_try_at_once_one_takes_it()
    {
        ContentStore[] stores = [.. Enumerable.Range(0, 16).Select(_ => Open())];
        Array.ForEach(stores, s => s.Live());
        for (int round = 0; round < 50; round++)
        {
            var taken = new Lease?[stores.Length];
            Parallel.For(0, stores.Length, new ParallelOptions { MaxDegreeOfParallelism = 16 }, i => taken[i] = stores[i].Leases.TryTake(Key, stores[i].Live(), null, out _));

            Assert.Single(taken, t => t is not null);
            Array.ForEach(taken, t => t?.Dispose());
            Assert.Empty(Links());
        }

        Array.ForEach(stores, s => s.Dispose());
    }

    [Fact]
    public void Who_supersedes_a_lease_has_its_scratch_and_who_was_superseded_publishes_nothing()
    {
        using var slow = Open();
        using var quick = Open();
        var first = slow.Leases.TryTake(Key, slow.Live(), null, out _)!;
        Directory.CreateDirectory(first.Work);
        File.WriteAllText(Path.Combine(first.Work, "checkpoint"), "step 7");

        var second = quick.Leases.TryTake(Key, quick.Live(), silent: first.Name, out _)!;

        Assert.Equal((false, true), (first.IsHeld, second.IsHeld));
        Assert.False(Directory.Exists(first.Work));
        Assert.Equal("step 7", File.ReadAllText(Path.Combine(second.Work, "checkpoint")));
        first.Dispose();
        Assert.True(second.IsHeld);
        Assert.Null(slow.Leases.TryTake(Key, slow.Live(), null, out _));
        second.Dispose();
        Assert.Empty(Links());
        Assert.Equal("step 7", File.ReadAllText(Path.Combine(slow.Leases.RestingWork(Key), "checkpoint")));
        using var third = slow.Leases.TryTake(Key, slow.Live(), null, out _)!;
        Assert.Equal("step 7", File.ReadAllText(Path.Combine(third.Work, "checkpoint")));
    }

    [Fact]
    public void A_lease_that_an_observer_no_longer_sees_is_not_superseded()
    {
        using var slow = Open();
        using var quick = Open();
        string dead = slow.Leases.TryTake(Key, slow.Live(), null, out _)!.Name;
        quick.Leases.TryTake(Key, quick.Live(), dead, out _)!.Dispose();
        using var now = quick.Leases.TryTake(Key, quick.Live(), null, out _)!;

        Assert.Null(slow.Leases.TryTake(Key, slow.Live(), silent: dead, out string? holder));
        Assert.Equal(now.Name, holder);
    }

    [Fact]
    public void Of_two_that_supersede_the_same_lease_one_does()
    {
        using var dead = Open();
        ContentStore[] stores = [.. Enumerable.Range(0, 8).Select(_ => Open())];
        Array.ForEach(stores, s => s.Live());
        string lease = dead.Leases.TryTake(Key, dead.Live(), null, out _)!.Name;
        var taken = new Lease?[stores.Length];
        Parallel.For(0, stores.Length, i => taken[i] = stores[i].Leases.TryTake(Key, stores[i].Live(), lease, out _));

        Assert.Single(taken, t => t is not null);
        Array.ForEach(taken, t => t?.Dispose());
        Array.ForEach(stores, s => s.Dispose());
    }

    [Fact]
    public void A_lease_that_somebody_removed_is_put_back_and_one_that_is_none_is_moved_aside()
    {
        using var store = Open();
        using var other = Open();
        var lease = store.Leases.TryTake(Key, store.Live(), null, out _)!;
        File.Delete(Links().Single());

        Assert.True(lease.IsHeld);
        Assert.Null(other.Leases.TryTake(Key, other.Live(), null, out _));
        lease.Dispose();

        foreach (Action<string> damage in new Action<string>[] { p => File.WriteAllText(p, "a file"), p => File.CreateSymbolicLink(p, "../../elsewhere"), p => File.CreateSymbolicLink(p, new string('f', 400)) })
        {
            damage(_folder[$"store/leases/ab/{Key}"]);
            _reported.Clear();
            using var next = other.Leases.TryTake(Key, other.Live(), null, out _);
            Assert.NotNull(next);
            Assert.Equal("SCAL4002", Assert.Single(_reported).Code);
        }
    }

    [Fact]
    public void Who_was_superseded_by_one_that_has_ended_since_does_not_hold_the_key_again()
    {
        using var slow = Open();
        using var quick = Open();
        var first = slow.Leases.TryTake(Key, slow.Live(), null, out _)!;
        quick.Leases.TryTake(Key, quick.Live(), silent: first.Name, out _)!.Dispose();

        Assert.False(first.IsHeld);
        Directory.CreateDirectory(first.Work); // A stage that writes on.
        Assert.False(first.IsHeld);
        Assert.Empty(Links());
        first.Dispose();
        Assert.Empty(Directory.EnumerateFileSystemEntries(_folder["store/work"]));
    }

    [Fact]
    public void A_process_of_another_host_is_gone_when_it_was_silent_while_we_looked()
    {
        var clock = new Clock();
        string life = ForeignLife();
        var watch = new LifeWatch(_folder["store/lives"], clock);
        for (int i = 0; i < 7; i++)
        {
            Assert.False(watch.IsGone(Foreign), $"after {i} s");
            clock.Pass(1);
        }

        Assert.True(watch.IsGone(Foreign));
        Assert.Equal("process 7 on faraway", watch.Holder(Foreign));
        File.SetLastWriteTimeUtc(life, new DateTime(1990, 1, 1, 0, 0, 0, DateTimeKind.Utc)); // Its clock was set back; it lives.
        Assert.False(watch.IsGone(Foreign));
    }

    [Fact]
    public void Who_did_not_look_has_not_heard_silence()
    {
        var clock = new Clock();
        ForeignLife();
        var watch = new LifeWatch(_folder["store/lives"], clock);
        Assert.False(watch.IsGone(Foreign));
        clock.Pass(3600);

        Assert.False(watch.IsGone(Foreign));
    }

    [Theory]
    [InlineData("flip")]
    [InlineData("truncate")]
    [InlineData("zero")]
    [InlineData("delete")]
    public void A_damaged_life_is_alive_while_it_is_renewed_and_its_process_mends_it(string how)
    {
        using var store = Open();
        string path = Path.Combine(_folder["store/lives"], store.Live().Token);
        byte[] bytes = System.Text.Encoding.UTF8.GetBytes(Read(path));
        using (var damaged = Handle(path))
        {
            RandomAccess.SetLength(damaged, how == "truncate" ? 9 : bytes.Length);
            RandomAccess.Write(damaged, how == "zero" ? new byte[bytes.Length] : how == "flip" ? [(byte)(bytes[0] ^ 1)] : [], 0);
        }

        if (how == "delete")
        {
            File.Delete(path);
        }

        var clock = new Clock();
        var watch = new LifeWatch(_folder["store/lives"], clock);
        Assert.False(watch.IsGone(store.Live().Token));
        for (int i = 0; how == "delete" && !File.Exists(path); i++)
        {
            Assert.True(i < 100, "the life was not put back");
            Thread.Sleep(100);
        }

        Assert.False(watch.IsGone(store.Live().Token));
    }

    [Fact]
    public void A_life_that_ended_is_known_at_once_on_this_kernel_and_an_ended_store_leaves_nothing()
    {
        var store = Open();
        string token = store.Live().Token;
        store.NoteUses();
        store.Find(Key);
        string path = Path.Combine(_folder["store/lives"], token);
        string said = Read(path);
        Assert.True(File.Exists(_folder[$"store/uses/{token}"]));
        store.Dispose();
        Assert.Empty(Directory.EnumerateFiles(_folder["store/lives"]).Concat(Directory.EnumerateFiles(_folder["store/uses"])));

        File.WriteAllText(path, said); // As if it had been killed: its words are there, and nobody holds them.
        Assert.True(new LifeWatch(_folder["store/lives"], new Clock()).IsGone(token));
    }

    [Fact]
    public void A_life_is_renewed_however_long_its_process_looks_at_its_leases_and_one_look_is_under_way_at_most()
    {
        using var store = Open();
        using var looked = new ManualResetEventSlim();
        using var end = new ManualResetEventSlim();
        int looks = 0;
        store.Live().Renewed = () =>
        {
            looks++;
            looked.Set();
            end.Wait();
        };
        Assert.True(looked.Wait(TimeSpan.FromSeconds(20)));
        string path = Path.Combine(_folder["store/lives"], store.Live().Token);
        for (int renewals = 0; renewals < 2; renewals++)
        {
            var before = File.GetLastWriteTimeUtc(path);
            Assert.True(SpinWait.SpinUntil(() => File.GetLastWriteTimeUtc(path) != before, TimeSpan.FromSeconds(20)), "the life was not renewed");
        }

        Assert.Equal(1, looks);
        store.Live().Renewed = null;
        end.Set();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void What_a_process_noted_is_noted_again_where_gc_took_its_list_away_in_a_silence(bool andItsLife)
    {
        string[] keys = [.. "abc".Select(c => new string(c, 64))];
        using var store = Open();
        store.NoteUses();
        store.Use(keys[..2]);
        string list = Path.Combine(_folder["store/uses"], store.Live().Token);
        File.Delete(list);
        if (andItsLife)
        {
            File.Delete(Path.Combine(_folder["store/lives"], store.Live().Token));
            Assert.True(SpinWait.SpinUntil(() => new FileInfo(list) is { Exists: true, Length: > 0 }, TimeSpan.FromSeconds(20)), "the list was not written again");
            Assert.Equal(keys[..2], File.ReadAllLines(list));
        }

        store.Use(keys[2..]);
        Assert.Equal(keys, File.ReadAllLines(list));
    }

    /// <summary>Without .NET's own lock, which the life's would be in the way of.</summary>
    private static string Read(string path)
    {
        using var file = Handle(path);
        byte[] bytes = new byte[RandomAccess.GetLength(file)];
        return System.Text.Encoding.UTF8.GetString(bytes, 0, RandomAccess.Read(file, bytes, 0));
    }

    private static SafeFileHandle Handle(string path) => new(LibC.Open(path, LibC.ReadWrite, 0), ownsHandle: true);

    private static string HolderOf(ContentStore store, string lease)
    {
        var watch = store.Watch();
        Assert.False(watch.IsGone(Leases.LifeOf(lease)));
        return watch.Holder(Leases.LifeOf(lease));
    }

    private string ForeignLife() => _folder.Write($"store/lives/{Foreign}", "process 7 on faraway\nkernel another\nlocked\n");

    private string[] Links() => [.. Directory.EnumerateDirectories(_folder["store/leases"]).SelectMany(Directory.EnumerateFileSystemEntries)];

    private ContentStore Open() => ContentStore.Open(_folder["store"], _reported.Add);

    private sealed class Clock : TimeProvider
    {
        private long _seconds;

        public override long TimestampFrequency => 1;

        public override long GetTimestamp() => _seconds;

        public void Pass(long seconds) => _seconds += seconds;
    }
}
