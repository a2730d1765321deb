// Settings against their schema: what is understood, what becomes of it, and what the user reads otherwise.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Pipelines;
using Scaling.Sdk;
using Scaling.TestKit;
using static Scaling.Engine.Tests.Pipelines.Reading;

namespace Scaling.Engine.Tests.Pipelines;

public class SettingsBinderTests
{
    [Fact]
    public Task Canonical_settings_hold_every_default_in_the_order_of_the_schema() =>
        Snapshot.Match(Bind("sizes: 8k").Settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    [Fact]
    public Task Canonical_settings_hold_what_was_written_as_typed_values() => Snapshot.Match(Bind("""
        columns: { zeta: "1", alpha: null }
        fixed: { b: 1e-3, a: 2 }
        table: ~
        limit: null
        learning_rate: 3e-4
        note: 12
        tied: false
        schedule: cosine
        also: [ { prompt: 4Ki }, {} ]
        baseline: { output: 1k }
        workload: {}
        x: .5
        sizes: [16k, 1.5M, 2B]
        corpus: "text:data/*.txt"
        bits: 8
        """.Replace("alpha: null", "alpha: 'null'", StringComparison.Ordinal)).Settings.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));

    [Fact]
    public void Canonical_settings_are_what_the_stage_s_record_reads()
    {
        var bound = Bind("sizes: [16k]\nx: 1\nbaseline: {}\nfixed: { gamma: 1 }\nschedule: cosine");

        var settings = bound.Settings.Deserialize<StudySettings>(SettingsSchema.Json)!;

        Assert.Equal([16_000], settings.Sizes);
        Assert.Equal([1.0], settings.X);
        Assert.Equal(new Workload(), settings.Baseline);
        Assert.Equal(Schedule.Cosine, settings.Schedule);
        Assert.Equal(5, settings.Limit);
        Assert.Null(settings.LearningRate);
        Assert.Null(settings.Table);
        Assert.Equal("dotnet-docs", settings.Corpus.Text);
    }

    [Fact]
    public void An_empty_with_takes_every_default_and_names_the_stage_for_what_is_missing()
    {
        var place = new SourceLocation("study.yaml", 3, 5);

        var bound = SettingsBinder.Bind(null, Schema, "study", place);

        Assert.Equal(
            "study.yaml(3,5): error SCAL2041: Stage type 'study' needs the setting 'sizes': a list of 1 or more, each a whole number from 1 to 1000B (parameters).",
            Assert.Single(bound.Findings).ToString());
        Assert.Empty(bound.Positions);
    }

    [Fact]
    public void Every_value_that_the_user_wrote_has_its_place()
    {
        var bound = Bind("sizes: [8k, 16k]\nworkload:\n  prompt: 3\ncolumns: { loss: l }");

        Assert.Equal(
            ["columns 8,16", "columns.loss 8,24", "sizes 5,14", "sizes[0] 5,15", "sizes[1] 5,19", "workload 7,9", "workload.prompt 7,17"],
            bound.Positions.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{p.Key} {p.Value.Line},{p.Value.Column}"));
    }

    [Fact]
    public Task Wrong_settings_are_all_told_at_once() => Snapshot.Match(BindFindings("""
        sizes: [8k, two, 0, 1.5, '16k', [3], 16K, 1_000, 2000B]
        layer: 2
        layers: 65
        x: []
        workload: { promt: 3, prompt: 0, output: [1, 2] }
        baseline: 48
        also: [ { prompt: 2B }, 7 ]
        schedule: cosin
        optimizer: adam
        bits: 9
        tied: yes
        learning_rate: fast
        limit: 3B
        note: [a]
        columns: [a]
        fixed: { a: -1, b: x }
        corpus: dotnet-doc
        table: { a: b }
        """));

    [Fact]
    public Task Wrong_settings_of_other_kinds_say_what_is_expected() => Snapshot.Match(string.Join("\n\n", new[]
    {
        "size: 8k",
        "sizes: []",
        "sizes:",
        "sizes: { a: 1 }",
        "sizes: 8k\nlayers:",
        "sizes: 8k\nlayers: 1.5",
        "sizes: 8k\ntied: 'true'",
        "sizes: 8k\ntied: ture",
        "sizes: 8k\nx: 1e999",
        "sizes: 8k\nlearning_rate: '3e-4'",
        "sizes: 8k\nnote:",
        "sizes: 8k\ncorpus: txt:data/a.txt",
        "sizes: 8k\ncorpus: notes",
        "sizes: 8k\ncorpus: ''",
        "sizes: 8k\nbits: x",
    }.Select(BindFindings)));

    [Fact]
    public void A_file_setting_takes_paths_globs_schemes_and_declared_names()
    {
        foreach (string text in new[] { "dotnet-docs", "./notes", "data/a.txt", "'*.txt'", "text:data/*.txt", "tokens:shard", "../a b/c:d.txt", "/abs" })
        {
            Assert.Equal(text.Trim('\''), (string)Bind($"sizes: 1\ncorpus: {text}").Settings["corpus"]!);
        }
    }

    [Fact]
    public void A_file_setting_without_declared_names_takes_a_bare_word_as_a_file() =>
        Assert.Equal("runs", (string)Bind("sizes: 1\ntable: runs").Settings["table"]!);

    [Fact]
    public void A_stage_without_settings_says_that_it_has_none()
    {
        var bound = Bind("sizes: 1", SettingsSchema.Of<NoSettings>());

        Assert.Equal("study.yaml(5,7): error SCAL2040: Stage type 'study' has no setting 'sizes'; it has none.", Assert.Single(bound.Findings).ToString());
    }

    [Fact]
    public void A_record_that_contains_itself_can_be_bound()
    {
        var bound = Bind("value: 1\nchild: { value: 2k, children: [ { value: 3 }, { valeu: 3 } ] }", SettingsSchema.Of<Tree>());

        Assert.Equal("""{"value":1,"child":{"value":2000,"children":[{"value":3,"children":[]},{"value":0,"children":[]}]},"children":[]}""", bound.Settings.ToJsonString());
        Assert.Equal(
            "study.yaml(6,55): error SCAL2040: Setting 'child.children[1]' has no setting 'valeu'; it has value, child, children. Did you mean 'value'?",
            Assert.Single(bound.Findings).ToString());
    }

    [Fact]
    public void A_descriptor_that_came_as_text_binds_alike()
    {
        var travelled = (JsonObject)JsonNode.Parse(Schema.ToJsonString())!;

        Assert.Equal(Bind("sizes: 8k").Settings.ToJsonString(), Bind("sizes: 8k", travelled).Settings.ToJsonString());
    }

    public sealed record NoSettings;

    public sealed record Tree
    {
        public int Value { get; init; }

        public Tree? Child { get; init; }

        public Tree[] Children { get; init; } = [];
    }
}
