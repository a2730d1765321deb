// A report in Markdown, as GitHub renders it in a file or a pull request.
using System.Security;
using System.Text;

namespace Scaling.Reports;

/// <summary>Blocks are a blank line apart, lines end with LF.</summary>
public static class MarkdownText
{
    /// <summary>The text of a report.</summary>
    /// <param name="report">With figures whose files lie beside it.</param>
    public static string Of(ReportDocument report) => Of(report.Blocks);

    /// <summary>A text of the user's as Markdown that shows it as it is.</summary>
    /// <param name="text">Any.</param>
    public static string Verbatim(string text) => string.Concat(text.Select(c => "\\`*_[]<>!&".Contains(c) ? $"\\{c}" : $"{c}"));

    private static string Of(IEnumerable<ReportBlock> blocks)
    {
        var text = new StringBuilder();
        foreach (var block in blocks)
        {
            text.Append(text.Length > 0 ? "\n" : "").Append(Of(block).ReplaceLineEndings("\n").TrimEnd('\n')).Append('\n');
        }

        return text.ToString();
    }

    private static string Of(ReportBlock block) => block switch
    {
        HeadingBlock heading => $"{new string('#', heading.Level)} {OneLine(heading.Text)}",
        ParagraphBlock paragraph => paragraph.Text,
        CodeBlock code => $"```{code.Language}\n{code.Text}\n```",
        ListBlock list => Lines(list.Items),
        AnswersBlock answers => Lines(answers.Answers.Select(a => $"**{a.Name}**, {a.About}: {a.Result}. {a.Text}")),
        TableBlock table => string.Join('\n', [Row(table.Columns.Select(c => c.Header)), Row(table.Columns.Select(c => c.Right ? "---:" : "---")), .. table.Rows.Select(Row)]),
        FigureBlock figure => $"![{OneLine(figure.Figure.Title)}]({figure.File})\n\n{figure.Caption} [Data]({FigureData.File(figure.File)})",
        FoldedBlock folded => $"<details>\n<summary>{SecurityElement.Escape(OneLine(folded.Summary))}</summary>\n\n{Of(folded.Blocks)}\n</details>",
        _ => throw new ArgumentException($"no Markdown for {block.GetType().Name}"),
    };

    private static string Lines(IEnumerable<string> items) => string.Join('\n', items.Select(item => $"- {OneLine(item)}"));

    private static string Row(IEnumerable<string> cells) => $"| {string.Join(" | ", cells.Select(cell => OneLine(cell).Replace("|", "\\|")))} |";

    private static string OneLine(string text) => text.ReplaceLineEndings(" ").Trim();
}
