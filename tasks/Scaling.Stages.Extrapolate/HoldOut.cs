// Which rows are kept from the fit.
using System.Globalization;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

internal static class HoldOut
{
    private static readonly (string Suffix, double Factor)[] s_units =
        [("Ki", 1024.0), ("Mi", 1048576.0), ("Gi", 1073741824.0), ("k", 1e3), ("M", 1e6), ("B", 1e9)];

    /// <summary>The size class that a setting names, as the runs' flags; null for none.</summary>
    public static bool[]? Of(string setting, IReadOnlyList<TrainingRun> runs)
    {
        if (setting == "none")
        {
            return null;
        }

        int[] classes = SizeClasses.Of([.. runs.Select(r => r.Parameters)]);
        int held = setting == "largest" ? classes.Max() : Nearest(Size(setting), setting, runs, classes);
        return [.. classes.Select(c => c == held)];
    }

    private static double Size(string setting)
    {
        var (suffix, factor) = s_units.FirstOrDefault(u => setting.EndsWith(u.Suffix, StringComparison.Ordinal), ("", 1));
        return double.TryParse(setting[..^suffix.Length], NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && number > 0
            ? number * factor
            : throw new StageFailedException(
                "SCAL7202", $"'hold_out: {setting}' is neither none, largest, nor a number of parameters.",
                NearestSpelling.Hint(setting, ["none", "largest"]) ?? "Write for example 'hold_out: largest' or 'hold_out: 297M'.");
    }

    private static int Nearest(double size, string setting, IReadOnlyList<TrainingRun> runs, int[] classes)
    {
        var means = runs.Zip(classes).GroupBy(p => p.Second).OrderBy(g => g.Key)
            .Select(g => (Class: g.Key, Size: SizeClasses.GeometricMean(g.Select(p => p.First.Parameters)))).ToList();
        var nearest = means.MinBy(m => Math.Abs(Math.Log(m.Size / size)));
        return Math.Abs(Math.Log(nearest.Size / size)) <= Math.Log(SizeClasses.Factor)
            ? nearest.Class
            : throw new StageFailedException(
                "SCAL7203", $"'hold_out: {setting}' is no size of the runs. They have about {string.Join(", ", means.Select(m => m.Size.ToString("G3")))} parameters.",
                "Name one of these, or 'largest'.");
    }
}
