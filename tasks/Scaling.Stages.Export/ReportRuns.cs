// The part of the report on the runs: what their losses say of x and the ratio, how many there were, how they learnt.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportRuns
{
    /// <summary>Longer tables are folded.</summary>
    private const int ShownRows = 12;

    /// <summary>What the runs' tables and figures say.</summary>
    /// <param name="report">Grows.</param>
    /// <param name="study">What was given.</param>
    /// <param name="show">Adds figures by their files, those that were drawn.</param>
    public static void Append(ReportDocument report, Study study, Action<string[]> show)
    {
        if (study.RunList.Count == 0)
        {
            return;
        }

        report.Heading(2, "Runs");
        report.Paragraph(study.Runs is { } runs ? $"{study.RunList.Count} trained models{Facts(runs)}.{LeftOut(runs)}" : $"{study.RunList.Count} runs, those that the law was fitted to.");
        show([ExportTables.LossAgainstX, ExportTables.LossAgainstRatio, ExportTables.LossAgainstSize]);
        AppendSizes(report, study);
        AppendBaselines(report, study);
        if (study.Runs is { } table && table.Has("unique_tokens") && table.Each().Count(r => Optional(r, "unique_tokens") is { } unique && r.Number("tokens") > unique) is > 0 and var repeating)
        {
            report.Paragraph($"{repeating} of the runs saw text more than once: their tokens are more than the corpus has.");
        }

        show([ExportTables.LearningCurves]);
    }

    private static void AppendSizes(ReportDocument report, Study study)
    {
        var names = study.SizeNames();
        var groups = study.RunList.GroupBy(r => (r.Size, r.Budget)).ToList();
        bool shaped = study.RunList.Any(r => r.X is not null || r.Ratio is not null);
        if (groups.Count <= ShownRows)
        {
            Table(report);
        }
        else
        {
            report.Folded($"The runs of each size and budget, {groups.Count} of them", Table);
        }

        void Table(ReportDocument to) => to.Table(
            [
                ReportColumn.Number("size (parameters)"), ReportColumn.Number("tokens a parameter"), ReportColumn.Number("tokens"), ReportColumn.Number("runs"),
                ReportColumn.Number("least loss (nats a token)"), ReportColumn.Number("median"), ReportColumn.Number("greatest"),
                .. shaped ? [ReportColumn.Number("x of the least"), ReportColumn.Number("ratio of the least")] : Array.Empty<ReportColumn>(),
            ],
            groups.Select(group =>
            {
                var runs = group.ToList();
                return (IReadOnlyList<string>)
                [
                    names[group.Key.Size], Quantity.Digits(group.Key.Budget), Quantity.Count(SizeClasses.GeometricMean(runs.Select(r => r.Tokens))), $"{runs.Count}",
                    Quantity.Loss(runs[0].Loss), Quantity.Loss(Median(runs)), Quantity.Loss(runs[^1].Loss),
                    .. shaped ? [Quantity.Digits(runs[0].X, 3), Quantity.Digits(runs[0].Ratio, 3)] : Array.Empty<string>(),
                ];
            }));
    }

    /// <summary>How many rows are none of these models, and why; empty where all are.</summary>
    private static string LeftOut(Table runs)
    {
        int Count(string column, Func<string, bool> counts) => runs.Has(column) ? runs.Each().Count(r => counts(r.Text(column))) : 0;
        var reasons = new[]
        {
            (Count("diverged_at", cell => cell.Length > 0), "diverged"), (Count("annealed", cell => cell == "false"), "are points at which the schedule had not ended"),
            (Count(Vocabulary.LearningRateFactor.Name, cell => cell != "1"), "check the learning rate"),
        }.Where(r => r.Item1 > 0).Select(r => $"{r.Item1} {r.Item2}").ToArray();
        return reasons.Length == 0 ? "" : $" Of the other rows {string.Join(", ", reasons)}.";
    }

    /// <summary>The runs of the shapes that the others are held against.</summary>
    private static void AppendBaselines(ReportDocument report, Study study)
    {
        var groups = study.RunList.Where(r => r.Baseline).GroupBy(r => (r.Shape, r.Budget)).ToList();
        if (groups.Count == 0)
        {
            return;
        }

        report.Paragraph($"The {(groups.Select(g => g.Key.Shape).Distinct().Count() == 1 ? "baseline was" : "baselines were")} trained as the other shapes were:");
        report.Table(
            [
                new("baseline"), ReportColumn.Number("parameters"), ReportColumn.Number("x"), ReportColumn.Number("ratio"), ReportColumn.Number("tokens a parameter"), ReportColumn.Number("runs"),
                ReportColumn.Number("mean loss (nats a token)"), ReportColumn.Number("known loss"),
            ],
            groups.Select(group => (IReadOnlyList<string>)
            [
                $"`{group.Key.Shape}`", Quantity.Count(group.First().Parameters), Quantity.Digits(group.First().X, 3), Quantity.Digits(group.First().Ratio, 3), Quantity.Digits(group.Key.Budget),
                $"{group.Count()}", Quantity.Loss(group.Average(r => r.Loss)), Quantity.Loss(group.First().KnownLoss),
            ]));
    }

    /// <summary>What all runs have in common, from the columns that are there.</summary>
    private static string Facts(Table runs)
    {
        var facts = new List<string>();
        foreach (string column in (string[])["tokenizer", "batch", "context", "schedule", "evaluation_tokens", "seed"])
        {
            if (runs.Has(column))
            {
                var values = runs.Each().Select(r => r.Text(column)).Where(text => text.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
                if (values.Count == 0)
                {
                    continue; // A trainer of the user that does not tell.
                }

                facts.Add($"{column.Replace('_', ' ')} {(values.Count > 4 ? $"of {values.Count} values" : MarkdownText.Verbatim(string.Join(" or ", values)))}");
            }
        }

        return facts.Count == 0 ? "" : ": " + string.Join(", ", facts);
    }

    private static double Median(List<StudyRun> sorted) => (sorted[(sorted.Count - 1) / 2].Loss + sorted[sorted.Count / 2].Loss) / 2;
}
