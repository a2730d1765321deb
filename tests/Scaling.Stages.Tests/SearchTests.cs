// The stage `search`, and its scoring against the published winners.
using CsCheck;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SearchTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static readonly DecoderShape Llama1B = new(16, 2048, 8192, 32, 8, 64, 128_256, true);

    // arXiv 2510.18245: depth and head size of its tables, hidden and intermediate sizes in multiples of 512, N within 2.5 % of LLaMA-3.2's, r in [0.5, 5].
    private static readonly ShapeSpace At1B = new(973_078_528, 0.025, [16], [64], [4], 512, 128_256, true, new Bounds(1e-6, 1e6), new Bounds(0.5, 5));
    private static readonly ShapeSpace At3B = At1B with { Size = 2_818_572_288, Layers = [28], HeadSize = [128], Gqa = [3] };

    [Fact]
    public void The_published_constants_find_the_published_winners_by_their_factors()
    {
        var (small, one) = (PublishedShapeTerms.From80MTo297M, PublishedShapeTerms.From1B);
        AssertBest(At1B, small, (2560, 4096, 72, 18, 1.0028436665516713), (2560, 4096, 68, 17, 1.0029141416249348));
        AssertBest(At3B, small, (4096, 4096, 36, 12, 1.0028593473301513), (4608, 3584, 33, 11, 1.0029839631135864));
        AssertBest(At3B, one, (4096, 4608, 33, 11, 1.0005983130371627), (4096, 4608, 30, 10, 1.0007568088463763));
        Assert.Equal(1.0157219500350207, small.Factor(Llama1B.X, Llama1B.Ratio), 1e-12);
    }

    [Fact]
    public void A_finer_multiple_moves_the_winner_along_a_flat_valley()
    {
        var terms = PublishedShapeTerms.From80MTo297M;
        // Within 1 % of N. Within 2.5 % (2432, 4096, 76/19), 2.2 % smaller, is better still by 3e-6.
        var fine = ByFactor(At1B with { MultipleOf = 128, Tolerance = 0.01 }, terms)[0];
        Assert.Equal((2432, 4224, 76, 19), (fine.Shape.Hidden, fine.Shape.Intermediate, fine.Shape.Heads, fine.Shape.KvHeads));
        Assert.Equal(8e-6, ByFactor(At1B, terms)[0].Predicted / fine.Predicted - 1, 0.5e-6);
    }

    [Fact]
    public void The_front_holds_no_dominated_candidate_and_misses_none()
    {
        // Few different values, so that ties are common.
        var points = (from loss in Gen.Int[0, 8] from speed in Gen.Int[0, 8] from broken in Gen.Int[0, 5] select (loss, speed, broken)).Array[1, 40];
        points.Sample(list =>
        {
            DecoderShape[] shapes = [.. list.Select((_, i) => Llama1B with { Hidden = i + 1 })];
            var scored = ArchitectureSearch.Rank(list.Select((p, i) => Point(shapes[i], p.loss, p.speed, p.broken)));
            foreach (var c in scored)
            {
                bool dominated = scored.Any(o =>
                    o.Allowed && o.Predicted <= c.Predicted && o.Gain >= c.Gain && (o.Predicted < c.Predicted || o.Gain > c.Gain));
                Assert.Equal(c.Allowed && !dominated, c.OnFront);
            }

            Assert.Equal(Least(scored.Where(c => c.Allowed), c => c.Predicted), ArchitectureSearch.MostAccurate(scored)?.Predicted);
            Assert.Equal(-Least(scored.Where(c => c.Feasible), c => -c.Gain), ArchitectureSearch.MostEfficient(scored)?.Gain);
        });

        static double? Least(IEnumerable<Candidate> candidates, Func<Candidate, double?> value) => candidates.Min(value);
    }

    [Fact]
    public void A_search_with_measured_rows_stays_where_the_runs_were_and_beats_the_baseline()
    {
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"baseline":{"hidden":48,"ratio":4,"gqa":2}}""", Law(), Speed());
        Assert.Empty(result.Warnings);
        var best = result.Best();
        var candidates = result.Table("candidates.csv");
        var front = result.Table("front.csv");
        Assert.Equal(1_280_000, best.Tokens);
        Assert.Equal(new Workload(128, 64, 8) { Weights = DataType.Float32, KvCache = DataType.Float32 }, best.Workload);
        Assert.Equal(("cpu-2", "calibrated"), (best.Device.Name, best.Device.Source));
        Assert.True(best.Device.HeldOutError < 1e-9);
        Assert.Equal((48, 6, 3), (best.Baseline!.Hidden, best.Baseline.Heads, best.Baseline.KvHeads));
        Assert.True(best.Accurate.Predicted <= best.Efficient.Predicted && best.Efficient.Predicted <= best.Baseline.Predicted);
        Assert.True(best.Efficient.TokensPerSecond >= best.Accurate.TokensPerSecond && best.Efficient.TokensPerSecond > best.Baseline.TokensPerSecond);
        foreach (var row in candidates.Each())
        {
            Assert.Equal((2, 8, 2.0, 256, true), (row.Count("layers"), row.Count("head_size"), row.Number("gqa"), row.Count("vocabulary"), row.Truth("tied")));
            Assert.InRange(row.Number("parameters"), 64_000 * 0.99, 64_000 * 1.01);
            Assert.InRange(row.Number("x"), 0.15, 0.4);
            Assert.Equal(0, row.Count("hidden") % 4);
            Assert.Equal(row.Number("predicted") <= best.Baseline.Predicted, row.Truth("feasible"));
        }

        Assert.Equal(candidates.Each().Where(r => r.Truth("on_front")).Select(r => r.Text("shape")), front.Each().Select(r => r.Text("shape")));
        Assert.Equal(best.Accurate.Shape, front[0].Text("shape"));
        Assert.Equal(candidates.Each().Where(r => r.Truth("feasible")).Max(r => r.Number("tokens_per_second")), best.Efficient.TokensPerSecond);
    }

    [Fact]
    public void The_accurate_shape_lies_at_the_laws_own_optimum()
    {
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"multiple_of":1}""", Law(), Speed());
        var best = result.Best();
        Assert.Equal(0.24, best.Accurate.X, 0.02);
        Assert.Equal(1.5, best.Accurate.Ratio, 0.2);
    }

    [Fact]
    public void Shapes_are_held_at_the_asked_size_whatever_rounding_left_of_it()
    {
        string law = Law();
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"baseline":{"hidden":48,"ratio":4,"gqa":2}}""", law, Speed());
        var document = LawDocument.Read(law);
        Assert.Contains(result.Table("candidates.csv").Each(), r => r.Number("parameters") != 64_000);
        Assert.All(
            result.Table("candidates.csv").Each(),
            r => Assert.Equal(document.Predict(64_000, 1_280_000, r.Number("x"), r.Number("ratio")), r.Number("predicted"), 1e-12));
    }

    [Fact]
    public void An_axis_without_a_fitted_term_stays_near_the_baseline()
    {
        string law = Law(d => d with { Shape = d.Shape! with { Coefficients = d.Shape.Coefficients with { A0 = 1, A1 = 0, A2 = 0 } } });
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"baseline":{"hidden":48,"ratio":4,"gqa":2}}""", law, Speed());
        double x = result.Best().Baseline!.X;
        Assert.Equal(["SCAL7320"], result.Warnings.Select(w => w.Code));
        Assert.All(result.Table("candidates.csv").Each(), r => Assert.InRange(r.Number("x"), 0.9 * x, 1.1 * x));
        Assert.Equal(["SCAL7320"], Search("""{"size":64000,"tokens_per_parameter":20,"x":[0.16,0.36],"baseline":{"hidden":48,"ratio":4,"gqa":2}}""", law, Speed()).Warnings.Select(w => w.Code));
    }

    [Fact]
    public void A_space_of_millions_of_shapes_is_refused_before_any_is_scored() =>
        Fails("SCAL7319", """{"size":1000000000,"tokens_per_parameter":20,"multiple_of":1,"x":[0.05,0.12],"layers":[16],"head_size":[64]}""", Law(), Speed());

    [Fact]
    public void A_named_device_needs_a_workload_and_no_measured_rows()
    {
        const string Rest = "\"size\":64000,\"tokens_per_parameter\":20,\"multiple_of\":4,\"device\":\"h200\"";
        var result = Search("{" + Rest + ",\"workload\":{\"prompt\":4096,\"output\":1024,\"batch\":32}}", Law());
        var best = result.Best();
        Assert.Equal(("h200", "modelled", 1 / 989e12), (best.Device.Name, best.Device.Source, best.Device.Roofline!.SecondsPerFlop));
        Assert.Equal(new Workload(4096, 1024, 32), best.Workload);
        Assert.All(result.Table("candidates.csv").Each(), r => Assert.Equal("modelled", r.Text("source")));
        Fails("SCAL7303", "{" + Rest + "}", Law());
    }

    [Fact]
    public void Going_where_no_run_was_is_said_aloud()
    {
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"gqa":[4],"layers":[4],"x":[0.1,0.3]}""", Law(), Speed());
        Assert.Equal(["SCAL7305", "SCAL7318", "SCAL7321", "SCAL7321"], result.Warnings.Select(w => w.Code).Order());
        Assert.Contains("the sweep", result.Warnings.Single(w => w.Code == "SCAL7305").Hint, StringComparison.Ordinal);
        Assert.Contains(result.Warnings, w => w.Message == "'layers' is 4 where the law's runs have 2, and the law has no term for it.");
        Assert.Contains(result.Table("candidates.csv").Each(), r => r.Number("gqa") == 4);
    }

    [Fact]
    public void An_axis_that_differs_among_the_runs_must_be_chosen()
    {
        string law = Law(d => d with { Context = d.Context with { Layers = [2, 4], Gqa = [] } });
        var error = Assert.Throws<StageFailedException>(() => Search("""{"size":64000,"tokens_per_parameter":20}""", law, Speed()));
        Assert.Equal(
            ["The law's runs have several values of 'layers' (2, 4), and the law has no term for it.", "The law's runs do not say their 'gqa', and the law has no term for it."],
            error.Diagnostics.Select(d => d.Message));
    }

    [Fact]
    public void A_law_that_its_runs_do_not_determine_is_used_with_a_warning()
    {
        string law = Law(d => d with { Verdicts = [new Verdict("x_star", Identification.NotIdentified, "One width only.")] });
        var result = Search("""{"size":64000,"tokens_per_parameter":20,"baseline":{"hidden":48,"ratio":4}}""", law, Speed());
        Assert.Equal("The law's runs do not determine x_star: One width only.", Assert.Single(result.Warnings).Message);
    }

    [Fact]
    public void What_cannot_be_searched_says_why()
    {
        const string Ask = "\"size\":64000,\"tokens_per_parameter\":20";
        Fails("SCAL7310", "{" + Ask + "}", Law(d => d with { Shape = null }), Speed());
        Fails("SCAL7309", "{" + Ask + "}", _folder.Write("broken.json", "{}"), Speed());
        Fails("SCAL7304", "{" + Ask + ",\"multiple_of\":512}", Law(), Speed());
        Fails("SCAL7306", "{" + Ask + ",\"x\":[0.33,0.4],\"ratio\":[3,4],\"baseline\":{\"hidden\":60,\"ratio\":1.5}}", Law(), Speed());
        Fails("SCAL7308", "{" + Ask + ",\"x\":[0.3,0.2]}", Law(), Speed());
        Fails("SCAL7308", "{" + Ask + "}", Law(d => d with { Ranges = d.Ranges with { X = null } }), Speed());
        Fails("SCAL7312", "{" + Ask + ",\"baseline\":{\"hidden\":48}}", Law(), Speed());
        Fails("SCAL7312", "{" + Ask + ",\"baseline\":{\"hidden\":9000,\"ratio\":1}}", Law(), Speed());
        Fails("SCAL7314", "{" + Ask + ",\"device\":\"h20\"}", Law(), Speed());
        Fails("SCAL7316", "{" + Ask + "}", Law(), Speed(secondDevice: "cpu-4"));
        Fails("SCAL7317", "{" + Ask + "}", Law(), Speed(time: 0));
    }

    [Fact]
    public void Every_device_can_be_named_in_a_pipeline()
    {
        var schema = ((IStage)new SearchStage()).SettingsSchema["properties"]!["device"]!;
        Assert.Equal(Device.All.Select(d => d.Name), schema["enum"]!.AsArray().Select(v => v!.GetValue<string>()));
    }

    public void Dispose() => _folder.Dispose();

    private static void AssertBest(ShapeSpace space, ShapeTerms terms, params (int Hidden, int Intermediate, int Heads, int KvHeads, double Factor)[] expected)
    {
        var found = ByFactor(space, terms);
        for (int i = 0; i < expected.Length; i++)
        {
            var (shape, e) = (found[i].Shape, expected[i]);
            Assert.Equal((e.Hidden, e.Intermediate, e.Heads, e.KvHeads), (shape.Hidden, shape.Intermediate, shape.Heads, shape.KvHeads));
            Assert.Equal(e.Factor, found[i].Predicted, 1e-12);
        }
    }

    private static IReadOnlyList<Candidate> ByFactor(ShapeSpace space, ShapeTerms terms) =>
        ArchitectureSearch.Rank(space.Shapes().Select(s => Point(s, terms.Factor(s.X, s.Ratio), 1, 0)));

    /// <summary>A candidate that loses, gains, and breaks nothing (0), its loss (1) or something else (2).</summary>
    private static Candidate Point(DecoderShape shape, double loss, double gain, int broken) => new(
        shape, new ForecastLoss(loss, null, null, null), new Serving(new Speed(1, 1, 1, gain, 1, 1, 1, 1), true, null, "modelled"), gain,
        broken switch { 1 => ["loss"], 2 => ["memory"], _ => [] });

    private void Fails(string code, string settings, string law, string? speed = null)
    {
        var error = Assert.Throws<StageFailedException>(() => Search(settings, law, speed));
        Assert.Equal(code, Assert.Single(error.Diagnostics).Code);
    }

    private StageResult Search(string settings, string law, string? speed = null) => SearchStudy.Search(_folder, settings, law, speed);

    private string Law(Func<LawDocument, LawDocument>? change = null) => SearchStudy.Law(_folder, change);

    private string Speed(string secondDevice = "cpu-2", double? time = null) => SearchStudy.Speed(_folder, secondDevice, time);
}
