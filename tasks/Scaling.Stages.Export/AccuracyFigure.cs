// The figure of accuracy against loss.
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class AccuracyFigure
{
    /// <summary>One task shows its runs' sizes and budgets; several show the tasks, as many as there are colours.</summary>
    public static StudyFigure? Of(Study study)
    {
        var tasks = study.Accuracies.GroupBy(a => (a.Task, a.Metric)).ToList();
        if (tasks.Count == 0)
        {
            return null;
        }

        var colours = SizeColours.Of(study);
        var series = tasks.Count == 1
            ? colours.Groups(tasks[0].Select(a => (a.Run, PointOf(a))))
            : [.. tasks.Take(Palette.Groups.Count).Select((task, i) => new FigureSeries(task.Key.Task, [.. task.Select(a => PointOf(a) with { Label = a.Run.Label })]) { Color = Palette.Group(i) })];
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
}
