// The part of the report on what the study cost, in FLOPs of training: neither hours nor money, which depend on the machine.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportCosts
{
    /// <summary>A training run; its points share what they cost, so that the longest counts.</summary>
    /// <param name="Parameters">N.</param>
    /// <param name="Flops">6·N·D.</param>
    /// <param name="All">With output head and attention; null where the table does not tell the shape or the length of a sequence.</param>
    private sealed record Cost(double Parameters, double Flops, double? All);

    public static void Append(ReportDocument report, Study study)
    {
        var costs = study.Runs is { } table && table.Has("parameters") && table.Has("tokens") ? Costs(table) : [.. study.RunList.Select(r => new Cost(r.Parameters, 6 * r.Parameters * r.Tokens, null))];
        if (costs.Count == 0)
        {
            return;
        }

        bool all = costs.TrueForAll(c => c.All is not null);
        double total = costs.Sum(c => c.Flops), totalOfAll = costs.Sum(c => c.All ?? 0);
        int[] sizes = SizeClasses.Of([.. costs.Select(c => c.Parameters)]);
        var rows = costs.Zip(sizes).GroupBy(c => c.Second).OrderBy(g => g.Key)
            .Select(g => Row(Quantity.Count(SizeClasses.GeometricMean(g.Select(c => c.First.Parameters))), $"{g.Count()}", g.Sum(c => c.First.Flops), g.Sum(c => c.First.All)))
            .Append(Row("**all**", $"{costs.Count}", total, totalOfAll)).ToList();
        double? answer = study.Best is { } best ? 6.0 * best.Size * best.Tokens : null;
        if (study.Best is { } found)
        {
            rows.Add(Row($"the answer, {Quantity.Count(found.Size)}", "1", answer!.Value, study.Runs is { } runs && Context(runs) is { } context ? TrainingCost.FlopsPerToken(found.Accurate.ToShape(), context) * found.Tokens : null));
        }

        report.Heading(2, "What it cost");
        report.Paragraph(
            $"{costs.Count} training {(costs.Count == 1 ? "run" : "runs")} took {ReportLawAnswer.FlopsInWords(total)}, six for each non-embedding parameter and token{(all ? $" ({ReportLawAnswer.FlopsInWords(totalOfAll)} with output head and attention)" : "")}."
            + (answer is { } flops ? $" One run of the answer's size would take {Quantity.Digits(100 * flops / total, 3)} % of that." : ""));
        report.Folded("FLOPs by size", folded =>
        {
            folded.Table(
                [new("size (parameters)"), ReportColumn.Number("training runs"), ReportColumn.Number("6·N·D (FLOPs)"), .. all ? [ReportColumn.Number("with head and attention (FLOPs)")] : Array.Empty<ReportColumn>(), ReportColumn.Number("of all runs")],
                rows);
            folded.Paragraph(
                "FLOPs of training, forward and backward"
                + (all ? "; in the second column with the output head, 6·V·d a token, and causal attention, 6·L·n·h·T a token over sequences of T tokens" : "")
                + ". Points of one training run count once, with the longest; runs that diverged or checked the learning rate count with what they were asked for. Measuring and failed attempts are not in it.");
        });

        IReadOnlyList<string> Row(string size, string count, double flops, double? withAll) =>
            [size, count, Flops(flops), .. all ? [withAll is > 0 ? Flops(withAll.Value) : Quantity.Absent] : Array.Empty<string>(), $"{Quantity.Digits(100 * flops / total, 3)} %"];
    }

    private static List<Cost> Costs(Table table)
    {
        bool shaped = Vocabulary.ShapeIdentity.All(t => table.Has(t.Name)) && table.Has("context");
        string Run(Row row, int i) => table.Has("training_run") && row.Text("training_run") is { Length: > 0 } name ? name : $"row {i}";
        return [.. table.Each().Select((row, i) => (Row: row, Run: Run(row, i))).Where(r => Optional(r.Row, "parameters") is not null && Optional(r.Row, "tokens") is not null).GroupBy(r => r.Run)
            .Select(run =>
            {
                var longest = run.MaxBy(r => r.Row.Number("tokens")).Row;
                var (parameters, tokens) = (longest.Number("parameters"), longest.Number("tokens"));
                double? context = shaped ? Optional(longest, "context") : null;
                return new Cost(parameters, 6 * parameters * tokens, context is { } t ? TrainingCost.FlopsPerToken(DecoderShape.FromCells(longest.Count, longest.Truth), (int)t) * tokens : null);
            })];
    }

    /// <summary>Of all runs; null where they differ or do not tell.</summary>
    private static int? Context(Table runs) =>
        runs.Has("context") && runs.Each().Select(r => r.Text("context")).Distinct().ToList() is [{ Length: > 0 } only] && int.TryParse(only, out int context) ? context : null;

    private static string Flops(double flops) => flops.ToString("0.00e0", System.Globalization.CultureInfo.InvariantCulture);
}
