// What `search` tells beside its picks: variants and the walk over GQA, references, other multiples, where picks trade places, how flat the valley is.
using System.Diagnostics;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Search;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SearchFindingsTests : IDisposable
{
    private static readonly string s_paper = Path.Combine(Repository.Root, "pipelines/laws/paper-80m-297m.json");
    private static readonly string s_published = Path.Combine(Repository.Root, "pipelines/baselines/published-shapes.csv");
    private static readonly DecoderShape s_llama = new(16, 2048, 8192, 32, 8, 64, 128_256, true);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Variants_keep_parameters_and_hold_the_published_grouping()
    {
        var variants = GqaVariants.Of(s_llama with { Hidden = 2560, Intermediate = 6144 });
        Assert.Equal([(20, 20), (30, 10), (32, 8), (35, 5), (36, 4), (38, 2), (39, 1)], variants.Select(v => (v.Heads, v.KvHeads)));
        Assert.All(variants, v => Assert.Equal(964_689_920, v.Parameters));
        Assert.Equal([1.0, 3, 4, 7, 9, 19, 39], variants.Select(v => v.Gqa));
    }

    [Fact]
    public void Variants_walk_from_the_fitted_grouping_or_are_all_measured()
    {
        var walked = Search(SearchStudy.Ask).Table("variants.csv");
        Assert.All(walked.Each(), r => Assert.Equal("2", r.Text("walk_from")));
        Assert.Contains(walked.Each(), r => r.Number("gqa") == 2);
        Assert.All(Search($"{SearchStudy.Ask},\"gqa_walk\":\"exhaustive\"").Table("variants.csv").Each(), r => Assert.Equal("", r.Text("walk_from")));
    }

    [Fact]
    public void A_search_takes_measured_variants_back_and_leaves_out_what_the_walk_did_not_reach()
    {
        const string Workload = "\"workload\":{\"prompt\":128,\"output\":64,\"batch\":8,\"weights\":\"float32\",\"kv_cache\":\"float32\"}";
        var first = Search($"{SearchStudy.Ask},\"multiple_of\":4,\"ratio\":[1.5,2.2],\"x\":[0.2,0.25],{Workload}");
        string variants = Path.Combine(first.Folder, "variants.csv");
        var table = first.Table("variants.csv");
        Assert.True(table.Rows.Count >= 4, table.ToCsv());

        // The walk went from GQA 2 up, the second was faster, the third slower, and there it stopped.
        int start = Enumerable.Range(0, table.Rows.Count).First(i => table[i].Number("gqa") == 2);
        string speed = Measured(table, start, [5000, 6000, 4000]);
        var second = SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},{Workload},\"penalties\":{{\"gqa\":0}}}}", SearchStudy.Law(_folder), speed, ("shapes", variants));
        var best = second.Best();
        Assert.Equal(table[start + 1].Text("shape"), best.Efficient.Shape);
        Assert.Equal((6000.0, "measured", 5900.0), (best.Efficient.TokensPerSecond, best.Efficient.Source, best.Efficient.TokensPerSecondLow));
        Assert.Equal(table[start].Text("shape"), best.EfficientAtFittedGqa!.Shape);
        var rows = second.Table("candidates.csv").Each().ToDictionary(r => r.Text("shape"));
        Assert.Equal(table.Rows.Count, rows.Count);
        Assert.All(table.Each(), r => Assert.Equal(
            r.Number("gqa") >= 2 && r.Number("gqa") <= table[start + 2].Number("gqa") ? "" : "measured", rows[r.Text("shape")].Text("breaks").Split(' ')[0]));
        Assert.False(File.Exists(Path.Combine(second.Folder, "sensitivity.csv")));

        var error = Assert.Throws<StageFailedException>(() => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},{Workload}}}", SearchStudy.Law(_folder), speed, ("shapes", variants)));
        Assert.Equal("SCAL7302", Assert.Single(error.Diagnostics).Code);
    }

    [Fact]
    public void Given_shapes_that_cannot_be_searched_say_why()
    {
        string Shapes(DecoderShape shape) => Write("given.csv", [shape], []);
        DecoderShape small = new(2, 24, 100, 4, 2, 8, 256, true);
        StageFailedException Fails(DecoderShape shape) => Assert.Throws<StageFailedException>(
            () => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask}}}", SearchStudy.Law(_folder), SearchStudy.Speed(_folder), ("shapes", Shapes(shape))));
        Assert.Equal(("SCAL7304", "None of the 1 shapes that are given has 64000 parameters within 1.0%: they have 19008 to 19008."), (Fails(small).Diagnostics[0].Code, Fails(small).Diagnostics[0].Message));
        Assert.Equal("SCAL7404", Fails(small with { KvHeads = 3 }).Diagnostics[0].Code);
    }

    [Fact]
    public void References_stand_beside_their_published_losses_in_milli_nats()
    {
        var table = References(s_published).Table("references.csv");
        var rows = table.Each().ToDictionary(r => r.Text("name"));
        void Is(string name, double predicted, double measured)
        {
            Assert.Equal(predicted, 1000 * rows[name].Number("predicted_difference"), 0.05);
            Assert.Equal(measured, 1000 * rows[name].Number("measured_difference"), 0.05);
        }

        Assert.Equal(7, rows.Count);
        Is("LLaMA-3.2-1B", 0, 0);
        Is("Panda-1B", -35.5, -21);
        Is("Surefire-1B", -11.8, 1);
        Is("Panda-3B", -22.9, -6);
        Assert.Equal(32_768, rows["LLaMA-3.2-1B"].Number("kv_bytes_per_token"));
        Assert.Equal(1.460, rows["Surefire-1B"].Number("tokens_per_second_ratio"), 1e-3);
        Assert.Equal(1.185, rows["Surefire-3B"].Number("tokens_per_second_ratio"), 1e-3);
    }

    [Fact]
    public void A_table_of_references_with_mistakes_is_told_all_at_once()
    {
        const string Columns = "name,layers,hidden,intermediate,heads,kv_heads,head_size,vocabulary,tied,loss,against\n";
        string path = _folder.Write("references.csv", Columns + "a,16,2048,8192,32,8,64,128256,true,2.8,b\na,16,2048,8192,32,7,64,128256,true,-1,\n");
        var error = Assert.Throws<StageFailedException>(() => References(path));
        Assert.All(error.Diagnostics, d => Assert.Equal("SCAL7330", d.Code));
        Assert.Equal(
            [
                "The reference 'a' is held against 'b', and no row has that name.", "The reference 'a' cannot be built: 32 query heads cannot share 7 key/value heads evenly.",
                "The reference 'a' has a loss of -1. Expected nats a token, above 0.", "The name 'a' stands 2 times.",
            ],
            error.Diagnostics.Select(d => d.Message));
    }

    [Fact]
    public void Other_multiples_are_searched_as_a_search_of_their_own_would()
    {
        var table = Search($"{SearchStudy.Ask},\"multiple_of\":4").Table("sensitivity.csv");
        Assert.Equal([1, 2, 4, 8, 16], table.Each().Select(r => r.Count("multiple_of")).Distinct());
        foreach (int multiple in (int[])[2, 8])
        {
            var alone = Search($"{SearchStudy.Ask},\"multiple_of\":{multiple}").Best();
            var rows = table.Each().Where(r => r.Count("multiple_of") == multiple).ToDictionary(r => r.Text("pick"));
            Assert.Equal(alone.Accurate.Shape, rows["accurate"].Text("shape"));
        }

        Assert.Equal(0, table.Each().Min(r => r.Number("difference_to_best")));
        var here = Search($"{SearchStudy.Ask},\"multiple_of\":4").Best();
        var mine = table.Each().Where(r => r.Count("multiple_of") == 4).ToDictionary(r => r.Text("pick"), r => r.Text("shape"));
        Assert.Equal((here.Accurate.Shape, here.Efficient.Shape), (mine["accurate"], mine["efficient"]));
    }

    [Fact]
    public void Picks_trade_places_where_their_speeds_say()
    {
        var best = OnH200("").Best();
        var place = best.TradePlaces.Single(p => p is { First: "efficient", Second: "baseline" });
        var (efficient, baseline) = (best.Efficient.ToShape(), best.Baseline!.ToShape());
        double Lead(int batch) => SpeedAt(efficient, batch) - SpeedAt(baseline, batch);

        // Alone, the wide model pays for its embeddings; with company, its small cache wins.
        Assert.Equal("baseline", place.FasterAtBatch1);
        Assert.True(Lead(1) < 0 && Lead(place.Batch!.Value) > 0 && Lead(place.Batch!.Value - 1) <= 0, $"{place}");
        Assert.Equal(3, best.TradePlaces.Count);
    }

    [Fact]
    public void The_valley_counts_what_is_as_good_as_the_best()
    {
        var result = Search($"{SearchStudy.Ask},\"multiple_of\":2");
        var valley = result.Best().Valley!;
        var rows = result.Table("candidates.csv").Each().Where(r => r.Number("predicted") <= result.Best().Accurate.Predicted + 0.001).ToList();
        Assert.Equal(rows.Count, valley.Candidates);
        Assert.Equal((rows.Min(r => r.Number("x")), rows.Max(r => r.Number("x"))), (valley.X.Low, valley.X.High));
        Assert.True(valley.Candidates > 1);
    }

    [Fact]
    public void Speeds_have_the_interval_of_the_calibrations_held_out_error()
    {
        var result = Search(SearchStudy.Ask);
        double error = result.Best().Device.HeldOutError!.Value;
        Assert.All(result.Table("candidates.csv").Each(), r => Assert.Equal(r.Number("tokens_per_second") * (1 - 1.959964 * error), r.Number("tokens_per_second_low"), 1e-6));
        Assert.All(OnH200("").Table("front.csv").Each(), r => Assert.Equal("", r.Text("tokens_per_second_low")));
    }

    [Fact]
    public void The_efficient_pick_gains_what_it_should_at_the_published_grouping_and_more_where_it_is_free()
    {
        var four = OnH200("").Best();
        Assert.InRange(four.Efficient.TokensPerSecond / four.Baseline!.TokensPerSecond, 1.1, 1.25);
        var free = OnH200(",\"gqa\":[4,5,6,7,8,9],\"penalties\":{\"gqa\":0.004}").Best();
        Assert.True(free.Efficient.TokensPerSecond > four.Efficient.TokensPerSecond);
        Assert.Equal(four.Efficient.Shape, free.EfficientAtFittedGqa!.Shape);
    }

    [Fact]
    public void With_its_grouping_free_under_a_penalty_and_a_margin_for_the_misfit_the_efficient_pick_is_the_published_one()
    {
        string settings = Published(",\"gqa\":[4,5,6,7,8,9],\"penalties\":{\"gqa\":0.002},\"probability\":0.9,\"misfit\":0.002");
        var best = SearchStudy.Search(_folder, settings.Replace("\"multiple_of\":256", "\"multiple_of\":512"), s_paper).Best();
        var efficient = best.Efficient;
        Assert.Equal((2560, 6144, 36, 4), (efficient.Hidden, efficient.Intermediate, efficient.Heads, efficient.KvHeads));
        Assert.Equal(1.4607, efficient.TokensPerSecond / best.Baseline!.TokensPerSecond, 1e-4);
    }

    [Fact]
    public void Tens_of_thousands_of_shapes_and_a_thousand_resamples_take_seconds()
    {
        double[][] resamples = [.. Enumerable.Range(0, 1000).Select(i => (double[])[0.8, 20, 30, 0.35, 0.3, 1, 0.1 + 0.00002 * (i - 500), 0.024, 1, 0.05, 0.075, 0])];
        string law = SearchStudy.Law(_folder, d => d with { Resamples = resamples });
        var watch = Stopwatch.StartNew();
        var rows = SearchStudy.Search(_folder, "{\"size\":1000000,\"tokens_per_parameter\":20,\"multiple_of\":1,\"tolerance\":0.007,\"baseline\":{\"hidden\":200,\"ratio\":4}}", law, SearchStudy.Speed(_folder)).Table("candidates.csv");
        Assert.InRange(rows.Rows.Count, 30_000, 200_000);

        // Some four seconds on one core; the bound leaves room for a busy machine.
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(60), $"{rows.Rows.Count} shapes took {watch.Elapsed}");
    }

    [Fact]
    public void A_lifetime_is_priced_by_the_peak_that_measured_rows_tell()
    {
        string speed = SearchStudy.Speed(_folder);
        const string Ask = "{" + SearchStudy.Ask + ",\"objective\":\"lifetime_cost\",\"served_tokens\":1e9,\"training_context\":64}";
        Assert.Equal("SCAL7324", Assert.Throws<StageFailedException>(() => SearchStudy.Search(_folder, Ask, SearchStudy.Law(_folder), speed)).Diagnostics[0].Code);
        var rows = Table.Read(speed);
        new Table([.. rows.Columns, "peak_flops"], [.. rows.Rows.Select(r => (string[])[.. r, "2e10"])]).Write(speed);
        var pick = SearchStudy.Search(_folder, Ask, SearchStudy.Law(_folder), speed).Best().Efficient;
        double hours = (TrainingCost.FlopsPerToken(pick.ToShape(), 64) * 1_280_000.0 / (2e10 * 0.4) + 1e9 / pick.TokensPerSecond) / 3600;
        Assert.Equal(hours, pick.Objective!.Value, 1e-9 * hours);
    }

    private static double SpeedAt(DecoderShape shape, int batch)
    {
        var workload = new Workload(4096, 1024, batch);
        return Speed.Predict(Roofline.Of(Device.H200), shape, workload.Of(ServingMemory.LargestBatch(shape, workload, 141e9))).TokensPerSecond;
    }

    private StageResult Search(string settings) => SearchStudy.Search(_folder, $"{{{settings}}}", SearchStudy.Law(_folder), SearchStudy.Speed(_folder));

    private StageResult References(string path) => SearchStudy.Search(_folder, Published(""), s_paper, null, ("references", path));

    private StageResult OnH200(string more) => SearchStudy.Search(_folder, Published(more), s_paper);

    private static string Published(string more) =>
        "{\"size\":973078528,\"tokens_per_parameter\":100,\"tolerance\":0.025,\"layers\":[16],\"multiple_of\":256,\"x\":[0.05,0.12],\"device\":\"h200\",\"workload\":{\"prompt\":4096,\"output\":1024,\"batch\":64},"
        + "\"baseline\":{\"hidden\":2048,\"intermediate\":8192,\"gqa\":4,\"loss\":2.803}" + more + "}";

    /// <summary>Rows of variants as `measure` would leave them after a walk: speeds from one on, all others skipped.</summary>
    private string Measured(Table variants, int start, double[] speeds)
    {
        var rows = variants.Each().Select(r => DecoderShape.FromCells(r.Count, r.Truth)).Select((shape, i) =>
        {
            bool reached = i >= start && i < start + speeds.Length;
            double rate = reached ? speeds[i - start] : 0, latency = reached ? 8 * 64 / rate : 0;
            object?[] cells =
            [
                .. shape.Cells(), 128, 64, 8, 1, "float32", "cpu-2", reached ? latency / 2 : null, reached ? latency / 2 / 63 : null, reached ? rate : null, reached ? rate - 100 : null, reached ? rate + 100 : null,
                4.0 * shape.KvElementsPerToken, shape.ParametersTotal * 4, 5, reached ? "measured" : "skipped",
            ];
            return cells.Select(Table.Cell).ToArray();
        });
        string path = _folder["walked.csv"];
        new Table(SearchStudy.SpeedColumns, [.. rows]).Write(path);
        return path;
    }

    private string Write(string name, DecoderShape[] shapes, string[] more)
    {
        string path = _folder[name];
        new Table([.. Vocabulary.ShapeTerms.Select(t => t.Name), .. more], [.. shapes.Select(s => s.Cells().Select(Table.Cell).ToArray())]).Write(path);
        return path;
    }
}
