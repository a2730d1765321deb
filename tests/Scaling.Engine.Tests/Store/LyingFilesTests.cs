// Files under a right seal that say what cannot be: a miss that is told, never an exception.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Store;

public sealed class LyingFilesTests : IDisposable
{
    private static readonly string Key = new('a', 64);
    private readonly TemporaryFolder _folder = new();
    private readonly List<Diagnostic> _reported = [];

    public void Dispose() => _folder.Dispose();

    [Theory]
    [InlineData("files", "1")]
    [InlineData("files", "[null]")]
    [InlineData("entries", "1")]
    [InlineData("entries", """["setting"]""")]
    [InlineData("entries", """{"kind":"setting"}""")]
    [InlineData("stage", "null")]
    [InlineData("files.0.name", "\"../../x\"")]
    [InlineData("files.0.name", "\"/etc/hostname\"")]
    [InlineData("files.0.name", "null")]
    [InlineData("files.0.point", "\"..\"")]
    [InlineData("files.0.sha256", "\"short\"")]
    [InlineData("files.0.bytes", "-1")]
    [InlineData("files.0.bytes", "1e400")]
    [InlineData("files.0.inline", "\"AAAA\"")]
    public void A_sealed_entry_that_cannot_be_is_a_miss_that_is_told(string part, string value)
    {
        using var store = ContentStore.Open(_folder["store"], _reported.Add);
        store.Publish(new Manifest(Key, "test", null, [new KeyEntry("setting", "a", "1")], [store.Take(Encoding.UTF8.GetBytes("content"), "a.txt", "text")], 1, DateTimeOffset.UnixEpoch));
        Assert.NotNull(store.Find(Key));
        Lie(Path.Combine(store.Root, "entries", Key[..2], Key), part, value);

        Assert.Null(store.Find(Key));
        Assert.Contains(Key[..12], Assert.Single(_reported).Message);
        Assert.Equal("SCAL4002", _reported[0].Code);
    }

    [Theory]
    [InlineData("stages.0", "null")]
    [InlineData("stages.0.actions", "1")]
    [InlineData("stages.0.actions.0", "null")]
    [InlineData("stages.0.actions.0.key", "null")]
    [InlineData("stages.0.reasons", "[null]")]
    [InlineData("results.0.path", "\"../../x\"")]
    [InlineData("results_folder", "null")]
    [InlineData("overrides", "1")]
    public void A_sealed_record_of_a_run_that_cannot_be_is_none(string part, string value)
    {
        using var store = ContentStore.Open(_folder["store"], _reported.Add);
        var history = new RunHistory(store, "/study.yaml");
        var stage = new RecordedStage("a", "test", [new RecordedAction("p1", Key)], 1, ["new"]);
        history.Keep(new RunRecord("study", "/study.yaml", DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0, [stage], "/results", [new RecordedResult("a/a.txt", Key)]), null);
        Assert.NotNull(history.Last);
        Lie(Directory.EnumerateFiles(store.Root, "000001", SearchOption.AllDirectories).Single(), part, value);

        Assert.Null(history.Last);
    }

    /// <summary>Changes one part of a sealed file and seals it anew.</summary>
    private static void Lie(string path, string part, string value)
    {
        string text = File.ReadAllText(path);
        var root = JsonNode.Parse(text[(text.IndexOf('\n') + 1)..])!;
        string[] names = part.Split('.');
        var holder = names[..^1].Aggregate(root, (at, name) => int.TryParse(name, out int index) ? at[index]! : at[name]!);
        if (int.TryParse(names[^1], out int last))
        {
            holder[last] = JsonNode.Parse(value);
        }
        else
        {
            holder[names[^1]] = JsonNode.Parse(value);
        }

        byte[] json = Encoding.UTF8.GetBytes(root.ToJsonString());
        File.WriteAllBytes(path, [.. Encoding.ASCII.GetBytes($"scaling-1 {Convert.ToHexStringLower(SHA256.HashData(json))}\n"), .. json]);
    }
}
