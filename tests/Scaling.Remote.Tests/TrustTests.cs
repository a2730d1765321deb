// Who wrote an entry: unsigned, unknown, forged and misplaced ones are refused, and that is said.
using Scaling.TestKit;

namespace Scaling.Remote.Tests;

public sealed class TrustTests : IDisposable
{
    private readonly FaultServer _server = new();
    private readonly Machine _writer = new();
    private readonly Machine _reader = new();
    private readonly TemporaryFolder _keys = new();
    private readonly SigningKey _known;
    private readonly SigningKey _unknown;
    private readonly TrustedKeys _trusted;

    public TrustTests()
    {
        var (own, shared, _) = SigningKey.Make(_keys["known"]);
        _known = SigningKey.Read(own);
        _unknown = SigningKey.Read(SigningKey.Make(_keys["unknown"]).Private);
        _trusted = TrustedKeys.Read(shared);
    }

    public void Dispose()
    {
        _server.Dispose();
        _writer.Dispose();
        _reader.Dispose();
        _keys.Dispose();
    }

    [Fact]
    public async Task What_a_trusted_writer_signed_is_taken_without_a_word()
    {
        string key = _writer.Publish("one");
        await Push(_known, key);

        Assert.Equal(1, await Bring(key));
        Assert.Empty(_reader.Told);
    }

    [Fact]
    public async Task What_nobody_signed_is_refused()
    {
        string key = _writer.Publish("one");
        await Push(null, key);

        Assert.Equal(0, await Bring(key));
        Assert.Equal("SCAL4032", _reader.Codes);
        Assert.Null(_reader.Store.Find(key));
    }

    [Fact]
    public async Task What_a_stranger_signed_is_refused_and_the_key_is_named()
    {
        string key = _writer.Publish("one");
        await Push(_unknown, key);

        Assert.Equal(0, await Bring(key));
        Assert.Contains(_unknown.Id[..16], _reader.Told.Single(t => t.Code == "SCAL4033").Message);
    }

    [Fact]
    public async Task A_signed_entry_in_another_keys_place_is_refused()
    {
        string one = _writer.Publish("one");
        string other = _writer.Publish("other");
        await Push(_known, one);
        _server.Objects["/ac/" + other] = _server.Objects["/ac/" + one];

        Assert.Equal(1, await Bring(one, other));
        Assert.Equal("SCAL4034", _reader.Codes);
        Assert.Null(_reader.Store.Find(other));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task No_changed_byte_of_an_entry_gives_another_entry(bool trusts)
    {
        string key = _writer.Publish("one");
        await Push(_known, key);
        byte[] body = _server.Objects["/ac/" + key];
        var (_, json, _) = new Engine.Store.StoreExchange(_writer.Store).Take(key)!.Value;
        for (int i = 0; i < body.Length; i++)
        {
            byte[] changed = [.. body];
            changed[i] ^= (byte)(1 << (i % 8));
            var entry = RemoteEntry.Read(changed, key, trusts ? _trusted : null);
            Assert.True(entry.Verdict != Verdict.Taken || entry.Json.AsSpan().SequenceEqual(json), $"byte {i}");
        }
    }

    [Fact]
    public async Task A_refused_entry_is_given_anew_by_who_may_write()
    {
        string key = _writer.Publish("one");
        await Push(_unknown, key);
        await Push(_known, key);

        Assert.Equal(1, await Bring(key));
    }

    [Fact]
    public async Task A_writer_does_not_sign_what_it_took_unsigned_from_another()
    {
        string taken = _writer.Publish("one");
        await Push(null, taken);
        using var middle = new Machine();
        using var second = new FaultServer();
        Assert.Equal(1, await middle.Bring(Machine.Settings(_server.Address), taken));
        string own = middle.Publish("its own");

        var summary = await middle.Push(Machine.Settings(second.Address, write: true) with { SigningKey = _known }, taken, own);

        Assert.Equal((1, 0), (summary.Given, summary.Failed));
        Assert.Contains("1 entry was not given", middle.Told.Single(t => t.Code == "SCAL4041").Message);
        Assert.Equal(1, await _reader.Bring(Machine.Settings(second.Address) with { TrustedKeys = _trusted }, taken, own));
        Assert.Null(_reader.Store.Find(taken));
    }

    [Fact]
    public async Task What_it_executed_again_itself_a_writer_signs()
    {
        string key = _writer.Publish("one");
        await Push(null, key);
        using var middle = new Machine();
        using var second = new FaultServer();
        Assert.Equal(1, await middle.Bring(Machine.Settings(_server.Address), key));
        middle.Publish("one");

        Assert.Equal(1, (await middle.Push(Machine.Settings(second.Address, write: true) with { SigningKey = _known }, key)).Given);
        Assert.Equal(1, await _reader.Bring(Machine.Settings(second.Address) with { TrustedKeys = _trusted }, key));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_signature_travels_on_with_its_entry(bool signsItself)
    {
        string key = _writer.Publish("one");
        await Push(_known, key);
        using var middle = new Machine();
        using var second = new FaultServer();
        Assert.Equal(1, await middle.Bring(Machine.Settings(_server.Address), key));
        var settings = Machine.Settings(second.Address, write: true) with { SigningKey = signsItself ? _unknown : null };

        Assert.Equal(1, (await middle.Push(settings, key)).Given);
        Assert.Equal(1, (await middle.Push(settings, key)).There);
        Assert.Equal(1, await _reader.Bring(Machine.Settings(second.Address) with { TrustedKeys = _trusted }, key));
        Assert.Empty(_reader.Told);
    }

    [Theory]
    [InlineData("unsigned")]
    [InlineData("a stranger's")]
    [InlineData("trusted")]
    public async Task A_table_joined_here_is_signed_where_its_rows_may_be_believed(string rows)
    {
        string row = _writer.Publish("one");
        await Push(rows == "unsigned" ? null : rows == "trusted" ? _known : _unknown, row);
        using var middle = new Machine();
        using var second = new FaultServer();
        Assert.Equal(1, await middle.Bring(Machine.Settings(_server.Address), row));
        string table = middle.Collect(row, middle.Publish("its own"));

        var summary = await middle.Push(Machine.Settings(second.Address, write: true) with { SigningKey = _known, TrustedKeys = _trusted }, table);

        Assert.Equal(rows == "trusted" ? 1 : 0, summary.Given);
        Assert.Equal(rows != "trusted", middle.Told.Any(t => t.Code == "SCAL4041"));
    }

    [Fact]
    public async Task What_is_counted_is_what_a_reader_would_take()
    {
        string[] keys = [_writer.Publish("one"), _writer.Publish("other"), _writer.Publish("third")];
        await Push(null, keys[0]);
        await Push(_unknown, keys[1]);
        await Push(_known, keys[2]);
        using var trusting = RemoteEntries.Open(Machine.Settings(_server.Address) with { TrustedKeys = _trusted }, _reader.Store, _reader);
        using var believing = RemoteEntries.Open(Machine.Settings(_server.Address), _reader.Store, _reader);

        Assert.Equal(1, await trusting.CountThere(keys, CancellationToken.None));
        Assert.Equal("SCAL4032 SCAL4033", _reader.Codes);
        Assert.Equal(3, await believing.CountThere(keys, CancellationToken.None));
    }

    [Fact]
    public void Keys_of_another_kind_are_refused_before_anything_runs()
    {
        string[] codes =
        [
            Refused(() => SigningKey.Read(_keys["nowhere.pem"])),
            Refused(() => SigningKey.Read(_keys.Write("no.pem", "no key"))),
            Refused(() => SigningKey.Read(_keys.Write("p384.pem", System.Security.Cryptography.ECDsa.Create(System.Security.Cryptography.ECCurve.NamedCurves.nistP384).ExportPkcs8PrivateKeyPem()))),
            Refused(() => TrustedKeys.Read(_keys["known/signing-key.pem"])),
            Refused(() => TrustedKeys.Read(_keys["nowhere"])),
            Refused(() => SigningKey.Make(_keys["known"])),
        ];

        Assert.Equal(["SCAL1042", "SCAL1042", "SCAL1042", "SCAL1043", "SCAL1043", "SCAL1045"], codes);
        Assert.True(OperatingSystem.IsWindows() || File.GetUnixFileMode(_keys["known/signing-key.pem"]) == (UnixFileMode.UserRead | UnixFileMode.UserWrite), "the private key is its owner's alone");
    }

    [Theory]
    [InlineData("ftp://host/", null, null, "SCAL1040")]
    [InlineData("cache", null, null, "SCAL1040")]
    [InlineData("s3://user:secret@bucket", null, null, "SCAL1040")]
    [InlineData("http://host", "remote:x", null, "SCAL1041")]
    [InlineData("http://host", "local:r", null, "SCAL1041")]
    [InlineData("http://host", null, "SCAL1046", "SCAL1046")]
    public void Settings_that_cannot_be_worked_with_are_refused(string address, string? rights, string? header, string code) =>
        Assert.Equal(code, Refused(() => RemoteSettings.Read(address, rights, false, name => name == "SCALING_REMOTE_HEADER" ? header : null)));

    [Fact]
    public void Reading_is_the_only_right_that_is_not_asked_for()
    {
        var usual = RemoteSettings.Read("https://host/path", null, false, _ => null)!;
        Assert.Equal((true, false), (usual.MayRead, usual.MayWrite));
        Assert.Null(RemoteSettings.Read("https://host/path", null, true, _ => null));
        Assert.Null(RemoteSettings.Read(null, null, false, _ => null));
    }

    private static string Refused(Action read) => Assert.Throws<RemoteUsageException>(read).Diagnostic.Code;

    private Task<PushSummary> Push(SigningKey? key, params string[] keys) => _writer.Push(Machine.Settings(_server.Address, write: true) with { SigningKey = key }, keys);

    private Task<int> Bring(params string[] keys) => _reader.Bring(Machine.Settings(_server.Address) with { TrustedKeys = _trusted }, keys);
}
