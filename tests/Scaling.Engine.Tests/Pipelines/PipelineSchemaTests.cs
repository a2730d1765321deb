// The editor's schema: seen as a whole, since whether it helps is for people to judge.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Pipelines;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Pipelines;

public class PipelineSchemaTests
{
    private static readonly JsonObject Schema = PipelineSchema.For(
    [
        new StageDescriptor(new StageDeclaration { Type = "study", Summary = "Studies.", Example = "mine:\n  uses: study\n  with: { sizes: [16k, 2] }\n", Outputs = [] }, SettingsSchema.Of<StudySettings>(), Contract.Revision),
        new StageDescriptor(new StageDeclaration { Type = "rest", Summary = "Rests.", Outputs = [] }, SettingsSchema.Of<SettingsBinderTests.NoSettings>(), Contract.Revision),
    ]);

    [Fact]
    public Task The_schema_tells_an_editor_stages_settings_units_and_defaults() =>
        Snapshot.Match(Schema.ToJsonString(new JsonSerializerOptions { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }));

    [Fact]
    public void A_quantity_that_may_not_be_negative_takes_no_sign() =>
        Assert.Equal([@"^\+?", "^[-+]?"], new[] { "layers", "limit" }.Select(s => ((string)Schema["$defs"]!["settings-study"]!["properties"]![s]!["pattern"]!).Split("([0-9]+")[0]));

    [Fact]
    public Task The_page_of_a_stage_tells_what_it_declares() => Snapshot.Match(StagePage.Of(new StageDescriptor(
        new StageDeclaration
        {
            Type = "study",
            Summary = "Studies.",
            Example = "mine:\n  uses: study\n  needs: rows\n",
            Inputs = [new InputRole("rows", "rows"), new InputRole("old", "rows", Cardinality.Many)],
            FanOut = new FanOut("rows", ["shape", "seed"], ["shape"]) { Across = "layers", Optional = new Dictionary<string, string> { ["factor"] = "1", ["size"] = "" } },
            Prepare = new PrepareAction(["corpus"], ["corpus.bin"]),
            Determinism = Determinism.Statistical,
            Exclusive = true,
            UsesPipelineSeed = true,
            Patience = TimeSpan.FromHours(2),
            Outputs = [new OutputFile("told.csv", "told") { Columns = [new Column("a|b", "1", "either")], Volatile = true }, new OutputFile("weights.bin", "weights") { Optional = true }],
        },
        SettingsSchema.Of<StudySettings>(),
        Contract.Revision)));

    [Fact]
    public void Every_reference_of_the_schema_leads_somewhere()
    {
        foreach (string reference in References(Schema))
        {
            JsonNode? target = Schema;
            foreach (string step in reference.Split('/').Skip(1))
            {
                target = target?[step];
            }

            Assert.NotNull(target);
        }
    }

    [Fact]
    public void A_record_that_contains_itself_is_told_once()
    {
        var schema = PipelineSchema.For([new StageDescriptor(new StageDeclaration { Type = "tree", Summary = "", Outputs = [] }, SettingsSchema.Of<SettingsBinderTests.Tree>(), 1)]);

        var child = schema["$defs"]!["settings-tree"]!["properties"]!["child"]!;
        Assert.NotNull(child["properties"]!["value"]);
        Assert.Equal("{}", child["properties"]!["child"]!["anyOf"]![0]!.ToJsonString());
    }

    [Fact]
    public void A_record_that_stands_in_two_places_is_told_in_both()
    {
        var schema = PipelineSchema.For([new StageDescriptor(new StageDeclaration { Type = "pair", Summary = "", Outputs = [] }, SettingsSchema.Of<Pair>(), 1)]);

        var properties = schema["$defs"]!["settings-pair"]!["properties"]!;
        Assert.NotNull(properties["named"]!["additionalProperties"]!["properties"]!["prompt"]);
        Assert.NotNull(properties["several"]!["properties"]!["prompt"]);
    }

    public sealed record Pair
    {
        public Workload[] Several { get; init; } = [];

        public Dictionary<string, Workload> Named { get; init; } = [];
    }

    private static IEnumerable<string> References(JsonNode? node) => node switch
    {
        JsonObject record => record.SelectMany(p => p.Key == "$ref" ? [(string)p.Value!] : References(p.Value)),
        JsonArray list => list.SelectMany(References),
        _ => [],
    };
}
