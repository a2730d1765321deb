// `extrapolate`: targets at the best shape, and scores of a size that the refit has not seen.
using System.Text.Json.Nodes;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Extrapolate;
using Scaling.Stages.Fit;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class ExtrapolateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Larger_sizes_are_predicted_at_the_best_shape_and_the_runs_budgets()
    {
        var predictions = Extrapolate(new JsonObject { ["sizes"] = new JsonArray(1e6, 4e6) }, RunsTable.Of()).Table("predictions.csv");

        Assert.Equal(["purpose", "size", "shape", "parameters", "tokens", "x", "ratio", "loss", "predicted", "confidence_low", "confidence_high", "predicted_low", "predicted_high", "residual", "baseline"], predictions.Columns);
        Assert.Equal(4, predictions.Rows.Count);
        foreach (var row in predictions.Each())
        {
            double best = RunsTable.Shape.Apply(RunsTable.Base.Predict(row.Number("parameters"), row.Number("tokens")), new LawPoint(row.Number("parameters"), row.Number("tokens")));
            Assert.Equal("target", row.Text("purpose"));
            Assert.Equal(best, row.Number("predicted"), 1e-4);
            Assert.Equal(RunsTable.Shape.XStar!.Value, row.Number("x"), 1e-6);
            Assert.Equal("", row.Text("loss"));
            Assert.InRange(row.Number("predicted"), row.Number("predicted_low"), row.Number("predicted_high"));
        }

        Assert.Equal([1e7, 2e7, 4e7, 8e7], predictions.Each().Select(r => r.Number("tokens")));
    }

    [Fact]
    public void The_largest_size_held_out_is_foretold_by_an_exact_law()
    {
        // Two sizes and two budgets leave the refit's base law open; a third budget-like size is held out, so only the shapes' order is promised.
        var result = Extrapolate(new JsonObject { ["hold_out"] = "largest" }, RunsTable.Of());
        var scores = JsonNode.Parse(result.Text("scores.json"))!["held_out"]!;
        var predictions = result.Table("predictions.csv");

        Assert.Equal(18, predictions.Rows.Count);
        Assert.Equal(18, (int)scores["all"]!["rows"]!);
        Assert.Equal(36, (int)scores["fitted_rows"]!);
        Assert.All(scores["budgets"]!.AsArray(), b => Assert.InRange((double)b!["spearman"]!, 0.95, 1));
        Assert.All(scores["budgets"]!.AsArray(), b => Assert.InRange((double)b!["regret"]!, 0, 1e-3));
        Assert.Equal(predictions.Each().Average(r => Math.Pow(r.Number("residual"), 2)), (double)scores["all"]!["mse"]!, 1e-12);
        Assert.Equal(-predictions.Each().Average(r => r.Number("residual")), (double)scores["all"]!["level_error"]!, 1e-12);
    }

    [Fact]
    public void A_missing_column_is_not_answered_with_a_setting_of_another_stage()
    {
        var runs = RunsTable.Of();
        var renamed = new Table([.. runs.Columns.Select(c => c == "tokens" ? "D" : c)], runs.Rows);

        var failure = Assert.Throws<StageFailedException>(() => Extrapolate(new JsonObject { ["sizes"] = new JsonArray(1e6) }, renamed, LawOf(runs)));

        var missing = failure.Diagnostics.Single(d => d.Code == "SCAL7102");
        Assert.DoesNotContain("columns:", missing.ToString());
        Assert.Contains("Rename", missing.Hint);
    }

    [Fact]
    public void A_held_out_size_is_not_seen_by_its_prediction()
    {
        // Raising every loss of the held-out size by 1 must raise the residuals by 1 and move no prediction.
        var runs = RunsTable.Of(noise: 0.01);
        var settings = new JsonObject { ["hold_out"] = "64k" };
        int loss = runs.IndexOf("loss"), parameters = runs.IndexOf("parameters");
        var raised = new Table(runs.Columns, [.. runs.Rows.Select(r => Math.Abs(Math.Log(double.Parse(r[parameters]) / 64000)) < 0.2
            ? r.Select((c, i) => i == loss ? Table.Cell(double.Parse(c) + 1) : c).ToArray() : r)]);
        string law = LawOf(runs);

        var before = Extrapolate(settings, runs, law).Table("predictions.csv");
        var after = Extrapolate(settings, raised, law).Table("predictions.csv");
        Assert.Equal(before.Each().Select(r => r.Text("predicted")), after.Each().Select(r => r.Text("predicted")));
        Assert.All(before.Each().Zip(after.Each()), p => Assert.Equal(p.First.Number("residual") + 1, p.Second.Number("residual"), 1e-9));
    }

    [Fact]
    public void The_fit_s_own_rows_are_enough_and_every_size_is_told_from_the_smaller_ones()
    {
        var runs = RunsTable.Of(noise: 0.01);
        var fit = new StageRunner(new FitStage(), _folder).Run(new JsonObject { ["resamples"] = 50 }, new Dictionary<string, string> { ["runs"] = _folder.Write("runs.csv", runs.ToCsv()) });
        var result = new StageRunner(new ExtrapolateStage(), _folder).Run(new JsonObject { ["hold_out"] = "largest", ["near_sizes"] = 1, ["sizes"] = new JsonArray(1e6) }, new Dictionary<string, string>
        {
            ["law"] = Path.Combine(fit.Folder, "law.json"),
            ["residuals"] = Path.Combine(fit.Folder, "residuals.csv"),
        });
        var scores = JsonNode.Parse(result.Text("scores.json"))!;
        var steps = scores["rollout"]!.AsArray();

        Assert.Equal(2, steps.Count);
        Assert.Null(steps[0]!["near_sizes"]);
        Assert.Single(steps[1]!["near_sizes"]!["fitted_sizes"]!.AsArray());
        Assert.Equal((double)scores["held_out"]!["all"]!["level_error"]!, (double)steps[1]!["all_sizes"]!["all"]!["level_error"]!, 1e-12);

        // Two sizes say nothing of a third's level; what the picks cost is known all the same.
        Assert.Null(steps[1]!["all_sizes"]!["all"]!["coverage"]);
        foreach (string regret in new[] { "regret", "regret_of_copy", "regret_of_quadratic" })
        {
            Assert.InRange((double)steps[1]!["all_sizes"]!["all"]![regret]!, 0, 0.05);
        }

        Assert.Equal(2 * 26, result.Table("decision.csv").Rows.Count);
    }

    [Fact]
    public void A_baseline_stays_marked_in_predictions_and_decision()
    {
        var runs = RunsTable.WithBaseline(noise: 0.01);
        var baseline = runs[runs.Rows.Count - 1];
        var result = Extrapolate(new JsonObject { ["hold_out"] = "largest", ["sizes"] = new JsonArray(1e6), ["tokens_per_parameter"] = new JsonArray(20.0) }, runs);
        var predictions = result.Table("predictions.csv").Each();

        Assert.All(predictions.Where(r => r.Text("purpose") == "held_out"), r => Assert.Equal(r.Text("shape") == baseline.Text("shape"), r.Truth("baseline")));
        Assert.Contains(predictions, r => r.Text("baseline") == "true");
        Assert.Equal("", Assert.Single(predictions, r => r.Text("purpose") == "target").Text("baseline"));
        Assert.Equal(baseline.Number("x"), Assert.Single(result.Table("decision.csv").Each(), r => r.Truth("baseline")).Number("x"));
    }

    [Fact]
    public void Neither_the_fit_s_rows_nor_runs_is_told() =>
        Assert.Equal("SCAL7207", CodeOf(() => new StageRunner(new ExtrapolateStage(), _folder).Run([], new Dictionary<string, string> { ["law"] = LawOf(RunsTable.Of()) })));

    [Fact]
    public void A_law_with_covariates_asks_for_the_fit_s_rows()
    {
        string path = LawOf(RunsTable.Of());
        var law = LawDocument.Read(path);
        (law with { Options = law.Options with { Covariates = ["experts"] } }).Write(path);
        Assert.Equal("SCAL7209", CodeOf(() => Extrapolate([], RunsTable.Of(), path)));
    }

    [Fact]
    public void Residuals_of_an_older_fit_are_told() =>
        Assert.Contains(CodeOf(() => new StageRunner(new ExtrapolateStage(), _folder).Run([], new Dictionary<string, string>
        {
            ["law"] = LawOf(RunsTable.Of()),
            ["residuals"] = _folder.Write("residuals.csv", "row,shape,parameters,tokens,x,ratio,loss,predicted,residual\n1,a,1,1,1,1,1,1,0\n"),
        })), new[] { "SCAL3101", "SCAL7208" });

    [Fact]
    public void Without_a_size_held_out_the_scores_say_why() =>
        Assert.Equal("hold_out is none.", (string?)JsonNode.Parse(Extrapolate(new JsonObject { ["sizes"] = new JsonArray(1e6) }, RunsTable.Of()).Text("scores.json"))!["reason"]);

    [Fact]
    public void A_prediction_at_unmeasured_budgets_that_rests_on_nothing_is_a_warning()
    {
        var runs = RunsTable.Of();
        int budget = runs.IndexOf("tokens_per_parameter");
        var ray = new Table(runs.Columns, [.. runs.Rows.Where(r => r[budget] == "20")]);
        var warnings = Extrapolate(new JsonObject { ["sizes"] = new JsonArray(1e6), ["tokens_per_parameter"] = new JsonArray(200.0) }, ray).Warnings;
        Assert.Contains(warnings, w => w.Code == "SCAL7206" && w.Message.Contains("prediction_off_ray", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("larges", "SCAL7202")]
    [InlineData("1B", "SCAL7203")]
    public void A_size_that_is_not_there_is_told(string holdOut, string code) =>
        Assert.Equal(code, CodeOf(() => Extrapolate(new JsonObject { ["hold_out"] = holdOut }, RunsTable.Of())));

    [Fact]
    public void The_only_size_cannot_be_held_out()
    {
        var runs = RunsTable.Of();
        var one = new Table(runs.Columns, [.. runs.Rows.Take(18)]);
        Assert.Equal("SCAL7204", CodeOf(() => Extrapolate(new JsonObject { ["hold_out"] = "largest" }, one)));
    }

    [Fact]
    public void Nothing_asked_is_told() => Assert.Equal("SCAL7205", CodeOf(() => Extrapolate(new JsonObject { ["rollout"] = false }, RunsTable.Of())));

    [Fact]
    public void A_law_that_is_none_is_told() =>
        Assert.Equal("SCAL7201", CodeOf(() => Extrapolate(new JsonObject { ["sizes"] = new JsonArray(1e6) }, RunsTable.Of(), _folder.Write("law.json", "{}"))));

    private StageResult Extrapolate(JsonObject settings, Table runs, string? law = null) =>
        new StageRunner(new ExtrapolateStage(), _folder).Run((JsonObject)settings.DeepClone(), new Dictionary<string, string>
        {
            ["runs"] = _folder.Write($"runs {Guid.NewGuid():N}.csv", runs.ToCsv()),
            ["law"] = law ?? LawOf(runs),
        });

    private string LawOf(Table runs)
    {
        var read = RunTable.Read(runs.Columns, runs.Rows, new RunColumns());
        string path = _folder[$"law {Guid.NewGuid():N}.json"];
        LawFit.Fit(read.Runs, read.Context, new LawOptions { Resamples = 50 }).Document.Write(path);
        return path;
    }

    private static string CodeOf(Action action) => Assert.Throws<StageFailedException>(action).Diagnostics[0].Code;
}
