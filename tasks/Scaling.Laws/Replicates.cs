// Rows that are alike in all but the seed.
namespace Scaling.Laws;

/// <summary>
/// Runs of one shape, N, D, group and learning rate with several seeds. Two rows of one seed, as the end of a short run and a point of a longer one, are one model twice: the first
/// in the table counts.
/// </summary>
internal static class Replicates
{
    /// <summary>The sets with at least two seeds, in the order of the rows.</summary>
    public static IReadOnlyList<TrainingRun[]> Of(IEnumerable<TrainingRun> runs) =>
    [
        .. runs.GroupBy(r => (r.Parameters, r.Tokens, r.X, r.Ratio, r.Gqa, r.WidthOverDepth, r.Shape, r.Group, r.LearningRateFactor, string.Join(',', r.Covariates)))
            .Select(alike => OnePerSeed(alike)).Where(alike => alike.Length > 1),
    ];

    /// <summary>The first row of each seed; all rows where no seed is told.</summary>
    public static TrainingRun[] OnePerSeed(IEnumerable<TrainingRun> alike) => [.. alike.OrderBy(r => r.Row).GroupBy(r => (r.Seed, Row: r.Seed is null ? r.Row : 0)).Select(g => g.First())];

    /// <summary>Pooled standard deviation within sets, and its degrees of freedom; null without sets.</summary>
    public static (double? Deviation, int Freedom) Noise(IEnumerable<TrainingRun[]> sets)
    {
        double squares = 0;
        int freedom = 0;
        foreach (var alike in sets)
        {
            double mean = alike.Average(r => r.Loss);
            squares += alike.Sum(r => (r.Loss - mean) * (r.Loss - mean));
            freedom += alike.Length - 1;
        }

        return (freedom > 0 ? Math.Sqrt(squares / freedom) : null, freedom);
    }
}
