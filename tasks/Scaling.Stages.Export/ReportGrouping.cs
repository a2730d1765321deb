// The part of the report that tells what a gain owes to the grouping of heads, which laws seldom have a term for.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportGrouping
{
    public static void Append(ReportDocument report, Study study, SearchResult best)
    {
        var searches = new[] { best }.Concat(study.Compared).Where(s => s.EfficientAtFittedGqa is not null).ToList();
        if (searches.Count == 0)
        {
            return;
        }

        report.Heading(3, "What grouped queries gain");
        foreach (var search in searches)
        {
            Append(report, search, search.EfficientAtFittedGqa!, search == best ? "" : $"In the search at {Quantity.Count(search.Size)} parameters with GQA {SearchWords.Span(search.Gqa)}: ");
        }
    }

    private static void Append(ReportDocument report, SearchResult best, ScoredShape fitted, string which)
    {
        bool stated = best.Penalties.TryGetValue("gqa", out double nats);
        string penalty = stated
            ? $"under a stated penalty of {Quantity.Digits(nats, 3)} nats a doubling"
            : "by the law's own term";
        report.Paragraph(
            $"{which}{(which.Length == 0 ? "The" : "the")} first row keeps GQA {Quantity.Digits(fitted.Gqa, 3)}, which the law's runs had. The second has it free, {SearchWords.Span(best.Gqa)}, {penalty}{(stated ? ": what it gains over the first rests on that number, which no run has measured" : "")}.");
        report.Table(
            [
                new("efficient pick"), new("hidden × MLP, heads"), ReportColumn.Number("GQA"), ReportColumn.Number($"predicted loss ({SearchWords.LossUnit(best)})"), ReportColumn.Number("against the baseline"),
                ReportColumn.Number("tokens a second"), ReportColumn.Number("against the baseline"), ReportColumn.Number("KV bytes a token"),
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
