// What scores.json says, in the report's words.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportScores
{
    /// <summary>The scores in a sentence.</summary>
    /// <param name="scores">Of the held-out size.</param>
    /// <param name="seedNoise">Standard deviation between seeds of that size, nats a token; null where there are none.</param>
    public static string InWords(HeldOutScores scores, double? seedNoise)
    {
        double regret = scores.Budgets.Max(b => b.Regret);
        double level = scores.Budgets.MaxBy(b => Math.Abs(b.LevelError))!.LevelError;
        string missed = $"Tried on a size that it had not seen ({Quantity.Count(scores.Size)} parameters), the law missed the level of the loss by up to {Quantity.Digits(Math.Abs(level), 2)} nats a token";
        return !TellsShapesApart(scores) ? missed + "." : missed + "; "
            + (regret == 0 ? "the shape that it ranked first was the best measured." : $"the shape that it ranked first had up to {Quantity.Digits(regret, 2)} nats more than the best measured{(seedNoise > 0 ? $", {Quantity.Digits(regret / seedNoise, 2)} times what seeds scatter by at that size" : "")}.");
    }

    /// <summary>A row a budget.</summary>
    public static void Append(ReportDocument report, HeldOutScores scores)
    {
        report.Paragraph($"The law was refitted to {scores.FittedRows} runs of the other sizes and predicted the runs of {Quantity.Count(scores.Size)} parameters:");
        bool picks = TellsShapesApart(scores);
        report.Table(
            [
                ReportColumn.Number("tokens"), ReportColumn.Number("runs"), ReportColumn.Number("mean squared error (nats²)"), ReportColumn.Number("Spearman"),
                ReportColumn.Number("level error (nats)"), ReportColumn.Number("shape error (nats)"),
                .. picks ? [ReportColumn.Number("regret of the pick (nats)"), ReportColumn.Number("of the copied shape"), ReportColumn.Number("of a quadratic's pick")] : Array.Empty<ReportColumn>(),
            ],
            scores.Budgets.Select(b => (IReadOnlyList<string>)
            [
                Quantity.Count(b.Tokens), $"{b.Rows}", Quantity.Digits(b.Mse, 3), Quantity.Digits(b.Spearman, 3), Quantity.LossDifference(b.LevelError), Quantity.Loss(b.ShapeError),
                .. picks ? [Quantity.Loss(b.Regret), Quantity.Loss(b.RegretOfCopy), Quantity.Loss(b.RegretOfQuadratic)] : Array.Empty<string>(),
            ]));
        report.Paragraph(
            "Spearman is the rank correlation of predicted and measured loss. The level error is what all runs of a row share (predicted less measured), the shape error what is left."
            + (picks
                ? " The regret is the measured loss of the shape that was predicted best, less the least measured; beside it stand that of the best shape of the largest fitted size, "
                  + "copied, and that of a quadratic in ln x and ln r."
                : ""));
    }

    /// <summary>Whether the law that was scored has terms of the shape: of another a pick means nothing.</summary>
    public static bool TellsShapesApart(HeldOutScores scores) => scores.Form is not (null or LawForm.None);

    /// <summary>A row a size that was predicted from the smaller ones.</summary>
    public static void AppendRollout(ReportDocument report, IReadOnlyList<RolloutStep> steps)
    {
        report.Paragraph("Each size predicted from the smaller ones alone, all budgets together:");
        report.Table(
            [
                ReportColumn.Number("parameters"), ReportColumn.Number("from sizes"), ReportColumn.Number("runs"), ReportColumn.Number("level error (nats)"),
                ReportColumn.Number("shape error (nats)"), ReportColumn.Number("Spearman"), ReportColumn.Number("in the 95 % interval"),
            ],
            steps.SelectMany(s => new[] { s.AllSizes, s.NearSizes }).OfType<HeldOutScores>().Select(s => (IReadOnlyList<string>)
            [
                Quantity.Count(s.Size), $"{s.FittedSizes.Count}", $"{s.All.Rows}", Quantity.LossDifference(s.All.LevelError), Quantity.Loss(s.All.ShapeError),
                Quantity.Digits(s.All.Spearman, 3), s.All.Coverage is { } share ? $"{100 * share:0} %" : Quantity.Absent,
            ]));
    }
}
