// A quantity of a run: the column or formula that it comes from, its values row by row, and what they must be.
using System.Globalization;

namespace Scaling.Laws;

/// <summary>What the values of a quantity must be.</summary>
/// <param name="Least">Least of them.</param>
/// <param name="Most">Largest of them.</param>
/// <param name="Whole">Whether they are whole, up to rounding of a formula (1e-9).</param>
/// <param name="Expected">In words.</param>
internal sealed record Bounds(double Least, double Most, bool Whole, string Expected)
{
    /// <summary>0 or 1.</summary>
    public static readonly Bounds Truth = new(0, 1, true, "true, false, 1 or 0");

    public static readonly Bounds Any = Number(-1e18, 1e18);

    public static Bounds Number(double least, double most) => new(least, most, false, $"a number from {least:G3} to {most:G3}");

    public static Bounds Count(int most) => new(1, most, true, string.Create(CultureInfo.InvariantCulture, $"a whole number from 1 to {most}"));

    public bool Hold(double value) => value >= Least && value <= Most && (!Whole || Math.Abs(value - Math.Round(value)) <= 1e-9 * value);
}

/// <summary>Where the values of a quantity come from: a column, or a formula.</summary>
/// <param name="Word">The study's word.</param>
/// <param name="Text">Name of the column, or the formula as written.</param>
/// <param name="Column">The column's position; −1 for a formula.</param>
/// <param name="Formula">Null for a column.</param>
internal sealed record RunQuantity(string Word, string Text, int Column, Expression? Formula)
{
    /// <summary>Whether only its name says that the column is this quantity: in a table of somebody else the word may mean another thing.</summary>
    public bool Guessed { get; init; }

    /// <summary>A row that speaks against the guess; null where most rows hold what the quantity must.</summary>
    /// <param name="cells">The rows.</param>
    /// <param name="bounds">What the values must be.</param>
    public int? Foreign(RunCells cells, Bounds bounds)
    {
        double[] read = cells.Numbers(Column, truths: bounds == Bounds.Truth);
        int[] wrong = [.. Enumerable.Range(0, read.Length).Where(i => !bounds.Hold(read[i]) && !cells.IsEmpty(Column, i))];
        return wrong.Length > 0 && 2 * wrong.Length > Enumerable.Range(0, read.Length).Count(i => !cells.IsEmpty(Column, i)) ? wrong[0] : null;
    }

    /// <summary>Whether its values differ from row to row only if columns do.</summary>
    public bool ReadsColumns => Column >= 0 || Formula!.Columns.Count > 0;

    /// <summary>The values; NaN where a row has none. What a row may not have is found.</summary>
    /// <param name="cells">The rows.</param>
    /// <param name="bounds">What the values must be.</param>
    /// <param name="empty">Whether an empty cell means unknown; else it is wrong.</param>
    /// <param name="findings">Takes what is wrong.</param>
    public double[] Values(RunCells cells, Bounds bounds, bool empty, RunFindings findings)
    {
        var read = Column < 0 ? null : cells.Numbers(Column, truths: bounds == Bounds.Truth);
        double[] values = new double[cells.Count];
        for (int i = 0; i < values.Length; i++)
        {
            double value = read is null ? Formula!.Evaluate(cells, i) : read[i];
            if (bounds.Hold(value))
            {
                values[i] = bounds.Whole ? Math.Round(value) : value;
                continue;
            }

            values[i] = double.NaN;
            int row = i;
            if (!(empty && double.IsNaN(value) && IsEmpty(cells, i)))
            {
                findings.Add(() => Wrong(cells, row, value, bounds));
            }
        }

        return values;
    }

    private bool IsEmpty(RunCells cells, int row) =>
        Column >= 0 ? cells.IsEmpty(Column, row) : Formula!.Columns.Any(c => cells.IsEmpty(c, row));

    private RunTableFinding Wrong(RunCells cells, int row, double value, Bounds bounds)
    {
        string place = $"Row {cells.RowNumber(row)}, ";
        if (Column >= 0)
        {
            return new RunTableFinding("SCAL7103", $"{place}column '{Text}': {RunCells.Shown(cells.Text(Column, row))} where {bounds.Expected} was expected.");
        }

        string formula = $"{place}{Word} = {Laws.Word.Cut(Text)}: ";
        return double.IsNaN(value)
            ? new RunTableFinding("SCAL7112", $"{formula}{Formula!.Reason(cells, row)}.")
            : new RunTableFinding("SCAL7103", $"{formula}{value:G6} where {bounds.Expected} was expected{Formula!.Operands(cells, row)}.");
    }
}
