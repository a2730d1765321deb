// Predicts a size from others and scores it as a decision: not only how near the losses are, but what the pick would have cost.
using MathNet.Numerics.Random;

namespace Scaling.Laws;

/// <summary>Scores laws on sizes that they have not seen.</summary>
public static class Rollout
{
    /// <summary>Enough for the share of rows that intervals cover.</summary>
    private const int StepResamples = 200;

    /// <summary>Every size predicted from the smaller ones.</summary>
    /// <param name="runs">In range.</param>
    /// <param name="context">Of the runs.</param>
    /// <param name="options">How the law is fitted.</param>
    /// <param name="near">How many of the nearest smaller sizes the second prediction of each step takes; at least 1.</param>
    public static IReadOnlyList<RolloutStep> Of(IReadOnlyList<TrainingRun> runs, LawContext context, LawOptions options, int near)
    {
        if (runs.Count == 0)
        {
            return [];
        }

        int[] sizes = SizeClasses.Of([.. runs.Select(r => r.Parameters)]);
        var quicker = options with { Resamples = Math.Min(options.Resamples, StepResamples) };
        var steps = new List<RolloutStep>();
        for (int size = 1; size <= sizes.Max(); size++)
        {
            TrainingRun[] held = [.. runs.Where((_, i) => sizes[i] == size)];
            HeldOutScores? From(int least)
            {
                TrainingRun[] fitted = [.. runs.Where((_, i) => sizes[i] >= least && sizes[i] < size)];
                return CanFit(fitted, options) ? Score(fitted, held, context, quicker).Scores : null;
            }

            if (From(0) is { } all)
            {
                steps.Add(new RolloutStep(all, size > near ? From(size - near) : null));
            }
        }

        return steps;
    }

    /// <summary>Whether so few rows carry a fit of these options.</summary>
    /// <param name="runs">Any number.</param>
    /// <param name="options">Which law.</param>
    public static bool CanFit(IReadOnlyList<TrainingRun> runs, LawOptions options) => LawFit.InRange(runs, options).Count >= LawFit.LeastRows;

    /// <summary>Fits some rows and scores the fit on others.</summary>
    /// <param name="fitted">At least <see cref="LawFit.LeastRows"/>.</param>
    /// <param name="held">At least one, of one size.</param>
    /// <param name="context">Of the runs.</param>
    /// <param name="options">How the law is fitted.</param>
    public static (HeldOutScores Scores, LawDocument Law) Score(
        IReadOnlyList<TrainingRun> fitted, IReadOnlyList<TrainingRun> held, LawContext context, LawOptions options)
    {
        var law = LawFit.Fitted(fitted, context, options, tellsOfRuns: false).Document;
        var rival = law.Shape is { Form: not (LawForm.None or LawForm.WidthOverDepth) }
            ? LawFit.Fit(fitted, context, options with { Form = FormChoice.Quadratic, Resamples = 0 }).Document
            : null;
        int[] budgets = SizeClasses.Of([.. held.Select(r => r.Tokens)]);
        RowScores[] byBudget = [.. Enumerable.Range(0, budgets.Max() + 1).Select(b => Rows([.. held.Where((_, i) => budgets[i] == b)], law, rival, fitted))];

        // A pick is made at one budget; over all of them its regret is their mean.
        var all = Rows(held, law, rival, fitted) with
        {
            Regret = byBudget.Average(b => b.Regret),
            RegretOfCopy = byBudget.Average(b => b.RegretOfCopy),
            RegretOfQuadratic = byBudget.Average(b => b.RegretOfQuadratic),
        };
        return (new HeldOutScores(held.Average(r => r.Parameters), law.Fit!.Rows, law.Ranges.Sizes, law.Shape?.Form, all, byBudget, law.Verdicts), law);
    }

    private static RowScores Rows(IReadOnlyList<TrainingRun> rows, LawDocument law, LawDocument? rival, IReadOnlyList<TrainingRun> fitted)
    {
        double[] measured = [.. rows.Select(r => r.Loss)];
        double[] predicted = [.. rows.Select(r => law.Predict(LawPoint.Of(r)))];
        double? spearman = Scores.Spearman(predicted, measured);
        int Pick(LawDocument by) => Enumerable.Range(0, rows.Count).MinBy(i => by.Predict(LawPoint.Of(rows[i])));
        int pick = Pick(law);
        double Regret(int of) => MeanOf(rows, rows[of]) - rows.Min(r => MeanOf(rows, r));
        var intervals = rows.Select(r => law.PredictionInterval(LawPoint.Of(r))).ToList();
        return new RowScores(
            rows.Average(r => r.Tokens), rows.Count, Scores.MeanSquaredError(predicted, measured), spearman,
            spearman is null ? "Ranks take at least two rows, and values that differ on both sides." : null,
            spearman is null || rows.Count < 5 ? null : SpearmanInterval(predicted, measured),
            Scores.LevelError(predicted, measured), Scores.ShapeError(predicted, measured),
            intervals.Contains(null) ? null : intervals.Zip(measured).Average(p => p.First!.Contains(p.Second) ? 1.0 : 0),
            rows[pick].Row, Regret(pick), Copy(rows, fitted) is { } copy ? Regret(copy) : null, rival is null ? null : Regret(Pick(rival)));
    }

    /// <summary>The mean loss of a row's seeds.</summary>
    private static double MeanOf(IReadOnlyList<TrainingRun> rows, TrainingRun of) => rows.Where(r => SameShape(r, of)).Average(r => r.Loss);

    private static bool SameShape(TrainingRun a, TrainingRun b) =>
        (a.Shape, a.X, a.Ratio, a.Gqa, a.WidthOverDepth, a.Parameters) == (b.Shape, b.X, b.Ratio, b.Gqa, b.WidthOverDepth, b.Parameters);

    /// <summary>The row here whose x and ratio are nearest to those of the best shape measured at the largest fitted size, at the most like tokens a parameter.</summary>
    private static int? Copy(IReadOnlyList<TrainingRun> rows, IReadOnlyList<TrainingRun> fitted)
    {
        if (rows.Concat(fitted).Any(r => r.X is null && r.Ratio is null))
        {
            return null;
        }

        int[] sizes = SizeClasses.Of([.. fitted.Select(r => r.Parameters)]);
        TrainingRun[] largest = [.. fitted.Where((_, i) => sizes[i] == sizes.Max())];
        double budget = rows.Average(r => Math.Log(r.Tokens / r.Parameters));
        int[] budgets = SizeClasses.Of([.. largest.Select(r => r.Tokens / r.Parameters)]);
        int alike = budgets[Enumerable.Range(0, largest.Length).MinBy(i => Math.Abs(Math.Log(largest[i].Tokens / largest[i].Parameters) - budget))];
        TrainingRun[] candidates = [.. largest.Where((_, i) => budgets[i] == alike)];
        var best = candidates.MinBy(r => MeanOf(candidates, r))!;
        double Distance(TrainingRun r) => Squared(r.X, best.X) + Squared(r.Ratio, best.Ratio);
        return Enumerable.Range(0, rows.Count).MinBy(i => Distance(rows[i]));
    }

    private static double Squared(double? a, double? b) => a is { } u && b is { } v ? Math.Pow(Math.Log(u / v), 2) : 0;

    private static Interval SpearmanInterval(double[] predicted, double[] measured)
    {
        var random = new Xoshiro256StarStar(1, threadSafe: false);
        int n = predicted.Length;
        var values = new List<double>();
        for (int k = 0; k < 1000; k++)
        {
            int[] drawn = [.. Enumerable.Range(0, n).Select(_ => random.Next(n))];
            values.Add(Scores.Spearman([.. drawn.Select(i => predicted[i])], [.. drawn.Select(i => measured[i])]) ?? 0);
        }

        return Quantiles.Central95(values);
    }
}
