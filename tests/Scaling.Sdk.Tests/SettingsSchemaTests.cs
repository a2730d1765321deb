// A settings record told as JSON Schema: defaults, units, ranges, choices, files, and records within records.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.TestKit;

namespace Scaling.Sdk.Tests;

public class SettingsSchemaTests
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true };

    [Fact]
    public Task Numbers_tell_unit_range_and_default() => Snapshot.Match(SettingsSchema.Of<Numbers>().ToJsonString(Indented));

    [Fact]
    public Task Words_tell_what_is_allowed() => Snapshot.Match(SettingsSchema.Of<Words>().ToJsonString(Indented));

    [Fact]
    public Task Files_tell_their_names_and_schemes() => Snapshot.Match(SettingsSchema.Of<Files>().ToJsonString(Indented));

    [Fact]
    public Task Records_within_records_tell_their_defaults_wherever_they_stand() => Snapshot.Match(SettingsSchema.Of<Nested>().ToJsonString(Indented));

    [Fact]
    public void A_record_without_settings_has_a_schema_that_allows_none() =>
        Assert.Equal("""{"type":"object","properties":{},"additionalProperties":false}""", Normalised(SettingsSchema.Of<NoSettings>()));

    [Fact]
    public void A_default_is_what_reading_an_empty_record_gives()
    {
        var read = JsonSerializer.Deserialize<Numbers>("""{"sizes":[1]}""", SettingsSchema.Json)!;
        var schema = SettingsSchema.Of<Numbers>()["properties"]!;

        Assert.Equal(read.Layers, (int)schema["layers"]!["default"]!);
        Assert.Equal(read.LearningRate, (double)schema["learning_rate"]!["default"]!);
        Assert.Null(schema["sizes"]!["default"]);
        Assert.Null(schema["limit"]!["default"]);
    }

    [Fact]
    public void Reading_refuses_what_the_schema_does_not_know()
    {
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Words>("""{"sched":"cosine"}""", SettingsSchema.Json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Words>("""{"schedule":"linear"}""", SettingsSchema.Json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Words>("""{"schedule":1}""", SettingsSchema.Json));
        Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<Words>("""{"optimizer":null}""", SettingsSchema.Json));
    }

    [Fact]
    public void A_file_set_is_read_as_the_user_wrote_it_and_as_the_engine_found_it()
    {
        var written = JsonSerializer.Deserialize<Files>("""{"corpus":"text:data/*.txt"}""", SettingsSchema.Json)!.Corpus;
        var found = JsonSerializer.Deserialize<Files>("""{"corpus":{"text":"text:data/*.txt","scheme":"text","paths":["/data/a.txt","/data/b.txt"]}}""", SettingsSchema.Json)!.Corpus;

        Assert.Equal(("text:data/*.txt", "", 0), (written.Text, written.Scheme, written.Paths.Count));
        Assert.Equal(("text:data/*.txt", "text"), (found.Text, found.Scheme));
        Assert.Equal(["/data/a.txt", "/data/b.txt"], found.Paths);
        Assert.Equal("\"text:data/*.txt\"", JsonSerializer.Serialize(found, SettingsSchema.Json));
    }

    [Fact]
    public void A_descriptor_travels_as_text_and_says_the_same()
    {
        var descriptor = StageDescriptor.Of(new CountingStage());

        string text = JsonSerializer.Serialize(descriptor, StageDescriptor.Json);
        var read = JsonSerializer.Deserialize<StageDescriptor>(text, StageDescriptor.Json)!;

        Assert.Equal(text, JsonSerializer.Serialize(read, StageDescriptor.Json));
        Assert.Equal(FanOutMode.Batch, read.Declaration.FanOut!.Mode);
        Assert.Equal(TimeSpan.FromSeconds(90), read.Declaration.Patience);
        Assert.Equal(Cardinality.Optional, read.Declaration.Inputs[1].Cardinality);
        Assert.True(JsonNode.DeepEquals(SettingsSchema.Of<Numbers>(), read.Settings));
    }

    private static string Normalised(JsonObject schema)
    {
        // The exporter leaves out an empty list of properties.
        return new JsonObject
        {
            ["type"] = schema["type"]?.DeepClone(),
            ["properties"] = schema["properties"]?.DeepClone() ?? new JsonObject(),
            ["additionalProperties"] = schema["additionalProperties"]?.DeepClone(),
        }.ToJsonString();
    }

    public enum Schedule
    {
        Cosine,
        WarmupStableDecay,
    }

    [Fact]
    public void A_choice_tells_what_it_means_and_only_what_can_be_chosen()
    {
        var schema = SettingsSchema.Of<Choices>()["properties"]!;

        Assert.Equal("""["half as much",""]""", schema["share"]!["enumDescriptions"]!.ToJsonString());
        Assert.Equal("""["","as much again"]""", schema["several"]!["items"]!["enumDescriptions"]!.ToJsonString());
        Assert.Contains("'thrice'", Assert.Throws<InvalidOperationException>(SettingsSchema.Of<StrayChoice>).Message, StringComparison.Ordinal);
    }

    public enum Share
    {
        Half,
        Twice,
    }

    public sealed record Choices
    {
        [Choice("half", "half as much")]
        public Share Share { get; init; }

        [AllowedValues("half", "twice"), Choice("twice", "as much again")]
        public IReadOnlyList<string> Several { get; init; } = [];
    }

    public sealed record StrayChoice
    {
        [Choice("thrice", "not there")]
        public Share Share { get; init; }
    }

    public sealed record NoSettings;

    public sealed record Numbers
    {
        [Description("Sizes to train.")]
        [Unit("parameters")]
        [Range(1.0, 1e12)]
        [MinLength(1)]
        public required long[] Sizes { get; init; }

        [Unit("layers")]
        [Range(1, 64)]
        public int Layers { get; init; } = 2;

        [Range(0.0, double.PositiveInfinity)]
        public double LearningRate { get; init; } = 0.0047;

        [Unit("tokens")]
        public long? Limit { get; init; }
    }

    public sealed record Words
    {
        public Schedule Schedule { get; init; } = Schedule.WarmupStableDecay;

        public Schedule? Other { get; init; }

        public Schedule[] Several { get; init; } = [Schedule.Cosine];

        [AllowedValues("sgd", "adamw")]
        public string Optimizer { get; init; } = "adamw";

        public bool Tied { get; init; } = true;

        [AllowedValues(8, 16)]
        public int[] Bits { get; init; } = [16];
    }

    public sealed record Files
    {
        [Description("What to learn from.")]
        [NamedFiles("dotnet-docs", "{dotnet}/packs/*/{latest}/*.xml")]
        [FileSchemes("text", "tokens")]
        public FileSet Corpus { get; init; } = new("dotnet-docs");

        public FileSet? Table { get; init; }
    }

    public sealed record Workload
    {
        [Unit("tokens")]
        [Range(1, 4096)]
        public int Prompt { get; init; } = 128;

        public required int Batch { get; init; }
    }

    public sealed record Nested
    {
        public Workload Workload { get; init; } = new() { Prompt = 256, Batch = 8 };

        public Workload? Baseline { get; init; }

        public Workload[] Several { get; init; } = [];

        [Range(0, 9)]
        public Dictionary<string, int> Fixed { get; init; } = new() { ["a"] = 1 };

        public Dictionary<string, Workload> Named { get; init; } = [];
    }

    private sealed class CountingStage : Stage<Numbers>
    {
        public override StageDeclaration Declaration { get; } = new()
        {
            Type = "counting",
            Summary = "Counts.",
            Inputs = [new InputRole("shapes", "shapes"), new InputRole("law", "law", Cardinality.Optional)],
            Outputs = [new OutputFile("counts.csv", "counts") { Columns = [new Column("n", "1", "How many.")], Volatile = true }],
            FanOut = new FanOut("shapes", ["shape", "seed"], ["shape"]) { Mode = FanOutMode.Batch, Across = "sizes" },
            Prepare = new PrepareAction(["layers"], ["tokens.bin"]),
            Determinism = Determinism.Statistical,
            Exclusive = true,
            Patience = TimeSpan.FromSeconds(90),
        };
    }
}
