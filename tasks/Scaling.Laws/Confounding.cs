// Whether hyper-parameters and what is studied move together, so that one could pass for the other.
namespace Scaling.Laws;

/// <summary>An axis that the hyper-parameter groups explain.</summary>
/// <param name="Axis"><c>x</c>, <c>ratio</c> or <c>parameters</c>.</param>
/// <param name="ShareWithin">Of the axis's variance in what the law compares, what is left within a group.</param>
public sealed record ConfoundedAxis(string Axis, double ShareWithin);

/// <summary>
/// Groups get an offset, which needs runs that differ in group alone and runs of one group that differ in the axis. An axis with less than 2 % of
/// its variance within groups, or a group whose range of the axis meets no other's, is confounded: what the group does and what the axis does cannot be told apart.
/// </summary>
public static class Confounding
{
    private const double LeastShare = 0.02;

    /// <summary>The confounded axes; empty where offsets settle the groups.</summary>
    /// <param name="runs">At least one.</param>
    /// <param name="options">Which law.</param>
    public static IReadOnlyList<ConfoundedAxis> Of(IReadOnlyList<TrainingRun> runs, LawOptions options)
    {
        if (runs.Select(r => r.Group).Distinct().Count() < 2)
        {
            return [];
        }

        bool conditional = options.Law == LawKind.Conditional;
        int[] classes = conditional ? SizeClasses.OfRuns(runs) : new int[runs.Count];
        var axes = conditional
            ? new (string Name, Func<TrainingRun, double?> Of)[] { ("x", r => r.X), ("ratio", r => r.Ratio) }
            : [("parameters", r => r.Parameters)];
        return
        [
            .. from axis in axes
               where runs.All(r => axis.Of(r) is > 0)
               let values = runs.Select(r => Math.Log(axis.Of(r)!.Value)).ToArray()
               let all = Within(values, classes)
               let left = Within(values, [.. runs.Select((r, i) => (classes[i], r.Group))])
               where all > 1e-9 * runs.Count && (left < LeastShare * all || IsApart(values, classes, runs))
               select new ConfoundedAxis(axis.Name, left / all),
        ];
    }

    /// <summary>Whether the ranges of some group and of all others never meet: then only the form of the law tells them apart.</summary>
    private static bool IsApart(double[] values, int[] classes, IReadOnlyList<TrainingRun> runs)
    {
        var rows = values.Select((value, i) => (Value: value, Class: classes[i], runs[i].Group)).ToList();
        return rows.Select(r => r.Group).Distinct().Any(group =>
        {
            var shared = rows.GroupBy(r => r.Class).Where(c => c.Any(r => r.Group == group) && c.Any(r => r.Group != group)).ToList();
            return shared.Count > 0 && shared.All(c =>
            {
                var own = c.Where(r => r.Group == group).Select(r => r.Value).ToList();
                var other = c.Where(r => r.Group != group).Select(r => r.Value).ToList();
                return own.Max() < other.Min() || own.Min() > other.Max();
            });
        });
    }

    private static double Within<T>(double[] values, T[] cells)
        where T : notnull =>
        SizeClasses.Within(values, cells).Sum(v => v * v);
}
