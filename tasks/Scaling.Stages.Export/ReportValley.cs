// The part of the report that says how flat the best place is, and what the search picks with other multiples.
using Scaling.Architectures;
using Scaling.Reports;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportValley
{
    public static void Append(ReportDocument report, Study study, SearchResult best)
    {
        var table = study.Sensitivity;
        if (best.Valley is null && table is null)
        {
            return;
        }

        report.Heading(3, "How flat the valley is");
        if (best.Valley is { } valley)
        {
            report.Paragraph(InWords(best, valley, study.Law?.Fit?.ReplicateNoise));
        }

        if (table is { Rows.Count: > 0 })
        {
            report.Folded("What the search would have picked with widths in other multiples", folded => folded.Table(
                [
                    ReportColumn.Number("multiple"), ReportColumn.Number("shapes"), new("pick"), new("hidden × MLP, heads"), ReportColumn.Number("GQA"),
                    ReportColumn.Number($"predicted loss ({SearchWords.LossUnit(best)})"), ReportColumn.Number($"above the least ({(best.Level == LossLevel.Factor ? "thousandths of it" : "milli-nats")})"),
                    ReportColumn.Number("tokens a second"),
                ],
                table.Each().Select(row => (IReadOnlyList<string>)
                [
                    row.Text("multiple_of") == $"{best.MultipleOf}" ? $"**{row.Text("multiple_of")}**" : row.Text("multiple_of"), row.Text("candidates"), row.Text("pick"),
                    $"{row.Text("hidden")} × {row.Text("intermediate")}, {row.Text("heads")}/{row.Text("kv_heads")}", Digits(row, "gqa"),
                    Quantity.Loss(Optional(row, "predicted")), Quantity.Digits(1000 * Optional(row, "difference_to_best"), 3), Count(row, "tokens_per_second"),
                ])));
        }
    }

    /// <param name="best">For its unit of loss.</param>
    /// <param name="valley">Counted by the search.</param>
    /// <param name="seedNoise">What seeds of one shape scatter by, nats a token; null where no run tells.</param>
    private static string InWords(SearchResult best, Valley valley, double? seedNoise)
    {
        string within = best.Level == LossLevel.Factor ? $"{Quantity.Digits(100 * valley.WithinNats, 2)} % of the least loss" : $"{Quantity.Digits(valley.WithinNats, 2)} nats of the least loss";
        string seeds = seedNoise is { } noise ? $"; seeds of one shape scatter by {Quantity.Digits(noise, 2)}" : "";
        return valley.Candidates == 1
            ? $"No other candidate is predicted within {within}{seeds}."
            : $"{valley.Candidates} candidates are predicted within {within}{seeds}. They go from x {Quantity.Digits(valley.X.Low, 3)} to {Quantity.Digits(valley.X.High, 3)} "
              + $"and from ratio {Quantity.Digits(valley.Ratio.Low, 3)} to {Quantity.Digits(valley.Ratio.High, 3)}: who names one winner among them is guessing.";
    }
}
