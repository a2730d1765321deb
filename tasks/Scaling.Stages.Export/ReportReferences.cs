// The part of the report that holds the law against shapes whose losses are known.
using Scaling.Architectures;
using Scaling.Reports;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportReferences
{
    public static void Append(ReportDocument report, Study study)
    {
        var references = Reference.Of(study);
        if (references.Count == 0)
        {
            return;
        }

        report.Heading(2, "Shapes of known loss");
        report.Paragraph(InWords(references));
        report.Table(
            [
                new("shape"), ReportColumn.Number("parameters"), ReportColumn.Number("layers"), ReportColumn.Number("hidden × MLP"), ReportColumn.Number("heads"), ReportColumn.Number("GQA"), ReportColumn.Number("x"), ReportColumn.Number("ratio"),
                ReportColumn.Number("known loss (nats a token)"), ReportColumn.Number("predicted"), new("against"), ReportColumn.Number("known (milli-nats)"),
                ReportColumn.Number("predicted (milli-nats)"), ReportColumn.Number("speed"), ReportColumn.Number("KV bytes a token"),
            ],
            references.Select(Row));
        report.Paragraph("Differences are to the loss of the shape under *against*, which also sets the level of the predicted one. Speeds are predicted for the search's workload and device, and are told as a multiple of that shape's.");
    }

    /// <summary>Whether the efficient pick's margin covers what the law is optimistic by; null where nothing is known of that, or the law is not optimistic.</summary>
    public static string? Doubt(Study study, SearchResult best) => Optimism(study, best) is not var (mean, margin) ? null
        : $"On shapes of known loss the law predicts {Quantity.Digits(1000 * mean, 3)} milli-nats too little on average. The efficient shape is predicted to lose {Quantity.Digits(1000 * margin, 3)} less than the baseline, "
            + (margin < mean ? "which does not cover that: **it may well lose more**." : "which covers that.");

    /// <summary>Whether <see cref="Doubt"/> says that the efficient pick may well lose more than the baseline.</summary>
    public static bool IsDoubted(Study study, SearchResult best) => Optimism(study, best) is var (mean, margin) && margin < mean;

    /// <summary>What the law is optimistic by on average and what the efficient pick is predicted to gain, nats a token; null where nothing is known of that, or the law is not optimistic.</summary>
    private static (double Mean, double Margin)? Optimism(Study study, SearchResult best)
    {
        double[] optimism = [.. Reference.Of(study).Select(r => r.Optimism).OfType<double>()];
        return best is not { Level: not LossLevel.Factor, LossAtMost: null, Baseline: { } baseline, Efficient: var pick } || pick.Shape == baseline.Shape || optimism.Length == 0 || optimism.Average() is not (> 0 and var mean)
            ? null
            : (mean, baseline.Predicted - pick.Predicted);
    }

    private static string InWords(IReadOnlyList<Reference> references)
    {
        var judged = references.Where(r => r.Optimism is not null).ToList();
        if (judged.Count == 0)
        {
            return "None of these shapes has a known loss to hold the law against.";
        }

        double mean = judged.Average(r => r.Optimism!.Value);
        var worst = judged.MaxBy(r => Math.Abs(r.Optimism!.Value))!;
        string Differ(double nats) => $"{Quantity.Digits(1000 * Math.Abs(nats), 3)} milli-nats {(nats >= 0 ? "less" : "more")}";
        string start = judged.Count == 1
            ? $"For {worst.Name} the law predicts {Differ(mean)} than is known"
            : $"For the {judged.Count} shapes that are held against another the law predicts {Differ(mean)} than is known on average, and {Differ(worst.Optimism!.Value)} for {worst.Name}, where it is furthest off";
        return mean > 0
            ? $"{start}. **It is optimistic there**: a demand on the loss that holds in the law's eyes may be missed by as much."
            : $"{start}. It is not optimistic there.";
    }

    private static IReadOnlyList<string> Row(Reference reference)
    {
        var row = reference.Row;
        return
        [
            reference.Name, Count(row, "parameters"), row.Text("layers"), $"{row.Text("hidden")} × {row.Text("intermediate")}", $"{row.Text("heads")}/{row.Text("kv_heads")} × {row.Text("head_size")}",
            Digits(row, "gqa"), Digits(row, "x"), Digits(row, "ratio"), Quantity.Loss(Optional(row, "loss")), Quantity.Loss(Optional(row, "predicted")), reference.Against,
            reference.IsYardstick ? Quantity.Absent : Quantity.MilliNats(reference.Known), reference.IsYardstick ? Quantity.Absent : Quantity.MilliNats(reference.Predicted),
            Optional(row, "tokens_per_second_ratio") is { } ratio ? $"× {Quantity.Digits(ratio, 3)}" : Quantity.Absent, Quantity.Digits(Optional(row, "kv_bytes_per_token"), 7),
        ];
    }
}
