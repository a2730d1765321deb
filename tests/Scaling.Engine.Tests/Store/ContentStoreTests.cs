// The store: published whole or not at all, proven on every hit, damage moved aside.
using System.Text;
using Scaling.Engine.Files;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Store;

public sealed class ContentStoreTests : IDisposable
{
    private const string Key = "ab00000000000000000000000000000000000000000000000000000000000000";
    private readonly TemporaryFolder _folder = new();
    private readonly List<Diagnostic> _reported = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData(10)]
    [InlineData(100_000)]
    public void What_is_published_is_found_with_its_bytes(int size)
    {
        byte[] content = Bytes(size);
        using var store = Open();
        Publish(store, content);

        var found = store.Find(Key)!;

        Assert.Equal(content, store.Content(found.Files[0]));
        Assert.Equal(new KeyEntry("setting", "a", "1"), Assert.Single(found.Entries));
        Assert.Null(store.Find(Key.Replace('a', 'c')));
    }

    public static TheoryData<string, string> Damages()
    {
        var damages = new TheoryData<string, string>();
        foreach (string what in new[] { "entries", "blobs" })
        {
            foreach (string how in new[] { "flip", "truncate", "zero", "empty", "delete" })
            {
                damages.Add(what, how);
            }
        }

        return damages;
    }

    [Theory]
    [MemberData(nameof(Damages))]
    public void Damage_is_a_reported_miss_and_never_a_wrong_result(string what, string how)
    {
        using (var store = Open())
        {
            Publish(store, Bytes(100_000));
            Assert.NotNull(store.Find(Key));
        }

        string file = Directory.EnumerateFiles(_folder[$"store/{what}"], "*", SearchOption.AllDirectories).Single();
        Scaling.TestKit.Damage.Do(file, how);
        using var again = Open();

        Assert.Null(again.Find(Key));
        Assert.Equal(what == "entries" && how == "delete" ? 0 : 1, _reported.Count);

        Publish(again, Bytes(100_000));
        Assert.Equal(Bytes(100_000), again.Content(again.Find(Key)!.Files[0]));
    }

    [Fact]
    public void Damage_that_keeps_size_and_modification_time_is_noticed()
    {
        string file = Prove();
        var time = File.GetLastWriteTimeUtc(file);
        Scaling.TestKit.Damage.Do(file, "flip");
        File.SetLastWriteTimeUtc(file, time);
        using var again = Open();

        Assert.Null(again.Find(Key));
    }

    [Fact]
    public void A_lost_or_damaged_list_of_proofs_changes_no_answer()
    {
        Prove();
        foreach (string garbage in new[] { "", "1 2 3\n", "\0\0\0\0", new string('f', 500) })
        {
            File.WriteAllText(_folder["store/proofs"], garbage);
            using var again = Open();
            Assert.NotNull(again.Find(Key));
        }
    }

    [Fact]
    public void Proofs_that_several_processes_append_at_once_are_all_kept()
    {
        string[] files = [.. Enumerable.Range(0, 400).Select(i => _folder.Write($"files/{i}", $"{i}"))];
        Thread.Sleep(150);
        ProofCache[] caches = [.. files.Chunk(4).Select(some =>
        {
            var cache = new ProofCache(_folder["shared-proofs"], TimeProvider.System);
            Array.ForEach(some, file => cache.Digest(file));
            return cache;
        })];

        Parallel.ForEach(caches, new ParallelOptions { MaxDegreeOfParallelism = 16 }, cache => cache.Dispose());

        Assert.Equal(400, File.ReadAllLines(_folder["shared-proofs"]).Length);
    }

    [Fact]
    public void A_lock_names_its_holder_and_nothing_of_one_that_died()
    {
        string path = _folder.Write("lock", new string('x', 300));
        using var held = FileLock.TryTake(path);

        Assert.Equal($"process {Environment.ProcessId} on {Environment.MachineName}", FileLock.Holder(path));
    }

    [Fact]
    public void The_machine_is_shared_by_many_or_had_by_one()
    {
        string path = _folder["machine"];
        using (FileLock.TryTakeLasting(path, alone: false))
        using (var second = FileLock.TryTakeLasting(path, alone: false))
        {
            Assert.NotNull(second);
            Assert.Null(FileLock.TryTakeLasting(path, alone: true));
        }

        using var alone = FileLock.TryTakeLasting(path, alone: true);
        Assert.NotNull(alone);
        Assert.Null(FileLock.TryTakeLasting(path, alone: false));
    }

    [Fact]
    public void A_store_that_is_a_file_is_refused_with_what_to_do()
    {
        _folder.Write("store", "a file");

        var refused = Assert.Throws<InfrastructureException>(Open);

        Assert.Equal("SCAL4001", refused.Diagnostic.Code);
        Assert.Contains("--cache", refused.Diagnostic.Hint);
    }

    /// <summary>Publishes a large file, waits until its time stamps are settled, and has its digest remembered.</summary>
    private string Prove()
    {
        using (var store = Open())
        {
            Publish(store, Bytes(100_000));
        }

        Thread.Sleep(150);
        using (var store = Open())
        {
            Assert.NotNull(store.Find(Key));
        }

        Assert.True(File.Exists(_folder["store/proofs"]));
        return Directory.EnumerateFiles(_folder["store/blobs"], "*", SearchOption.AllDirectories).Single();
    }

    private ContentStore Open() => ContentStore.Open(_folder["store"], _reported.Add);

    private static void Publish(ContentStore store, byte[] content) =>
        store.Publish(new Manifest(Key, "test", null, [new KeyEntry("setting", "a", "1")], [store.Take(content, "file.bin", "file")], 1.5, store.Now));

    private static byte[] Bytes(int size) => Encoding.ASCII.GetBytes(new string('x', size));
}
