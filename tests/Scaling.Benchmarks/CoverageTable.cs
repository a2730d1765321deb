// The coverage study as Markdown: one line a design, then the targets.
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>Shares and medians over the worlds of a design.</summary>
/// <param name="result">The worlds.</param>
internal sealed class CoverageSummary(CoverageResult result)
{
    private readonly WorldAxis _x = new(result.Worlds, w => w.X, w => w.Oracle?.LogX, SyntheticWorld.Shape.XStar!.Value);
    private readonly WorldAxis _ratio = new(result.Worlds, w => w.Ratio, w => w.Oracle?.LogRatio, SyntheticWorld.Shape.RStar!.Value);

    public WorldDesign Design => result.Design;

    public int Worlds => result.Worlds.Count;

    public WorldAxis X => _x;

    public WorldAxis Ratio => _ratio;

    /// <summary>Share of the confidence sets that hold the true best.</summary>
    public double SetHolds => Share(result.Worlds, w => w.SetHoldsBest);

    public double SetSize => Median(result.Worlds.Select(w => (double)w.SetSize));

    /// <summary>Share of the worlds without a valley in which x* was called not identified.</summary>
    public double FlatX => Share(result.FlatWorlds, w => w.X);

    public double FlatRatio => Share(result.FlatWorlds, w => w.Ratio);

    public static double Share<T>(IReadOnlyList<T> all, Func<T, bool> holds) => all.Count(holds) / (double)all.Count;

    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted.Length == 0 ? double.NaN : (sorted[(sorted.Length - 1) / 2] + sorted[sorted.Length / 2]) / 2;
    }
}

/// <summary>The intervals of x* or of r* over the worlds.</summary>
/// <param name="worlds">All.</param>
/// <param name="interval">Of a world.</param>
/// <param name="oracle">The oracle's, of the logarithm: middle and half width.</param>
/// <param name="truth">The true optimum.</param>
internal sealed class WorldAxis(
    IReadOnlyList<WorldOutcome> worlds, Func<WorldOutcome, OpenInterval> interval, Func<WorldOutcome, (double Middle, double Half)?> oracle, double truth)
{
    /// <summary>Share of the intervals that hold the truth.</summary>
    public double Holds => 1 - TooHigh - TooLow;

    /// <summary>Share of the intervals that lie above the truth.</summary>
    public double TooHigh => CoverageSummary.Share(worlds, w => interval(w).Low > truth);

    /// <summary>Share that lies below it.</summary>
    public double TooLow => CoverageSummary.Share(worlds, w => interval(w).High < truth);

    /// <summary>Share without an end on one side or both.</summary>
    public double Unbounded => CoverageSummary.Share(worlds, w => interval(w) is { Low: null } or { High: null });

    /// <summary>Median of ln(high/low), infinite where an end is absent.</summary>
    public double LogWidth => CoverageSummary.Median(worlds.Select(w => interval(w) is { Low: { } low, High: { } high } ? Math.Log(high / low) : double.PositiveInfinity));

    public double OracleLogWidth => CoverageSummary.Median(worlds.Select(w => 2 * oracle(w)?.Half ?? double.PositiveInfinity));

    /// <summary>Share of the oracle's intervals that hold the truth.</summary>
    public double OracleHolds => CoverageSummary.Share(worlds, w => oracle(w) is { } o && Math.Abs(Math.Log(truth) - o.Middle) <= o.Half);

    public double WidthRatio => LogWidth / OracleLogWidth;
}

/// <summary>Writes the study.</summary>
internal static class CoverageTable
{
    /// <summary>One line a design.</summary>
    /// <param name="summaries">Designs.</param>
    /// <param name="output">Where to.</param>
    public static void Write(IReadOnlyList<CoverageSummary> summaries, TextWriter output)
    {
        output.WriteLine("| design | worlds | x* held | r* held | width x*, oracle's = 1 | width r* | 80 % set holds best | its median size | flat: x* not identified | flat: r* |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|");
        foreach (var s in summaries)
        {
            output.WriteLine(
                $"| {s.Design.Name} | {s.Worlds} | {Share(s.X.Holds, s.Worlds)} | {Share(s.Ratio.Holds, s.Worlds)} | {Ratio(s.X.WidthRatio)} | {Ratio(s.Ratio.WidthRatio)} "
                + $"| {Share(s.SetHolds, s.Worlds)} | {s.SetSize:0} of {CoverageStudy.Candidates} | {Share(s.FlatX, s.Worlds)} | {Share(s.FlatRatio, s.Worlds)} |");
        }

        output.WriteLine();
        output.WriteLine("Behind it: on which side the truth was missed, median widths ln(high/low), intervals without an end, and the oracle's own intervals.");
        output.WriteLine();
        output.WriteLine("| design | quantity | interval above truth | below truth | median width | oracle's | without an end | oracle's held |");
        output.WriteLine("|---|---|---|---|---|---|---|---|");
        foreach (var s in summaries)
        {
            foreach (var (name, axis) in new[] { ("x*", s.X), ("r*", s.Ratio) })
            {
                output.WriteLine(
                    $"| {s.Design.Name} | {name} | {100 * axis.TooHigh:0.0} % | {100 * axis.TooLow:0.0} % | {Width(axis.LogWidth)} | {Width(axis.OracleLogWidth)} "
                    + $"| {100 * axis.Unbounded:0.0} % | {Share(axis.OracleHolds, s.Worlds)} |");
            }
        }
    }

    /// <summary>The targets, which hold for <see cref="CoverageDesigns.Target"/>.</summary>
    /// <param name="s">Of that design.</param>
    public static IReadOnlyList<TargetLine> Targets(CoverageSummary s) =>
    [
        TargetLine.Between("95 % intervals of x* that hold it, %", 93.5, 96.5, 100 * s.X.Holds),
        TargetLine.Between("95 % intervals of r* that hold it, %", 93.5, 96.5, 100 * s.Ratio.Holds),
        TargetLine.AtMost("width of x*'s interval, oracle's = 1", 1.15, s.X.WidthRatio),
        TargetLine.AtMost("width of r*'s interval, oracle's = 1", 1.15, s.Ratio.WidthRatio),
        TargetLine.Between("80 % sets that hold the best shape, %", 77, 88, 100 * s.SetHolds),
        TargetLine.AtLeast("flat worlds whose x* is not identified, %", 95, 100 * s.FlatX),
        TargetLine.AtLeast("flat worlds whose r* is not identified, %", 95, 100 * s.FlatRatio),
    ];

    /// <summary>With its standard error, worlds being independent. By (k + ½)/(n + 1), as that of k/n is 0 where all of a few worlds agree.</summary>
    private static string Share(double share, int worlds)
    {
        double within = (share * worlds + 0.5) / (worlds + 1);
        return $"{100 * share:0.0} ± {100 * Math.Sqrt(within * (1 - within) / worlds):0.0} %";
    }

    private static string Ratio(double ratio) => double.IsFinite(ratio) ? $"{ratio:0.000}" : "–";

    private static string Width(double width) => double.IsFinite(width) ? $"{width:0.000}" : "unbounded";
}
