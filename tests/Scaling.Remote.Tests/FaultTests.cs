// A server that does wrong: nothing wrong is ever taken, and asking always ends.
using System.Diagnostics;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;

namespace Scaling.Remote.Tests;

public sealed class FaultTests : IDisposable
{
    private readonly FaultServer _server = new();
    private readonly Machine _writer = new();
    private readonly Machine _reader = new();

    public void Dispose()
    {
        _server.Dispose();
        _writer.Dispose();
        _reader.Dispose();
    }

    [Fact]
    public async Task What_one_machine_gives_another_takes_byte_for_byte()
    {
        string[] keys = [.. Enumerable.Range(0, 20).Select(i => _writer.Publish(new string('x', i + 1), 5000 + i))];

        var given = await _writer.Push(Machine.Settings(_server.Address, write: true), keys);
        Assert.Equal((20, 0), (given.Given, given.Failed));
        Assert.Equal(20, await _reader.Bring(Machine.Settings(_server.Address), keys));
        Assert.All(keys, key => Assert.Equal(_writer.Store.Content(_writer.Store.Find(key)!.Files[1]), _reader.Store.Content(_reader.Store.Find(key)!.Files[1])));
        Assert.Equal(20, (await _writer.Push(Machine.Settings(_server.Address, write: true), keys)).There);
    }

    [Fact]
    public async Task Who_may_only_write_gives_without_a_look()
    {
        string[] keys = [.. Enumerable.Range(0, 8).Select(i => _writer.Publish(new string('x', i + 1)))];
        _server.Faults = (method, _) => method == "PUT" ? Fault.None : Fault.Answers403;
        var settings = Machine.Settings(_server.Address, write: true) with { MayRead = false };

        Assert.Equal(new PushSummary(8, 0, 0, 0), await _writer.Push(settings, keys));
        Assert.Empty(_writer.Told);
        _server.Faults = (_, _) => Fault.None;
        Assert.Equal(8, await _reader.Bring(Machine.Settings(_server.Address), keys));
    }

    [Fact]
    public async Task Two_entries_that_have_no_room_beside_each_other_are_not_both_begun()
    {
        long most = new DriveInfo(_reader.Store.Root).AvailableFreeSpace / 5 * 3;
        string[] keys = [.. "ab".Select(c => PutClaiming(c, most))];
        _server.Faults = (_, path) => path.StartsWith("/cas/", StringComparison.Ordinal) ? Fault.Stalls : Fault.None;

        await _reader.Bring(Machine.Settings(_server.Address), keys);

        Assert.Single(_reader.Told, t => t.Message.Contains("the store's disk has not so many", StringComparison.Ordinal));
        Assert.Single(_reader.Told, t => t.Message.Contains("nothing came or went", StringComparison.Ordinal));

        string PutClaiming(char name, long bytes)
        {
            KeyEntry[] entries = [new(EntryKind.Format, "key", "1"), new(EntryKind.Stage, "type", "test"), new(EntryKind.Setting, "name", $"{name}")];
            var manifest = new Manifest(ActionKey.Of(entries), "test", null, entries, [new StoredFile("large.bin", "data", new string(name, 64), bytes)], 1, _writer.Store.Now);
            _writer.Store.Publish(manifest);
            byte[] json = File.ReadAllBytes(Directory.EnumerateFiles(Path.Combine(_writer.Store.Root, "entries"), manifest.Key, SearchOption.AllDirectories).Single());
            _server.Objects["/ac/" + manifest.Key] = RemoteEntry.Write(manifest, json[(Array.IndexOf(json, (byte)'\n') + 1)..], null);
            return manifest.Key;
        }
    }

    [Theory]
    [InlineData("/ac/")]
    [InlineData("/cas/")]
    public async Task No_fault_of_a_server_changes_what_is_in_the_store_and_every_one_ends(string where)
    {
        string key = _writer.Publish("one");
        await _writer.Push(Machine.Settings(_server.Address, write: true), key);
        foreach (var fault in Enum.GetValues<Fault>())
        {
            using var reader = new Machine();
            _server.Faults = (method, path) => method == "GET" && path.StartsWith(where, StringComparison.Ordinal) ? fault : Fault.None;
            var since = Stopwatch.StartNew();

            int brought = await reader.Bring(Machine.Settings(_server.Address), key);

            Assert.True(fault == Fault.None ? brought == 1 : brought == 0, $"{where} {fault}: {brought} brought");
            Assert.Equal(brought == 1, reader.Store.Find(key) is not null);
            Assert.InRange(since.Elapsed.TotalSeconds, 0, 30);
            Assert.True(fault == Fault.None || reader.Told.Any(t => t.Code is "SCAL4030" or "SCAL4031" or "SCAL4039"), $"{where} {fault} was not told: {reader.Codes}");
            Assert.Empty(Directory.Exists(Path.Combine(reader.Store.Root, "incoming")) ? Directory.EnumerateFiles(Path.Combine(reader.Store.Root, "incoming")) : []);
        }
    }

    [Theory]
    [InlineData(Fault.DiesInTheMiddle)]
    [InlineData(Fault.Truncates)]
    [InlineData(Fault.Answers500)]
    [InlineData(Fault.Answers429)]
    [InlineData(Fault.StallsInTheMiddle)]
    public async Task A_fault_that_passes_is_tried_again(Fault fault)
    {
        string key = _writer.Publish("one");
        await _writer.Push(Machine.Settings(_server.Address, write: true), key);
        int asked = 0;
        _server.Faults = (method, path) => method == "GET" && path.StartsWith("/cas/", StringComparison.Ordinal) && Interlocked.Increment(ref asked) == 1 ? fault : Fault.None;

        Assert.Equal(1, await _reader.Bring(Machine.Settings(_server.Address), key));
        Assert.Equal("SCAL4035", _reader.Codes);
    }

    [Fact]
    public async Task A_server_that_is_gone_is_asked_a_few_times_and_no_more()
    {
        string[] keys = [.. Enumerable.Range(0, 200).Select(i => i.ToString("x64", null))];
        _server.Faults = (_, _) => Fault.Answers500;

        Assert.Equal(0, await _reader.Bring(Machine.Settings(_server.Address), keys));
        Assert.InRange(_server.Requests, 3, 40);
        Assert.Single(_reader.Told, t => t.Code == "SCAL4030");
    }

    [Fact]
    public async Task Damage_is_not_silence_and_what_is_whole_is_still_taken()
    {
        string[] keys = [.. Enumerable.Range(0, 9).Select(i => _writer.Publish(new string('x', i + 1)))];
        await _writer.Push(Machine.Settings(_server.Address, write: true), keys);
        foreach (string key in keys[..8])
        {
            byte[] body = _server.Objects["/ac/" + key];
            body[body.Length / 3] ^= 4;
        }

        using var remote = RemoteEntries.Open(Machine.Settings(_server.Address), _reader.Store, _reader);
        await remote.Bring(keys[..8], CancellationToken.None);
        await remote.Bring(keys[8..], CancellationToken.None);
        await remote.Finish(CancellationToken.None);

        Assert.Equal(1, remote.Brought);
        Assert.Contains(_reader.Told, t => t.Message.Contains("And 5 more", StringComparison.Ordinal));
        Assert.DoesNotContain("SCAL4030", _reader.Codes);
    }

    [Fact]
    public async Task A_server_of_something_else_is_asked_a_few_times_and_no_more()
    {
        string[] keys = [.. Enumerable.Range(0, 200).Select(i => i.ToString("x64", null))];
        _server.Faults = (_, _) => Fault.HtmlWith200;

        Assert.Equal(0, await _reader.Bring(Machine.Settings(_server.Address), keys));
        Assert.InRange(_server.Requests, 3, 40);
        Assert.Single(_reader.Told, t => t.Code == "SCAL4030");
    }

    [Fact]
    public async Task A_port_where_nobody_listens_ends_soon()
    {
        string address;
        using (var gone = new FaultServer())
        {
            address = gone.Address;
        }

        Assert.Equal(0, await _reader.Bring(Machine.Settings(address), [.. Enumerable.Range(0, 50).Select(i => i.ToString("x64", null))]));
        Assert.Contains("SCAL4030", _reader.Codes);
    }

    [Fact]
    public async Task Files_that_cannot_be_given_are_said_and_the_entry_is_not_there_without_them()
    {
        string key = _writer.Publish("one");
        _server.Faults = (method, path) => method == "PUT" && path.StartsWith("/cas/", StringComparison.Ordinal) ? Fault.Answers403 : Fault.None;

        Assert.Equal(1, (await _writer.Push(Machine.Settings(_server.Address, write: true), key)).Failed);
        Assert.Contains("SCAL4036", _writer.Codes);
        Assert.Empty(_server.Objects);
    }

    [Fact]
    public async Task A_file_that_is_wrong_there_is_given_anew_by_who_found_it_so()
    {
        string key = _writer.Publish("one");
        await _writer.Push(Machine.Settings(_server.Address, write: true), key);
        string blob = _server.Objects.Keys.Single(k => k.StartsWith("/cas/", StringComparison.Ordinal));
        _server.Objects[blob] = new byte[_server.Objects[blob].Length];
        using var remote = RemoteEntries.Open(Machine.Settings(_server.Address, write: true), _reader.Store, _reader);

        await remote.Bring([key], CancellationToken.None);
        Assert.Contains("SCAL4031", _reader.Codes);
        Assert.Equal(key, _reader.Publish("one"));
        remote.Give(key);
        await remote.Finish(CancellationToken.None);

        Assert.Equal(_writer.Store.Content(_writer.Store.Find(key)!.Files[1]), _server.Objects[blob]);
    }

    [Fact]
    public async Task A_size_that_the_disk_has_not_is_not_begun()
    {
        string key = _writer.Publish("one");
        var (manifest, _, _) = new StoreExchange(_writer.Store).Take(key)!.Value;
        var huge = manifest with { Files = [manifest.Files[1] with { Bytes = long.MaxValue }, manifest.Files[1] with { Bytes = long.MaxValue, Name = "other" }] };
        _writer.Store.Publish(huge);
        _server.Objects["/ac/" + key] = RemoteEntry.Write(huge, File.ReadAllBytes(_writer.Store.Root + $"/entries/{key[..2]}/{key}")[75..], null);

        Assert.Equal(0, await _reader.Bring(Machine.Settings(_server.Address), key));
        Assert.Contains("has not so many", _reader.Told.Single(t => t.Code == "SCAL4039").Message);
    }

    [Fact]
    public async Task A_secret_goes_to_the_server_and_is_shown_nowhere()
    {
        string address = _server.Address.Replace("http://", "http://user:secret@");
        var settings = RemoteSettings.Read(address, null, false, _ => null)!;
        await _reader.Bring(settings with { FirstWait = TimeSpan.FromMilliseconds(5) }, new string('a', 64));

        Assert.Contains("Authorization: Basic " + Convert.ToBase64String("user:secret"u8), _server.LastRequest);
        Assert.DoesNotContain("secret", settings.Address.AbsoluteUri);
        Assert.DoesNotContain("secret", string.Join('\n', _reader.Told));
    }
}
