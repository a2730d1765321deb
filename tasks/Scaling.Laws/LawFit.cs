// From runs to a law: fitted, certified, resampled, and judged.
namespace Scaling.Laws;

/// <summary>A fitted law with the rows it was fitted to.</summary>
/// <param name="Document">What <c>law.json</c> holds.</param>
/// <param name="Runs">The rows inside <see cref="LawOptions.RatioRange"/>, in their order.</param>
public sealed record FittedLaw(LawDocument Document, IReadOnlyList<TrainingRun> Runs);

/// <summary>Fits laws.</summary>
public static class LawFit
{
    /// <summary>With fewer rows nothing is fitted.</summary>
    public const int LeastRows = 3;

    /// <summary>More rows are no table of runs but of training steps.</summary>
    public const int MostRows = 100_000;

    /// <summary>The rows that a fit with these options uses: those without a ratio, or with one in range.</summary>
    /// <param name="runs">Any number.</param>
    /// <param name="options">The range.</param>
    public static IReadOnlyList<TrainingRun> InRange(IReadOnlyList<TrainingRun> runs, LawOptions options) =>
        [.. runs.Where(r => r.Ratio is null || options.RatioRange.Contains(r.Ratio.Value))];

    /// <summary>Whether the runs can say anything of x or the ratio: some (N, D) class has three values of it.</summary>
    /// <param name="runs">Any number.</param>
    public static bool ShowsShape(IReadOnlyList<TrainingRun> runs) =>
        runs.Count >= LeastRows && Design.Of(runs, new LawOptions { Law = LawKind.Conditional }) is { } design && (design.FitsWidth || design.FitsSplit);

    /// <summary>Fits a law. The same runs and options give the same bits, in whatever order the runs stand.</summary>
    /// <param name="runs">
    /// <see cref="LeastRows"/> to <see cref="MostRows"/> in range. For a conditional law either all or none have x, and likewise the ratio; for the
    /// width-over-depth law all have <see cref="TrainingRun.WidthOverDepth"/>.
    /// </param>
    /// <param name="context">What the runs have in common beyond the law's terms.</param>
    /// <param name="options">Which law, how.</param>
    /// <exception cref="ArgumentException">Too few rows, too many, or rows without what the law needs.</exception>
    public static FittedLaw Fit(IReadOnlyList<TrainingRun> runs, LawContext context, LawOptions options) => Fitted(runs, context, options, tellsOfRuns: true);

    internal static FittedLaw Fitted(IReadOnlyList<TrainingRun> runs, LawContext context, LawOptions options, bool tellsOfRuns)
    {
        var rows = InRange(runs, options);
        if (rows.Count is < LeastRows or > MostRows)
        {
            throw new ArgumentException($"{rows.Count} rows where {LeastRows} to {MostRows} were expected");
        }

        if (options.Law == LawKind.WidthOverDepth && rows.Any(r => r.WidthOverDepth is null))
        {
            throw new ArgumentException("the width-over-depth law takes runs with hidden size and layers");
        }

        var design = Design.Of(rows, options);
        var forms = options is { Law: LawKind.Conditional, Form: FormChoice.Auto } ? FormSelection.Scores(design) : [];
        var fitter = LawFitter.Of(design, Form(design, forms));
        var solution = fitter.Solve();
        var parts = ResidualParts.Of(fitter, solution);
        var resamples = Resampling.Of(fitter, solution, parts);
        var document = new LawDocument
        {
            Options = options,
            Base = solution.Law with { Objective = solution.Value },
            Shape = solution.Shape,
            Verdicts = [],
            Intervals = LawVerdicts.Intervals(design, resamples),
            Restarts = solution.Restarts,
            Certificate = BaseCertificate.Of(fitter, solution),
            Fit = Summary(fitter, solution, parts),
            Ray = design.IsRay && options.Law != LawKind.WidthOverDepth
                ? new RayLaw(solution.Law.E, solution.Law.A, solution.Law.Alpha, design.TokensPerParameter)
                : null,
            Forms = forms,
            Influence = tellsOfRuns && resamples.Count > 0 ? InfluentialRuns.Of(fitter, solution) : [],
            ShapeEffects = tellsOfRuns ? ShapeEffect.Of(design.Runs, options.ResampleSeed) : [],
            Ranges = Ranges(design.Runs),
            Context = context,
            Resamples = [.. resamples.Select(Numbers)],
        };
        return new FittedLaw(document with { Verdicts = LawVerdicts.Of(fitter, solution, resamples, document) }, rows);
    }

    /// <summary>Fits, and refits with N counted by the other rule where the runs tell it.</summary>
    /// <param name="runs">As of <see cref="Fit"/>.</param>
    /// <param name="context">As of <see cref="Fit"/>.</param>
    /// <param name="options">As of <see cref="Fit"/>.</param>
    /// <param name="parametersRule">How <see cref="TrainingRun.Parameters"/> counts.</param>
    /// <param name="otherRule">How <see cref="TrainingRun.OtherParameters"/> counts.</param>
    public static FittedLaw FitCounted(IReadOnlyList<TrainingRun> runs, LawContext context, LawOptions options, string parametersRule, string otherRule)
    {
        var law = Fit(runs, context, options);
        var document = law.Document with { ParametersRule = parametersRule };
        if (law.Runs.All(r => r.OtherParameters is not null))
        {
            TrainingRun[] others = [.. law.Runs.Select(r => r with { Parameters = r.OtherParameters!.Value, OtherParameters = null })];
            var other = Fitted(others, context, options with { Resamples = 0 }, tellsOfRuns: false).Document;
            bool tells = document.Shape is { Form: not LawForm.None };
            int pick = Pick(document, law.Runs, law.Runs), otherPick = Pick(other, others, law.Runs);
            document = document with
            {
                OtherCountings =
                [
                    new OtherCounting(
                        otherRule, other.Base.Alpha, other.Base.Beta, other.Shape?.XStar, other.Shape?.RStar, tells ? otherPick : null, tells ? pick == otherPick : null),
                ],
            };
        }

        return law with { Document = document };
    }

    /// <summary>The row of least predicted loss among the largest size and budget, sizes as the first table counts them.</summary>
    private static int Pick(LawDocument law, IReadOnlyList<TrainingRun> runs, IReadOnlyList<TrainingRun> counted)
    {
        int[] classes = SizeClasses.OfRuns(counted);
        return runs.Where((_, i) => classes[i] == classes.Max()).MinBy(r => law.Predict(LawPoint.Of(r)))!.Row;
    }

    private static LawForm Form(Design design, IReadOnlyList<FormScore> scores) => design.Options.Form switch
    {
        FormChoice.Additive => LawForm.Additive,

        FormChoice.Joint => LawForm.Joint,
        FormChoice.Quadratic => LawForm.Quadratic,
        FormChoice.Valley => LawForm.Valley,
        FormChoice.Auto when scores.Count > 0 => scores[0].Form,
        _ => LawForm.Multiplicative,
    };

    private static double[] Numbers(LawSolution solution)
    {
        var b = solution.Law;
        return [b.E, b.A, b.B, b.Alpha, b.Beta, .. solution.Shape?.Numbers() ?? []];
    }

    private static FitSummary Summary(LawFitter fitter, LawSolution solution, ResidualParts parts)
    {
        var design = fitter.Design;
        double squares = design.Predict(solution).Zip(design.Loss, (p, l) => (p - l) * (p - l)).Sum();
        var (replicates, freedom) = Replicates.Noise(Replicates.Of(design.Runs));
        return new FitSummary
        {
            Rows = design.Runs.Count,
            Runs = parts.Clusters,
            Groups = ShapeColumns.Groups(design.Runs).Count,
            ResidualStandardDeviation = Math.Sqrt(squares / Math.Max(1, design.Runs.Count - fitter.Freedom)),
            RunNoise = Math.Max(parts.OwnDeviation, parts.WithinDeviation(design.Loss, fitter.ShapeFreedom)),
            LevelNoise = parts.SharedDeviation,
            ReplicateNoise = replicates,
            ReplicateFreedom = freedom,
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
