// The part of the report that says which programs take the found shapes, and what to take where one does not.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportConsumers
{
    /// <summary>Which consumers refuse which shape, in a sentence with a space before it; empty where none does.</summary>
    public static string Refused(Lint lint)
    {
        var refusals = lint.Refusals.Where(f => f.Broken.Count > 0).GroupBy(f => f.Consumer)
            .Select(g => $"{g.Key.Title} refuses {string.Join(" and ", g.Select(f => $"the {f.Pick} shape"))}").ToList();
        return refusals.Count == 0 ? "" : $" {string.Join("; ", refusals)}: see [who takes it](#who-takes-it).";
    }

    public static void Append(ReportDocument report, Lint lint)
    {
        if (lint.Refusals.Count == 0)
        {
            return;
        }

        report.Heading(2, "Who takes it");
        report.Table(
            [
                new("program"), new("shape"), new("takes it"), new("nearest shape: hidden × MLP, heads × size"), ReportColumn.Number("loss against the shape (nats)"),
                ReportColumn.Number("speed against the shape"),
            ],
            lint.Refusals.Zip(lint.Slows, (refusal, slow) => Row(lint, refusal, slow)));
        report.Paragraph(
            $"Programs are held against their rules{(lint.TensorParallel == 1 ? "" : $" with each layer on {lint.TensorParallel} devices, where they split layers")}; [`{ExportTables.Lint}`]({ExportTables.Lint}) has each rule "
            + "with what it demands and its source. The nearest shape has the depth, the GQA and within 1 % the parameters of the one that is refused; of the near ones it is the one of least predicted loss where the study has a law.");
        if (lint.Refusals.Concat(lint.Slows).Any(f => f.Nearest is { } n && n.Shape.HeadSize != f.Shape.HeadSize))
        {
            report.Paragraph("Where the head size changes, the loss beside it is that of the other widths alone: the law has no term for head size.");
        }
    }

    /// <summary>A neighbour in words: for the table, and for the hint of a warning.</summary>
    public static string InWords(DecoderShape pick, DecoderShape shape) =>
        $"{shape.Hidden} × {shape.Intermediate}, {shape.Heads}/{shape.KvHeads} × {shape.HeadSize}{(shape.Tied == pick.Tied ? "" : ", embeddings untied")}";

    private static IReadOnlyList<string> Row(Lint lint, LintFinding refusal, LintFinding slow)
    {
        var told = refusal.Broken.Count > 0 ? refusal : slow;
        string verdict = refusal.Broken.Count > 0 ? $"**no**: {lint.Faults(refusal)}" : slow.Broken.Count > 0 ? $"yes, slowed by {string.Join(", ", slow.Broken.Select(r => $"`{r.Name}`"))}" : "yes";
        return
        [
            told.Consumer.Title, told.Pick, verdict,
            told.Nearest is { } nearest ? InWords(told.Shape, nearest.Shape) : told.Broken.Count > 0 ? "none of this size" : Quantity.Absent,
            Quantity.LossDifference(told.Nearest?.LossDifference), Quantity.Change(told.Nearest?.SpeedChange),
        ];
    }
}
