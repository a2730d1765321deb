// Repeated measurements of one thing: the middle, and where half of them lie.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>Median and quartiles, linear between order statistics at p·(n − 1); in the unit of what was measured.</summary>
/// <param name="Median">Half lie below.</param>
/// <param name="Low">A quarter lies below.</param>
/// <param name="High">A quarter lies above.</param>
/// <param name="Count">How often it was measured, at least once.</param>
internal sealed record Spread(double Median, double Low, double High, int Count)
{
    /// <summary>Summarizes.</summary>
    /// <param name="values">At least one.</param>
    public static Spread Of(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return new Spread(At(sorted, 0.5), At(sorted, 0.25), At(sorted, 0.75), sorted.Length);
    }

    /// <summary>Two cells of a table: the median; and both quartiles with the count.</summary>
    /// <param name="format">Of a number.</param>
    public string Cells(string format)
    {
        string Text(double value) => value.ToString(format, CultureInfo.InvariantCulture);
        return $"{Text(Median)} | {Text(Low)} to {Text(High)}, of {Count}";
    }

    private static double At(double[] sorted, double p)
    {
        double position = p * (sorted.Length - 1);
        int below = (int)position, above = Math.Min(below + 1, sorted.Length - 1);

        // Infinite where nothing could be told; neither their difference nor 0·∞ may be taken.
        return sorted[below] == sorted[above] || position == below ? sorted[below] : sorted[below] + (position - below) * (sorted[above] - sorted[below]);
    }
}
