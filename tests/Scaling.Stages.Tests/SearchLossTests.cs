// How `search` holds losses against a baseline or a value: level, misfit, probability, penalties, and laws that do not say enough.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class SearchLossTests : IDisposable
{
    private const string Baselines = "pipelines/baselines/", Paper = "pipelines/laws/paper-80m-297m.json";

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Printed_constants_and_a_configuration_find_the_published_shape_in_the_baselines_nats()
    {
        var result = Published("\"loss\":2.803");
        var best = result.Best();
        Assert.Equal((2560, 4096, 72, 18), (best.Accurate.Hidden, best.Accurate.Intermediate, best.Accurate.Heads, best.Accurate.KvHeads));
        Assert.Equal((LossLevel.Baseline, 2.803), (best.Level, best.Baseline!.Predicted));
        Assert.Equal(2.803 * (1.0028436665516713 / 1.0157219500350207 - 1), best.Accurate.LossDifference!.Value, 1e-12);
        Assert.Equal(["SCAL7321"], result.Warnings.Select(w => w.Code));
    }

    [Fact]
    public void Without_a_level_losses_are_factors_and_what_needs_nats_is_refused()
    {
        var best = Published("").Best();
        Assert.Equal(LossLevel.Factor, best.Level);
        Assert.Equal(1.0028436665516713, best.Accurate.Predicted, 1e-12);
        var error = Assert.Throws<StageFailedException>(() => Published("", ",\"misfit\":0.002,\"hold\":\"parameters_total\",\"penalties\":{\"gqa\":0.001}"));
        Assert.Contains("'hold', 'misfit', 'penalties' need more", error.Message, StringComparison.Ordinal);
        Assert.Equal("SCAL7323", Assert.Single(error.Diagnostics).Code);
        Assert.Equal("SCAL7323", Assert.Single(Assert.Throws<StageFailedException>(() => Published("\"loss\":2.803", ",\"hold\":\"train_flops\"")).Diagnostics).Code);
    }

    [Fact]
    public void A_baseline_that_is_no_Llama_is_told_with_every_flaw()
    {
        string path = _folder.Write("config.json", """{ "model_type": "gpt2", "hidden_size": 64, "intermediate_size": 128, "num_attention_heads": 8, "vocab_size": 256 }""");
        var error = Assert.Throws<StageFailedException>(() => Search($"\"baseline\":{{\"config\":{Files(path)}}}"));
        Assert.Equal(
            ["The baseline is no Llama: its model_type is 'gpt2', where 'llama' was expected.", "The baseline is no Llama: it has no num_hidden_layers."], error.Diagnostics.Select(d => d.Message));
        Assert.All(error.Diagnostics, d => Assert.Equal("SCAL7325", d.Code));
        Assert.Equal("SCAL7312", Fails($"\"baseline\":{{\"config\":{Files(path)},\"hidden\":64}}").Code);
        Assert.Equal("SCAL7312", Fails("\"baseline\":{\"ratio\":2}").Code);
    }

    [Fact]
    public void A_probability_is_the_mean_over_resamples_of_what_the_misfit_leaves_of_the_gap()
    {
        // Against the integral itself: shares of a normal by counting its own grid of quantiles.
        var law = LawDocument.Read(Law());
        double[][] resamples = [.. Enumerable.Range(0, 40).Select(i => (double[])[0.8, 20, 30, 0.35, 0.3, 1, 0.1 + 0.002 * (i - 20), 0.024, 1, 0.05 + 0.001 * (i % 7), 0.075, 0])];
        law = law with { Resamples = resamples };
        var forecast = new LossForecast(law, null, 0.003);
        PenalisedPoint At(double x, double ratio) => new(new LawPoint(64_000, 1_280_000) { X = x, Ratio = ratio }, 0);
        var (candidate, baseline) = (At(0.3, 2.2), At(0.2, 2.6));
        double[] gaps = [.. law.ResampledLaws().Select(r => r.Shape!.Apply(r.Base.Predict(64_000, 1_280_000), baseline.Point) - r.Shape!.Apply(r.Base.Predict(64_000, 1_280_000), candidate.Point))];
        double[] quantiles = [.. Enumerable.Range(0, 4000).Select(i => Quantile((i + 0.5) / 4000) * 0.003 * Math.Sqrt(2))];
        double expected = gaps.Average(g => quantiles.Average(q => q <= g ? 1.0 : 0));
        Assert.Equal(expected, forecast.Probability(candidate, new LossThreshold(baseline, null), 1), 1e-4); // A step of the grid is 1/4000, and 40 of them average.
        Assert.InRange(expected, 0.05, 0.95);
        Assert.Equal(1, forecast.Probability(baseline, new LossThreshold(baseline, null), 1));
    }

    [Fact]
    public void Another_shape_at_the_baselines_place_is_missed_by_its_own()
    {
        // With the head size free, (16, 4 × 128) lies where the baseline (32, 8 × 64) does: even odds, not certainty.
        var result = Published("\"loss\":2.803", ",\"head_size\":[64,128],\"penalties\":{\"head_size\":0},\"misfit\":0.01,\"probability\":0.4");
        var twin = result.Table("candidates.csv").Each().Single(r => (r.Count("hidden"), r.Count("intermediate"), r.Count("heads"), r.Count("head_size")) == (2048, 8192, 16, 128));
        Assert.Equal(0.5, twin.Number("probability_feasible"), 1e-9);
    }

    [Fact]
    public void Candidates_have_the_baselines_vocabulary_and_another_is_told()
    {
        Assert.Equal(128_256, Published("\"loss\":2.803").Best().Accurate.Vocabulary);
        Assert.Contains("SCAL7332", Published("\"loss\":2.803", ",\"vocabulary\":32000").Warnings.Select(w => w.Code));
    }

    [Fact]
    public void More_probability_or_more_misfit_leaves_fewer_shapes()
    {
        var plain = Feasible("");
        var probable = Feasible(",\"probability\":0.9,\"misfit\":0.002");
        var doubtful = Feasible(",\"probability\":0.9,\"misfit\":0.004");
        Assert.True(doubtful.IsProperSubsetOf(probable) && probable.IsProperSubsetOf(plain));
        var search = Search($"{Ask},\"probability\":0.9,\"misfit\":0.002");
        var rows = search.Table("candidates.csv");
        Assert.All(rows.Each(), r => Assert.Equal(r.Number("probability_feasible") >= 0.9, r.Truth("feasible")));

        // The baseline does not differ from itself; that another shape lies at the same x and ratio says less.
        string itself = search.Best().Baseline!.Shape;
        Assert.All(rows.Each(), r => Assert.Equal(r.Text("shape") == itself ? 0 : 1.959964 * 0.002 * Math.Sqrt(2), r.Number("predicted_high") - r.Number("predicted"), 1e-9));
    }

    [Fact]
    public void A_misfit_is_taken_from_held_out_scores_then_from_replicates_and_else_unknown()
    {
        string scores = _folder.Write("scores.json", """
            { "held_out": null, "reason": "None.", "rollout": [ { "near_sizes": null, "all_sizes": {
              "size": 32000, "fitted_rows": 14, "fitted_sizes": [8000, 16000], "form": "multiplicative", "verdicts": [],
              "budgets": [ { "tokens": 640000, "rows": 4, "mse": 0.1, "spearman": null, "spearman_reason": "", "spearman_interval": null, "level_error": 0, "shape_error": 0.005, "coverage": 1, "pick": 1, "regret": 0, "regret_of_copy": 0, "regret_of_quadratic": 0 } ],
              "all": { "tokens": 640000, "rows": 4, "mse": 0.1, "spearman": null, "spearman_reason": "", "spearman_interval": null, "level_error": 0, "shape_error": 0.005, "coverage": 1, "pick": 1, "regret": 0, "regret_of_copy": 0, "regret_of_quadratic": 0 } } } ] }
            """);
        string seeds = Law(d => d with { Fit = d.Fit! with { RunNoise = 0.005, ReplicateNoise = 0.003, ReplicateFreedom = 4 } });
        Assert.Equal(0.004, SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"multiple_of\":4}}", seeds, SearchStudy.Speed(_folder), ("scores", scores)).Best().Misfit!.Value, 1e-12);
        Assert.Equal(0.004, SearchStudy.Search(_folder, $"{{{SearchStudy.Ask}}}", seeds, SearchStudy.Speed(_folder)).Best().Misfit!.Value, 1e-12);
        Assert.Equal(0.001, SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"misfit\":0.001}}", seeds, SearchStudy.Speed(_folder)).Best().Misfit);
        Assert.Null(Search(Ask).Best().Misfit);
        string quiet = Law(d => d with { Fit = d.Fit! with { RunNoise = 0.003, ReplicateNoise = 0.004, ReplicateFreedom = 4 } });
        var unseen = SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"probability\":0.9}}", quiet, SearchStudy.Speed(_folder));
        Assert.Equal("unknown: the runs scatter by no more than seeds do", unseen.Best().MisfitSource);
        Assert.Equal(["SCAL7327"], unseen.Warnings.Select(w => w.Code));
        Assert.Null(unseen.Best().Accurate.PredictedLow);
        Assert.Equal(["SCAL7327"], Search($"{Ask},\"probability\":0.9").Warnings.Select(w => w.Code));
        var broken = Assert.Throws<StageFailedException>(() => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask}}}", Law(), SearchStudy.Speed(_folder), ("scores", _folder.Write("broken.json", "[]"))));
        Assert.Equal("SCAL7328", Assert.Single(broken.Diagnostics).Code);
    }

    [Fact]
    public void A_loss_at_most_takes_the_place_of_the_baselines()
    {
        var rows = Search("\"loss_at_most\":1.745").Table("candidates.csv").Each().ToList();
        Assert.All(rows, r => Assert.Equal(r.Number("predicted") <= 1.745, r.Truth("feasible")));
        Assert.Contains(rows, r => r.Truth("feasible"));
        Assert.Contains(rows, r => !r.Truth("feasible"));
    }

    [Theory]
    [InlineData("parameters_total")]
    [InlineData("train_flops")]
    [InlineData("decode_bytes")]
    public void What_is_held_is_held_at_the_baselines_and_losses_are_those_of_each_size(string hold)
    {
        string law = Law();
        var result = SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"multiple_of\":4,\"hold\":\"{hold}\",\"training_context\":64}}", law, SearchStudy.Speed(_folder));
        var held = new HeldMeasure(result.Best().Hold, result.Best().Workload, 64);
        double value = held.Of(result.Best().Baseline!.ToShape());
        var document = LawDocument.Read(law);
        var rows = result.Table("candidates.csv").Each().ToList();
        foreach (var r in rows)
        {
            var shape = DecoderShape.FromCells(r.Count, r.Truth);
            Assert.InRange(held.Of(shape), 0.99 * value, 1.01 * value);
            Assert.Equal(document.Predict(shape.Parameters, 1_280_000, shape.X, shape.Ratio), r.Number("predicted"), 1e-12);
        }

        Assert.Contains(rows, r => Math.Abs(r.Number("parameters") / 64_000 - 1) > 0.011);
    }

    [Fact]
    public void An_axis_of_several_values_needs_a_term_or_a_penalty()
    {
        var error = Assert.Throws<StageFailedException>(() => Search($"{Ask},\"gqa\":[2,4],\"layers\":[2,3]"));
        Assert.Equal(["SCAL7302", "SCAL7302"], error.Diagnostics.Select(d => d.Code));
        Assert.Equal("Candidates and baseline have 2, 4 for 'gqa', and the law has no term for it: in its eyes every one of them loses the same.", error.Diagnostics[0].Message);
        Assert.Equal("SCAL7302", Fails($"{Ask},\"gqa\":[4]").Code);

        string term = Law(d => d with { Shape = d.Shape! with { Terms = [new ExtraTerm(LawTerm.Gqa, "", 0.01, 2)] } });
        Assert.Empty(SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"gqa\":[2,4]}}", term, SearchStudy.Speed(_folder)).Warnings);
    }

    [Fact]
    public void A_penalty_is_charged_for_every_doubling_away_from_the_runs()
    {
        var free = Search($"{Ask},\"gqa\":[1,2,4,8],\"penalties\":{{\"gqa\":0}}");
        var charged = Search($"{Ask},\"gqa\":[1,2,4,8],\"penalties\":{{\"gqa\":0.004}}");
        var before = free.Table("candidates.csv").Each().ToDictionary(r => r.Text("shape"), r => r.Number("predicted"));
        Assert.All(charged.Table("candidates.csv").Each(), r => Assert.Equal(before[r.Text("shape")] + 0.004 * Math.Abs(Math.Log2(r.Number("gqa") / 2)), r.Number("predicted"), 1e-12));
        Assert.Equal(0.004, charged.Best().Penalties["gqa"]);
        Assert.Equal([1, 2, 4, 8], charged.Best().Gqa);
        Assert.Equal(2, charged.Best().EfficientAtFittedGqa!.Gqa);
        Assert.True(free.Best().Efficient.Gqa > 2 && free.Best().Efficient.TokensPerSecond >= charged.Best().Efficient.TokensPerSecond);

        // The baseline pays as a candidate does.
        var elsewhere = Search("\"baseline\":{\"hidden\":48,\"ratio\":4,\"gqa\":4},\"gqa\":[4],\"penalties\":{\"gqa\":0.004}");
        Assert.Equal(0.004, elsewhere.Best().Baseline!.Predicted - Search("\"baseline\":{\"hidden\":48,\"ratio\":4,\"gqa\":4},\"gqa\":[4]").Best().Baseline!.Predicted, 1e-12);
    }

    [Fact]
    public void What_is_not_identified_is_held_or_widened_or_stops_the_search()
    {
        LawDocument Open(LawDocument d) => d with { Verdicts = [new Verdict("x_star", Identification.NotIdentified, "One width only.")] };
        var held = SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"multiple_of\":4}}", Law(Open), SearchStudy.Speed(_folder));
        double x = held.Best().Baseline!.X;
        Assert.All(held.Table("candidates.csv").Each(), r => Assert.InRange(r.Number("x"), 0.9 * x, 1.1 * x));
        Assert.Contains("holds x near the baseline", Assert.Single(held.Warnings).Hint, StringComparison.Ordinal);

        double[][] resamples = [.. Enumerable.Range(0, 40).Select(i => (double[])[0.8, 20, 30, 0.35, 0.3, 1, 0.1 + 0.004 * (i - 20), 0.024, 1, 0.05, 0.075, 0])];
        int InSet(Func<LawDocument, LawDocument> change) => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"multiple_of\":4}}", Law(d => change(d) with { Resamples = resamples }), SearchStudy.Speed(_folder))
            .Table("candidates.csv").Each().Count(r => r.Truth("in_confidence_set"));
        Assert.True(InSet(Open) > InSet(d => d));

        var stopped = Assert.Throws<StageFailedException>(() => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"not_identified\":\"stop\"}}", Law(Open), SearchStudy.Speed(_folder)));
        Assert.Equal(("SCAL7326", "The law's runs do not determine x_star: One width only."), (stopped.Diagnostics[0].Code, stopped.Diagnostics[0].Message));
        string level = Law(d => d with { Verdicts = [new Verdict("prediction_along_ray", Identification.NotIdentified, "One size only.")] });
        Assert.Equal(["SCAL7307"], SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"not_identified\":\"stop\"}}", level, SearchStudy.Speed(_folder)).Warnings.Select(w => w.Code));
        Assert.Throws<StageFailedException>(() => SearchStudy.Search(_folder, $"{{{SearchStudy.Ask},\"not_identified\":\"stop\",\"hold\":\"decode_bytes\"}}", level, SearchStudy.Speed(_folder)));
    }

    private static string Ask => "\"baseline\":{\"hidden\":48,\"ratio\":4,\"gqa\":2}";

    private static string Files(string path) => $"{{\"text\":\"x\",\"scheme\":\"\",\"paths\":[\"{path}\"]}}";

    private HashSet<string> Feasible(string more) =>
        [.. Search(Ask + more).Table("candidates.csv").Each().Where(r => r.Truth("feasible")).Select(r => r.Text("shape"))];

    private StageResult Search(string settings) => SearchStudy.Search(_folder, $"{{\"size\":64000,\"tokens_per_parameter\":20,\"multiple_of\":4,{settings}}}", Law(), SearchStudy.Speed(_folder));

    private StageResult Published(string baseline, string more = "") => SearchStudy.Search(
        _folder,
        $"{{\"size\":973078528,\"tokens_per_parameter\":100,\"tolerance\":0.025,\"layers\":[16],\"multiple_of\":512,\"x\":[0.04,0.12],\"device\":\"h200\",\"workload\":{{\"prompt\":4096,\"output\":1024,\"batch\":64}},"
        + $"\"baseline\":{{\"config\":{Files(Path.Combine(Repository.Root, Baselines, "llama-3.2-1b.json"))}{(baseline.Length > 0 ? "," : "")}{baseline}}}{more}}}",
        Path.Combine(Repository.Root, Paper));

    private Diagnostic Fails(string settings) => Assert.Single(Assert.Throws<StageFailedException>(() => Search(settings)).Diagnostics);

    private string Law(Func<LawDocument, LawDocument>? change = null) => SearchStudy.Law(_folder, change);

    /// <summary>The standard normal's quantile by bisection of its series.</summary>
    private static double Quantile(double p)
    {
        static double Below(double z)
        {
            double term = z, sum = z;
            for (int k = 1; k < 200; k++)
            {
                term *= z * z / (2 * k + 1);
                sum += term;
            }

            return 0.5 + sum * Math.Exp(-z * z / 2) / Math.Sqrt(2 * Math.PI);
        }

        double low = -6, high = 6;
        for (int i = 0; i < 60; i++)
        {
            double middle = (low + high) / 2;
            (low, high) = Below(middle) < p ? (middle, high) : (low, middle);
        }

        return low;
    }
}
