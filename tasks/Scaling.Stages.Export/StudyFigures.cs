// The figures of a study: loss against x and ratio, accuracy against loss, predicted against measured, the front, shapes of known loss.
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>A figure with its place and what a reader should see in it.</summary>
/// <param name="File">Below the report.</param>
/// <param name="Figure">What is drawn.</param>
/// <param name="Caption">One or two sentences.</param>
internal sealed record StudyFigure(string File, Figure Figure, string Caption);

internal static class StudyFigures
{
    /// <summary>Points of a curve.</summary>
    private const int CurvePoints = 81;

    /// <summary>The figures that the study's tables allow, in the order of the report.</summary>
    public static IReadOnlyList<StudyFigure> Of(Study study) =>
        [.. new[] { LossAgainstX(study), LossAgainstRatio(study), AccuracyAgainstLoss(study), PredictedAgainstMeasured(study), FrontFigure.Of(study), ReferencesFigure.Of(study) }.OfType<StudyFigure>()];

    private static StudyFigure? LossAgainstX(Study study) => AgainstShape(
        study, ExportTables.LossAgainstX, "x", new FigureAxis("x = hidden / √parameters", ""), "ratio", run => run.X, law => law.Ranges.X, law => law.Shape!.XStar,
        (law, value, run) => law.Predict(run.Parameters, run.Tokens, value, run.Ratio));

    private static StudyFigure? LossAgainstRatio(Study study) => AgainstShape(
        study, ExportTables.LossAgainstRatio, "ratio", new FigureAxis("ratio = MLP / attention parameters", "", Logarithmic: true), "x", run => run.Ratio,
        law => law.Ranges.Ratio, law => law.Shape!.RStar, (law, value, run) => law.Predict(run.Parameters, run.Tokens, run.X, value));

    /// <summary>
    /// One axis of the shape. With a law, each run is held against what the law predicts for its own size, tokens and other axis at the best value
    /// of this one (or at the runs' middle, where there is no best): then runs of all sizes lie about one curve. Without a law, the loss as it is.
    /// </summary>
    private static StudyFigure? AgainstShape(
        Study study, string file, string axis, FigureAxis across, string otherAxis, Func<StudyRun, double?> valueOf, Func<LawDocument, Interval?> rangeOf,
        Func<LawDocument, double?> bestOf, Func<LawDocument, double, StudyRun, double> predict)
    {
        if (!study.RunList.Any(run => valueOf(run) is not null))
        {
            return null;
        }

        if (study.Law is not { Shape: not null } law || rangeOf(law) is not { } range)
        {
            var bare = new Figure($"Loss against {axis}", across, new FigureAxis("held-out loss", "nats a token"), Groups(study, study.RunList.Select(run => (run, new FigurePoint(valueOf(run)!.Value, run.Loss)))));
            return new StudyFigure(file, bare, $"Held-out loss of every run against {axis}.");
        }

        bool factors = law.Shape.Form != LawForm.Additive;
        double? best = bestOf(law);
        double reference = best ?? Math.Sqrt(range.Low * range.High);
        double Above(double loss, double referenceLoss) => factors ? 100 * (loss / referenceLoss - 1) : loss - referenceLoss;

        var fitted = study.RunList.Where(run => run.Ratio is null || law.Options.RatioRange.Contains(run.Ratio.Value)).ToList();
        if (fitted.Count == 0)
        {
            return null;
        }

        // The curve is the same for every run where the terms multiply or add; the first run stands for all.
        var curve = Spaced(range.Low, range.High).Select(value => new FigurePoint(value, Above(predict(law, value, fitted[0]), predict(law, reference, fitted[0]))));
        List<FigureSeries> series =
        [
            new("fitted law", [.. curve]) { Mark = Mark.None, Stroke = Stroke.Solid },
            .. Groups(study, fitted.Select(run => (run, new FigurePoint(valueOf(run)!.Value, Above(run.Loss, predict(law, reference, run)))))),
        ];
        string place = best is null ? $"at {axis} = {Quantity.Digits(reference, 3)}" : $"at the best {axis}";
        int left = study.RunList.Count - fitted.Count;
        string caption =
            $"Each run's loss above what the law predicts for its size, tokens and {otherAxis} {place}"
            + (best is null ? ", the middle of the runs: the law has no minimum here." : $", {Quantity.Digits(best, 3)}.")
            + (left == 0 ? "" : $" {left} runs with a ratio outside {Quantity.Interval(law.Options.RatioRange.Low, law.Options.RatioRange.High)} were not fitted and are not shown.");
        return new StudyFigure(file, new Figure($"Loss against {axis}", across, new FigureAxis($"loss above the law's {place}", factors ? "%" : "nats a token"), series), caption);
    }

    /// <summary>A colour a size and a mark a budget, with the legend's entries for each apart: sizes plus budgets, not sizes times budgets.</summary>
    private static List<FigureSeries> Groups(Study study, IEnumerable<(StudyRun Run, FigurePoint Point)> points)
    {
        var budgets = study.Budgets();
        var sizes = study.SizeNames();
        var series = new List<FigureSeries>();
        foreach (var group in points.GroupBy(p => (p.Run.Size, p.Run.Budget)))
        {
            series.Add(new(null, [.. group.Select(p => p.Point)]) { Color = Palette.Group(group.Key.Size), Mark = Palette.Subgroup(budgets.ToList().IndexOf(group.Key.Budget)) });
        }

        series.AddRange(sizes.Select((name, i) => new FigureSeries($"{name} parameters", []) { Color = Palette.Group(i) }));
        if (budgets.Count > 1)
        {
            series.AddRange(budgets.Select((budget, i) => new FigureSeries($"{Quantity.Digits(budget)} tokens/parameter", []) { Color = Palette.Grey, Mark = Palette.Subgroup(i) }));
        }

        return series;
    }

    /// <summary>One task shows its runs' sizes and budgets; several show the tasks, as many as there are colours.</summary>
    private static StudyFigure? AccuracyAgainstLoss(Study study)
    {
        var tasks = study.Accuracies.GroupBy(a => (a.Task, a.Metric)).ToList();
        if (tasks.Count == 0)
        {
            return null;
        }

        var series = tasks.Count == 1
            ? Groups(study, tasks[0].Select(a => (a.Run, PointOf(a))))
            : tasks.Take(Palette.Groups.Count).Select((task, i) => new FigureSeries(task.Key.Task, [.. task.Select(PointOf)]) { Color = Palette.Group(i) }).ToList();
        var figure = new Figure("Accuracy against loss", new FigureAxis("held-out loss", "nats a token"), new FigureAxis("accuracy", ""), series);
        string left = tasks.Count > Palette.Groups.Count ? $" The first {Palette.Groups.Count} of {tasks.Count} tasks; the table has all." : "";
        return new StudyFigure(
            ExportTables.AccuracyAgainstLoss, figure, $"Accuracy {(tasks.Count == 1 ? $"on {tasks[0].Key.Task}" : "on each task")} of every model, with 95 % intervals over the questions, against its held-out loss.{left}");
    }

    private static FigurePoint PointOf(RunAccuracy accuracy) => new(accuracy.Run.Loss, accuracy.Accuracy)
    {
        Low = accuracy.Accuracy - 1.96 * accuracy.StandardError,
        High = accuracy.Accuracy + 1.96 * accuracy.StandardError,
    };

    private static StudyFigure? PredictedAgainstMeasured(Study study)
    {
        var fitted = study.Residuals?.Each().Select(row => new FigurePoint(row.Number("loss"), row.Number("predicted"))).ToList() ?? [];
        var heldOut = study.Predictions?.Each().Where(row => row.Text("purpose") == "held_out").Select(HeldOutPoint).ToList() ?? [];
        var all = fitted.Concat(heldOut).ToList();
        if (all.Count == 0)
        {
            return null;
        }

        double low = all.Min(p => Math.Min(p.X, p.Y));
        double high = all.Max(p => Math.Max(p.X, p.Y));
        var series = new List<FigureSeries> { new("predicted = measured", [new(low, low), new(high, high)]) { Color = Palette.Grey, Mark = Mark.None, Stroke = Stroke.Dashed } };
        if (fitted.Count > 0)
        {
            series.Add(new("fitted runs", fitted) { Color = Palette.Blue });
        }

        if (heldOut.Count > 0)
        {
            series.Add(new("held-out size", heldOut) { Color = Palette.Vermilion, Mark = Mark.Diamond });
        }

        var figure = new Figure("Predicted against measured loss", new FigureAxis("measured loss", "nats a token"), new FigureAxis("predicted loss", "nats a token"), series);
        return new StudyFigure(ExportTables.PredictedAgainstMeasured, figure, heldOut.Count == 0
            ? "The law on the runs that it was fitted to: this shows the fit, not how far the law carries."
            : "Runs that the law was fitted to, and those of a size that a second fit did not see, with 95 % intervals: only these show how far the law carries.");
    }

    private static FigurePoint HeldOutPoint(Row row) => new(row.Number("loss"), row.Number("predicted"))
    {
        Low = row.Text("predicted_low").Length == 0 ? null : row.Number("predicted_low"),
        High = row.Text("predicted_high").Length == 0 ? null : row.Number("predicted_high"),
    };

    /// <summary>Values from low to high, equal factors apart.</summary>
    private static IEnumerable<double> Spaced(double low, double high) =>
        Enumerable.Range(0, CurvePoints).Select(i => low * Math.Pow(high / low, i / (CurvePoints - 1.0)));
}
