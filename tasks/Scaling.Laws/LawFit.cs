// From runs to a law: base law and shape's terms fitted in turn, resampled, and judged.
namespace Scaling.Laws;

/// <summary>A fitted law with the rows it was fitted to.</summary>
/// <param name="Document">What <c>law.json</c> holds.</param>
/// <param name="Runs">The rows inside <see cref="LawOptions.RatioRange"/>, in their order.</param>
public sealed record FittedLaw(LawDocument Document, IReadOnlyList<TrainingRun> Runs);

/// <summary>
/// Fits laws. The base law is fitted to the losses with the shape's effect removed, the shape's terms to what variants of one (N, D) class differ
/// in; each needs little of the other, so a few rounds settle both.
/// </summary>
public static class LawFit
{
    /// <summary>With fewer rows nothing is fitted.</summary>
    public const int LeastRows = 3;

    /// <summary>The rows that a fit with these options uses: those without a ratio, or with one in range.</summary>
    /// <param name="runs">Any number.</param>
    /// <param name="options">The range.</param>
    public static IReadOnlyList<TrainingRun> InRange(IReadOnlyList<TrainingRun> runs, LawOptions options) =>
        [.. runs.Where(r => r.Ratio is null || options.RatioRange.Contains(r.Ratio.Value))];

    /// <summary>Whether the runs can say anything of x or the ratio: some (N, D) class has three values of it.</summary>
    /// <param name="runs">Any number.</param>
    public static bool ShowsShape(IReadOnlyList<TrainingRun> runs) =>
        runs.Count >= LeastRows && Design.Of(runs, new LawOptions { Law = LawKind.Conditional }) is { } design && (design.FitsWidth || design.FitsSplit);

    /// <summary>Fits a law. The same runs and options give the same bits.</summary>
    /// <param name="runs">At least <see cref="LeastRows"/> in range. For a conditional law either all or none have x, and likewise the ratio.</param>
    /// <param name="context">What the runs have in common beyond the law's terms.</param>
    /// <param name="options">Which law, how.</param>
    /// <exception cref="ArgumentException">Too few rows.</exception>
    public static FittedLaw Fit(IReadOnlyList<TrainingRun> runs, LawContext context, LawOptions options)
    {
        var rows = InRange(runs, options);
        if (rows.Count < LeastRows)
        {
            throw new ArgumentException($"{rows.Count} rows where {LeastRows} are the least");
        }

        var design = Design.Of(rows, options);
        var solution = Solve(design);
        var resamples = Resampling.Of(design, solution);
        double[][] kept = [.. resamples.Select(Numbers)];
        var document = new LawDocument
        {
            Options = options,
            Base = solution.Base.Law,
            Shape = solution.Shape,
            Verdicts = [],
            Intervals = LawVerdicts.Intervals(design, resamples),
            Fit = Summary(design, solution),
            Ranges = Ranges(rows),
            Context = context,
            Resamples = kept,
        };
        return new FittedLaw(document with { Verdicts = LawVerdicts.Of(design, solution, resamples, document) }, rows);
    }

    private static LawSolution Solve(Design design)
    {
        double[] loss = design.Loss;
        var basis = ChinchillaFit.Fit(design.Objective(loss), design.BaseTerms);
        if (design.Shape is null)
        {
            return new LawSolution(basis, null, ShapeFit.NoEffect);
        }

        // The first base law has seen shapes of every kind as one: good for local slopes only, so the second is again fitted from scratch.
        double[] theta = design.Shape.Fit(loss, design.Local(basis.Law), ShapeFit.NoEffect);
        basis = ChinchillaFit.Fit(design.Objective(design.WithoutShape(loss, theta)), design.BaseTerms);
        return Settle(design, loss, basis, theta, rounds: 30, tolerance: 1e-15);
    }

    /// <summary>Fits base and shape in turn until neither moves.</summary>
    internal static LawSolution Settle(Design design, double[] loss, ChinchillaSolution basis, double[] theta, int rounds, double tolerance)
    {
        if (design.Shape is null)
        {
            return new LawSolution(ChinchillaFit.Refit(basis, loss, tolerance), null, theta);
        }

        for (int round = 0; round < rounds; round++)
        {
            double[] next = design.Shape.Fit(loss, design.Local(basis.Law), theta);
            basis = ChinchillaFit.Refit(basis, design.WithoutShape(loss, next), tolerance);
            bool settled = next.Zip(theta, (a, b) => Math.Abs(a - b)).Max() < 1e-12;
            theta = next;
            if (settled)
            {
                break;
            }
        }

        return new LawSolution(basis, design.Shape.ShapeTerms(theta), theta);
    }

    private static double[] Numbers(LawSolution solution)
    {
        var b = solution.Base.Law;
        double[] numbers = [b.E, b.A, b.B, b.Alpha, b.Beta];
        return solution.Shape?.Coefficients is { } c ? [.. numbers, c.A0, c.A1, c.A2, c.B0, c.B1, c.B2] : numbers;
    }

    private static FitSummary Summary(Design design, LawSolution solution)
    {
        double squares = design.Predict(solution).Zip(design.Loss, (p, l) => (p - l) * (p - l)).Sum();
        double condition = solution.Base.ConditionNumber();
        return new FitSummary
        {
            Rows = design.Runs.Count,
            Status = solution.Base.Status,
            ObjectiveValue = solution.Base.Value,
            ResidualStandardDeviation = Math.Sqrt(squares / Math.Max(1, design.Runs.Count - design.Freedom)),
            ConditionNumber = double.IsFinite(condition) ? condition : null,
            Starts = solution.Base.Starts,
            StartsAgreeing = solution.Base.StartsAgreeing,
        };
    }

    private static LawRanges Ranges(IReadOnlyList<TrainingRun> runs)
    {
        double[] parameters = [.. runs.Select(r => r.Parameters)];
        int[] classes = SizeClasses.Of(parameters);
        return new LawRanges
        {
            Parameters = Range(parameters),
            Tokens = Range(runs.Select(r => r.Tokens)),
            TokensPerParameter = Range(runs.Select(r => r.Tokens / r.Parameters)),
            X = runs.All(r => r.X is not null) ? Range(runs.Select(r => r.X!.Value)) : null,
            Ratio = runs.All(r => r.Ratio is not null) ? Range(runs.Select(r => r.Ratio!.Value)) : null,
            Sizes = [.. parameters.Zip(classes).GroupBy(p => p.Second).OrderBy(g => g.Key).Select(g => g.Average(p => p.First))],
        };
    }

    private static Interval Range(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return new Interval(all.Min(), all.Max());
    }
}

/// <summary>Base law and shape's terms at their minimum.</summary>
/// <param name="Base">L_opt.</param>
/// <param name="Shape">Null for a Chinchilla law.</param>
/// <param name="Theta">The shape fit's own parameters, to start a refit from.</param>
internal sealed record LawSolution(ChinchillaSolution Base, ShapeTerms? Shape, double[] Theta);
