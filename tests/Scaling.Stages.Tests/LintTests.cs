// export's linter: what refuses a shape is told with the nearest shape that is taken and what that costs.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class LintTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly StageRunner _runner;

    public LintTests() => _runner = new(new ExportStage(), _folder);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_refused_shape_is_warned_of_with_its_neighbour_and_the_price()
    {
        var result = Export(SyntheticStudy.Write(_folder));

        Assert.Equal(["SCAL7501", "SCAL7501"], result.Warnings.Select(w => w.Code));
        Assert.Equal("transformers 5 refuses the accurate shape: hidden size 60 is no multiple of 16 heads.", result.Warnings[0].Message);
        Assert.Equal("The nearest shape that it takes is 64 × 88, 16/8 × 8 (+0.0039 nats a token, +0.1 % tokens a second).", result.Warnings[0].Hint);
        Assert.Contains("the efficient shape: hidden size 64 is no multiple of 10 heads", result.Warnings[1].Message, StringComparison.Ordinal);
    }

    [Fact]
    public Task The_table_of_rules_looks_like_this() => Snapshot.Match(Export(SyntheticStudy.Write(_folder)).Text("lint.csv"));

    [Fact]
    public void A_neighbour_is_taken_and_its_loss_and_speed_are_held_at_equal_parameters_and_tokens()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var (best, law) = (SearchResult.Read(inputs["best"]), LawDocument.Read(inputs["law"]));

        var rows = ExportFor(inputs, "transformers-5", "llama.cpp").Table("lint.csv").Each().Where(r => r.Text("effect") == "refuses").ToList();

        Assert.Equal(2, rows.Count);
        foreach (var row in rows)
        {
            var pick = (row.Text("pick") == "accurate" ? best.Accurate : best.Efficient).ToShape();
            var shape = pick with { Hidden = row.Count("hidden"), Intermediate = row.Count("intermediate"), Heads = row.Count("heads"), KvHeads = row.Count("kv_heads"), HeadSize = row.Count("head_size") };
            Assert.Empty(Consumer.Named(row.Text("consumer"))!.Broken(shape, 1));
            Assert.InRange((double)shape.Parameters / pick.Parameters, 0.99, 1.01);
            double Loss(DecoderShape s) => law.Predict(best.Size, best.Tokens, s.X, s.Ratio);
            double Speed(DecoderShape s) => Architectures.Speed.Predict(best.Device.Model, s, best.Workload).TokensPerSecond;
            Assert.Equal(Loss(shape) - Loss(pick), row.Number("loss_difference"), 1e-12);
            Assert.Equal(Speed(shape) / Speed(pick) - 1, row.Number("speed_change"), 1e-12);
        }
    }

    /// <summary>arXiv 2510.18245: what its winners cost to be loaded by transformers 5, by the law that it prints, which has no level of its own.</summary>
    [Fact]
    public void The_winners_of_the_paper_get_neighbours_that_cost_milli_nats_by_its_law()
    {
        var (panda, surefire) = (new DecoderShape(16, 2560, 4096, 72, 18, 64, 128_256, true), new DecoderShape(16, 2560, 6144, 36, 4, 64, 128_256, true));
        string law = Path.Combine(Repository.Root, "pipelines/laws/paper-80m-297m.json");
        var workload = new Workload(4096, 1024, 64);
        var device = DeviceModel.Of(Device.H200);
        ScoredShape Scored(DecoderShape shape, double loss) => ScoredShape.Of(shape, loss, Speed.Predict(device.Model, shape, workload), baseline: null);
        var best = SyntheticStudy.Best() with { Size = 973_078_528, Tokens = 97e9, Workload = workload, Device = device, Accurate = Scored(panda, 2.782), Efficient = Scored(surefire, 2.804) };
        best.Write(_folder["best.json"]);

        var rows = Export(new() { ["best"] = _folder["best.json"], ["law"] = law }).Table("lint.csv").Each().Where(r => r.Text("effect") == "refuses").ToList();

        Assert.Equal(["hidden-over-heads", "hidden-over-heads"], rows.Select(r => r.Text("rule")));

        // Among multiples of 128 the law likes it best of all, by a factor of 8e-6 better than the winner itself.
        Assert.Equal("2432 4224 76 19", string.Join(' ', new[] { "hidden", "intermediate", "heads", "kv_heads" }.Select(rows[0].Text)));
        Assert.Equal(-8e-6 * 2.782, rows[0].Number("loss_difference"), 5e-6);
        Assert.InRange(Math.Abs(rows[1].Number("loss_difference")), 0, 0.02);
        Assert.All(rows, row => Assert.InRange(row.Number("speed_change"), -0.2, 0.2));
    }

    [Fact]
    public void Without_a_law_the_nearest_shape_has_no_loss()
    {
        var inputs = SyntheticStudy.Write(_folder);

        var row = Export(new() { ["best"] = inputs["best"] }).Table("lint.csv")[0];

        Assert.Equal("", row.Text("loss_difference"));
        Assert.NotEqual("", row.Text("speed_change"));
        Assert.DoesNotContain("nats", Export(new() { ["best"] = inputs["best"] }).Warnings[0].Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void What_only_slows_is_told_in_the_table_and_the_report_but_warned_of_by_nobody()
    {
        var result = ExportFor(SyntheticStudy.Write(_folder), "vllm");

        Assert.Empty(result.Warnings);
        Assert.All(result.Table("lint.csv").Each(), row => Assert.Equal("slows", row.Text("effect")));
        Assert.Contains("| vLLM | accurate | yes, slowed by `tensor-cores`, `tiles` | none of this size |", result.Text("report.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void Layers_on_several_devices_are_held_against_the_rules_of_splitting()
    {
        var inputs = SyntheticStudy.Write(_folder);

        var result = Export(inputs, new() { ["consumers"] = new JsonArray("megatron"), ["tensor_parallel"] = 4 });

        Assert.Contains(result.Warnings, w => w.Message == "Megatron-LM refuses the efficient shape: 10 query heads are no multiple of 4 devices; 5 key/value heads neither are a multiple of 4 devices nor divide them.");
        Assert.Contains("with each layer on 4 devices", result.Text("report.md"), StringComparison.Ordinal);
        Assert.Empty(ExportFor(inputs, "megatron").Warnings);

        // The search's own workload says how many devices share a layer.
        (SearchResult.Read(inputs["best"]) with { Workload = new Workload(128, 64, 8) { TensorParallel = 4 } }).Write(inputs["best"]);
        Assert.NotEmpty(ExportFor(inputs, "megatron").Warnings);
    }

    [Fact]
    public void Nobody_asked_leaves_an_empty_table_and_no_words()
    {
        var result = Export(SyntheticStudy.Write(_folder), new JsonObject { ["consumers"] = new JsonArray() });

        Assert.Empty(result.Warnings);
        Assert.Empty(result.Table("lint.csv").Rows);
        Assert.DoesNotContain("Who takes it", result.Text("report.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void A_size_without_any_shape_that_is_taken_says_so()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var best = SearchResult.Read(inputs["best"]);
        (best with { Accurate = best.Accurate with { Layers = 513 } }).Write(inputs["best"]);

        var result = ExportFor(inputs, "llama.cpp");

        Assert.Contains("No shape of this size is taken there", Assert.Single(result.Warnings).Hint, StringComparison.Ordinal);
        Assert.Contains("**no**: 513 layers are more than 512 | none of this size", result.Text("report.md"), StringComparison.Ordinal);
    }

    [Fact]
    public void The_settings_name_every_consumer_and_every_format()
    {
        var properties = ((IStage)new ExportStage()).SettingsSchema["properties"]!;
        Assert.Equal(Consumer.All.Select(c => c.Name), properties["consumers"]!["items"]!["enum"]!.AsArray().Select(n => (string)n!));
        Assert.Equal(ConfigurationFormat.All.Select(f => f.Name), properties["formats"]!["items"]!["enum"]!.AsArray().Select(n => (string)n!));
    }

    private StageResult ExportFor(Dictionary<string, string> inputs, params string[] consumers) =>
        Export(inputs, new JsonObject { ["consumers"] = new JsonArray([.. consumers.Select(c => (JsonNode)c)]) });

    private StageResult Export(Dictionary<string, string> inputs, JsonObject? settings = null) => _runner.Run(settings ?? [], inputs);
}
