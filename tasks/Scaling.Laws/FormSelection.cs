// Which form of the conditional law to trust: the one that told each size best from the smaller ones.
namespace Scaling.Laws;

/// <summary>
/// Every size but the smallest is predicted by each form fitted to the smaller sizes. What counts is the shape: errors are taken less what the rows
/// of one size and budget share. The size that the chosen law is to be scored on must not be among the runs, else the choice has seen it.
/// </summary>
internal static class FormSelection
{
    /// <summary>A more flexible form must be better by this share.</summary>
    private const double Margin = 0.01;

    /// <summary>The forms, best first. Empty where no size can be told from smaller ones.</summary>
    public static IReadOnlyList<FormScore> Scores(Design design)
    {
        // By rising flexibility, but for the paper's first.
        LawForm[] forms = design is { FitsWidth: true, FitsSplit: true }
            ? [LawForm.Multiplicative, LawForm.Additive, LawForm.Joint, LawForm.Quadratic]
            : [LawForm.Multiplicative, LawForm.Additive, LawForm.Quadratic];
        var scores = forms.Select(form => Score(design, form)).OfType<FormScore>().Where(s => double.IsFinite(s.ShapeError)).ToList();
        if (scores.Count == 0)
        {
            return [];
        }

        double least = scores.Min(s => s.ShapeError);
        var chosen = scores.First(s => s.ShapeError <= least * (1 + Margin));
        return [chosen, .. scores.Where(s => s != chosen).OrderBy(s => s.ShapeError)];
    }

    private static FormScore? Score(Design design, LawForm form)
    {
        double squares = 0;
        int rows = 0;
        for (int size = 1; size < design.Sizes; size++)
        {
            TrainingRun[] smaller = [.. design.Runs.Where((_, i) => design.SizeOf[i] < size)];
            TrainingRun[] next = [.. design.Runs.Where((_, i) => design.SizeOf[i] == size)];
            if (smaller.Length < LawFit.LeastRows)
            {
                continue;
            }

            var fitted = Design.Of(smaller, design.Options);
            if ((!fitted.FitsWidth && !fitted.FitsSplit) || (form == LawForm.Joint && !(fitted.FitsWidth && fitted.FitsSplit)))
            {
                continue;
            }

            var solution = LawFitter.Of(fitted, form).Solve();
            double[] errors = [.. next.Select(r => r.Loss - solution.Shape!.Apply(solution.Law.Predict(r.Parameters, r.Tokens), LawPoint.Of(r)))];
            foreach (var alike in errors.Zip(SizeClasses.OfRuns(next)).GroupBy(p => p.Second).Where(g => g.Count() > 1))
            {
                double mean = alike.Average(p => p.First);
                squares += alike.Sum(p => Math.Pow(p.First - mean, 2));
                rows += alike.Count();
            }
        }

        return rows == 0 ? null : new FormScore(form, Math.Sqrt(squares / rows), rows);
    }
}
