// export: configurations that their consumers read, and a report that answers.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class ExportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task The_report_answers_first_and_then_shows_its_evidence() =>
        Snapshot.Match(WithoutKey(Export(SyntheticStudy.Write(_folder), new JsonObject { ["title"] = "A synthetic study" }).Text("report.md")));

    [Fact]
    public void The_report_says_whether_shapes_differ_by_more_than_seeds_and_whether_the_rate_was_fair()
    {
        var inputs = SyntheticStudy.Write(_folder);
        (LawDocument.Read(inputs["law"]) with
        {
            ShapeEffects =
            [
                new ShapeEffect(9100, 182_000, 5, 25, 12.25, 4, 20, 0.0000321, 0.011, 0.024, 0.008),
                new ShapeEffect(18_200, 364_000, 5, 25, 1.25, 4, 20, 0.322, 0.013, 0.002, 0.012),
            ],
            LearningRateChecks =
            [
                new LearningRateCheck(9100, 182_000, [new LearningRateCorner("a", 0.16, 0.5, [0.5, 1, 2], [2.2, 2.1, 2.15], 1.1, 0.001, true), new LearningRateCorner("b", 0.3, 3, [0.5, 1, 2], [2.1, 2.2, 2.3], 0.5, 0.1, false)], 0.099, 0.1, 0.011, RateVerdict.NotFair),
            ],
        }).Write(inputs["law"]);
        string report = Export(inputs).Text("report.md");

        Assert.Contains("- At 1 of 2 sizes and budgets shapes **differ by more than seeds** (analysis of variance, least clear: F(4, 20) = 1.25, p = 0.322): seeds of one shape scatter by 0.011 to 0.013 nats, the shapes' own losses by 0.002 to 0.024.", report);
        Assert.Contains("| 9.1k | 182k | 5 | 25 | F(4, 20) = 12.25, p = 3.2e-5 | 0.011 | 0.024 | 0.8 % |", report);
        Assert.Contains("| 18.2k | 364k | 5 | 25 | F(4, 20) = 1.25, p = 0.322 | 0.013 | 0.002 | 1.2 % |", report);
        Assert.Contains("- The learning-rate rule **was not fair** to all shapes: part of what the law says of x and the ratio may be the rate's doing. At its own best rate a corner of the grid would have gained up to 0.1 nats, where shapes differ by 0.1.", report);
        Assert.Contains("| 0.5: 2.1000, 1: 2.2000, 2: 2.3000 | at the end, 0.5 | 0.1000 | not fair |", report);
    }

    [Fact]
    public Task A_configuration_is_what_transformers_4_and_5_read() =>
        Snapshot.Match(Export(SyntheticStudy.Write(_folder), new JsonObject { ["eos_token_id"] = 0 }).Text("efficient/config.json"));

    [Fact]
    public void A_search_alone_is_enough_for_configurations_and_an_answer()
    {
        var result = Export(OnlyBest(SyntheticStudy.Best(withBaseline: false)));
        string report = result.Text("report.md");
        Assert.Contains("No baseline was given", report);
        Assert.Contains("not given the law", report);
        Assert.DoesNotContain("## Runs", report);
        Assert.Equal(["figures/speed-batch.svg", "figures/speed-prompt.svg"], Drawn(result));
        Assert.True(File.Exists(Path.Combine(result.Folder, "accurate/config.json")));
    }

    [Fact]
    public void Every_figure_that_the_report_names_is_there_and_no_other()
    {
        var result = Export(SyntheticStudy.Write(_folder));
        string report = result.Text("report.md");
        string[] drawn = Drawn(result);
        Assert.Equal(
            [
                "front", "loss-ratio", "loss-size", "loss-x", "predicted-measured", "regret", "residuals", "speed-batch", "speed-measured", "speed-prompt",
            ],
            drawn.Select(Path.GetFileNameWithoutExtension));
        Assert.All(drawn, file => Assert.Contains($"]({file})", report));
        Assert.All(drawn, file => Assert.True(File.Exists(Path.Combine(result.Folder, Path.ChangeExtension(file, ".csv"))), file));
    }

    [Fact]
    public void The_same_tables_give_the_same_bytes_in_another_folder()
    {
        using var elsewhere = new TemporaryFolder();
        var here = Export(SyntheticStudy.Write(_folder));
        var there = new StageRunner(new ExportStage(), elsewhere).Run([], SyntheticStudy.Write(elsewhere));
        foreach (string file in Directory.GetFiles(here.Folder, "*", SearchOption.AllDirectories))
        {
            string name = Path.GetRelativePath(here.Folder, file);
            Assert.Equal(here.Text(name), there.Text(name));
            Assert.DoesNotContain(_folder.Path, here.Text(name));
        }
    }

    [Fact]
    public void The_runs_figure_falls_back_to_plain_losses_without_a_law()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var result = Export(new() { ["best"] = inputs["best"], ["runs"] = inputs["runs"] });
        Assert.Contains("held-out loss, nats a token", result.Text("figures/loss-x.svg"));
        Assert.Contains("loss above the law", Export(inputs).Text("figures/loss-x.svg"));
    }

    /// <summary>The synthetic losses are the law's, moved by at most 0.004 nats, which is 0.12 % of the least of them.</summary>
    [Theory]
    [InlineData("figures/loss-x.svg", 0.24)]
    [InlineData("figures/loss-ratio.svg", 1.4)]
    public void Runs_of_every_size_lie_about_one_curve_with_its_foot_at_the_best_shape(string file, double best)
    {
        var figure = StudyFigures.Of(SyntheticStudy.Read(SyntheticStudy.Write(_folder), _folder)).Single(f => f.File == file).Figure;
        var curve = figure.Series[0].Points;
        Assert.Equal(best, curve.MinBy(p => p.Y)!.X, best * 0.02);
        Assert.All(curve, p => Assert.True(p.Y >= -1e-9));
        var runs = figure.Series.Skip(1).SelectMany(s => s.Points).ToList();
        Assert.Equal(22, runs.Count);
        Assert.All(runs, run =>
        {
            double law = curve.MinBy(p => Math.Abs(p.X - run.X))!.Y;
            Assert.InRange(run.Y - law, -0.14, 0.14);
        });
        Assert.True(runs.Max(r => r.Y) > 0.3);
    }

    [Fact]
    public void Runs_without_shapes_leave_out_what_needs_them()
    {
        var inputs = SyntheticStudy.Write(_folder);
        string runs = _folder.Write("mine.csv", "parameters,tokens,loss\n1e6,2e7,4.1\n2e6,4e7,3.8\n");
        var result = Export(new() { ["best"] = inputs["best"], ["runs"] = runs, ["law"] = inputs["law"] });
        Assert.Contains("2 trained models.", result.Text("report.md"));
        Assert.Contains("| 2M | 20 | 40M | 1 | 3.8000 | 3.8000 | 3.8000 |", result.Text("report.md"));
        Assert.False(File.Exists(Path.Combine(result.Folder, "figures/loss-x.svg")));
    }

    [Fact]
    public void One_shape_that_is_both_and_a_baseline_that_nothing_beats_are_said_so()
    {
        var best = SyntheticStudy.Best(SyntheticStudy.Baseline);
        string report = Export(OnlyBest(best with { Efficient = best.Accurate })).Text("report.md");
        Assert.Contains("**Accurate and efficient**", report);
        Assert.Contains("nothing better was found", report);
    }

    [Fact]
    public void A_study_that_held_nothing_out_says_why()
    {
        var inputs = SyntheticStudy.Write(_folder);
        inputs["scores"] = _folder.Write("none.json", """{ "held_out": null, "reason": "hold_out is none." }""");
        Assert.Contains("No size was held out: hold_out is none.", Export(inputs).Text("report.md"));
    }

    /// <summary>Values of the config.json that Meta published with LLaMA-3.2-1B.</summary>
    [Fact]
    public void LLaMA_3_2_1B_comes_out_as_it_was_published()
    {
        var llama = new DecoderShape(16, 2048, 8192, 32, 8, 64, 128_256, true);
        var settings = new JsonObject
        {
            ["max_position_embeddings"] = 131_072,
            ["rope_theta"] = 500_000.0,
            ["bos_token_id"] = 128_000,
            ["eos_token_id"] = 128_001,
        };
        var result = Export(OnlyBest(SyntheticStudy.Best(llama) with { Efficient = SyntheticStudy.Best(llama).Accurate }), settings);
        var config = JsonNode.Parse(result.Text("accurate/config.json"))!.AsObject();
        var published = JsonNode.Parse("""
            {
              "architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": 128001,
              "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
              "max_position_embeddings": 131072, "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
              "num_key_value_heads": 8, "rms_norm_eps": 1e-05, "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
              "use_cache": true, "vocab_size": 128256
            }
            """)!.AsObject();
        foreach (var (name, value) in published)
        {
            Assert.True(JsonNode.DeepEquals(value, config[name]), $"{name}: {config[name]} where {value} was published");
        }

        Assert.Equal(500_000, config["rope_parameters"]!["rope_theta"]!.GetValue<double>());
        Assert.Equal("default", config["rope_parameters"]!["rope_type"]!.GetValue<string>());
        Assert.Equal("bfloat16", config["dtype"]!.GetValue<string>());
        Assert.Contains("\"rope_theta\": 500000.0", result.Text("accurate/config.json"));
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void A_baseline_of_the_sweep_is_marked_with_what_is_known_of_it()
    {
        var inputs = SyntheticStudy.Write(_folder);
        string shape = Table.Read(inputs["runs"])[0].Text("shape");
        foreach (string role in (string[])["runs", "speed"])
        {
            var table = Table.Read(inputs[role]);
            string marked = role == "runs" ? shape : table[0].Text("shape");
            new Table([.. table.Columns, "baseline", "baseline_loss"], [.. table.Each().Zip(table.Rows).Select(r => (string[])
                [.. r.Second, r.First.Text("shape") == marked ? "true" : "false", r.First.Text("shape") == marked ? "2.345" : ""])]).Write(inputs[role]);
        }

        string report = Export(inputs).Text("report.md");

        Assert.Contains("The baseline was trained as the other shapes were:", report, StringComparison.Ordinal);
        Assert.Equal(2, report.Split('\n').Count(line => line.StartsWith($"| `{shape}` |", StringComparison.Ordinal) && line.Contains("2.345", StringComparison.Ordinal)));
        Assert.Single(report.Split('\n'), line => line.Contains("` **baseline** | ", StringComparison.Ordinal) && line.Contains("tokens", StringComparison.Ordinal) is false && line.Contains('…'));
    }

    [Fact]
    public void Speeds_of_an_engine_are_told_apart_without_an_anchor()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var table = Table.Read(inputs["speed"]);
        string[] unknown = ["anchor", "relative_speed", "relative_speed_low", "relative_speed_high", "time_to_first_token", "time_per_output_token", "roofline_ratio"];
        new Table([.. table.Columns, "engine", "engine_version"], [.. table.Rows.Select(cells => (string[])
            [.. cells.Zip(table.Columns, (cell, column) => unknown.Contains(column) ? "" : cell), "vllm", "0.11.0"])]).Write(inputs["speed"]);

        string report = Export(inputs).Text("report.md");

        Assert.Contains("Medians of repeated runs of vllm 0.11.0 on a machine in float32", report);
        Assert.Contains("cannot be told apart: their 95 % intervals overlap.", report);
        Assert.Contains(report.Split('\n'), line => line.StartsWith("| `", StringComparison.Ordinal) && line.Contains(" | a | ", StringComparison.Ordinal));
    }

    [Fact]
    public void Positions_that_end_before_the_workload_does_are_warned_of()
    {
        var result = Export(SyntheticStudy.Write(_folder), new JsonObject { ["max_position_embeddings"] = 191 });
        var warning = Assert.Single(result.Warnings, w => w.Code == "SCAL7502");
        Assert.Contains("192 tokens", warning.Message);
        Assert.DoesNotContain(Export(SyntheticStudy.Write(_folder), new JsonObject { ["max_position_embeddings"] = 192 }).Warnings, w => w.Code == "SCAL7502");
    }

    [Fact]
    public void Tokens_outside_the_vocabulary_are_refused_together()
    {
        var failure = Assert.Throws<StageFailedException>(() =>
            Export(SyntheticStudy.Write(_folder), new JsonObject { ["bos_token_id"] = 256, ["eos_token_id"] = 50_256 }));
        Assert.Equal(["SCAL7503", "SCAL7503"], failure.Diagnostics.Select(d => d.Code));
        Assert.Contains("0 to 255", failure.Diagnostics[0].Message);
    }

    [Theory]
    [InlineData("best", "search")]
    [InlineData("law", "fit")]
    [InlineData("scores", "extrapolate")]
    public void A_file_that_is_something_else_is_refused_with_the_stage_that_writes_the_right_one(string role, string stage)
    {
        var inputs = SyntheticStudy.Write(_folder);
        inputs[role] = _folder.Write("wrong.json", """["neither", "this"]""");
        var finding = Assert.Single(Assert.Throws<StageFailedException>(() => Export(inputs)).Diagnostics);
        Assert.Equal("SCAL7504", finding.Code);
        Assert.Contains($"no {role}.json", finding.Message);
        Assert.Contains($"'{stage}'", finding.Hint);
    }

    [Fact]
    public void Its_settings_say_what_they_are_and_their_bounds()
    {
        var properties = ((IStage)new ExportStage()).SettingsSchema["properties"]!.AsObject();
        Assert.All(properties, p => Assert.NotNull(p.Value!["description"]));
        Assert.Equal("huggingface", properties["formats"]!["items"]!["enum"]![0]!.GetValue<string>());
        Assert.Equal(10_000, properties["rope_theta"]!["default"]!.GetValue<double>());
    }

    private static string[] Drawn(StageResult result) => [.. Directory.GetFiles(Path.Combine(result.Folder, "figures"), "*.svg").Select(f => "figures/" + Path.GetFileName(f)).Order(StringComparer.Ordinal)];

    /// <summary>The key holds the stage's assembly.</summary>
    private static string WithoutKey(string report) => System.Text.RegularExpressions.Regex.Replace(report, "[0-9a-f]{64}", "(key)");

    private Dictionary<string, string> OnlyBest(SearchResult best)
    {
        best.Write(_folder["best.json"]);
        return new() { ["best"] = _folder["best.json"] };
    }

    private StageResult Export(Dictionary<string, string> inputs, JsonObject? settings = null) =>
        new StageRunner(new ExportStage(), _folder).Run(settings ?? [], inputs);
}
