// Which rows of a table count: each line once, and those that meet `where`.
using System.Globalization;

namespace Scaling.Laws;

internal static class RunRows
{
    /// <summary>The rows that count.</summary>
    /// <param name="cells">All rows.</param>
    /// <param name="where">What a row must meet; null for nothing.</param>
    /// <param name="findings">Takes it if no row is left.</param>
    /// <param name="notes">Takes what was left out unasked.</param>
    public static RunCells Of(RunCells cells, Expression? where, RunFindings findings, List<string> notes)
    {
        if (cells.Count == 0)
        {
            findings.Add(new RunTableFinding("SCAL7114", "The table has a header and no rows.") { Hint = "Give it one row a run." });
            return cells;
        }

        cells = OnceEach(cells, notes);
        return where is null ? cells : Meeting(where, cells, findings, notes);
    }

    /// <summary>The row's hyper-parameters, <c>lr=0.003, wd=0.1</c>; <c>0.10</c> and <c>1e-1</c> are the same as <c>0.1</c>.</summary>
    public static string Group(IReadOnlyList<int> columns, RunCells cells, int row) => columns.Count == 0
        ? ""
        : string.Join(", ", columns.Select(c => $"{cells.Columns[c]}={(cells.Numbers(c)[row] is var n && double.IsNaN(n) ? cells.Text(c, row).Trim() : n.ToString("R", CultureInfo.InvariantCulture))}"));

    /// <summary>Says how many rows repeat another's run, N, D, shape, seed and loss and differ elsewhere.</summary>
    public static void TellRepeated(RunNames names, RunCells cells, RunValues values, RunNotes notes)
    {
        string Text(int column, int row) => column < 0 ? "" : cells.Text(column, row);
        var seen = new HashSet<(string Run, double N, double D, string Shape, string Seed, double Loss)>(cells.Count);
        var repeated = RunNotes.Tally.Of(
            cells.Count, i => !seen.Add((Text(names.Run, i), values.Parameters[i], values.Tokens[i], Text(names.Shape, i), Text(names.Seed, i), values.Loss[i])));
        if (repeated.Rows > 0)
        {
            notes.Add($"Rows have the run, parameters, tokens, shape, seed and loss of another and count all the same ({notes.Told(repeated)}).");
        }
    }

    private static RunCells OnceEach(RunCells cells, List<string> notes)
    {
        var seen = new HashSet<string[]>(cells.Count, new SameCells());
        List<int> kept = [.. Enumerable.Range(0, cells.Count).Where(i => seen.Add(cells.Row(i)))];
        if (kept.Count < cells.Count)
        {
            int first = Enumerable.Range(0, kept.Count).FirstOrDefault(i => kept[i] != i, kept.Count);
            notes.Add($"{cells.Count - kept.Count} of {cells.Count} rows repeat another cell by cell, first row {cells.RowNumber(first)}; such a row counts once.");
        }

        return cells.At(kept);
    }

    private static RunCells Meeting(Expression where, RunCells cells, RunFindings findings, List<string> notes)
    {
        var kept = new List<int>();
        var unknown = default(RunNotes.Tally);
        for (int i = 0; i < cells.Count; i++)
        {
            double truth = where.Evaluate(cells, i);
            if (truth == 1)
            {
                kept.Add(i);
            }
            else if (double.IsNaN(truth))
            {
                unknown = unknown.With(i);
            }
        }

        string undecided = unknown.Rows == 0
            ? ""
            : $"In {new RunNotes(cells).Told(unknown)}, 'where' cannot be decided ({where.Reason(cells, unknown.First)}); such a row is left out.";
        if (kept.Count == 0)
        {
            findings.Add(new RunTableFinding("SCAL7113", $"No row of {cells.Count} meets 'where: {Word.Cut(where.Text)}'.{(undecided.Length == 0 ? "" : " " + undecided)}")
            {
                Hint = "Correct the comparison, or remove it.",
            });
        }
        else if (undecided.Length > 0)
        {
            notes.Add(undecided);
        }

        return cells.At(kept);
    }

    private sealed class SameCells : IEqualityComparer<string[]>
    {
        public bool Equals(string[]? x, string[]? y) => x.AsSpan().SequenceEqual(y);

        public int GetHashCode(string[] cells)
        {
            var hash = default(HashCode);
            foreach (string cell in cells)
            {
                hash.Add(cell);
            }

            return hash.ToHashCode();
        }
    }
}
