// Quantiles of resamples.
namespace Scaling.Laws;

/// <summary>Quantiles of a sample.</summary>
public static class Quantiles
{
    /// <summary>
    /// The 2.5 % and 97.5 % quantiles, linear between order statistics at p·(n + 1) (type 6 of Hyndman and Fan): of n resamples the share outside is then
    /// what it should be, where the usual p·(n − 1) leaves 1/n more on each side.
    /// </summary>
    /// <param name="values">At least one; infinite ones are allowed.</param>
    public static Interval Central95(IEnumerable<double> values)
    {
        double[] sorted = [.. values];
        Array.Sort(sorted);
        return new Interval(At(sorted, 0.025), At(sorted, 0.975));
    }

    /// <summary>The middle value, or the mean of the two in the middle.</summary>
    /// <param name="values">At least one.</param>
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }

    private static double At(double[] sorted, double p)
    {
        double position = Math.Clamp(p * (sorted.Length + 1) - 1, 0, sorted.Length - 1);
        int below = (int)position;
        double above = sorted[Math.Min(below + 1, sorted.Length - 1)];

        // Ends may be infinite; neither their difference nor 0·∞ may be taken.
        return sorted[below] == above || position == below ? sorted[below] : sorted[below] + (position - below) * (above - sorted[below]);
    }
}
