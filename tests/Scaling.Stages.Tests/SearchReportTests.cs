// export: what the report says of a search beyond its answer, one kind of search at a time.
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using Scaling.Stages.Export;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SearchReportTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    /// <summary>Published differences, and those that the printed constants predict.</summary>
    [Fact]
    public async Task Shapes_of_known_loss_show_by_how_much_the_law_is_optimistic()
    {
        var best = SyntheticStudy.Best();
        var result = Report(best, new() { ["scored_references"] = PublishedReferences() });

        await Snapshot.Match(Section(result, "## Shapes of known loss"));
        var figure = StudyFigures.Of(new Study { Best = best, References = Table.Read(_folder["references.csv"]), Sources = [] }).Single(f => f.File == "figures/references.svg").Figure;
        Assert.Equal(7, figure.Series.Count(s => s.Label!.EndsWith('B') || s.Label.EndsWith('°')));
        var panda = figure.Series.Single(s => s.Label == "Panda-1B").Points[0];
        Assert.Equal((-21, -35.5), (Math.Round(panda.X, 6), Math.Round(panda.Y, 1)));
        Assert.True(File.Exists(Path.Combine(result.Folder, "figures/references.svg")));
    }

    [Fact]
    public void A_law_that_errs_to_the_other_side_is_not_called_optimistic()
    {
        string path = PublishedReferences(optimism: -0.04);
        string report = Report(SyntheticStudy.Best(), new() { ["scored_references"] = path }).Text("report.md");
        Assert.Contains("milli-nats more than is known on average", report);
        Assert.Contains("It is not optimistic there.", report);
    }

    [Theory]
    [InlineData(-0.010, "lose 10 less than the baseline, which does not cover that: **it may well lose more**.")]
    [InlineData(-0.020, "lose 20 less than the baseline, which covers that.")]
    public void A_margin_that_the_laws_optimism_eats_up_is_said_so(double difference, string words)
    {
        var best = SyntheticStudy.Best();
        var inputs = SyntheticStudy.Write(_folder);
        string report = Report(
            best with { Efficient = best.Efficient with { Predicted = best.Baseline!.Predicted + difference } },
            new() { ["scored_references"] = PublishedReferences(), ["law"] = inputs["law"] }).Text("report.md");
        Assert.Contains($"On shapes of known loss the law predicts 13.1 milli-nats too little on average. The efficient shape is predicted to {words}", report);
    }

    [Fact]
    public async Task A_search_with_the_grouping_free_says_what_rests_on_the_stated_penalty()
    {
        var best = SyntheticStudy.Best();
        var result = Report(best with
        {
            Gqa = [1, 2, 5, 10],
            Penalties = new Dictionary<string, double> { ["gqa"] = 0.008 },
            EfficientAtFittedGqa = best.Efficient,
            Efficient = best.Efficient with { KvHeads = 1, Gqa = 10, TokensPerSecond = 1.2 * best.Efficient.TokensPerSecond, KvBytesPerToken = best.Efficient.KvBytesPerToken / 5 },
        });
        await Snapshot.Match(Section(result, "### What grouped queries gain"));
        Assert.Contains("Away from the runs' value every shape was charged 0.008 nats for each doubling of GQA: **stated, not measured**.", result.Text("report.md"));
    }

    [Fact]
    public async Task Other_searches_stand_in_a_table_beside_the_one_that_is_exported()
    {
        (SyntheticStudy.Best() with { Size = 160_000, LawSource = "a paper, its table 3", Objective = SearchObjective.DecodeBytes, Gqa = [1, 2] }).Write(_folder["other.json"]);
        var result = Report(SyntheticStudy.Best(), new() { ["compared"] = _folder["other.json"] });
        await Snapshot.Match(Section(result, "### Beside other searches"));
    }

    [Fact]
    public void A_compared_file_that_is_no_search_is_refused()
    {
        var failure = Assert.Throws<StageFailedException>(() => Report(SyntheticStudy.Best(), new() { ["compared"] = _folder.Write("other.json", "[]") }));
        Assert.Equal("SCAL7504", Assert.Single(failure.Diagnostics).Code);
    }

    [Fact]
    public void A_law_without_a_level_is_told_in_multiples_of_the_least_loss()
    {
        string report = Report(SyntheticStudy.Best() with { Level = LossLevel.Factor, Misfit = null, MisfitSource = "unknown: the law has no level" }).Text("report.md");
        Assert.Contains("| predicted loss (times the least) |", report);
        Assert.Contains("losses are known up to a common factor alone", report);
        Assert.Contains("What the law misses of a shape's loss is unknown: the law has no level.", report);
        Assert.DoesNotContain("nats a token; +", report);
    }

    [Fact]
    public void A_level_that_the_baseline_sets_is_said_so()
    {
        var best = SyntheticStudy.Best();
        string report = Report(best with { Level = LossLevel.Baseline, Baseline = best.Baseline! with { Predicted = 2.803 } }).Text("report.md");
        Assert.Contains("Losses are set by the baseline's measured loss, 2.8030 nats a token", report);
    }

    [Theory]
    [InlineData(SearchObjective.Latency, 0.25, "the soonest to finish a batch", "| time of a batch | – | 250 ms | – |")]
    [InlineData(SearchObjective.DecodeBytes, 4_200_000, "the one that decoding reads the fewest bytes for", "| bytes read a decoded token | – | 4.2M | – |")]
    [InlineData(SearchObjective.LifetimeCost, 1234, "the cheapest to train and serve", "| device-hours of training and serving | – | 1.23k | – |")]
    public void Another_objective_is_told_with_its_value(SearchObjective objective, double value, string words, string row)
    {
        var best = SyntheticStudy.Best();
        string report = Report(best with { Objective = objective, Efficient = best.Efficient with { Objective = value } }).Text("report.md");
        Assert.Contains($"**Efficient**, {words} that is predicted to lose no more than the baseline with a probability of 80 %", report);
        Assert.Contains(row, report);
    }

    [Fact]
    public void The_front_is_drawn_by_the_objective_and_its_bars_are_those_of_what_is_drawn()
    {
        var inputs = SyntheticStudy.Write(_folder);
        var study = new Study { Best = SyntheticStudy.Best(), Front = Table.Read(inputs["front"]), Sources = [] };
        var byTime = study with
        {
            Best = study.Best with { Objective = SearchObjective.Latency },
            Front = new Table([.. study.Front.Columns, "objective"], [.. study.Front.Each().Zip(study.Front.Rows, (row, cells) => (string[])[.. cells, Table.Cell(512 / row.Number("tokens_per_second"))])]),
        };
        FigurePoint[] FrontOf(Study s) => [.. StudyFigures.Of(s).Single(f => f.File == "figures/front.svg").Figure.Series.Single(x => x.Label == "front").Points];

        Assert.All(FrontOf(study), p => Assert.True(p.Left < p.X && p.X < p.Right && p.Low < p.Y && p.Y < p.High));
        Assert.Equal(FrontOf(study).Select(p => 512 / p.X).Order(), FrontOf(byTime).Select(p => p.X));
        Assert.All(FrontOf(byTime), p => Assert.True(p is { Left: null, Right: null } && p.Low < p.Y));
    }

    [Theory]
    [InlineData(HeldQuantity.ParametersTotal, "the baseline's parameters, embeddings included, within 5 %")]
    [InlineData(HeldQuantity.TrainFlops, "the baseline's training FLOPs within 5 %")]
    [InlineData(HeldQuantity.DecodeBytes, "the baseline's bytes of a decode step within 5 %")]
    public void What_is_held_equal_is_told(HeldQuantity held, string words) =>
        Assert.Contains($"of all shapes with {words}", Report(SyntheticStudy.Best() with { Hold = held }).Text("report.md"));

    [Fact]
    public void Picks_that_were_measured_themselves_are_told()
    {
        var best = SyntheticStudy.Best();
        Assert.Contains(" Measured themselves: the efficient shape, the baseline.", Report(best with { Efficient = best.Efficient with { Source = "measured" }, Baseline = best.Baseline! with { Source = "measured" } }).Text("report.md"));
    }

    [Fact]
    public void A_batch_that_does_not_fit_is_told()
    {
        var best = SyntheticStudy.Best();
        Assert.Contains("| sequences served at once | 5 (more do not fit) | 8 | 8 |", Report(best with { Accurate = best.Accurate with { Batch = 5 } }).Text("report.md"));
    }

    /// <summary>The published shapes by the printed constants, each against the LLaMA of its size, as a search scores them.</summary>
    /// <param name="optimism">Added to the known losses of all but the yardsticks, nats.</param>
    private string PublishedReferences(double optimism = 0)
    {
        var published = Table.Read(Path.Combine(Repository.Root, "pipelines", "baselines", "published-shapes.csv"));
        var rows = published.Each().Select(row => (Name: row.Text("name"), Shape: DecoderShape.FromCells(row.Count, row.Truth), Loss: row.Number("loss") + (row.Text("name").StartsWith('L') ? 0 : optimism), Against: row.Text("against"))).ToList();
        string[] columns =
        [
            "name", .. Vocabulary.ShapeTerms.Select(t => t.Name), "loss", "against", "predicted", "predicted_difference", "measured_difference", "batch", "kv_bytes_per_token", "tokens_per_second", "tokens_per_second_ratio",
        ];
        double Factor(DecoderShape s) => PublishedShapeTerms.From80MTo297M.Apply(1, LawPoint.Of(s, s.Parameters, 1));
        new Table(columns, [.. rows.Select(r =>
        {
            var against = rows.Single(a => a.Name == r.Against);
            double predicted = against.Loss * Factor(r.Shape) / Factor(against.Shape);
            double bytes = InferenceCost.KvBytesPerToken(r.Shape, 2);
            return (string[])
            [
                r.Name, .. r.Shape.Cells().Select(Table.Cell),
                .. new object[] { r.Loss, r.Against, predicted, predicted - against.Loss, r.Loss - against.Loss, 64, bytes, 1e9 / bytes, InferenceCost.KvBytesPerToken(against.Shape, 2) / bytes }.Select(Table.Cell),
            ];
        })]).Write(_folder["references.csv"]);
        return _folder["references.csv"];
    }

    private StageResult Report(SearchResult best, Dictionary<string, string>? inputs = null)
    {
        best.Write(_folder["best.json"]);
        return new StageRunner(new ExportStage(), _folder).Run(new JsonObject { ["consumers"] = new JsonArray() }, new Dictionary<string, string>(inputs ?? []) { ["best"] = _folder["best.json"] });
    }

    /// <summary>From a heading to the next.</summary>
    private static string Section(StageResult result, string heading) =>
        Regex.Match(result.Text("report.md"), $"^{Regex.Escape(heading)}\n.*?(?=\n#|\\z)", RegexOptions.Multiline | RegexOptions.Singleline).Value;
}
