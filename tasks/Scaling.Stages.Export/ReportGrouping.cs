// The part of the report that tells what a gain owes to the grouping of heads, which laws seldom have a term for.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportGrouping
{
    public static void Append(MarkdownDocument report, Study study)
    {
        var best = study.Best;
        if (best.EfficientAtFittedGqa is not { } fitted)
        {
            return;
        }

        string penalty = best.Penalties.TryGetValue("gqa", out double nats)
            ? $"under a stated penalty of {Quantity.Digits(nats, 3)} nats a doubling"
            : "by the law's own term";
        report.Heading(3, "What grouped queries gain");
        report.Paragraph(
            $"The first row keeps GQA {Quantity.Digits(fitted.Gqa, 3)}, which the law's runs had. The second has it free, {SearchWords.Span(best.Gqa)}, {penalty}{(nats > 0 ? ": what it gains over the first rests on that number, which no run has measured" : "")}.");
        report.Table(
            [
                new("efficient pick"), new("hidden × MLP, heads"), MarkdownColumn.Number("GQA"), MarkdownColumn.Number($"predicted loss ({SearchWords.LossUnit(best)})"), MarkdownColumn.Number("against the baseline"),
                MarkdownColumn.Number("tokens a second"), MarkdownColumn.Number("against the baseline"), MarkdownColumn.Number("KV bytes a token"),
            ],
            [Row("GQA as in the runs", best, fitted), Row("GQA free", best, best.Efficient)]);
    }

    private static IReadOnlyList<string> Row(string name, SearchResult best, ScoredShape shape)
    {
        var against = ShapeComparison.Of(best, shape);
        return
        [
            name, SearchWords.Short(shape), Quantity.Digits(shape.Gqa, 3), Quantity.Loss(shape.Predicted), Quantity.LossDifference(against?.LossDifference), Quantity.Count(shape.TokensPerSecond),
            Quantity.Change(against?.SpeedChange), Quantity.Digits(shape.KvBytesPerToken, 7),
        ];
    }
}
