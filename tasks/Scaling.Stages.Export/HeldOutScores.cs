// scores.json: how well the law, refitted without one size, predicted that size.
using System.Text.Json;
using Scaling.Reports;

namespace Scaling.Stages.Export;

/// <summary>The content of <c>scores.json</c>.</summary>
/// <param name="HeldOut">Null where no size was held out.</param>
/// <param name="Reason">Why there is none.</param>
internal sealed record ScoresDocument(HeldOutScores? HeldOut, string? Reason)
{
    private static readonly JsonSerializerOptions Json = new() { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower };

    /// <exception cref="JsonException">The file holds something else.</exception>
    public static ScoresDocument? Read(string path)
    {
        var document = JsonSerializer.Deserialize<ScoresDocument>(File.ReadAllText(path), Json);
        return document is { HeldOut: { Budgets: null or { Count: 0 } } } ? throw new JsonException("held_out has no budgets") : document;
    }
}

/// <summary>The size that was held out.</summary>
/// <param name="Size">Mean N of its rows.</param>
/// <param name="FittedRows">Rows of the other sizes that the law was refitted to.</param>
/// <param name="Budgets">For each number of tokens apart: ranks across budgets are easy, within one they are the point.</param>
internal sealed record HeldOutScores(double Size, int FittedRows, IReadOnlyList<BudgetScores> Budgets)
{
    /// <summary>The scores in a sentence.</summary>
    public string InWords()
    {
        double regret = Budgets.Max(b => b.Regret);
        double level = Budgets.MaxBy(b => Math.Abs(b.LevelError))!.LevelError;
        return $"Tried on a size that it had not seen ({Quantity.Count(Size)} parameters), the law missed the level of the loss by up to {Quantity.Digits(Math.Abs(level), 2)} nats a token; "
            + (regret == 0 ? "the shape that it ranked first was the best measured." : $"the shape that it ranked first had up to {Quantity.Digits(regret, 2)} nats more than the best measured.");
    }

    /// <summary>A row a budget.</summary>
    public void Append(MarkdownDocument report)
    {
        report.Paragraph($"The law was refitted to {FittedRows} runs of the other sizes and predicted the runs of {Quantity.Count(Size)} parameters:");
        report.Table(
            [
                MarkdownColumn.Number("tokens"), MarkdownColumn.Number("runs"), MarkdownColumn.Number("mean squared error (nats²)"), MarkdownColumn.Number("Spearman"),
                MarkdownColumn.Number("level error (nats)"), MarkdownColumn.Number("shape error (nats)"), MarkdownColumn.Number("regret of the pick (nats)"),
            ],
            Budgets.Select(b => (IReadOnlyList<string>)
            [
                Quantity.Count(b.Tokens), $"{b.Rows}", Quantity.Digits(b.Mse, 3), Quantity.Digits(b.Spearman, 3), Quantity.LossDifference(b.LevelError), Quantity.Loss(b.ShapeError),
                Quantity.Loss(b.Regret),
            ]));
        report.Paragraph(
            "Spearman is the rank correlation of predicted and measured loss. The level error is what all runs of a row share (predicted less measured), the shape error what is left. "
            + "The regret is the measured loss of the shape that was predicted best, less the least measured.");
    }
}

/// <summary>Scores of the held-out runs with one number of tokens.</summary>
/// <param name="Tokens">Mean D.</param>
/// <param name="Rows">How many.</param>
/// <param name="Mse">nats².</param>
/// <param name="Spearman">Null where ranks have no meaning.</param>
/// <param name="LevelError">Mean of predicted less measured, nats a token.</param>
/// <param name="ShapeError">Root mean square of the rest, nats a token.</param>
/// <param name="Regret">Nats a token.</param>
internal sealed record BudgetScores(double Tokens, int Rows, double Mse, double? Spearman, double LevelError, double ShapeError, double Regret);
