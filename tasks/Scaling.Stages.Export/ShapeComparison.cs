// A found shape held against the baseline: loss, with what the search knows of it, and speed.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Stages.Export;

/// <summary>How a shape differs from the baseline.</summary>
/// <param name="LossDifference">Predicted, in the search's unit of loss; below 0 is better.</param>
/// <param name="Interval">95 % of <paramref name="LossDifference"/>, what the law misses included; null where it is not known.</param>
/// <param name="SpeedChange">Relative change of tokens per second, 0.1 for 10 % more; null where the baseline cannot be served as asked.</param>
internal sealed record ShapeComparison(double LossDifference, Interval? Interval, double? SpeedChange)
{
    /// <summary>Compares; null without a baseline.</summary>
    /// <param name="best">The search's result.</param>
    /// <param name="shape">One of its picks.</param>
    public static ShapeComparison? Of(SearchResult best, ScoredShape shape) => best.Baseline is not { } baseline
        ? null
        : new ShapeComparison(
            shape.Predicted - baseline.Predicted,
            shape is { PredictedLow: { } low, PredictedHigh: { } high } ? new Interval(low - baseline.Predicted, high - baseline.Predicted) : null,
            baseline.Batch == 0 ? null : shape.TokensPerSecond / baseline.TokensPerSecond - 1);
}
