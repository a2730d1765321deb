// export: what the report says of a study that chose its own runs.
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

/// <summary>A synthetic valley that a design of rounds has decided.</summary>
public sealed class ChosenStudy : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ChosenStudy()
    {
        var settings = JsonNode.Parse("""
            {"sizes":[10000,20000,40000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.12,0.15,0.18,0.22,0.27,0.34],"ratio":[0.5,0.8,1.2,1.9,3,4.5],"gqa":[2],"tolerance":0.03,
             "design":{"target":80000,"budget":{"hours":0.02,"flops_per_second":2e10,"processes":2},"round":8,"stop":{"regret":0.0001}}}
            """)!.AsObject();
        Rounds = new SyntheticValley().Study(_folder, settings);
    }

    /// <summary>What the sweep wrote in each round, the last being that which lists nothing new.</summary>
    public IReadOnlyList<StageResult> Rounds { get; }

    public void Dispose() => _folder.Dispose();
}

public sealed class DesignReportTests(ChosenStudy chosen) : IClassFixture<ChosenStudy>, IDisposable
{
    private const string Heading = "## How the runs were chosen";
    private static readonly string[] Tables = ["rounds", "forecast", "design"];
    private readonly TemporaryFolder _folder = new();
    private StageRunner? _runner;

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task A_study_that_chose_its_runs_says_how_many_for_how_much_and_why_it_ended()
    {
        var result = Export(Last());
        await Snapshot.Match($"{Section(result)}\n== figures/design.csv\n{result.Text("figures/design.csv")}\n== figures/chosen.csv\n{result.Text("figures/chosen.csv")}");
        Assert.Contains("<h2 id=\"how-the-runs-were-chosen\">", result.Text("report.html"), StringComparison.Ordinal);
        Assert.Contains("| `rounds.csv` | sweep |", result.Text("report.md"), StringComparison.Ordinal);
        string report = result.Text("report.md");
        Assert.InRange(report.IndexOf(Heading, StringComparison.Ordinal), report.IndexOf("## Answer", StringComparison.Ordinal), report.IndexOf("## Law", StringComparison.Ordinal));
    }

    [Fact]
    public void Without_a_forecast_it_says_what_the_rounds_know()
    {
        var result = Export(Last().Where(t => t.Key != "forecast").ToDictionary());
        var rounds = Table.Read(Last()["rounds"]);
        Assert.Contains(Counted(chosen.Rounds.Count - 1), Section(result), StringComparison.Ordinal);
        Assert.Contains($"is **{Regret(rounds.Each().Last())} nats a token**; before the first run it was {Regret(rounds[0])}.\n", Section(result), StringComparison.Ordinal);
        Assert.DoesNotContain("orecast", Section(result), StringComparison.Ordinal);
        Assert.DoesNotContain("forecast", result.Text("figures/design.csv"), StringComparison.Ordinal);
    }

    [Fact]
    public void Without_the_list_of_runs_their_number_and_cost_are_those_of_the_rounds()
    {
        foreach (int round in new[] { 1, chosen.Rounds.Count - 1 })
        {
            string First(Dictionary<string, string> tables) => Section(Export(tables)).Split('\n')[2];
            var all = Of(round);
            Assert.Equal(First(all), First(all.Where(t => t.Key != "design").ToDictionary()));
        }

        var result = Export(new() { ["design"] = Last()["design"] });
        Assert.Contains(Counted(chosen.Rounds.Count - 1), Section(result), StringComparison.Ordinal);
        Assert.False(File.Exists(Path.Combine(result.Folder, "figures/design.svg")));
    }

    [Fact]
    public void Short_runs_are_counted_beside_those_that_failed()
    {
        string listed = File.ReadAllText(Last()["design"]);
        var design = Table.Parse(listed);
        int share = design.Columns.ToList().IndexOf("tokens_share");
        var shorter = new Table(design.Columns, [.. design.Rows.Select((row, i) => i >= 3 ? row : row.Select((cell, c) => c == share ? "0.25" : cell).ToArray())]);
        var tables = new Dictionary<string, string>(Last()) { ["design"] = _folder.Write("shorter.csv", shorter.ToCsv()) };

        Assert.Contains(", 3 of which for a part of the tokens", Section(Export(tables)), StringComparison.Ordinal);
        Assert.DoesNotContain("part of the tokens", Section(Export(Last())), StringComparison.Ordinal);
    }

    [Fact]
    public void Tables_that_lack_columns_say_what_they_have()
    {
        string Without(string table, params string[] columns)
        {
            var whole = Table.Read(Last()[table]);
            int[] kept = [.. Enumerable.Range(0, whole.Columns.Count).Where(i => !columns.Contains(whole.Columns[i]))];
            return _folder.Write($"old {table}.csv", new Table([.. kept.Select(i => whole.Columns[i])], [.. whole.Rows.Select(r => kept.Select(i => r[i]).ToArray())]).ToCsv());
        }

        var result = Export(new()
        {
            ["rounds"] = Without("rounds", "expected_regret", "shapes_left", "x_error", "verdict", "hidden"), ["forecast"] = Without("forecast", "budget"), ["design"] = Without("design", "x", "round"),
        });
        Assert.Contains(Counted(chosen.Rounds.Count), Section(result), StringComparison.Ordinal); // Without a verdict nobody knows that the last has no runs.
        var last = Table.Read(Last()["rounds"]).Each().Last();
        Assert.Matches($@"\| {chosen.Rounds.Count - 1} \| {last.Text("runs")} \| [0-9.e]+ \| {Quantity.Digits(last.Number("x_star"), 3)} \| {Quantity.Digits(last.Number("ratio_star"), 3)} ± [0-9.]+ % \| – \| – \|", Section(result));
        Assert.DoesNotContain("The pick", Section(result), StringComparison.Ordinal);
        Assert.False(Directory.Exists(Path.Combine(result.Folder, "figures")) && Directory.EnumerateFiles(Path.Combine(result.Folder, "figures")).Any(f => Path.GetFileName(f).StartsWith("design", StringComparison.Ordinal) || Path.GetFileName(f).StartsWith("chosen", StringComparison.Ordinal)));
    }

    [Fact]
    public void A_plan_that_was_made_at_once_and_a_study_under_way_say_so()
    {
        string atOnce = Section(Export(Of(0))), underWay = Section(Export(Of(1)));
        var plans = Table.Read(Of(0)["forecast"]).Each().ToDictionary(r => r.Text("plan"));
        string share = Quantity.Digits(100 * plans["round"].Number("flops") / 2.88e12, 2); // 0.02 hours of two processes at 2e10 FLOPs a second.
        Assert.Matches($@"^{Heading}\n\n8 runs \([0-9.e]+ FLOPs as the design counts them, {share} % of the budget\) were chosen at once, before any had a loss", atOnce);
        Assert.Contains($"is **{Regret(Table.Read(Of(0)["rounds"])[0])} nats a token** before any run. With the losses of the last runs it was expected to come to {Regret(plans["round"])}.", atOnce, StringComparison.Ordinal);
        Assert.Contains($"{Regret(plans["half"])} with half the budget, {Regret(plans["budget"])} with all of the budget and {Regret(plans["double"])} with twice the budget", atOnce, StringComparison.Ordinal);
        Assert.Contains($"Every candidate once, {plans["grid"].Text("runs")} runs, would cost", atOnce, StringComparison.Ordinal);
        Assert.Contains("were chosen in 2 rounds", underWay, StringComparison.Ordinal);
        Assert.Contains("The pick after round 1:", underWay, StringComparison.Ordinal);
        Assert.Contains("The study had not ended then", underWay, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("budget-spent", "because what is left of the budget buys nothing that would tell more.")]
    [InlineData("no-runs-left", "because every candidate had been run as often as `replicates` allows: more of the budget would have bought nothing.")]
    [InlineData("one-shape", "because one shape alone may still be the best.")]
    public void Why_a_study_ended_is_said_in_words(string verdict, string words)
    {
        string rounds = _folder.Write($"{verdict}.csv", File.ReadAllText(Last()["rounds"]).Replace("regret-reached", verdict, StringComparison.Ordinal));
        Assert.Contains($"The study ended {words}", Section(Export(new(Last()) { ["rounds"] = rounds })), StringComparison.Ordinal);
    }

    [Fact]
    public void The_picks_of_design_and_search_stand_beside_each_other_where_they_are_of_one_size()
    {
        var last = Table.Read(Last()["rounds"]).Each().Last();
        var pick = DecoderShape.FromCells(last.Count, last.Truth);
        var law = LawDocument.Read(SyntheticStudy.Write(_folder)["law"]);
        double Loss(DecoderShape shape) => law.Predict(LawPoint.Of(shape, 80_000, 1_600_000));

        Assert.Contains("It is the accurate shape of the search too.", Section(Export(Last(), SyntheticStudy.Best(pick))), StringComparison.Ordinal);
        double more = Loss(pick) - Loss(SyntheticStudy.Accurate);
        Assert.Contains($"the design's pick loses {Quantity.Digits(Math.Abs(more), 2)} nats a token {(more > 0 ? "more" : "less")}.", Section(Export(Last())), StringComparison.Ordinal);
        Assert.DoesNotContain("accurate shape", Section(Export(Last(), SyntheticStudy.Best() with { Size = 160_000 })), StringComparison.Ordinal);
    }

    [Fact]
    public void The_area_of_a_mark_is_how_many_runs_there_are_of_the_shape_and_the_small_ones_lie_on_top()
    {
        var listed = Table.Read(Last()["design"]);
        var figure = StudyFigures.Of(new Study { Best = SyntheticStudy.Best(), Design = listed, Sources = [] }).Single(f => f.File == ExportTables.Chosen).Figure;
        var points = figure.Series.SelectMany(s => s.Points).ToList();
        Assert.Equal(listed.Each().GroupBy(r => r.Text("shape")).ToDictionary(g => g.Key, g => (double)g.Count()), points.ToDictionary(p => p.Label!, p => p.Area)); // No shape has more than sixteen.
        Assert.Equal(listed.Each().Select(r => r.Text("size")).Distinct().Count(), figure.Series.Count(s => s.Points.Count > 0));
        Assert.All(figure.Series, s => Assert.Equal(s.Points.OrderByDescending(p => p.Area), s.Points));
    }

    /// <summary>How the section begins, without a forecast.</summary>
    private string Counted(int rounds)
    {
        var listed = Table.Read(Last()["design"]);
        string flops = listed.Each().Sum(r => r.Number("flops")).ToString("0.##e0", CultureInfo.InvariantCulture);
        return $"{listed.Rows.Count} runs ({flops} FLOPs as the design counts them) were chosen in {rounds} rounds";
    }

    private static string Regret(Row row) => Quantity.Digits(row.Number("expected_regret"), 2);

    private Dictionary<string, string> Last() => Of(chosen.Rounds.Count - 1);

    private Dictionary<string, string> Of(int round) => Tables.ToDictionary(t => t, t => Path.Combine(chosen.Rounds[round].Folder, $"{t}.csv"));

    /// <summary>Beside a search and a law of other runs, at the design's target.</summary>
    private StageResult Export(Dictionary<string, string> tables, SearchResult? best = null)
    {
        var inputs = SyntheticStudy.Write(_folder);
        (best ?? SyntheticStudy.Best()).Write(_folder["best.json"]);
        _runner ??= new StageRunner(new ExportStage(), _folder);
        return _runner.Run(
            new JsonObject { ["consumers"] = new JsonArray() }, new Dictionary<string, string>(tables) { ["best"] = _folder["best.json"], ["law"] = inputs["law"] });
    }

    /// <summary>From the heading to the next.</summary>
    private static string Section(StageResult result) =>
        Regex.Match(result.Text("report.md"), $"^{Heading}\n.*?(?=\n#|\\z)", RegexOptions.Multiline | RegexOptions.Singleline).Value;
}
