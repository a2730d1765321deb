// The part of the report that sets other searches beside the one that is exported.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportCompared
{
    public static void Append(ReportDocument report, Study study, SearchResult best)
    {
        if (study.Compared.Count == 0)
        {
            return;
        }

        SearchResult[] searches = [best, .. study.Compared];
        var laws = searches.Select(LawOf).Distinct().ToList();
        report.Heading(3, "Beside other searches");
        report.Paragraph("The first search is the one that this report is about. Losses and speeds are told against each search's own baseline.");
        report.Table(
            [
                ReportColumn.Number("size (parameters)"), ReportColumn.Number("law"), ReportColumn.Number("layers"), ReportColumn.Number("GQA"), ReportColumn.Number("multiple"), new("efficient is"),
                new("accurate: hidden × MLP, heads"), ReportColumn.Number("loss (milli-nats)"), ReportColumn.Number("speed"),
                new("efficient: hidden × MLP, heads"), ReportColumn.Number("loss (milli-nats)"), ReportColumn.Number("speed"),
            ],
            searches.Select(s => Row(s, laws.IndexOf(LawOf(s)) + 1)));
        report.List(laws.Select((law, i) => $"Law {i + 1}: {law}."));
        if (searches.Any(s => s.Level == LossLevel.Factor))
        {
            report.Paragraph("Where a law has no level and no measured loss sets one, thousandths of the least loss stand in the place of milli-nats.");
        }
    }

    private static string LawOf(SearchResult search) => search.LawSource ?? "fitted to runs";

    private static IReadOnlyList<string> Row(SearchResult search, int law) =>
    [
        Quantity.Count(search.Size), $"{law}", SearchWords.Span([.. search.Layers.Select(l => (double)l)]), SearchWords.Span(search.Gqa), search.MultipleOf is { } multiple ? $"{multiple}" : Quantity.Absent,
        SearchWords.Efficient(search.Objective), .. Pick(search, search.Accurate), .. Pick(search, search.Efficient),
    ];

    private static IEnumerable<string> Pick(SearchResult search, ScoredShape shape)
    {
        var against = ShapeComparison.Of(search, shape);
        return [SearchWords.Short(shape), Quantity.MilliNats(against?.LossDifference), Quantity.Change(against?.SpeedChange)];
    }
}
