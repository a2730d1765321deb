// The cells of a table as texts and as numbers, each column turned into numbers once.
using System.Globalization;

namespace Scaling.Laws;

/// <summary>Rows of a table.</summary>
/// <param name="columns">Names, each once.</param>
/// <param name="rows">Cells, one array a row.</param>
/// <param name="numbers">Position of each row in its file, from 1; null: they stand there as here.</param>
internal sealed class RunCells(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows, IReadOnlyList<int>? numbers = null)
{
    private readonly double[]?[] _numbers = new double[]?[2 * columns.Count];

    public IReadOnlyList<string> Columns => columns;

    public int Count => rows.Count;

    /// <summary>Position of a row in its file, from 1.</summary>
    public int RowNumber(int row) => numbers?[row] ?? row + 1;

    public string[] Row(int row) => rows[row];

    public string Text(int column, int row) => rows[row][column];

    /// <summary>Whether a cell is empty or white.</summary>
    public bool IsEmpty(int column, int row) => string.IsNullOrWhiteSpace(rows[row][column]);

    /// <summary>Position of a column; −1 where there is none.</summary>
    public int IndexOf(string name)
    {
        for (int i = 0; i < columns.Count; i++)
        {
            if (columns[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    /// <summary>A column's cells; NaN for those that are no finite number.</summary>
    /// <param name="column">Its position.</param>
    /// <param name="truths">Whether <c>true</c> is 1 and <c>false</c> 0, in any case of letters.</param>
    public double[] Numbers(int column, bool truths = false)
    {
        ref double[]? values = ref _numbers[2 * column + (truths ? 1 : 0)];
        return values ??= truths ? WithTruths(column, Numbers(column)) : [.. rows.Select(r => Parse(r[column]))];
    }

    /// <summary>The rows at some positions.</summary>
    /// <param name="kept">From 0, rising.</param>
    public RunCells At(IReadOnlyList<int> kept) =>
        kept.Count == rows.Count ? this : new RunCells(columns, [.. kept.Select(i => rows[i])], [.. kept.Select(RowNumber)]);

    /// <summary>A cell as messages name it, at most 40 characters.</summary>
    public static string Shown(string cell) => string.IsNullOrWhiteSpace(cell) ? "nothing" : $"'{Word.Cut(cell)}'";

    private static double Parse(string cell) =>
        double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : double.NaN;

    private double[] WithTruths(int column, double[] numbers)
    {
        double[] values = numbers;
        for (int i = 0; i < numbers.Length; i++)
        {
            if (double.IsNaN(numbers[i]) && bool.TryParse(rows[i][column], out bool truth))
            {
                values = values == numbers ? [.. numbers] : values;
                values[i] = truth ? 1 : 0;
            }
        }

        return values;
    }
}
