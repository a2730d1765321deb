// Sizes that are meant alike: user tables have no column for them, and rounding moves each variant's own N.
namespace Scaling.Laws;

/// <summary>Groups of values: sorted, a new group begins where a value exceeds its neighbour by more than a factor, or the group's first by more than its square, so that values spread evenly are no single one.</summary>
public static class SizeClasses
{
    /// <summary>Neighbours nearer than this are one size, or one number of tokens. Studies space sizes by 1.5 and more and round within 10 %.</summary>
    public const double Factor = 1.25;

    /// <summary>The class of each value, from 0 for the smallest.</summary>
    /// <param name="values">> 0.</param>
    /// <param name="factor">Default: <see cref="Factor"/>.</param>
    public static int[] Of(IReadOnlyList<double> values, double factor = Factor)
    {
        int[] order = [.. Enumerable.Range(0, values.Count).OrderBy(i => values[i])];
        int[] classes = new int[values.Count];
        double first = order.Length > 0 ? values[order[0]] : 0;
        for (int k = 1; k < order.Length; k++)
        {
            double value = values[order[k]];
            bool opens = value > factor * values[order[k - 1]] || value > factor * factor * first;
            first = opens ? value : first;
            classes[order[k]] = classes[order[k - 1]] + (opens ? 1 : 0);
        }

        return classes;
    }

    /// <summary>How many classes there are.</summary>
    /// <param name="values">> 0.</param>
    /// <param name="factor">Default: <see cref="Factor"/>.</param>
    public static int Count(IReadOnlyList<double> values, double factor = Factor) =>
        values.Count == 0 ? 0 : Of(values, factor).Max() + 1;

    /// <summary>The class of each run by N and, within it, by D, numbered by rising N, then D.</summary>
    /// <param name="runs">Any number.</param>
    /// <param name="factor">Default: <see cref="Factor"/>.</param>
    public static int[] OfRuns(IReadOnlyList<TrainingRun> runs, double factor = Factor)
    {
        int[] sizes = Of([.. runs.Select(r => r.Parameters)], factor);
        int[] classes = new int[runs.Count];
        int next = 0;
        foreach (var size in Enumerable.Range(0, runs.Count).GroupBy(i => sizes[i]).OrderBy(g => g.Key))
        {
            int[] members = [.. size];
            int[] budgets = Of([.. members.Select(i => runs[i].Tokens)], factor);
            for (int k = 0; k < members.Length; k++)
            {
                classes[members[k]] = next + budgets[k];
            }

            next += budgets.Max() + 1;
        }

        return classes;
    }

    /// <summary>The mean of each value's class.</summary>
    /// <param name="values">Any numbers.</param>
    /// <param name="classes">The class of each.</param>
    internal static double[] Means<T>(IReadOnlyList<double> values, IReadOnlyList<T> classes)
        where T : notnull
    {
        var means = values.Zip(classes).GroupBy(p => p.Second).ToDictionary(g => g.Key, g => g.Average(p => p.First));
        return [.. classes.Select(c => means[c])];
    }

    /// <summary>The values less the means of their classes.</summary>
    /// <param name="values">Any numbers.</param>
    /// <param name="classes">The class of each.</param>
    internal static double[] Within<T>(IReadOnlyList<double> values, IReadOnlyList<T> classes)
        where T : notnull =>
        [.. values.Zip(Means(values, classes), (v, m) => v - m)];

    /// <summary>The geometric mean of values.</summary>
    /// <param name="values">At least one, > 0.</param>
    public static double GeometricMean(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
}
