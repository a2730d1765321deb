// A machine of a test: a store in a folder of its own, and what it was told of the remote.
using System.Collections.Concurrent;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Remote.Tests;

/// <summary>A store and a remote's settings.</summary>
public sealed class Machine : IRemoteObserver, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public Machine() => Store = ContentStore.Open(_folder["store"], d => Told.Add(d));

    public ContentStore Store { get; }

    public ConcurrentBag<Diagnostic> Told { get; } = [];

    public string Codes => string.Join(' ', Told.Select(t => t.Code).Distinct().Order());

    public string this[string name] => _folder[name];

    /// <summary>Waits that a test can wait for.</summary>
    public static RemoteSettings Settings(string address, bool write = false) => new(new Uri(address))
    {
        MayWrite = write, FirstWait = TimeSpan.FromMilliseconds(5), StallTimeout = TimeSpan.FromMilliseconds(400), ConnectTimeout = TimeSpan.FromSeconds(5), Parallel = 4,
    };

    /// <summary>An entry with one file in its manifest and one beside it.</summary>
    public string Publish(string name, int bytes = 100_000)
    {
        KeyEntry[] entries = [new(EntryKind.Format, "key", "1"), new(EntryKind.Stage, "type", "test"), new(EntryKind.Setting, "name", name)];
        byte[] large = new byte[bytes];
        new Random(name.Length).NextBytes(large);
        string key = ActionKey.Of(entries);
        Store.Publish(new Manifest(key, "test", null, entries, [Store.Take(System.Text.Encoding.UTF8.GetBytes(name), "small.txt", "text"), Store.Take(large, "folder/large.bin", "data")], 1, Store.Now));
        return key;
    }

    /// <summary>A collection of rows that are in the store.</summary>
    public string Collect(params string[] rows)
    {
        KeyEntry[] entries = [new(EntryKind.Format, "key", "1"), new(EntryKind.Stage, "type", "test"), new(EntryKind.Stage, "action", "collect"), .. rows.Select((row, i) => new KeyEntry(EntryKind.Member, $"p{i}", row))];
        string key = ActionKey.Of(entries);
        Store.Publish(new Manifest(key, "test", null, entries, [Store.Take("a\n1\n"u8.ToArray(), "table.csv", "table")], 1, Store.Now));
        return key;
    }

    public async Task<PushSummary> Push(RemoteSettings settings, params string[] keys)
    {
        using var remote = RemoteEntries.Open(settings, Store, this);
        var summary = await remote.Push(keys, CancellationToken.None);
        await remote.Finish(CancellationToken.None);
        return summary;
    }

    public async Task<int> Bring(RemoteSettings settings, params string[] keys)
    {
        using var remote = RemoteEntries.Open(settings, Store, this);
        await remote.Bring(keys, CancellationToken.None);
        await remote.Finish(CancellationToken.None);
        return remote.Brought;
    }

    public void Warned(Diagnostic warning) => Told.Add(warning);

    public void Moved(Transfer transfer)
    {
    }

    public void Dispose()
    {
        Store.Dispose();
        _folder.Dispose();
    }
}
