// scores.json: how well the law, refitted without a size, predicted that size; written by extrapolate and read by export.
using System.Text.Json;

namespace Scaling.Laws;

/// <summary>The content of <c>scores.json</c>.</summary>
/// <param name="HeldOut">Null where no size was held out.</param>
/// <param name="Reason">Why there is none; null where there is.</param>
public sealed record ScoresDocument(HeldOutScores? HeldOut, string? Reason)
{
    /// <summary>Every size that was predicted from the smaller ones, rising; empty where none was asked for or possible.</summary>
    public IReadOnlyList<RolloutStep> Rollout { get; init; } = [];

    /// <summary>Writes the scores.</summary>
    /// <param name="path">Overwritten.</param>
    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, LawDocument.Json) + "\n");

    /// <summary>Reads scores.</summary>
    /// <param name="path">As <see cref="Write"/> made it.</param>
    /// <exception cref="JsonException">The file holds something else.</exception>
    public static ScoresDocument Read(string path)
    {
        var document = JsonSerializer.Deserialize<ScoresDocument>(File.ReadAllText(path), LawDocument.Json) ?? throw new JsonException("scores are an object, not null");
        return document.HeldOut is { Budgets.Count: 0 } ? throw new JsonException("held_out has no budgets") : document;
    }
}

/// <summary>One size predicted from smaller ones.</summary>
/// <param name="AllSizes">By the law of all smaller sizes.</param>
/// <param name="NearSizes">By the law of the nearest smaller sizes alone; null where these are all.</param>
public sealed record RolloutStep(HeldOutScores AllSizes, HeldOutScores? NearSizes);

/// <summary>Scores over all rows of the held-out size, and for each number of tokens apart.</summary>
/// <param name="Size">Mean N of the size, parameters.</param>
/// <param name="FittedRows">Rows of the other sizes that the law was refitted to.</param>
/// <param name="FittedSizes">Mean N of these sizes, rising.</param>
/// <param name="Form">Of the refitted law; null for a Chinchilla law.</param>
/// <param name="All">Over all rows of the size.</param>
/// <param name="Budgets">For each class of D, rising, at least one: ranks across budgets are easy, within one they are the point.</param>
/// <param name="Verdicts">On the refit.</param>
public sealed record HeldOutScores(
    double Size, int FittedRows, IReadOnlyList<double> FittedSizes, LawForm? Form, RowScores All, IReadOnlyList<RowScores> Budgets, IReadOnlyList<Verdict> Verdicts);

/// <summary>Scores of some rows.</summary>
/// <param name="Tokens">Mean D, tokens.</param>
/// <param name="Rows">How many.</param>
/// <param name="Mse">Mean squared error, nats².</param>
/// <param name="Spearman">Rank correlation of predicted and measured loss; null where it has no value.</param>
/// <param name="SpearmanReason">Why; null where it has.</param>
/// <param name="SpearmanInterval">Its 95 % interval over redrawn rows; null with fewer than five.</param>
/// <param name="LevelError">Mean of predicted less measured, nats a token: what the rows share.</param>
/// <param name="ShapeError">Root mean square of the rest, nats a token.</param>
/// <param name="Coverage">Share of the rows whose measured loss lies in the 95 % interval of a new run; null where that is unknown.</param>
/// <param name="Pick">Row, in the table of runs from 1, of the least predicted loss.</param>
/// <param name="Regret">The measured loss of the pick's shape (the mean of its seeds) less the least measured, nats a token; over several budgets the mean of theirs.</param>
/// <param name="RegretOfCopy">The same of the best shape of the largest smaller size, copied: its nearest x and ratio here; null where shapes are unknown.</param>
/// <param name="RegretOfQuadratic">The same of the pick of a quadratic in (ln x, ln r); null for a Chinchilla law.</param>
public sealed record RowScores(
    double Tokens, int Rows, double Mse, double? Spearman, string? SpearmanReason, Interval? SpearmanInterval, double LevelError, double ShapeError,
    double? Coverage, int Pick, double Regret, double? RegretOfCopy, double? RegretOfQuadratic);
