// A sweep with a design: what it lists at once and round by round, what it says of it, and what it refuses.
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Sweep;
using Scaling.TestKit;
using Xunit.Abstractions;

namespace Scaling.Stages.Tests;

public sealed class DesignTests(ITestOutputHelper output) : IDisposable
{
    private static readonly SyntheticValley Valley = new();
    private readonly TemporaryFolder _folder = new();

    [Fact]
    public void Without_rounds_the_whole_plan_is_listed_at_once_within_its_budget()
    {
        var result = Sweep(Settings("""{"target":80000,"budget":{"flops":2e12}}"""));
        var (shapes, design) = (result.Table("shapes.csv"), result.Table("design.csv"));

        Assert.InRange(design.Each().Sum(r => r.Number("flops")), 1.8e12, 2e12);
        Assert.Equal(design.Each().Select(r => (r.Text("shape"), r.Text("seed"), r.Text("size"))), shapes.Each().Select(r => (r.Text("shape"), r.Text("seed"), r.Text("size"))));
        Assert.All(design.Each(), r => Assert.Equal("1", r.Text("round")));
        Assert.All(shapes.Each(), r => Assert.Equal(("1", "false"), (r.Text("learning_rate_factor"), r.Text("baseline"))));
        Assert.Equal("goes-on", Assert.Single(result.Table("rounds.csv").Each()).Text("verdict"));
        var forecast = result.Table("forecast.csv").Each().ToDictionary(r => r.Text("plan"));
        Assert.Equal(design.Rows.Count, forecast["round"].Number("runs"));

        // What is listed is the plan in whole runs: it tells nearly as much.
        Assert.InRange(forecast["round"].Number("expected_regret") / forecast["budget"].Number("expected_regret"), 0.9, 1.3);
        Assert.True(forecast["double"].Number("expected_regret") < forecast["budget"].Number("expected_regret") && forecast["budget"].Number("expected_regret") < forecast["half"].Number("expected_regret"));
        foreach (var seeds in design.Each().GroupBy(r => r.Text("shape")))
        {
            Assert.Equal(Enumerable.Range(1, seeds.Count()).Select(i => $"{i}"), seeds.Select(r => r.Text("seed")));
        }
    }

    [Fact]
    public void A_run_costs_its_tokens_or_the_fewest_and_what_its_start_takes()
    {
        double Cost(string more)
        {
            var row = Sweep(Settings($$"""{"target":80000,"budget":{"hours":1,"flops_per_second":1e9,"processes":2},"context":128{{more}}}""")).Table("design.csv")[0];
            return row.Number("flops");
        }

        var first = Sweep(Settings("""{"target":80000,"budget":{"hours":1,"flops_per_second":1e9,"processes":2},"context":128}"""));
        var shape = DecoderShape.FromCells(first.Table("shapes.csv")[0].Count, first.Table("shapes.csv")[0].Truth);
        double size = first.Table("design.csv")[0].Number("size"), perToken = TrainingCost.FlopsPerToken(shape, 128);
        Assert.Equal(perToken * 20 * size, Cost(""), 1.0);
        Assert.Equal(7.2e12, first.Table("forecast.csv").Each().Single(r => r.Text("plan") == "budget").Number("budget"), 1.0);

        // Where fixed costs weigh, other shapes may come first: the cost is told of a row whatever it is.
        Assert.All(Sweep(Settings("""{"target":80000,"budget":{"hours":1,"flops_per_second":1e9},"fixed_seconds":3,"minimum_tokens":1e6}""")).Table("shapes.csv").Each().Zip(
            Sweep(Settings("""{"target":80000,"budget":{"hours":1,"flops_per_second":1e9},"fixed_seconds":3,"minimum_tokens":1e6}""")).Table("design.csv").Each()), pair =>
            Assert.Equal(
                TrainingCost.FlopsPerToken(DecoderShape.FromCells(pair.First.Count, pair.First.Truth), 64) * Math.Max(1e6, 20 * pair.Second.Number("size")) + 3e9, pair.Second.Number("flops"), 1.0));
    }

    [Fact]
    public void Hours_of_a_device_are_its_peak_by_the_share_that_training_reaches()
    {
        var row = Sweep(Settings("""{"target":80000,"budget":{"gpu_hours":0.00001,"device":"h100-sxm","utilisation":0.2}}""")).Table("forecast.csv").Each().Single(r => r.Text("plan") == "budget");
        Assert.Equal(0.036 * 989e12 * 0.2, row.Number("budget"), 1e6);
    }

    [Fact]
    public void Rounds_lead_to_a_shape_that_is_nearly_the_best()
    {
        var rounds = Valley.Study(_folder, Settings("""{"target":80000,"budget":{"flops":4e12},"round":6}"""));
        var last = rounds[^1].Table("rounds.csv").Each().Last();
        double best = TargetShapes().Min(s => Valley.Loss(80_000, s.X, s.Ratio));

        Assert.InRange(Valley.Loss(80_000, last.Number("x"), last.Number("ratio")) - best, 0, 0.003);
        Assert.InRange(Math.Log(last.Number("x_star") / Valley.X) / last.Number("x_error"), -3, 3);
        Assert.InRange(Math.Log(last.Number("ratio_star") / Valley.Ratio) / last.Number("ratio_error"), -3, 3);
        Assert.InRange(last.Number("noise"), 0.001, 0.008); // Of the largest size, which has few runs.
        Assert.NotEqual("goes-on", last.Text("verdict"));
        Assert.True(rounds[^1].Table("design.csv").Each().Sum(r => r.Number("flops")) <= 4e12);
    }

    [Fact]
    public void Each_round_lists_what_was_listed_before_and_some_more_and_has_a_line()
    {
        var rounds = Valley.Study(_folder, Settings("""{"target":80000,"budget":{"flops":1e12},"round":6}"""));
        Assert.InRange(rounds.Count, 4, 40);
        for (int i = 1; i < rounds.Count; i++)
        {
            string[] before = Lines(rounds[i - 1], "design.csv"), now = Lines(rounds[i], "design.csv");
            Assert.Equal(before, now[..before.Length]);
            Assert.InRange(now.Length - before.Length, i == rounds.Count - 1 ? 0 : 1, 6);
            Assert.Equal(Lines(rounds[i - 1], "rounds.csv"), Lines(rounds[i], "rounds.csv")[..^1]);
        }

        var lines = rounds[^1].Table("rounds.csv");
        Assert.Equal(Enumerable.Range(1, rounds.Count), lines.Each().Select(r => r.Count("round")));
        Assert.Equal(["goes-on", "budget-spent"], lines.Each().Select(r => r.Text("verdict")).Distinct());
        Assert.Equal(lines.Each().Last().Number("runs"), rounds[^1].Table("design.csv").Rows.Count);
        Assert.True(lines.Each().Last().Number("expected_regret") < lines[0].Number("expected_regret"));
    }

    [Fact]
    public void Short_runs_cost_their_share_and_are_no_second_run_of_a_seed()
    {
        const string With = """{"target":80000,"budget":{"flops":2e12},"short_runs":[0.25,0.5]""";
        var result = Sweep(Settings(With + "}"));
        var (shapes, design) = (result.Table("shapes.csv"), result.Table("design.csv"));

        Assert.Equal(["0.25", "0.5", "1"], design.Each().Select(r => r.Text("tokens_share")).Distinct().Order());
        Assert.Equal(design.Each().Select(r => (r.Text("shape"), r.Text("seed"), r.Text("tokens_share"))), shapes.Each().Select(r => (r.Text("shape"), r.Text("seed"), r.Text("tokens_share"))));
        Assert.Equal(design.Rows.Count, design.Each().Select(r => (r.Text("shape"), r.Text("seed"))).Distinct().Count());
        foreach (var (row, shape) in design.Each().Zip(shapes.Each()))
        {
            Assert.Equal(TrainingCost.FlopsPerToken(DecoderShape.FromCells(shape.Count, shape.Truth), 64) * 20 * row.Number("tokens_share") * row.Number("size"), row.Number("flops"), 1.0);
        }

        // A trainer that takes more tokens than a short run has would train no short run.
        var longer = Sweep(Settings(With + ""","minimum_tokens":200000}""")).Table("design.csv").Each().Select(r => (r.Text("size"), r.Text("tokens_share"))).Distinct();
        Assert.Subset(new HashSet<(string, string)> { ("10000", "1"), ("20000", "0.5"), ("20000", "1"), ("40000", "0.25"), ("40000", "0.5"), ("40000", "1") }, longer.ToHashSet());
        Assert.Contains(("20000", "0.5"), longer);
    }

    [Fact]
    public void A_trainer_that_trains_short_runs_for_all_tokens_is_told_of()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":6,"short_runs":[0.25]}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var inputs = Valley.Inputs(_folder, runner.Run(settings));
        var runs = Table.Read(inputs["runs"]);
        int tokens = runs.Columns.ToList().IndexOf("tokens_per_parameter");
        inputs["runs"] = _folder.Write("whole.csv", new Table(runs.Columns, [.. runs.Rows.Where((_, i) => i % 4 == 0).Select(row => row.Select((cell, c) => c == tokens ? "20" : cell).ToArray())]).ToCsv());
        var error = Assert.Throws<StageFailedException>(() => runner.Run(settings, inputs)).Diagnostics[0];

        Assert.Equal("SCAL7422", error.Code);
        Assert.Contains("for 0.25 of the tokens, and it was trained for all of them", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_share_that_no_size_can_be_trained_for_is_warned_of()
    {
        var warning = Assert.Single(Sweep(Settings("""{"target":80000,"budget":{"flops":1e13},"short_runs":[0.25],"minimum_tokens":1000000}""")).Warnings);
        Assert.Equal("SCAL7427", warning.Code);
        Assert.Contains("No size has runs for 0.25 of the tokens", warning.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Short_runs_whose_best_shape_is_another_mislead_no_study()
    {
        var misleading = Valley with { BudgetDrift = 0.15 }; // At a quarter of the tokens the best x and ratio are 19 % off.
        var settings = Settings("""{"target":80000,"budget":{"flops":4e12},"round":8,"short_runs":[0.25],"stop":{"confidence":1}}""");
        settings["replicates"] = new JsonArray(20);
        var last = misleading.Study(_folder, settings)[^1];
        var line = last.Table("rounds.csv").Each().Last();
        var shares = last.Table("design.csv").Each().CountBy(r => r.Text("tokens_share")).ToDictionary();

        Assert.True(shares["0.25"] > 10 && shares["1"] > 10, $"{shares["0.25"]} short and {shares["1"]} long runs");
        Assert.Equal(last.Table("design.csv").Rows.Count, line.Count("runs"));
        Assert.InRange(Math.Log(line.Number("x_star") / Valley.X) / line.Number("x_error"), -3, 3);
        Assert.InRange(Math.Log(line.Number("ratio_star") / Valley.Ratio) / line.Number("ratio_error"), -3, 3);
        Assert.InRange(misleading.Loss(80_000, line.Number("x"), line.Number("ratio")) - TargetShapes().Min(s => misleading.Loss(80_000, s.X, s.Ratio)), 0, 0.003);
    }

    [Fact]
    public void Runs_that_failed_are_paid_and_listed_again_and_tell_nothing()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":6}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var first = runner.Run(settings);
        string lost = first.Table("design.csv")[2].Text("shape");
        var second = runner.Run(settings, Valley.Inputs(_folder, first, (shape, seed) => shape == lost && seed == 1));
        var line = second.Table("rounds.csv").Each().Last();

        Assert.Equal(("5", "1"), (line.Text("runs"), line.Text("failed")));
        Assert.Equal(first.Table("design.csv").Each().Sum(r => r.Number("flops")), line.Number("flops"), 1.0);
        Assert.Equal(12, second.Table("design.csv").Rows.Count);
        Assert.All(second.Table("design.csv").Each().Skip(6).Where(r => r.Text("shape") == lost), r => Assert.NotEqual("1", r.Text("seed")));
        Assert.Contains("1 failed", second.Text("summary.json"), StringComparison.Ordinal);
        Assert.Empty(second.Warnings);
    }

    [Fact]
    public void A_round_without_a_single_loss_is_warned_of_and_a_second_one_ends_the_study()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":6}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var second = runner.Run(settings, Valley.Inputs(_folder, runner.Run(settings), (_, _) => true));
        var warning = Assert.Single(second.Warnings);
        Assert.Equal(("SCAL7425", "All 6 runs of round 1 have no loss: they are paid, and tell nothing. Round 2 is chosen on what was known before."), (warning.Code, warning.Message));
        Assert.Contains("lower its 'learning_rate'", warning.Hint, StringComparison.Ordinal);

        var error = Assert.Single(Assert.Throws<StageFailedException>(() => runner.Run(settings, Valley.Inputs(_folder, second, (_, _) => true))).Diagnostics);
        Assert.Equal("SCAL7426", error.Code);
        Assert.StartsWith("None of the 12 runs of 2 rounds has a loss", error.Message, StringComparison.Ordinal);
        Assert.Contains("trained anew", error.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public void A_study_that_knows_something_goes_on_after_rounds_without_a_loss()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":6}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var first = runner.Run(settings);
        var known = first.Table("design.csv").Each().Select(r => (r.Text("shape"), r.Whole("seed"))).ToHashSet();
        bool Later(string shape, long seed) => !known.Contains((shape, seed));
        var second = runner.Run(settings, Valley.Inputs(_folder, first, Later));
        var third = runner.Run(settings, Valley.Inputs(_folder, second, Later));
        var fourth = runner.Run(settings, Valley.Inputs(_folder, third, Later));

        Assert.Empty(second.Warnings);
        Assert.Contains("runs of round 2 have no loss", Assert.Single(third.Warnings).Message, StringComparison.Ordinal);
        Assert.Contains("runs of round 3 have no loss", Assert.Single(fourth.Warnings).Message, StringComparison.Ordinal);
        Assert.Equal("6", fourth.Table("rounds.csv").Each().Last().Text("runs"));
    }

    [Fact]
    public void Where_every_candidate_has_its_seeds_a_study_ends_though_budget_is_left()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":4e13},"round":40,"stop":{"regret":1e-9,"confidence":1}}""");
        settings["replicates"] = new JsonArray(1);
        var rounds = Valley.Study(_folder, settings);
        var (last, summary) = (rounds[^1].Table("rounds.csv").Each().Last(), rounds[^1].Text("summary.json"));

        Assert.Equal("no-runs-left", last.Text("verdict"));
        Assert.InRange(last.Number("flops"), 1e12, 2e13);
        Assert.Contains($"no runs left: all {last.Text("runs")} that are allowed; 30 % of the budget", summary, StringComparison.Ordinal);
        Assert.Contains("more need higher 'replicates'", summary, StringComparison.Ordinal);
        Assert.Contains("with every run that is allowed", rounds[0].Text("summary.json"), StringComparison.Ordinal);
        var ended = Assert.Single(rounds[^1].Warnings);
        Assert.Contains("No candidate is left to run", ended.Message, StringComparison.Ordinal);
        Assert.All(new[] { ended, Assert.Single(rounds[0].Warnings) }, w => Assert.Contains("as often as 'replicates' allows", w.Hint, StringComparison.Ordinal));
    }

    [Fact]
    public void Rows_of_other_tokens_learning_rates_or_a_schedule_under_way_are_no_results()
    {
        // The valley's tables hold such rows with losses far off; with a valley of their own they would move noise and optimum.
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":12}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var first = runner.Run(settings);
        var inputs = Valley.Inputs(_folder, first);
        var runs = Table.Read(inputs["runs"]);
        string plain = _folder.Write("plain.csv", new Table(runs.Columns, [.. runs.Rows.Where((_, i) => i % 4 == 0)]).ToCsv());
        string reversed = _folder.Write("reversed.csv", new Table(runs.Columns, [.. runs.Rows.Reverse()]).ToCsv());

        string expected = runner.Run(settings, inputs).Text("rounds.csv");
        Assert.Equal(expected, runner.Run(settings, new Dictionary<string, string>(inputs) { ["runs"] = plain }).Text("rounds.csv"));
        Assert.Equal(expected, runner.Run(settings, new Dictionary<string, string>(inputs) { ["runs"] = reversed }).Text("rounds.csv"));
        Assert.Equal("12", Table.Parse(expected).Each().Last().Text("runs"));
    }

    [Fact]
    public void A_study_ends_when_its_regret_is_under_the_threshold_or_one_shape_is_left()
    {
        string Verdict(string stop) => Valley.Study(_folder, Settings($$"""{"target":80000,"budget":{"flops":6e12},"round":15,"stop":{{stop}}}"""))[^1].Table("rounds.csv").Each().Last().Text("verdict");
        Assert.Equal("regret-reached", Verdict("""{"regret":0.003,"confidence":1}"""));
        Assert.Equal("one-shape", Verdict("""{"confidence":0.05}"""));
    }

    [Fact]
    public void A_threshold_that_the_budget_does_not_reach_is_told_before_and_after()
    {
        var rounds = Valley.Study(_folder, Settings("""{"target":80000,"budget":{"flops":4e11},"round":10,"stop":{"regret":1e-7,"confidence":1}}"""));
        Assert.Equal("SCAL7420", Assert.Single(rounds[0].Warnings).Code);
        Assert.Contains("will not come under", rounds[0].Warnings[0].Message, StringComparison.Ordinal);
        Assert.Equal("SCAL7420", Assert.Single(rounds[^1].Warnings).Code);
        Assert.Contains("The budget is spent", rounds[^1].Warnings[0].Message, StringComparison.Ordinal);
        Assert.Contains("Twice the budget", rounds[^1].Warnings[0].Hint, StringComparison.Ordinal);
        Assert.Contains("of the budget, too little is left", rounds[^1].Text("summary.json"), StringComparison.Ordinal);
        Assert.All(rounds.Skip(1).SkipLast(1), r => Assert.Empty(r.Warnings));
        Assert.Contains("not under 1E-07 within the budget", rounds[0].Text("summary.json"), StringComparison.Ordinal);
        Assert.Empty(Sweep(Settings("""{"target":80000,"budget":{"flops":4e11},"round":10,"stop":{"regret":1}}""")).Warnings);
    }

    [Fact]
    public void Baselines_are_trained_in_the_first_round_from_the_budget_and_are_no_candidates()
    {
        var shape = new DecoderShape(2, 40, 88, 8, 4, 8, 256, Tied: true);
        string config = _folder.Write("config.json", HuggingFaceConfig.Of(shape, new HuggingFaceOptions { MaxPositionEmbeddings = 64, DataType = "float32" }));
        var settings = Settings("""{"target":80000,"budget":{"flops":1e12},"round":6}""");
        double before = Sweep(settings).Table("forecast.csv").Each().Single(r => r.Text("plan") == "budget").Number("budget");
        settings["baseline"] = new JsonObject { ["text"] = "config.json", ["scheme"] = "", ["paths"] = new JsonArray(config) };
        settings["replicates"] = new JsonArray(2);
        var result = Sweep(settings);

        Assert.Equal(["1", "2"], result.Table("shapes.csv").Each().Where(r => r.Truth("baseline")).Select(r => r.Text("seed")));
        Assert.Equal(6 + 2, result.Table("shapes.csv").Rows.Count);
        Assert.DoesNotContain(result.Table("design.csv").Each(), r => r.Text("shape") == shape.Id);
        Assert.True(result.Table("forecast.csv").Each().Single(r => r.Text("plan") == "budget").Number("budget") < before);
    }

    [Fact]
    public void No_shape_has_more_seeds_than_replicates_says()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":4e12}}""");
        settings["replicates"] = new JsonArray(3, 2, 1);
        var seeds = Sweep(settings).Table("design.csv").Each().GroupBy(r => r.Text("size")).ToDictionary(g => g.Key, g => g.Max(r => r.Number("seed")));
        Assert.True(seeds["10000"] <= 3 && seeds["20000"] <= 2 && seeds["40000"] <= 1);
        Assert.Contains(Sweep(Settings("""{"target":80000,"budget":{"flops":4e12}}""")).Table("design.csv").Each(), r => r.Number("seed") > 3);
    }

    [Fact]
    public void An_axis_with_one_value_is_held_there()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":1e12}}""");
        settings["ratio"] = new JsonArray(1.8);
        var line = Sweep(settings).Table("rounds.csv")[0];
        Assert.InRange(line.Number("ratio_star"), 1.6, 2.0);
        Assert.InRange(line.Number("ratio_error"), 0, 0.005);
        Assert.InRange(line.Number("x_error"), 0.1, 1);
    }

    [Fact]
    public void A_law_can_be_the_prior_and_makes_the_plan_sure_of_more()
    {
        string law = SearchStudy.Law(_folder);
        var believed = Sweep(Settings("""{"target":80000,"budget":{"flops":1e12}}""", law)).Table("rounds.csv")[0];
        var anywhere = Sweep(Settings("""{"target":80000,"budget":{"flops":1e12}}""")).Table("rounds.csv")[0];
        Assert.Equal(0.24, believed.Number("x_star"), 1e-6);
        Assert.Equal(1.5, believed.Number("ratio_star"), 1e-6);
        Assert.True(believed.Number("ratio_error") < anywhere.Number("ratio_error"));
    }

    [Fact]
    public async Task A_small_study_looks_like_this()
    {
        var rounds = Valley.Study(_folder, Settings("""{"target":80000,"budget":{"hours":0.02,"flops_per_second":2e10,"processes":2},"round":8,"stop":{"regret":0.0001}}"""));
        string Rounded(string csv) => string.Join('\n', csv.Split('\n').Select(line => string.Join(',', line.Split(',').Select(cell =>
            cell.Contains('.') && double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double value) ? value.ToString("G3", CultureInfo.InvariantCulture) : cell))));
        await Snapshot.Match(string.Join('\n', new[] { 0, 1, rounds.Count - 1 }.Select(i =>
            $"== round {i + 1}\n{rounds[i].Text("summary.json")}\n{Rounded(rounds[i].Text("design.csv"))}\n{Rounded(rounds[i].Text("rounds.csv"))}\n{Rounded(rounds[i].Text("forecast.csv"))}")));
    }

    [Fact]
    public void A_round_of_a_large_study_takes_a_moment()
    {
        var settings = Settings("""{"target":1000000000,"target_layers":16,"target_multiple_of":256,"budget":{"flops":1e21},"tokens_per_parameter":100,"context":2048,"round":200,"prior":{"text":"published","scheme":"published","paths":[]},"stop":{"confidence":1}}""");
        (settings["sizes"], settings["layers"], settings["head_size"], settings["multiple_of"]) = (new JsonArray(40_000_000, 80_000_000, 145_000_000, 297_000_000), new JsonArray(12), new JsonArray(64), 32);
        (settings["x"], settings["ratio"], settings["gqa"]) = (Spread(0.05, 0.13, 12), Spread(0.5, 5, 12), new JsonArray(4));
        var runner = new StageRunner(new SweepStage(), _folder);
        var inputs = new SyntheticValley(0.08, 2.5) { TokensPerParameter = 100 }.Inputs(_folder, runner.Run(settings));
        var clock = Stopwatch.StartNew();
        var second = runner.Run(settings, inputs);
        clock.Stop();

        output.WriteLine(FormattableString.Invariant($"{Lines(second, "design.csv").Length - 1} runs listed, {second.Table("rounds.csv").Each().Last().Text("runs")} results, {second.Table("forecast.csv").Each().Last().Text("runs")} candidates: {clock.Elapsed.TotalSeconds:0.00} s"));
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(30)); // Two on a machine at rest; while planning nobody waits longer.
    }

    [Theory]
    [InlineData("SCAL7411", "none of 'flops', 'gpu_hours' and 'hours'", """{"target":80000,"budget":{}}""")]
    [InlineData("SCAL7411", "'flops' and 'hours' of", """{"target":80000,"budget":{"flops":1e12,"hours":1,"flops_per_second":1e9}}""")]
    [InlineData("SCAL7412", "of no device", """{"target":80000,"budget":{"gpu_hours":1}}""")]
    [InlineData("SCAL7412", "the device 'h9000', which is not known", """{"target":80000,"budget":{"gpu_hours":1,"device":"h9000"}}""")]
    [InlineData("SCAL7412", "no device turns into FLOPs", """{"target":80000,"budget":{"flops":1e12,"device":"h200"}}""")]
    [InlineData("SCAL7412", "without 'flops_per_second'", """{"target":80000,"budget":{"hours":1}}""")]
    [InlineData("SCAL7412", "'design.budget.flops_per_second' is said", """{"target":80000,"budget":{"flops":1e12,"flops_per_second":1e9}}""")]
    [InlineData("SCAL7412", "'design.fixed_seconds' is said", """{"target":80000,"budget":{"flops":1e12},"fixed_seconds":2}""")]
    [InlineData("SCAL7413", "'design.budget' is 1E+09 FLOPs, and the cheapest run alone costs", """{"target":80000,"budget":{"flops":1e9}}""")]
    [InlineData("SCAL7413", "'design.budget' is 0.0001 hours, and the cheapest run alone costs", """{"target":80000,"budget":{"hours":0.0001,"flops_per_second":1e9}}""")]
    [InlineData("SCAL7414", "'design.target' is 40000, within the sizes that are trained, up to 40000", """{"target":40000,"budget":{"flops":1e12}}""")]
    [InlineData("SCAL7402", "'design.target_head_size' is 7", """{"target":80000,"target_head_size":7,"budget":{"flops":1e12}}""")]
    [InlineData("SCAL7416", "names 0 files", """{"target":80000,"budget":{"flops":1e12},"prior":{"text":"none.json","scheme":"","paths":[]}}""")]
    [InlineData("SCAL7419", "No shape of 80000 parameters", """{"target":80000,"target_multiple_of":512,"budget":{"flops":1e12}}""")]
    [InlineData("SCAL7421", "The target has", """{"target":1000000000000,"target_multiple_of":1,"budget":{"flops":1e12}}""")]
    [InlineData("SCAL7421", "runs, and 5000 are listed at most", """{"target":80000,"budget":{"flops":1e24}}""")]
    [InlineData("SCAL7421", "and there are 1000 at most", """{"target":80000,"budget":{"flops":1e24},"round":2}""")]
    public void A_wrong_design_is_told_with_what_to_write(string code, string message, string design)
    {
        var error = Assert.Throws<StageFailedException>(() => Sweep(Settings(design)));
        var diagnostic = Assert.Single(error.Diagnostics);
        Assert.Equal(code, diagnostic.Code);
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
        Assert.NotNull(diagnostic.Hint);
    }

    [Theory]
    [InlineData("SCAL7410", "'learning_rate_bracket'", "learning_rate_bracket", "[0.5]")]
    [InlineData("SCAL7410", "'gqa' has 2 values", "gqa", "[1,2]")]
    [InlineData("SCAL7415", "'x' has 2 values, of which 2 can be built", "x", "[0.15,0.25]")]
    [InlineData("SCAL7415", "'ratio' has 3 values, of which 2 can be built", "ratio", "[1,2,1000]")]
    public void A_grid_that_no_design_can_use_is_told(string code, string message, string setting, string value)
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":1e12}}""");
        settings[setting] = JsonNode.Parse(value);
        var diagnostic = Assert.Single(Assert.Throws<StageFailedException>(() => Sweep(settings)).Diagnostics);
        Assert.Equal(code, diagnostic.Code);
        Assert.Contains(message, diagnostic.Message, StringComparison.Ordinal);
        Assert.NotNull(diagnostic.Hint);
    }

    [Fact]
    public void A_grid_of_one_x_and_one_ratio_leaves_nothing_to_choose()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":1e12}}""");
        (settings["x"], settings["ratio"]) = (new JsonArray(0.2), new JsonArray(1.5));
        Assert.Equal("SCAL7415", Assert.Single(Assert.Throws<StageFailedException>(() => Sweep(settings)).Diagnostics).Code);
    }

    [Fact]
    public void A_prior_that_is_no_law_or_has_no_minimum_is_told_with_its_file()
    {
        string rubbish = _folder.Write("rubbish.json", "{\"a\": 1}");
        var error = Assert.Throws<StageFailedException>(() => Sweep(Settings("""{"target":80000,"budget":{"flops":1e12}}""", rubbish))).Diagnostics[0];
        Assert.Equal(("SCAL7416", rubbish), (error.Code, error.Location!.File));

        // Losses that fall with x for ever, as of runs on one side of the optimum.
        string law = SearchStudy.Law(_folder, l => l with { Shape = new ShapeTerms(LawForm.Multiplicative, new ShapeCoefficients(1, -0.1, 0.024, 1, 0.05, 0.075)) });
        error = Assert.Throws<StageFailedException>(() => Sweep(Settings("""{"target":80000,"budget":{"flops":1e12}}""", law))).Diagnostics[0];
        Assert.Equal(("SCAL7417", law), (error.Code, error.Location!.File));
        Assert.NotNull(error.Hint);
    }

    [Fact]
    public void A_prior_that_believes_the_best_far_outside_the_grid_is_warned_of()
    {
        var warnings = Sweep(Settings("""{"target":80000,"budget":{"flops":1e12},"prior":{"text":"published","scheme":"published","paths":[]}}""")).Warnings;
        Assert.All(warnings, w => Assert.Equal("SCAL7418", w.Code));
        Assert.Contains("the best x to be", warnings[0].Message, StringComparison.Ordinal);
        Assert.NotNull(warnings[0].Hint);
        Assert.Empty(Sweep(Settings("""{"target":80000,"budget":{"flops":1e12}}""")).Warnings);
    }

    [Fact]
    public void Runs_of_other_tokens_and_a_design_of_another_grid_are_told()
    {
        var settings = Settings("""{"target":80000,"budget":{"flops":2e12},"round":6,"tokens_per_parameter":15}""");
        var runner = new StageRunner(new SweepStage(), _folder);
        var inputs = Valley.Inputs(_folder, runner.Run(settings));
        var error = Assert.Throws<StageFailedException>(() => runner.Run(settings, inputs)).Diagnostics[0];
        Assert.Equal("SCAL7422", error.Code);
        Assert.Contains("10, 20 tokens a parameter, and 'design.tokens_per_parameter' is 15", error.Message, StringComparison.Ordinal);

        settings["multiple_of"] = 8;
        Assert.Equal("SCAL7423", Assert.Throws<StageFailedException>(() => runner.Run(settings, inputs)).Diagnostics[0].Code);
    }

    public void Dispose() => _folder.Dispose();

    private static JsonObject Settings(string design, string? prior = null)
    {
        var settings = JsonNode.Parse("""
            {"sizes":[10000,20000,40000],"layers":[2],"head_size":[8],"multiple_of":4,"x":[0.12,0.15,0.18,0.22,0.27,0.34],"ratio":[0.5,0.8,1.2,1.9,3,4.5],"gqa":[2],"tolerance":0.03}
            """)!.AsObject();
        var planned = JsonNode.Parse(design)!.AsObject();
        if (prior is not null)
        {
            planned["prior"] = new JsonObject { ["text"] = "law.json", ["scheme"] = "", ["paths"] = new JsonArray(prior) };
        }

        settings["design"] = planned;
        return settings;
    }

    private static JsonArray Spread(double low, double high, int count) => [.. Enumerable.Range(0, count).Select(i => JsonValue.Create(low * Math.Pow(high / low, i / (count - 1.0))))];

    private static IEnumerable<DecoderShape> TargetShapes() =>
        new ShapeSpace(80_000, 0.025, [2], [8], [2], 4, 256, true, new Bounds(0.1, 0.4), new Bounds(0.4, 5.5)).Shapes();

    private static string[] Lines(StageResult result, string table) => result.Text(table).TrimEnd('\n').Split('\n');

    private StageResult Sweep(JsonObject settings) => new StageRunner(new SweepStage(), _folder).Run(settings);
}
