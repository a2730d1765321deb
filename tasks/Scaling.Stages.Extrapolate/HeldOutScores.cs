// scores.json: how well the law without a size predicted that size.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using Scaling.Laws;

namespace Scaling.Stages.Extrapolate;

/// <summary>The content of <c>scores.json</c>.</summary>
/// <param name="HeldOut">Null where no size was held out.</param>
/// <param name="Reason">Why there is none; null where there is.</param>
internal sealed record ScoresDocument(HeldOutScores? HeldOut, string? Reason)
{
    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, s_json).ReplaceLineEndings("\n") + "\n");

    private static readonly JsonSerializerOptions s_json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        Converters = { new JsonStringEnumConverter() },
    };
}

/// <summary>Scores over all rows of the held-out size, and for each number of tokens apart.</summary>
/// <param name="Size">Mean N of the class.</param>
/// <param name="FittedRows">Rows of the other sizes that the law was refitted to.</param>
/// <param name="All">Over all rows of the size.</param>
/// <param name="Budgets">For each class of D, rising: ranks across budgets are easy, within one they are the point.</param>
/// <param name="Verdicts">On the refit.</param>
internal sealed record HeldOutScores(
    double Size, int FittedRows, [property: JsonIgnore] RowScores All, IReadOnlyList<RowScores> Budgets, IReadOnlyList<Verdict> Verdicts)
{
    public int Rows => All.Rows;

    public double Mse => All.Mse;

    public double? Spearman => All.Spearman;

    public double LevelError => All.LevelError;

    public double ShapeError => All.ShapeError;

    public double Regret => All.Regret;

    public string? SpearmanReason => All.SpearmanReason;
}

/// <summary>Scores of some rows.</summary>
/// <param name="Tokens">Mean D.</param>
/// <param name="Rows">How many.</param>
/// <param name="Mse">Mean squared error, nats².</param>
/// <param name="Spearman">Rank correlation of predicted and measured loss; null where it has no value.</param>
/// <param name="SpearmanReason">Why; null where it has.</param>
/// <param name="LevelError">Mean of predicted less measured, nats a token: what the rows share.</param>
/// <param name="ShapeError">Root mean square of the rest, nats a token.</param>
/// <param name="Pick">Row, in the table of runs from 1, of the least predicted loss.</param>
/// <param name="Regret">The pick's measured loss less the least measured, nats a token.</param>
internal sealed record RowScores(
    double Tokens, int Rows, double Mse, double? Spearman, string? SpearmanReason, double LevelError, double ShapeError, int Pick, double Regret)
{
    public static RowScores Of(IReadOnlyList<(TrainingRun Run, double Predicted)> rows)
    {
        double[] predicted = [.. rows.Select(r => r.Predicted)];
        double[] measured = [.. rows.Select(r => r.Run.Loss)];
        double? spearman = Scores.Spearman(predicted, measured);
        var (pick, regret) = Scores.Regret(predicted, measured);
        return new RowScores(
            rows.Average(r => r.Run.Tokens), rows.Count, Scores.MeanSquaredError(predicted, measured), spearman,
            spearman is null ? "Ranks take at least two rows, and values that differ on both sides." : null,
            Scores.LevelError(predicted, measured), Scores.ShapeError(predicted, measured), rows[pick].Run.Row, regret);
    }
}
