// Under which conditions rows were trained: which of them are finished models at all, and in what they differ beside the shape.
namespace Scaling.Laws;

/// <summary>A column in which rows differ and by which a law has no term.</summary>
/// <param name="Column">Its name.</param>
/// <param name="Values">Of each row, in their order.</param>
/// <param name="Comparable">Whether losses still mean the same: false where they are of other tokens.</param>
public sealed record RunCondition(string Column, IReadOnlyList<string> Values, bool Comparable);

/// <summary>Reads the columns by which <c>runs.csv</c> tells what makes a row comparable. A table of other people that lacks them is taken as it is.</summary>
internal static class RunConditions
{
    private const string Annealed = "annealed";
    private const string DivergedAt = "diverged_at";

    /// <summary>What a loss is of: rows that differ here have no common scale.</summary>
    private static readonly string[] s_judgedBy = ["tokenizer", "held_out", "evaluation_tokens", "context"];

    /// <summary>What a model was trained with. The learning rate is not among them: it follows the shape by a rule that has its own check.</summary>
    private static readonly string[] s_trainedBy = ["corpus", "token_order", "schedule", "recipe", "precision", "batch"];

    /// <summary>The rows that are finished models: others are no (N, D) points of any law.</summary>
    public static RunCells Finished(RunCells cells, List<string> notes)
    {
        cells = Without(cells, DivergedAt, cell => cell.Length > 0, "diverged", notes);
        return Without(cells, Annealed, cell => cell.Equals("false", StringComparison.OrdinalIgnoreCase), "were not annealed, and what a schedule passes on its way is no model of fewer tokens,", notes);
    }

    /// <summary>The conditions in which some rows differ.</summary>
    /// <param name="cells">All rows.</param>
    /// <param name="kept">Those that count.</param>
    /// <param name="named">Columns that the user named as hyper-parameter groups: those have offsets.</param>
    public static IReadOnlyList<RunCondition> Of(RunCells cells, IReadOnlyList<int> kept, IReadOnlyList<int> named) =>
    [
        .. from column in s_judgedBy.Concat(s_trainedBy)
           let at = cells.IndexOf(column)
           where at >= 0 && !named.Contains(at)
           let values = kept.Select(i => cells.Text(at, i)).ToArray()
           where values.Distinct(StringComparer.Ordinal).Count() > 1
           select new RunCondition(column, values, s_trainedBy.Contains(column)),
    ];

    private static RunCells Without(RunCells cells, string name, Func<string, bool> drops, string why, List<string> notes)
    {
        int column = cells.IndexOf(name);
        if (column < 0)
        {
            return cells;
        }

        bool[] dropped = [.. Enumerable.Range(0, cells.Count).Select(i => drops(cells.Text(column, i).Trim()))];
        if (RunNotes.Tally.Of(cells.Count, i => dropped[i]) is { Rows: > 0 } tally)
        {
            notes.Add($"{tally.Rows} of {cells.Count} rows {why} and are not fitted, first row {cells.RowNumber(tally.First)}.");
        }

        return cells.At([.. Enumerable.Range(0, cells.Count).Where(i => !dropped[i])]);
    }
}
