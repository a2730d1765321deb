// Studies whose truth is known: the printed shape terms on the printed base law, and what training and rounding add to them.
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Random;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>How single runs scatter.</summary>
internal enum RunNoise
{
    /// <summary>Normal.</summary>
    Normal,

    /// <summary>Student's t with 3 degrees of freedom, scaled to the same standard deviation.</summary>
    HeavyTailed,
}

/// <summary>How a study is laid out, and what disturbs it. The defaults are the study that the targets are stated for.</summary>
/// <param name="Name">One word, as <c>--design</c> takes it.</param>
/// <param name="Description">A phrase.</param>
internal sealed record WorldDesign(string Name, string Description)
{
    /// <summary>N of each size before rounding.</summary>
    public IReadOnlyList<double> Sizes { get; init; } = [8e7, 1.45e8, 2.97e8, 1e9];

    /// <summary>Shapes of each size. Default: 50.</summary>
    public int ShapesPerSize { get; init; } = 50;

    /// <summary>Values an axis of a regular grid of x and ratio; null: both are drawn. Default: null.</summary>
    public int? GridValues { get; init; }

    /// <summary>d/√N, log-uniform. Default: .04 to .16.</summary>
    public Interval X { get; init; } = new(0.04, 0.16);

    /// <summary>MLP over attention parameters, log-uniform. Default: .5 to 5.</summary>
    public Interval Ratio { get; init; } = new(0.5, 5);

    /// <summary>How far rounding moves N, as a share, uniform to both sides. Default: .02.</summary>
    public double Rounding { get; init; } = 0.02;

    /// <summary>D/N. Default: 100.</summary>
    public double TokensPerParameter { get; init; } = 100;

    /// <summary>Whether D follows the rounded N; else all shapes of a size have one D. Default: true.</summary>
    public bool TokensFollowRounding { get; init; } = true;

    /// <summary>Standard deviation of what all runs of a size share, nats a token. Default: .003.</summary>
    public double LevelNats { get; init; } = 0.003;

    /// <summary>Standard deviation of a run of the smallest and of the largest size, nats a token; between them it falls evenly from size to size. Default: .01.</summary>
    public (double Smallest, double Largest) RunNats { get; init; } = (0.01, 0.01);

    /// <summary>How runs scatter. Default: normal.</summary>
    public RunNoise Noise { get; init; } = RunNoise.Normal;

    /// <summary>Whether the shape matters; else a1 = a2 = b1 = b2 = 0. Default: true.</summary>
    public bool Curved { get; init; } = true;
}

/// <summary>A study drawn from a design.</summary>
/// <param name="Runs">Its table.</param>
/// <param name="BestLoss">L_opt of each run's size and budget, what its size shares included, nats a token: what no study sees.</param>
internal sealed record SyntheticWorld(IReadOnlyList<TrainingRun> Runs, IReadOnlyList<double> BestLoss)
{
    /// <summary>x* .080, r* 1.032 (arXiv 2510.18245).</summary>
    public static readonly ShapeTerms Shape = PublishedShapeTerms.From80MTo297M;

    /// <summary>The same terms without a valley.</summary>
    public static readonly ShapeTerms Flat = Shape with { Coefficients = Shape.Coefficients with { A1 = 0, A2 = 0, B1 = 0, B2 = 0 } };

    /// <summary>Hoffmann et al. 2022, as printed.</summary>
    public static readonly ChinchillaLaw Base = new(1.69, 406.4, 410.7, 0.34, 0.28);

    /// <summary>Draws a world.</summary>
    /// <param name="design">Its layout.</param>
    /// <param name="seed">Of the study.</param>
    /// <param name="world">Which; each has a stream of its own.</param>
    public static SyntheticWorld Draw(WorldDesign design, int seed, int world)
    {
        // Negative seeds, as resamples have positive ones.
        var random = new Xoshiro256StarStar(unchecked(-1 - (seed * 1_000_003 + world)), threadSafe: false);
        var shape = design.Curved ? Shape : Flat;
        var runs = new List<TrainingRun>();
        var best = new List<double>();
        for (int size = 0; size < design.Sizes.Count; size++)
        {
            double nominal = design.Sizes[size], level = design.LevelNats * Normal.Sample(random, 0, 1), deviation = Deviation(design, size);
            foreach (var (x, ratio) in Shapes(design, random))
            {
                double parameters = nominal * (1 + design.Rounding * (2 * random.NextDouble() - 1));
                double tokens = design.TokensPerParameter * (design.TokensFollowRounding ? parameters : nominal);
                best.Add(Base.Predict(parameters, tokens) + level);
                var point = new LawPoint(parameters, tokens) { X = x, Ratio = ratio };
                double loss = shape.Apply(best[^1], point) + deviation * Unit(design.Noise, random);
                runs.Add(new TrainingRun(runs.Count + 1, parameters, tokens, loss) { X = x, Ratio = ratio });
            }
        }

        return new SyntheticWorld(runs, best);
    }

    private static double Deviation(WorldDesign design, int size)
    {
        var (smallest, largest) = design.RunNats;
        return smallest + (largest - smallest) * size / (design.Sizes.Count - 1);
    }

    private static IEnumerable<(double X, double Ratio)> Shapes(WorldDesign design, Xoshiro256StarStar random)
    {
        static double Between(Interval range, double share) => range.Low * Math.Pow(range.High / range.Low, share);
        if (design.GridValues is { } values)
        {
            return from i in Enumerable.Range(0, values)
                   from j in Enumerable.Range(0, values)
                   select (Between(design.X, i / (values - 1.0)), Between(design.Ratio, j / (values - 1.0)));
        }

        return Enumerable.Range(0, design.ShapesPerSize).Select(_ => (Between(design.X, random.NextDouble()), Between(design.Ratio, random.NextDouble())));
    }

    /// <summary>Of mean 0 and variance 1; t with 3 degrees of freedom has variance 3.</summary>
    private static double Unit(RunNoise noise, Xoshiro256StarStar random) =>
        noise == RunNoise.Normal ? Normal.Sample(random, 0, 1) : StudentT.Sample(random, 0, 1 / Math.Sqrt(3), 3);
}
