// How well predictions meet measured losses.
using MathNet.Numerics.Random;
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

    /// <summary>
    /// The share of all orders of one side whose rank correlation is at least as strong, of either sign: what an order of no meaning brings about by chance. All
    /// orders of up to 8 rows are counted, 10,000 drawn ones of more. With 5 rows and a correlation of 0.9 it is 0.083. Null where the correlation has no value.
    /// </summary>
    /// <param name="predicted">Any number.</param>
    /// <param name="measured">As many.</param>
    public static double? SpearmanByChance(IReadOnlyList<double> predicted, IReadOnlyList<double> measured)
    {
        if (Spearman(predicted, measured) is not { } found)
        {
            return null;
        }

        double[] order = [.. measured];

        // Orders that differ by rounding alone count as equally strong.
        return order.Length <= 8 ? Orders(order, order.Length).Average(AsStrong) : Drawn(order).Prepend(order).Average(AsStrong);

        double AsStrong(double[] other) => Math.Abs(Spearman(predicted, other)!.Value) >= Math.Abs(found) - 1e-9 ? 1 : 0;
    }

    /// <summary>Every order of the first values (Heap 1963), in one array.</summary>
    private static IEnumerable<double[]> Orders(double[] values, int count)
    {
        if (count <= 1)
        {
            yield return values;
            yield break;
        }

        for (int i = 0; i < count; i++)
        {
            foreach (double[] order in Orders(values, count - 1))
            {
                yield return order;
            }

            int other = count % 2 == 0 ? i : 0;
            (values[other], values[count - 1]) = (values[count - 1], values[other]);
        }
    }

    private static IEnumerable<double[]> Drawn(double[] values)
    {
        var random = new Xoshiro256StarStar(1, threadSafe: false);
        double[] order = [.. values];
        for (int k = 1; k < 10_000; k++)
        {
            for (int i = order.Length - 1; i > 0; i--)
            {
                int j = random.Next(i + 1);
                (order[i], order[j]) = (order[j], order[i]);
            }

            yield return order;
        }
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
