// A report in Markdown, as GitHub renders it: headings, paragraphs, lists, tables, figures.
using System.Text;

namespace Scaling.Reports;

/// <summary>Builds a Markdown text block by block; blocks are a blank line apart, lines end with LF.</summary>
public sealed class MarkdownDocument
{
    private readonly StringBuilder _text = new();

    /// <summary>A heading.</summary>
    /// <param name="level">1 to 6.</param>
    /// <param name="text">One line of Markdown.</param>
    public MarkdownDocument Heading(int level, string text) => Block($"{new string('#', level)} {OneLine(text)}");

    /// <summary>A paragraph.</summary>
    /// <param name="text">Markdown.</param>
    public MarkdownDocument Paragraph(string text) => Block(text);

    /// <summary>A list of points; nothing where there are none.</summary>
    /// <param name="items">Markdown, one line each.</param>
    public MarkdownDocument List(IEnumerable<string> items)
    {
        var lines = items.Select(item => $"- {OneLine(item)}").ToList();
        return lines.Count == 0 ? this : Block(string.Join('\n', lines));
    }

    /// <summary>A table; nothing where it has no rows.</summary>
    /// <param name="columns">Headers; see <see cref="MarkdownColumn"/>.</param>
    /// <param name="rows">Cells, as many as there are columns.</param>
    /// <exception cref="ArgumentException">A row has another number of cells.</exception>
    public MarkdownDocument Table(IReadOnlyList<MarkdownColumn> columns, IEnumerable<IReadOnlyList<string>> rows)
    {
        var lines = new List<string>
        {
            Line(columns.Select(c => c.Header)),
            Line(columns.Select(c => c.Right ? "---:" : "---")),
        };
        foreach (var row in rows)
        {
            lines.Add(row.Count == columns.Count
                ? Line(row)
                : throw new ArgumentException($"{row.Count} cells for {columns.Count} columns"));
        }

        return lines.Count == 2 ? this : Block(string.Join('\n', lines));
    }

    /// <summary>A picture beside the report.</summary>
    /// <param name="description">What it shows, for those who do not see it.</param>
    /// <param name="path">Relative, forward slashes.</param>
    public MarkdownDocument Picture(string description, string path) => Block($"![{OneLine(description)}]({path})");

    /// <summary>The text.</summary>
    public override string ToString() => _text.ToString();

    private MarkdownDocument Block(string text)
    {
        if (_text.Length > 0)
        {
            _text.Append('\n');
        }

        _text.Append(text.ReplaceLineEndings("\n").TrimEnd('\n')).Append('\n');
        return this;
    }

    private static string Line(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(Cell))} |";

    private static string Cell(string text) => OneLine(text).Replace("|", "\\|");

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}

/// <summary>A column's header.</summary>
/// <param name="Header">With its unit.</param>
/// <param name="Right">Numbers stand at the right. Default: text, at the left.</param>
public sealed record MarkdownColumn(string Header, bool Right = false)
{
    /// <summary>A column of numbers.</summary>
    /// <param name="header">With its unit.</param>
    public static MarkdownColumn Number(string header) => new(header, Right: true);
}
