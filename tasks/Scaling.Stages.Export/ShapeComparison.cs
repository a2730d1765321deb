// A found shape held against the baseline: loss, with what the law's resamples say of it, and speed.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Stages.Export;

/// <summary>How a shape differs from the baseline.</summary>
/// <param name="LossDifference">Predicted, nats a token; below 0 is better.</param>
/// <param name="Interval">95 % of <paramref name="LossDifference"/> over the law's resamples, nats a token; null without any.</param>
/// <param name="BetterShare">Share of the resamples in which the shape loses less than the baseline; null without any.</param>
/// <param name="SpeedChange">Relative change of tokens per second, 0.1 for 10 % more.</param>
internal sealed record ShapeComparison(double LossDifference, Interval? Interval, double? BetterShare, double SpeedChange)
{
    /// <summary>Compares; null without a baseline.</summary>
    /// <param name="study">With the search's result.</param>
    /// <param name="shape">One of its picks.</param>
    public static ShapeComparison? Of(Study study, ScoredShape shape)
    {
        if (study.Best.Baseline is not { } baseline)
        {
            return null;
        }

        double[] differences = [.. Differences(study, shape, baseline)];
        return new ShapeComparison(
            shape.Predicted - baseline.Predicted,
            differences.Length == 0 ? null : Quantiles.Central95(differences),
            differences.Length == 0 ? null : differences.Count(d => d < 0) / (double)differences.Length,
            shape.TokensPerSecond / baseline.TokensPerSecond - 1);
    }

    private static IEnumerable<double> Differences(Study study, ScoredShape shape, ScoredShape baseline)
    {
        foreach (var (law, terms) in study.Law?.ResampledLaws() ?? [])
        {
            double Predict(ScoredShape s)
            {
                double best = law.Predict(s.Parameters, study.Best.Tokens);
                return terms?.Apply(best, LawPoint.Of(s.ToShape(), s.Parameters, study.Best.Tokens)) ?? best;
            }

            yield return Predict(shape) - Predict(baseline);
        }
    }
}
