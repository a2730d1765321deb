// `fit` on the runs of a stage, on tables of users, and on tables with mistakes.
using System.Text.Json.Nodes;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Fit;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class FitTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Runs_of_a_study_give_the_law_that_made_them()
    {
        var result = Fit([], RunsTable.Of());
        var law = LawDocument.Read(Path.Combine(result.Folder, "law.json"));

        Assert.Equal(LawKind.Conditional, law.Options.Law);
        Assert.Equal(RunsTable.Shape.XStar!.Value, law.Shape!.XStar!.Value, 1e-6);
        Assert.Equal(RunsTable.Shape.RStar!.Value, law.Shape.RStar!.Value, 1e-6);
        Assert.Equal(0.34, law.Base.Alpha, 1e-5);
        Assert.Equal([2.0], law.Context.Layers);
        Assert.Equal([8.0], law.Context.HeadSize);
        Assert.Equal([2.0], law.Context.Gqa);
        Assert.Equal([true], law.Context.Tied);
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void Runs_that_are_no_finished_models_are_left_out_and_brackets_check_the_rate()
    {
        var runs = RunsTable.Of();
        string text = With(runs, "annealed,diverged_at,learning_rate_factor", _ => "true,,1").ToCsv();
        string[] first = [.. runs.Rows[0]];
        string Row(string loss, string rest) => string.Join(',', first[..^1]) + $",{loss},{rest}\n";
        double loss = runs[0].Number("loss");
        text += Row($"{loss + 1}", "false,,1") + Row("", "true,17,1") + Row($"{loss + 0.02}", "true,,0.5") + Row($"{loss + 0.03}", "true,,2");

        var result = Fit([], Table.Parse(text));
        var law = LawDocument.Read(Path.Combine(result.Folder, "law.json"));
        var check = Assert.Single(law.LearningRateChecks);

        Assert.Equal(RunsTable.Shape.XStar!.Value, law.Shape!.XStar!.Value, 1e-6);
        Assert.Equal(runs.Rows.Count, law.Fit!.Rows);
        Assert.Equal([0.5, 1, 2], check.Corners[0].Factors);
        Assert.True(check.Corners[0].Bracketed);
        Assert.Contains(result.Warnings, w => w.Message.Contains("1 of 58 rows diverged and are not fitted, first row 56", StringComparison.Ordinal));
        Assert.Contains(result.Warnings, w => w.Message.Contains("not annealed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("tokenizer", "SCAL7128", "cannot be compared")]
    [InlineData("schedule", "SCAL7129", "goes with x")]
    public void Mixtures_in_which_training_would_pass_for_the_shape_are_refused(string column, string code, string message)
    {
        var runs = RunsTable.Of();
        double middle = runs.Each().Select(r => r.Number("x")).Order().ElementAt(runs.Rows.Count / 2);

        var failure = Assert.Throws<StageFailedException>(() => Fit([], With(runs, column, row => row.Number("x") < middle ? "one" : "other")));

        Assert.Equal(code, failure.Diagnostics[0].Code);
        Assert.Contains(message, failure.Diagnostics[0].Message, StringComparison.Ordinal);
        Assert.Contains($"{column} == 'one'", failure.Diagnostics[0].Hint!, StringComparison.Ordinal);
    }

    [Fact]
    public void A_mixture_that_is_crossed_with_the_shapes_is_warned_of_and_settled_by_a_group()
    {
        int i = 0;
        var mixed = With(RunsTable.Of(), "token_order", _ => $"order {i++ % 2}");

        Assert.Contains(Fit([], mixed).Warnings, w => w.Code == "SCAL7130");
        Assert.DoesNotContain(Fit(new JsonObject { ["columns"] = new JsonObject { ["group"] = new JsonArray("token_order") } }, mixed).Warnings, w => w.Code == "SCAL7130");
    }

    [Fact]
    public void Residuals_are_measured_less_predicted_row_by_row()
    {
        var runs = RunsTable.Of(noise: 0.01);
        var result = Fit([], runs);
        var law = LawDocument.Read(Path.Combine(result.Folder, "law.json"));
        var residuals = result.Table("residuals.csv");

        Assert.Equal([.. FittedRun.Columns, "predicted", "residual"], residuals.Columns);
        Assert.Equal(runs.Rows.Count, residuals.Rows.Count);
        foreach (var row in residuals.Each())
        {
            var run = runs[(int)row.Whole("row") - 1];
            Assert.Equal(run.Text("shape"), row.Text("shape"));
            Assert.Equal(run.Number("loss") - law.Predict(run.Number("parameters"), run.Number("tokens"), run.Number("x"), run.Number("ratio")), row.Number("residual"), 1e-12);
        }
    }

    [Fact]
    public void The_same_runs_give_the_same_bytes()
    {
        var runs = RunsTable.Of(noise: 0.01);
        var (first, second) = (Fit([], runs), Fit([], runs));
        Assert.Equal(first.Text("law.json"), second.Text("law.json"));
        Assert.Equal(first.Text("residuals.csv"), second.Text("residuals.csv"));
    }

    [Fact]
    public void A_table_of_the_user_is_fitted_by_its_own_column_names()
    {
        string table = _folder.Write("runs.csv", Exact("N,D,loss"));
        var result = FitTable(table, new JsonObject
        {
            ["columns"] = new JsonObject { ["parameters"] = "N", ["tokens"] = "D", ["loss"] = "loss" },
            ["law"] = "chinchilla",
            ["objective"] = "log-huber",
            ["counting"] = "total",
        });
        var law = LawDocument.Read(Path.Combine(result.Folder, "law.json"));

        Assert.Equal(406.4, law.Base.A, 406.4e-6);
        Assert.Equal(0.28, law.Base.Beta, 0.28e-6);
        Assert.Null(law.Shape);
        Assert.Equal("total", law.ParametersRule);
        Assert.Equal("", result.Table("residuals.csv")[0].Text("x"));
    }

    [Fact]
    public void Without_shapes_auto_means_chinchilla() =>
        Assert.Equal(LawKind.Chinchilla, LawDocument.Read(Path.Combine(FitTable(_folder.Write("runs.csv", Exact("parameters,tokens,loss")), []).Folder, "law.json")).Options.Law);

    [Fact]
    public void Hidden_stands_in_for_x()
    {
        var runs = RunsTable.Of();
        int x = runs.IndexOf("x");
        var without = new Table([.. runs.Columns.Where(c => c != "x")], [.. runs.Rows.Select(r => r.Where((_, i) => i != x).ToArray())]);
        var law = LawDocument.Read(Path.Combine(Fit([], without).Folder, "law.json"));
        Assert.Equal(RunsTable.Shape.XStar!.Value, law.Shape!.XStar!.Value, 1e-6);
    }

    [Fact]
    public void Rows_with_an_extreme_ratio_are_left_out_and_said_so()
    {
        var result = Fit(new JsonObject { ["ratio_range"] = new JsonArray(1.0, 5.0) }, RunsTable.Of());
        Assert.Contains(result.Warnings, w => w.Code == "SCAL7106");
        Assert.True(result.Table("residuals.csv").Rows.Count < 54);
    }

    [Fact]
    public void What_the_runs_do_not_determine_is_a_warning()
    {
        string ray = _folder.Write("ray.csv", "parameters,tokens,loss\n" + string.Concat(new[] { 1e7, 3e7, 1e8, 3e8, 1e9 }.Select(n => Line(n, 20 * n))));
        var warnings = FitTable(ray, []).Warnings;
        Assert.Contains(warnings, w => w.Code == "SCAL7107" && w.Message.Contains("exponents", StringComparison.Ordinal) && w.Message.Contains("one ray", StringComparison.Ordinal));
    }

    [Fact]
    public void All_bad_cells_are_told_at_once_with_their_rows()
    {
        string table = _folder.Write("runs.csv", "parameters,tokens,loss\n1e8,2e9,3.1\n1e8,oops,3.2\n-5,2e9,NaN\n0,,2.9\n");
        var failure = Assert.Throws<StageFailedException>(() => FitTable(table, []));

        Assert.All(failure.Diagnostics, d => Assert.Equal("SCAL7103", d.Code));
        Assert.Equal(
            [
                "Row 3, column 'parameters': '-5' where a number from 1 to 1E+18 was expected.",
                "Row 4, column 'parameters': '0' where a number from 1 to 1E+18 was expected.",
                "Row 2, column 'tokens': 'oops' where a number from 1 to 1E+18 was expected.",
                "Row 4, column 'tokens': nothing where a number from 1 to 1E+18 was expected.",
                "Row 3, column 'loss': 'NaN' where a number from 1E-06 to 1E+06 was expected.",
            ],
            failure.Diagnostics.Select(d => d.Message));
        Assert.Equal("runs.csv", failure.Diagnostics[0].Location!.File);
    }

    [Fact]
    public void A_misspelt_column_is_told_with_the_nearest()
    {
        string table = _folder.Write("runs.csv", Exact("parameters,tokens,lossy"));
        var failure = Assert.Throws<StageFailedException>(() => FitTable(table, []));
        Assert.Equal("SCAL7102", failure.Diagnostics[0].Code);
        Assert.Equal("Did you mean 'lossy'?", failure.Diagnostics[0].Hint);
    }

    [Fact]
    public void A_column_that_stands_twice_is_told() =>
        Assert.Equal("SCAL3102", CodeOf(() => FitTable(_folder.Write("runs.csv", "parameters,tokens,loss,loss\n1,2,3,4\n"), [])));

    [Fact]
    public void Two_rows_are_too_few() =>
        Assert.Equal("SCAL7104", CodeOf(() => FitTable(_folder.Write("runs.csv", "parameters,tokens,loss\n1e8,2e9,3\n2e8,4e9,2.9\n"), [])));

    [Fact]
    public void A_conditional_law_needs_a_shape() =>
        Assert.Equal("SCAL7105", CodeOf(() => FitTable(_folder.Write("runs.csv", Exact("parameters,tokens,loss")), new JsonObject { ["law"] = "conditional" })));

    [Fact]
    public void A_reversed_ratio_range_is_told() =>
        Assert.Equal("SCAL7110", CodeOf(() => Fit(new JsonObject { ["ratio_range"] = new JsonArray(5.0, 0.5) }, RunsTable.Of())));

    [Fact]
    public void Neither_runs_nor_table_is_told() =>
        Assert.Equal("SCAL7101", CodeOf(() => new StageRunner(new FitStage(), _folder).Run([])));

    [Fact]
    public void Both_runs_and_table_are_told()
    {
        string table = _folder.Write("runs.csv", Exact("parameters,tokens,loss"));
        Assert.Equal("SCAL7101", CodeOf(() => new StageRunner(new FitStage(), _folder).Run(Files(table, []), new Dictionary<string, string> { ["runs"] = table })));
    }

    [Fact]
    public void The_trained_shapes_are_judged_by_expected_regret()
    {
        var decision = Fit([], RunsTable.Of(noise: 0.01)).Table("decision.csv");

        Assert.Equal(26, decision.Rows.Count);
        Assert.Equal(1, decision.Each().Sum(r => r.Number("probability_best")), 1e-9);
        Assert.Equal(decision.Each().Select(r => r.Number("expected_regret")).Order(), decision.Each().Select(r => r.Number("expected_regret")));
        Assert.True(decision[0].Truth("in_confidence_set"));
        double held = decision.Each().Where(r => r.Truth("in_confidence_set")).Sum(r => r.Number("probability_best"));
        Assert.InRange(held, 0.8, 1);
    }

    [Fact]
    public void A_baseline_stays_marked_in_the_decision()
    {
        var runs = RunsTable.WithBaseline(noise: 0.01);
        var decision = Fit([], runs).Table("decision.csv");

        Assert.Equal(runs[runs.Rows.Count - 1].Number("x"), Assert.Single(decision.Each(), r => r.Truth("baseline")).Number("x"));
        Assert.DoesNotContain(Fit([], RunsTable.Of(noise: 0.01)).Table("decision.csv").Each(), r => r.Truth("baseline"));
    }

    [Fact]
    public void Hyper_parameters_that_go_with_the_shape_are_refused_and_others_get_an_offset()
    {
        var runs = RunsTable.Of();
        int x = runs.IndexOf("x"), loss = runs.IndexOf("loss");
        Table With(Func<string[], int, (string Rate, double Loss)> of) => new(
            [.. runs.Columns, "rate"],
            [.. runs.Rows.Select((r, i) => (Row: r, New: of(r, i))).Select(p => (string[])[.. p.Row.Select((c, k) => k == loss ? Table.Cell(p.New.Loss) : c), p.New.Rate])]);
        double Loss(string[] r) => double.Parse(r[loss]);
        JsonObject Grouped() => new() { ["columns"] = new JsonObject { ["group"] = new JsonArray("rate") } };

        Assert.Equal("SCAL7125", CodeOf(() => Fit(Grouped(), With((r, _) => ($"{Math.Round(Math.Log(double.Parse(r[x]) / 0.16) / Math.Log(1.5))}", Loss(r))))));
        var law = LawDocument.Read(Path.Combine(Fit(Grouped(), With((r, i) => (i % 5 == 0 ? "high" : "low", Loss(r) * (i % 5 == 0 ? Math.Exp(0.02) : 1)))).Folder, "law.json"));
        Assert.Equal(0.02, Assert.Single(law.Shape!.Terms).Coefficient, 1e-5);
        Assert.Equal(RunsTable.Shape.XStar!.Value, law.Shape.XStar!.Value, 1e-4);
    }

    [Fact]
    public void The_width_over_depth_law_needs_hidden_and_layers() =>
        Assert.Equal("SCAL7123", CodeOf(() => FitTable(_folder.Write("runs.csv", Exact("parameters,tokens,loss")), new JsonObject { ["law"] = "width-over-depth" })));

    [Fact]
    public void A_term_for_GQA_needs_its_column() =>
        Assert.Equal("SCAL7124", CodeOf(() => FitTable(_folder.Write("runs.csv", Exact("parameters,tokens,loss")), new JsonObject { ["terms"] = new JsonArray("gqa") })));

    [Fact]
    public void So_many_rows_that_they_are_steps_are_refused()
    {
        string rows = string.Concat(Enumerable.Range(0, LawFit.MostRows + 1).Select(i => $"1e8,{1e6 + i:R},{3 - 1e-6 * i:R}\n"));
        Assert.Equal("SCAL7121", CodeOf(() => FitTable(_folder.Write("steps.csv", "parameters,tokens,loss\n" + rows), [])));
    }

    [Fact]
    public void A_word_that_means_something_else_in_a_table_is_not_taken_for_the_study_s()
    {
        string table = _folder.Write("runs.csv", "parameters,tokens,loss,ratio,x\n" + string.Concat(from n in new[] { 1e7, 3e7, 1e8, 3e8 } from m in new[] { 5.0, 20, 80 } select Line(n, m * n).TrimEnd() + ",20N,0\n"));
        var result = FitTable(table, []);

        Assert.Equal(2, result.Warnings.Count(w => w.Code == "SCAL7119" && w.Message.Contains("is not read as", StringComparison.Ordinal)));
        Assert.Equal(0.34, LawDocument.Read(Path.Combine(result.Folder, "law.json")).Base.Alpha, 1e-6);
    }

    private StageResult Fit(JsonObject settings, Table runs) =>
        new StageRunner(new FitStage(), _folder).Run(settings, new Dictionary<string, string> { ["runs"] = Written(runs) });

    private StageResult FitTable(string path, JsonObject settings) => new StageRunner(new FitStage(), _folder).Run(Files(path, settings));

    private static JsonObject Files(string path, JsonObject settings)
    {
        settings["table"] = new JsonObject { ["text"] = Path.GetFileName(path), ["scheme"] = "", ["paths"] = new JsonArray(path) };
        return settings;
    }

    private string Written(Table runs) => _folder.Write($"runs {Guid.NewGuid():N}.csv", runs.ToCsv());

    private static string CodeOf(Action action) => Assert.Throws<StageFailedException>(action).Diagnostics[0].Code;

    /// <summary>Hoffmann's law on five sizes and three budgets.</summary>
    private static string Exact(string header) =>
        header + "\n" + string.Concat(from n in new[] { 1e7, 3e7, 1e8, 3e8, 1e9 } from m in new[] { 5.0, 20, 80 } select Line(n, m * n));

    private static string Line(double n, double d) => $"{n:R},{d:R},{1.69 + 406.4 / Math.Pow(n, 0.34) + 410.7 / Math.Pow(d, 0.28):R}\n";

    /// <summary>The table with columns more; the cells of one row joined by commas.</summary>
    private static Table With(Table table, string columns, Func<Row, string> cells) =>
        new([.. table.Columns, .. columns.Split(',')], [.. table.Each().Select((row, i) => (string[])[.. table.Rows[i], .. cells(row).Split(',')])]);
}
