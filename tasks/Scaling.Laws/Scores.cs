// How well predictions meet measured losses.
using MathNet.Numerics.Statistics;

namespace Scaling.Laws;

/// <summary>Scores of predictions against measurements of one size.</summary>
public static class Scores
{
    /// <summary>Mean squared error, nats².</summary>
    /// <param name="predicted">At least one.</param>
    /// <param name="measured">As many.</param>
    public static double MeanSquaredError(IReadOnlyList<double> predicted, IReadOnlyList<double> measured) =>
        predicted.Zip(measured, (p, m) => (p - m) * (p - m)).Average();

    /// <summary>Spearman's rank correlation, equal values sharing their mean rank; null where one side is constant or there are fewer than two rows.</summary>
    /// <param name="predicted">Any number.</param>
    /// <param name="measured">As many.</param>
    public static double? Spearman(IReadOnlyList<double> predicted, IReadOnlyList<double> measured)
    {
        if (predicted.Count < 2 || predicted.Distinct().Count() < 2 || measured.Distinct().Count() < 2)
        {
            return null;
        }

        // Rounding may leave 1.0000000000000002.
        return Math.Clamp(Correlation.Spearman(predicted, measured), -1, 1);
    }

    /// <summary>Mean of predicted − measured, nats: what all rows of a size share.</summary>
    /// <param name="predicted">At least one.</param>
    /// <param name="measured">As many.</param>
    public static double LevelError(IReadOnlyList<double> predicted, IReadOnlyList<double> measured) =>
        predicted.Zip(measured, (p, m) => p - m).Average();

    /// <summary>Root of the mean squared error after the level error is taken off, nats: what is left for the shape.</summary>
    /// <param name="predicted">At least one.</param>
    /// <param name="measured">As many.</param>
    public static double ShapeError(IReadOnlyList<double> predicted, IReadOnlyList<double> measured) =>
        Math.Sqrt(Math.Max(0, MeanSquaredError(predicted, measured) - Math.Pow(LevelError(predicted, measured), 2)));
}
