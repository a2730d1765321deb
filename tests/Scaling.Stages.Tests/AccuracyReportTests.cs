// export on runs with accuracies, their own or lm-evaluation-harness's.
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class AccuracyReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task The_report_sets_accuracy_against_loss_and_says_how_little_few_models_tell()
    {
        var inputs = Study(withAccuracy: true);
        var models = Table.Read(inputs["runs"]).Each().Where((_, i) => i % 6 == 1).Select(ModelOf).ToList();
        var files = models.Select((model, i) => Results($"results_{i}.json", $"studies/a.results/runs/{model}", 0.25 + 0.01 * i, 0.013)).ToArray();

        var result = Export(inputs, files);

        Assert.DoesNotContain(result.Warnings, w => w.Code != "SCAL7501");
        Assert.True(File.Exists(Path.Combine(result.Folder, "figures/accuracy-loss.svg")));
        return Snapshot.Match(Section(result, "Accuracy"));
    }

    [Fact]
    public void Accuracy_that_no_run_has_is_not_spoken_of()
    {
        var result = Export(Study(withAccuracy: false));

        Assert.DoesNotContain("## Accuracy", result.Text("report.md"));
        Assert.False(File.Exists(Path.Combine(result.Folder, "figures/accuracy-loss.svg")));
    }

    [Fact]
    public void A_model_is_found_by_its_folder_also_where_the_arguments_are_an_object()
    {
        var inputs = Study(withAccuracy: false);
        string model = ModelOf(Table.Read(inputs["runs"])[4]);
        string file = _folder.Write("results_o.json", $$$"""
            {"results": {"piqa": {"alias": "piqa", "acc,none": 0.5, "acc_stderr,none": "N/A"}}, "config": {"model_args": {"pretrained": "/runs/{{{model}}}", "dtype": "float32"}}, "model_name": ""}
            """);

        Assert.Contains("| `piqa` | acc | 1 | 0.5 | 0.5 | – | – | – |", Section(Export(inputs, file), "Accuracy"));
    }

    [Fact]
    public void A_task_of_a_group_that_has_an_accuracy_is_left_out()
    {
        var inputs = Study(withAccuracy: false);
        string file = _folder.Write("results_g.json", $$$"""
            {
              "results": {"mmlu": {"acc,none": 0.25, "acc_stderr,none": 0.01}, "mmlu_law": {"acc,none": 0.2}, "boolq": {"acc,none": 0.5}},
              "group_subtasks": {"mmlu": ["mmlu_law"], "boolq": []}, "model_name": "{{{ModelOf(Table.Read(inputs["runs"])[0])}}}"
            }
            """);

        string section = Section(Export(inputs, file), "Accuracy");

        Assert.Contains("`mmlu`", section);
        Assert.Contains("`boolq`", section);
        Assert.DoesNotContain("`mmlu_law`", section);
    }

    [Fact]
    public void Files_that_say_nothing_of_a_run_are_named_and_not_used()
    {
        var inputs = Study(withAccuracy: false);
        var run = Table.Read(inputs["runs"])[0];
        string stranger = Results("results_1.json", "meta-llama/Llama-3.2-1B", 0.5, 0.01);
        string either = Results("results_2.json", $"weights/{run.Text("shape")}", 0.5, 0.01);
        string perplexity = _folder.Write("results_3.json", $$$"""{"results": {"wikitext": {"word_perplexity,none": 20.5}}, "model_name": "{{{ModelOf(run)}}}"}""");

        var result = Export(inputs, stranger, either, perplexity);

        var warnings = result.Warnings.Where(w => w.Code == "SCAL7506").Select(w => w.Message).ToList();
        Assert.Collection(
            warnings,
            w => Assert.Equal($"{stranger}: its model (meta-llama/Llama-3.2-1B, pretrained=meta-llama/Llama-3.2-1B,dtype=float32) has the shape of no run in its path; it is not used.", w),
            w => Assert.Contains($"{either}: its model (weights/{run.Text("shape")}, pretrained=weights/{run.Text("shape")},dtype=float32) may be any of 2 runs, {run.Text("shape")}.1.10, {run.Text("shape")}.1.20; it is not used.", w),
            w => Assert.StartsWith($"{perplexity}: none of its tasks has an accuracy", w));
        Assert.DoesNotContain("## Accuracy", result.Text("report.md"));
    }

    [Fact]
    public void A_folder_of_another_budget_is_not_taken_for_the_run()
    {
        var inputs = Study(withAccuracy: false);
        string file = Results("results_1.json", $"runs/{Table.Read(inputs["runs"])[0].Text("shape")}.1.40", 0.5, 0.01);

        Assert.Contains(Export(inputs, file).Warnings, w => w.Code == "SCAL7506" && w.Message.Contains("the shape of no run"));
    }

    [Fact]
    public void Of_two_files_of_one_model_the_later_counts()
    {
        var inputs = Study(withAccuracy: false);
        string model = ModelOf(Table.Read(inputs["runs"])[0]);

        var result = Export(inputs, Results("results_1.json", model, 0.3, 0.01), Results("results_2.json", model, 0.4, 0.01));

        Assert.Contains($"judges {model} again", Assert.Single(result.Warnings, w => w.Code == "SCAL7506").Message);
        Assert.Contains("| `arc_easy` | acc_norm | 1 | 0.4 | 0.4 |", Section(result, "Accuracy"));
    }

    [Fact]
    public void Files_that_are_no_results_are_refused_together_with_what_is_wrong()
    {
        (string Text, string Message)[] wrong =
        [
            ("not json", "is an invalid JSON literal"),
            ("""{"results": []}""", "no object 'results'"),
            ("""{"results": {"arc_easy": {"acc,none": 0.5}}}""", "neither 'model_name' nor 'config.model_args'"),
            ("""{"results": {"arc_easy": 1}, "model_name": "m"}""", "'results.arc_easy' is no object"),
            ("""{"results": {"arc_easy": {"acc,none": 50}}, "model_name": "m"}""", "'acc,none' of 'arc_easy' is 50 where a number from 0 to 1 was expected"),
        ];
        string[] files = [.. wrong.Select((w, i) => _folder.Write($"results_{i}.json", w.Text))];

        var found = Assert.Throws<StageFailedException>(() => Export(Study(withAccuracy: false), files)).Diagnostics;

        Assert.Equal(files, found.Select(d => d.Location!.File));
        Assert.All(found, d => Assert.Equal("SCAL7505", d.Code));
        Assert.All(found.Zip(wrong), f => Assert.Contains(f.Second.Message, f.First.Message));
    }

    [Fact]
    public void Results_without_runs_are_refused()
    {
        var inputs = Study(withAccuracy: false);
        inputs.Remove("runs");

        var failure = Assert.Throws<StageFailedException>(() => Export(inputs, Results("results_1.json", "m", 0.5, 0.01)));

        Assert.Equal("SCAL7507", failure.Diagnostics[0].Code);
    }

    /// <summary>The synthetic study; with accuracies that rise as losses fall, but for a fixed pattern.</summary>
    private Dictionary<string, string> Study(bool withAccuracy)
    {
        var inputs = SyntheticStudy.Write(_folder);
        if (withAccuracy)
        {
            var runs = Table.Read(inputs["runs"]);
            new Table(
                [.. runs.Columns, "accuracy", "accuracy_standard_error", "questions"],
                [.. runs.Each().Select((row, i) => (string[])[.. runs.Rows[i], Table.Cell(Math.Round(0.9 - 0.12 * row.Number("loss") + 0.02 * (i % 3), 3)), "0.022", "500"])]).Write(inputs["runs"]);
        }

        return inputs;
    }

    private static string ModelOf(Row run) => $"{run.Text("shape")}.{run.Text("seed")}.{run.Text("tokens_per_parameter")}";

    /// <summary>A file as the harness writes it, less what is not read.</summary>
    private string Results(string name, string model, double accuracy, double error) => _folder.Write(name, new JsonObject
    {
        ["results"] = new JsonObject
        {
            ["arc_easy"] = new JsonObject
            {
                ["alias"] = "arc_easy",
                ["acc,none"] = accuracy + 0.02,
                ["acc_stderr,none"] = error,
                ["acc_norm,none"] = accuracy,
                ["acc_norm_stderr,none"] = error,
            },
        },
        ["group_subtasks"] = new JsonObject { ["arc_easy"] = new JsonArray() },
        ["config"] = new JsonObject { ["model"] = "hf", ["model_args"] = $"pretrained={model},dtype=float32", ["batch_size"] = "8" },
        ["model_source"] = "hf",
        ["model_name"] = model,
    }.ToJsonString());

    private static string Section(StageResult result, string heading)
    {
        string report = result.Text("report.md");
        int start = report.IndexOf($"## {heading}\n", StringComparison.Ordinal);
        return report[start..report.IndexOf("\n## ", start + 1, StringComparison.Ordinal)];
    }

    private StageResult Export(Dictionary<string, string> inputs, params string[] files) => new StageRunner(new ExportStage(), _folder).Run(
        files.Length == 0 ? [] : new JsonObject { ["lm_eval"] = new JsonObject { ["text"] = "results_*.json", ["scheme"] = "", ["paths"] = new JsonArray([.. files.Select(f => (JsonNode)f)]) } },
        inputs);
}
