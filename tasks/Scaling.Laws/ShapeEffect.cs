// Whether shapes of one size and budget differ by more than seeds do: analysis of variance.
using System.Globalization;
using MathNet.Numerics;

namespace Scaling.Laws;

/// <summary>
/// One-way analysis of variance of the losses of one size and budget: between shapes, and within them between seeds. Shapes of one size differ a little in N, by rounding; what
/// that does to the loss counts as theirs.
/// </summary>
/// <param name="Parameters">Geometric mean N.</param>
/// <param name="Tokens">Geometric mean D.</param>
/// <param name="Shapes">Shapes with at least two seeds.</param>
/// <param name="Runs">Their runs.</param>
/// <param name="F">Mean square between shapes over that within them; null where the seeds do not differ at all.</param>
/// <param name="BetweenFreedom">Shapes − 1.</param>
/// <param name="WithinFreedom">Runs − shapes.</param>
/// <param name="P">Probability of such an F or a larger one if shapes were alike.</param>
/// <param name="SeedNoise">Standard deviation within shapes, nats a token.</param>
/// <param name="ShapeDeviation">Standard deviation of the shapes' own losses, seed noise taken off, nats a token; 0 where that leaves nothing.</param>
/// <param name="ShuffledShare">Share of 500 shuffles of the runs over the shapes whose <see cref="P"/> is below .01: near .01 where the test is sound.</param>
public sealed record ShapeEffect(
    double Parameters, double Tokens, int Shapes, int Runs, double? F, int BetweenFreedom, int WithinFreedom, double P, double SeedNoise, double ShapeDeviation, double ShuffledShare)
{
    /// <summary>Shuffles of the check.</summary>
    public const int Shuffles = 500;

    /// <summary>Below this <see cref="P"/> shapes are said to differ.</summary>
    public const double Significance = 0.01;

    /// <summary>Of every (N, D) class with two shapes of two seeds each, by rising N and D.</summary>
    /// <param name="runs">Any number; those without a shape's name are left out.</param>
    /// <param name="seed">Of the shuffles.</param>
    public static IReadOnlyList<ShapeEffect> Of(IReadOnlyList<TrainingRun> runs, int seed)
    {
        int[] classes = SizeClasses.OfRuns(runs);
        var effects = new List<ShapeEffect>();
        foreach (var members in runs.Zip(classes).Where(r => r.First.Shape.Length > 0).GroupBy(r => r.Second, r => r.First).OrderBy(g => g.Key))
        {
            TrainingRun[][] shapes = [.. Replicates.Of(members).OrderBy(s => s[0].Shape, StringComparer.Ordinal).ThenBy(s => s[0].Row)];
            if (shapes.Length > 1)
            {
                effects.Add(Of(shapes, new Random(seed)));
            }
        }

        return effects;
    }

    /// <summary>Whether the share of significant shuffles, which scatters by .0044, is what it should be.</summary>
    public bool IsSound => ShuffledShare <= 0.025;

    /// <summary>The test in a few words, <c>F(4, 20) = 12.1, p = 2e-5</c>.</summary>
    public string Test()
    {
        if (F is not { } f)
        {
            return "the seeds do not differ";
        }

        string p = P < 1e-12 ? "p < 1e-12" : "p = " + P.ToString(P < 1e-4 ? "0.#e0" : "0.####", CultureInfo.InvariantCulture);
        return FormattableString.Invariant($"F({BetweenFreedom}, {WithinFreedom}) = {f:0.##}, {p}");
    }

    private static ShapeEffect Of(TrainingRun[][] shapes, Random random)
    {
        int[] sizes = [.. shapes.Select(s => s.Length)];
        TrainingRun[] runs = [.. shapes.SelectMany(s => s.OrderBy(r => r.Loss))];
        double[] losses = [.. runs.Select(r => r.Loss)];
        var (between, within) = MeanSquares(losses, sizes);
        within = Math.Sqrt(within) > 1e-12 * losses.Average() ? within : 0; // seeds that differ by rounding do not differ
        double p = Probability(between, within, sizes);
        int significant = 0;
        double[] shuffled = [.. losses];
        for (int i = 0; i < Shuffles; i++)
        {
            random.Shuffle(shuffled);
            var (b, w) = MeanSquares(shuffled, sizes);
            significant += Probability(b, w, sizes) < Significance ? 1 : 0;
        }

        // Runs a shape, where the counts differ: Snedecor's n0.
        double perShape = (losses.Length - sizes.Sum(n => (double)n * n) / losses.Length) / (sizes.Length - 1);
        return new ShapeEffect(
            SizeClasses.GeometricMean(runs.Select(r => r.Parameters)), SizeClasses.GeometricMean(runs.Select(r => r.Tokens)), sizes.Length, losses.Length,
            within > 0 ? between / within : null, sizes.Length - 1, losses.Length - sizes.Length, p, Math.Sqrt(within), Math.Sqrt(Math.Max(0, between - within) / perShape),
            (double)significant / Shuffles);
    }

    private static (double Between, double Within) MeanSquares(double[] losses, int[] sizes)
    {
        double grand = losses.Average(), between = 0, within = 0;
        int at = 0;
        foreach (int size in sizes)
        {
            var shape = losses.AsSpan(at, size);
            double mean = 0;
            foreach (double loss in shape)
            {
                mean += loss / size;
            }

            between += size * (mean - grand) * (mean - grand);
            foreach (double loss in shape)
            {
                within += (loss - mean) * (loss - mean);
            }

            at += size;
        }

        return (between / (sizes.Length - 1), within / (losses.Length - sizes.Length));
    }

    /// <summary>The upper tail of F's distribution, I(w/(w + b·F); w/2, b/2) with b and w degrees of freedom: exact also where it is small.</summary>
    private static double Probability(double between, double within, int[] sizes)
    {
        double b = sizes.Length - 1, w = sizes.Sum() - sizes.Length;
        return within > 0 ? SpecialFunctions.BetaRegularized(w / 2, b / 2, w / (w + b * between / within)) : between > 0 ? 0 : 1;
    }
}
