// Times of shapes that took turns, and what they tell: medians, ratios within a round, and whether the machine still drifts.
using Scaling.Torch;
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>How fast a shape was.</summary>
/// <param name="TimeToFirstToken">Median seconds.</param>
/// <param name="TimePerOutputToken">Median seconds of a decode step.</param>
/// <param name="Relative">Tokens a second over the anchor's of the same round.</param>
/// <param name="TokensPerSecond">Output tokens: <paramref name="Relative"/> times the anchor's median. What slows every shape for some rounds leaves the ratio alone, and widens this interval through the anchor.</param>
internal sealed record ShapeSpeed(double TimeToFirstToken, double TimePerOutputToken, Median Relative, Median TokensPerSecond);

/// <summary>Rounds in which every shape was timed once.</summary>
/// <param name="Workload">What they did.</param>
/// <param name="Rounds">In the order of time; all hold the same shapes.</param>
internal sealed record MeasuredRounds(Workload Workload, IReadOnlyList<IReadOnlyDictionary<DecoderShape, WorkloadTime>> Rounds)
{
    /// <summary>|S| over its standard deviation beyond which a trend counts: 5 % of series without one have that.</summary>
    private const double Significant = 1.96;

    /// <summary>A trend of less between the halves of the rounds matters to nobody.</summary>
    private const double SmallestDrift = 0.01;

    /// <summary>A shape's speed.</summary>
    /// <param name="shape">Timed in the rounds.</param>
    /// <param name="anchor">Timed in the rounds; may be the shape itself.</param>
    public ShapeSpeed Of(DecoderShape shape, DecoderShape anchor)
    {
        double[] ratios = Ratios(shape, anchor);
        return new ShapeSpeed(
            Median.Middle(Rounds.Select(r => r[shape].TimeToFirstToken)),
            Median.Middle(Rounds.Select(r => r[shape].DecodeSeconds / (Workload.Output - 1))),
            Median.Of(ratios),
            Median.OfProduct([ratios, [.. Rounds.Select(r => TokensPerSecond(r[anchor]))]]));
    }

    /// <summary>Tokens a second over another shape's of the same round.</summary>
    public Median Relative(DecoderShape shape, DecoderShape other) => Median.Of(Ratios(shape, other));

    /// <summary>
    /// Whether all shapes become slower or faster together: the trend of the rounds' level (the median over shapes of a run's time against that shape's median) by Mann and Kendall's test
    /// (Mann 1945; S = Σ sign(later − earlier), variance n(n − 1)(2n + 5)/18), and its second half differs from its first by more than 1 %. Three rounds never show one.
    /// </summary>
    public bool Drift()
    {
        double[] levels = Levels();
        int n = levels.Length, half = n / 2;
        int s = (from i in Enumerable.Range(0, n) from j in Enumerable.Range(0, i) select Math.Sign(levels[i] - levels[j])).Sum();
        return Math.Abs(s) > Significant * Math.Sqrt(n * (n - 1) * (2 * n + 5) / 18.0)
            && Math.Abs(Median.Middle(levels[^half..]) / Median.Middle(levels[..half]) - 1) > SmallestDrift;
    }

    private double[] Levels()
    {
        var medians = Rounds[0].Keys.ToDictionary(s => s, s => Median.Middle(Rounds.Select(r => Seconds(r[s]))));
        return [.. Rounds.Select(r => Median.Middle(r.Select(t => Seconds(t.Value) / medians[t.Key])))];
    }

    private double[] Ratios(DecoderShape shape, DecoderShape other) => [.. Rounds.Select(r => Seconds(r[other]) / Seconds(r[shape]))];

    private double TokensPerSecond(WorkloadTime time) => Workload.Batch * (double)Workload.Output / Seconds(time);

    private static double Seconds(WorkloadTime time) => time.TimeToFirstToken + time.DecodeSeconds;
}
