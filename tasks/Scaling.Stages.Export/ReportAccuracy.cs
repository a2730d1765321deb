// Whether less loss came with more accuracy, and how little a few models tell of it.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportAccuracy
{
    /// <summary>Fewer models than this tell little of a rank correlation.</summary>
    private const int FewModels = 10;

    public static void Append(ReportDocument report, Study study)
    {
        var tasks = study.Accuracies.GroupBy(a => (a.Task, a.Metric)).ToList();
        if (tasks.Count == 0)
        {
            return;
        }

        report.Heading(2, "Accuracy");
        report.Table(
            [
                new("task"), new("metric"), ReportColumn.Number("models"), ReportColumn.Number("least accuracy"), ReportColumn.Number("greatest"), ReportColumn.Number("standard error"),
                ReportColumn.Number("Spearman with loss"), ReportColumn.Number("as strong by chance"),
            ],
            tasks.Select(Row));
        report.Paragraph(
            "The accuracy is the share of questions whose right choice the model finds likeliest; the standard error, over the questions, is the models' median. Spearman is the rank correlation with the "
            + "held-out loss, −1 where of any two models the one of less loss is the more accurate; beside it the share of random orders whose correlation is at least as strong, of either sign.");
        report.List(Caveats(study, tasks.Select(t => t.ToList()).ToList()));
    }

    private static IReadOnlyList<string> Row(IGrouping<(string Task, string Metric), RunAccuracy> task)
    {
        var (losses, accuracies) = Sides(task);
        return
        [
            $"`{task.Key.Task}`", task.Key.Metric, $"{accuracies.Length}", Quantity.Digits(accuracies.Min(), 3), Quantity.Digits(accuracies.Max(), 3), Quantity.Digits(StandardError(task), 2),
            Quantity.Digits(Scores.Spearman(losses, accuracies), 2), Scores.SpearmanByChance(losses, accuracies) is { } share ? $"{Quantity.Digits(100 * share, 2)} %" : Quantity.Absent,
        ];
    }

    private static IEnumerable<string> Caveats(Study study, List<List<RunAccuracy>> tasks)
    {
        int fewest = tasks.Min(t => t.Count);
        if (fewest < FewModels)
        {
            string perfect = fewest < 2 ? "" : $" Of {fewest} models even an order without a fault comes about by chance in {Quantity.Digits(100 * PerfectByChance(fewest), 2)} % of cases.";
            yield return $"**Few models**: {fewest} {(fewest == 1 ? "has" : "have")} an accuracy{(tasks.Count == 1 ? "" : " on some task")}, and fewer than {FewModels} tell little of a rank correlation.{perfect}";
        }

        var noisy = tasks.Where(t => StandardError(t) is { } error && t.Max(a => a.Accuracy) - t.Min(a => a.Accuracy) < 4 * error).Select(t => $"`{t[0].Task}`").ToList();
        if (noisy.Count > 0)
        {
            yield return $"**Few questions**: on {string.Join(", ", noisy)} all models lie within four standard errors of one another, so that their order is largely noise.";
        }

        if (study.Accuracies.Select(a => (a.Run.Size, a.Run.Budget)).Distinct().Count() > 1)
        {
            yield return "The models differ in size or tokens, which move loss and accuracy together: a correlation over all of them does not show that of two shapes of one size the one of less loss is the more accurate.";
        }
    }

    /// <summary>2/n!: the one order and its reverse.</summary>
    private static double PerfectByChance(int models) => Enumerable.Range(1, models).Aggregate(2.0, (share, i) => share / i);

    private static double? StandardError(IEnumerable<RunAccuracy> task)
    {
        double[] errors = [.. task.Select(a => a.StandardError).OfType<double>().Order()];
        return errors.Length == 0 ? null : (errors[(errors.Length - 1) / 2] + errors[errors.Length / 2]) / 2;
    }

    private static (double[] Losses, double[] Accuracies) Sides(IEnumerable<RunAccuracy> task) => ([.. task.Select(a => a.Run.Loss)], [.. task.Select(a => a.Accuracy)]);
}
