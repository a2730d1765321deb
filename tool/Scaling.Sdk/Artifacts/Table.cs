// A table artifact: RFC 4180 CSV, invariant culture, numbers that round-trip.
using System.Globalization;
using System.Text;

namespace Scaling.Sdk;

/// <summary>
/// An immutable table of text cells with named columns. Numbers are written so that reading them gives the same bits,
/// truth as <c>true</c>/<c>false</c>, an absent value as an empty cell.
/// </summary>
public sealed class Table
{
    private readonly Dictionary<string, int> _index;

    /// <summary>A table of the given cells.</summary>
    /// <param name="columns">Column names, each once.</param>
    /// <param name="rows">Cells, one array a row, as long as <paramref name="columns"/>.</param>
    /// <exception cref="FormatException">A column stands twice, or a row has another length than the header.</exception>
    public Table(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows)
    {
        Columns = columns;
        Rows = rows;
        _index = new Dictionary<string, int>(columns.Count, StringComparer.Ordinal);
        for (int i = 0; i < columns.Count; i++)
        {
            if (!_index.TryAdd(columns[i], i))
            {
                throw new FormatException($"column '{columns[i]}' stands twice");
            }
        }

        for (int i = 0; i < rows.Count; i++)
        {
            if (rows[i].Length != columns.Count)
            {
                throw new FormatException($"row {i + 1} has {rows[i].Length} cells where the header has {columns.Count}");
            }
        }
    }

    /// <summary>Column names in file order.</summary>
    public IReadOnlyList<string> Columns { get; }

    /// <summary>Cells, one array a row, in the order of <see cref="Columns"/>.</summary>
    public IReadOnlyList<string[]> Rows { get; }

    /// <summary>Whether the table has that column.</summary>
    /// <param name="column">Exact name.</param>
    public bool Has(string column) => _index.ContainsKey(column);

    /// <summary>A row by position, read by column name.</summary>
    /// <param name="row">From 0.</param>
    public Row this[int row] => new(this, Rows[row]);

    /// <summary>All rows, read by column name.</summary>
    public IEnumerable<Row> Each() => Rows.Select(cells => new Row(this, cells));

    /// <summary>Position of a column.</summary>
    /// <param name="column">Exact name.</param>
    /// <exception cref="StageFailedException">SCAL3101: there is no such column.</exception>
    public int IndexOf(string column) =>
        _index.TryGetValue(column, out int i)
            ? i
            : throw new StageFailedException(
                "SCAL3101", $"The table has no column '{column}'. It has: {string.Join(", ", Columns)}.", NearestSpelling.Hint(column, Columns));

    /// <summary>Reads a CSV file.</summary>
    /// <param name="path">UTF-8, header first.</param>
    /// <exception cref="StageFailedException">SCAL3102: the file is no such table.</exception>
    public static Table Read(string path)
    {
        try
        {
            return Parse(File.ReadAllText(path));
        }
        catch (FormatException e)
        {
            throw new StageFailedException([new Diagnostic("SCAL3102", $"This is no table: {e.Message}.")
            {
                Location = new SourceLocation(path),
                Hint = "Expected CSV (RFC 4180) with a header.",
            }]);
        }
    }

    /// <summary>Parses CSV text: fields may be quoted, quotes doubled, lines end with LF or CRLF, empty lines are skipped.</summary>
    /// <param name="text">Header first.</param>
    /// <exception cref="FormatException">No header, a row of another length, a column twice, or a quote that never ends.</exception>
    public static Table Parse(string text)
    {
        List<string[]> records = Csv.Records(text);
        if (records.Count == 0)
        {
            throw new FormatException("it is empty");
        }

        return new Table(records[0], records.GetRange(1, records.Count - 1));
    }

    /// <summary>The table as CSV with LF line ends.</summary>
    public string ToCsv()
    {
        var text = new StringBuilder();
        Csv.Append(text, Columns);
        foreach (string[] row in Rows)
        {
            Csv.Append(text, row);
        }

        return text.ToString();
    }

    /// <summary>Writes the table as CSV.</summary>
    /// <param name="path">Overwritten.</param>
    public void Write(string path) => File.WriteAllText(path, ToCsv());

    /// <summary>A cell's text for a value: numbers round-trip, truth is lower case, null is empty.</summary>
    /// <param name="value">A number, text, truth value or null.</param>
    public static string Cell(object? value) => value switch
    {
        null => "",
        bool truth => truth ? "true" : "false",
        double number => number.ToString("R", CultureInfo.InvariantCulture),
        IFormattable formattable => formattable.ToString(null, CultureInfo.InvariantCulture),
        _ => value.ToString() ?? "",
    };
}

/// <summary>One row of a <see cref="Table"/>, read by column name.</summary>
/// <param name="table">Where the columns' names stand.</param>
/// <param name="cells">As long as the table's columns.</param>
public readonly struct Row(Table table, string[] cells)
{
    /// <summary>The cell's text.</summary>
    /// <param name="column">Exact name.</param>
    public string Text(string column) => cells[table.IndexOf(column)];

    /// <summary>The cell as a number.</summary>
    /// <param name="column">Exact name.</param>
    /// <exception cref="StageFailedException">SCAL3103: it is no number.</exception>
    public double Number(string column) =>
        double.TryParse(Text(column), NumberStyles.Float, CultureInfo.InvariantCulture, out double number)
            ? number
            : throw Wrong(column, "a number");

    /// <summary>The cell as a whole number.</summary>
    /// <param name="column">Exact name.</param>
    /// <exception cref="StageFailedException">SCAL3103: it is no whole number.</exception>
    public long Whole(string column) =>
        long.TryParse(Text(column), NumberStyles.Integer, CultureInfo.InvariantCulture, out long number)
            ? number
            : throw Wrong(column, "a whole number");

    /// <summary>The cell as a whole number that fits 32 bits, such as a count of layers.</summary>
    /// <param name="column">Exact name.</param>
    /// <exception cref="StageFailedException">SCAL3103: it is no such number.</exception>
    public int Count(string column) => Whole(column) is >= int.MinValue and <= int.MaxValue and var n ? (int)n : throw Wrong(column, "a count");

    /// <summary>The cell as <c>true</c> or <c>false</c>.</summary>
    /// <param name="column">Exact name.</param>
    /// <exception cref="StageFailedException">SCAL3103: it is neither.</exception>
    public bool Truth(string column) => bool.TryParse(Text(column), out bool truth) ? truth : throw Wrong(column, "true or false");

    private StageFailedException Wrong(string column, string expected) =>
        new("SCAL3103", $"Column '{column}' holds '{Text(column)}' where {expected} was expected.");
}

/// <summary>Builds a <see cref="Table"/> with documented columns, row by row.</summary>
/// <param name="columns">The columns, in file order.</param>
public sealed class TableBuilder(IReadOnlyList<Column> columns)
{
    private readonly List<string[]> _rows = [];

    /// <summary>Adds a row.</summary>
    /// <param name="values">One value a column, in order.</param>
    /// <exception cref="ArgumentException">The count differs from that of the columns.</exception>
    public void Add(params ReadOnlySpan<object?> values)
    {
        if (values.Length != columns.Count)
        {
            throw new ArgumentException($"{values.Length} values for {columns.Count} columns");
        }

        string[] cells = new string[values.Length];
        for (int i = 0; i < cells.Length; i++)
        {
            cells[i] = Table.Cell(values[i]);
        }

        _rows.Add(cells);
    }

    /// <summary>The table so far.</summary>
    public Table Build() => new([.. columns.Select(c => c.Name)], [.. _rows]);
}
