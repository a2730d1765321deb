// The width-over-depth law: published figures of data/morph, which another program reached too.
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

public sealed class WidthOverDepthTests
{
    private static readonly LawOptions s_options = new() { Law = LawKind.WidthOverDepth, Objective = ObjectiveKind.LeastSquares };

    [SharedDataFact]
    public void The_published_law_of_morph_comes_back()
    {
        var (fitted, all) = Runs();
        var law = Fit(fitted, s_options);

        // Published with an optimiser that stopped 1e-5 short; γ is printed with two digits.
        Assert.Equal(27, fitted.Count);
        Assert.Equal(54754.8, law.Base.A, 54754.8 * 3e-5);
        Assert.Equal(778351.8, law.Base.B, 778351.8 * 3e-5);
        Assert.Equal(2.4475, law.Base.E, 5e-5);
        Assert.Equal(0.6146, law.Base.Alpha, 5e-5);
        Assert.Equal(law.Base.Alpha, law.Base.Beta);
        Assert.Equal(0.0011, law.Shape!.Coefficients.Gamma, 5e-5);

        // Half the sum of squares at the minimum of 237 of another program's 243 starts.
        Assert.Equal(0.005088770823877, law.Base.Objective!.Value, 0.0051 * 1e-8);

        double[] predicted = [.. all.Select(r => law.Predict(LawPoint.Of(r)))];
        double[] measured = [.. all.Select(r => r.Loss)];
        double mean = measured.Average();
        Assert.Equal(76, all.Count);
        Assert.Equal(0.00055, Scores.MeanSquaredError(predicted, measured), 5e-6);
        Assert.Equal(0.99824, 1 - Scores.MeanSquaredError(predicted, measured) / measured.Average(l => (l - mean) * (l - mean)), 5e-6);
    }

    [SharedDataFact]
    public void Only_the_shape_term_ranks_the_variants_of_one_billion()
    {
        var (fitted, all) = Runs();
        var variants = all.Where(r => r.Shape.StartsWith("1B_", StringComparison.Ordinal) && r.Tokens < 25 * r.Parameters).ToList();
        double? Rank(LawDocument law) => Scores.Spearman([.. variants.Select(r => law.Predict(LawPoint.Of(r)))], [.. variants.Select(r => r.Loss)]);

        Assert.Equal(4, variants.Count);
        Assert.Equal(1.0, Rank(Fit(fitted, s_options)));
        Assert.Equal(-0.4, Rank(Fit(fitted, s_options with { Law = LawKind.Chinchilla }))!.Value, 1e-9);
    }

    [Fact]
    public void Without_variation_there_is_no_term()
    {
        TrainingRun[] runs = [.. from n in new[] { 1e7, 3e7, 1e8, 3e8 } from m in new[] { 10.0, 20, 40 } select new TrainingRun(1, n, n * m, 1.7 + 500 / Math.Pow(n, 0.3) + 900 / Math.Pow(n * m, 0.3)) { WidthOverDepth = 64 }];
        var law = Fit(Studies.Noisy(runs, 0.001, 1), s_options);

        Assert.Equal(0, law.Shape!.Coefficients.Gamma);
        Assert.Equal(Identification.NotIdentified, law.Verdict("gamma")!.Identification);
        Assert.InRange(law.Certificate!.GradientNorm, 0, 1e-6);
        Assert.Equal(1.7 + 500 / Math.Pow(1.2e9, 0.3) + 900 / Math.Pow(2.4e10, 0.3), law.Predict(1.2e9, 2.4e10), 0.02);
    }

    [Theory]
    [InlineData(ObjectiveKind.LogHuber)]
    [InlineData(ObjectiveKind.LeastSquares)]
    public void An_exact_law_comes_back(ObjectiveKind objective)
    {
        var truth = new ChinchillaLaw(1.7, 500, 900, 0.4, 0.4);
        var runs = (from n in new[] { 1e7, 3e7, 1e8, 3e8 } from m in new[] { 10.0, 40 } from s in new[] { 30.0, 60, 120 } select (n, m, s)).Select((p, i) =>
            new TrainingRun(i + 1, p.n, p.n * p.m, truth.Predict(p.n, p.n * p.m) * (1 + 0.002 * Math.Pow(p.s, 0.4))) { WidthOverDepth = p.s }).ToList();
        var law = Fit(runs, s_options with { Objective = objective, Resamples = 20 });

        Assert.Equal(0.4, law.Base.Alpha, 1e-6);
        Assert.Equal(0.002, law.Shape!.Coefficients.Gamma, 1e-7);
        Assert.Equal(1.7, law.Base.E, 1e-5);
        Assert.All(law.ResampledLaws(), r => Assert.Equal(0.4, r.Shape!.Coefficients.Exponent, 1e-5));
    }

    private static (IReadOnlyList<TrainingRun> Fitted, IReadOnlyList<TrainingRun> All) Runs()
    {
        var all = Studies.Morph();
        return ([.. all.Where(r => r.Fitted).Select(r => r.Run)], [.. all.Select(r => r.Run)]);
    }

    private static LawDocument Fit(IReadOnlyList<TrainingRun> runs, LawOptions options) => LawFit.Fit(runs, new LawContext(), options).Document;
}
