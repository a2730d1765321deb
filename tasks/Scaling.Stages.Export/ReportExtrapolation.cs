// The part of the report on what the law foretells: a size that it had not seen, and larger ones.
using Scaling.Reports;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportExtrapolation
{
    public static void Append(ReportDocument report, Study study, Action<string[]> show)
    {
        var targets = study.Predictions?.Each().Where(row => row.Text("purpose") == "target").ToList() ?? [];
        if (study.Scores is null && targets.Count == 0)
        {
            return;
        }

        report.Heading(2, "Extrapolation");
        if (study.Scores?.HeldOut is { } heldOut)
        {
            ReportScores.Append(report, heldOut);
        }
        else if (study.Scores is { } scores)
        {
            report.Paragraph($"No size was held out: {scores.Reason}");
        }

        if (study.Scores?.Rollout is { Count: > 0 } steps)
        {
            ReportScores.AppendRollout(report, steps);
        }

        show([ExportTables.PredictedAgainstMeasured, ExportTables.Residuals, ExportTables.Regret]);
        if (targets.Count > 0)
        {
            report.Paragraph("What the law says of larger sizes:");
        }

        report.Table(
            [
                ReportColumn.Number("size (parameters)"), ReportColumn.Number("tokens"), ReportColumn.Number("x"), ReportColumn.Number("ratio"),
                ReportColumn.Number("predicted loss (nats a token)"), ReportColumn.Number("95 %"),
            ],
            targets.Select(row => (IReadOnlyList<string>)
            [
                Count(row, "parameters"), Count(row, "tokens"), Digits(row, "x"), Digits(row, "ratio"), Quantity.Loss(Optional(row, "predicted")),
                Optional(row, "predicted_low") is { } low && Optional(row, "predicted_high") is { } high ? $"{Quantity.Loss(low)} … {Quantity.Loss(high)}" : Quantity.Absent,
            ]));
    }
}
