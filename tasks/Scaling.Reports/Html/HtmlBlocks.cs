// The blocks of a report as HTML.
using System.Security;
using System.Text;

namespace Scaling.Reports;

internal static class HtmlBlocks
{
    /// <summary>Figures that follow one another stand side by side where there is room.</summary>
    public static IEnumerable<ReportBlock> WithFiguresInRows(IEnumerable<ReportBlock> blocks)
    {
        var row = new List<FigureBlock>();
        foreach (var block in blocks)
        {
            if (block is FigureBlock figure)
            {
                row.Add(figure);
                continue;
            }

            if (row.Count > 0)
            {
                yield return new FigureRow([.. row]);
                row.Clear();
            }

            yield return block;
        }

        if (row.Count > 0)
        {
            yield return new FigureRow([.. row]);
        }
    }

    public static string Of(ReportBlock block) => block switch
    {
        HeadingBlock h => $"<h{h.Level} id=\"{HtmlText.Anchor(h.Text)}\">{HtmlText.Inline(h.Text)}</h{h.Level}>\n",
        ParagraphBlock p => $"<p>{HtmlText.Inline(p.Text)}</p>\n",
        CodeBlock code => $"<pre tabindex=\"0\"><code>{SecurityElement.Escape(code.Text)}</code></pre>\n",
        ListBlock list => $"<ul>\n{string.Concat(list.Items.Select(item => $"<li>{HtmlText.Inline(item)}</li>\n"))}</ul>\n",
        TableBlock table => Of(table),
        AnswersBlock answers => $"<div class=\"answers\">\n{string.Concat(answers.Answers.Select(Of))}</div>\n",
        FoldedBlock folded => $"<details>\n<summary>{HtmlText.Inline(folded.Summary)}</summary>\n{string.Concat(WithFiguresInRows(folded.Blocks).Select(Of))}</details>\n",
        FigureRow row => $"<div class=\"figures\">\n{string.Concat(row.Figures.Select(HtmlFigure.Of))}</div>\n",
        _ => throw new ArgumentException($"no HTML for {block.GetType().Name}"),
    };

    /// <summary>Where there are figures they stand in place of the text that says them.</summary>
    private static string Of(Answer answer)
    {
        string said = answer.Figures.Count == 0 ? $"<p>{HtmlText.Inline(answer.Text)}</p>\n" : $"<dl>\n{string.Concat(answer.Figures.Select(Of))}</dl>\n";
        return $"<div class=\"answer\">\n<h3>{HtmlText.Inline(answer.Name)}</h3>\n<p class=\"about\">{HtmlText.Inline(Capital(answer.About))}</p>\n<p class=\"result\">{HtmlText.Inline(Capital(answer.Result))}</p>\n{said}</div>\n";
    }

    private static string Of(AnswerFigure figure) =>
        $"<div><dt>{HtmlText.Inline(figure.Label)}</dt><dd>{HtmlText.Inline(figure.Value)}</dd>{(figure.Range is null ? "" : $"<dd class=\"range\">{HtmlText.Inline(figure.Range)}</dd>")}</div>\n";

    private static string Capital(string text) => text.Length == 0 ? text : char.ToUpperInvariant(text[0]) + text[1..];

    /// <summary>The region scrolls where the table is wider than the page, by keys too.</summary>
    private static string Of(TableBlock table)
    {
        var html = new StringBuilder($"<div class=\"table\" tabindex=\"0\" role=\"group\" aria-label=\"Table: {SecurityElement.Escape(string.Join(", ", table.Columns.Select(c => c.Header).Where(h => h.Length > 0)))}\">\n<table{(table.Columns[0].Header.Length > 0 ? " class=\"sorts\"" : "")}>\n<thead>\n<tr>");
        foreach (var column in table.Columns)
        {
            html.Append(column.Header.Length == 0 ? "<td></td>" : $"<th scope=\"col\"{Side(column)}>{HtmlText.Inline(column.Header)}</th>");
        }

        bool compares = table.Columns[0].Header.Length == 0; // Its rows are quantities: their order is the table's.
        html.Append("</tr>\n</thead>\n<tbody>\n");
        foreach (var row in table.Rows)
        {
            html.Append("<tr>");
            for (int i = 0; i < row.Count; i++)
            {
                html.Append(compares && i == 0 ? $"<th scope=\"row\">{HtmlText.Inline(row[i])}</th>" : $"<td{Side(table.Columns[i])}>{HtmlText.Inline(row[i])}</td>");
            }

            html.Append("</tr>\n");
        }

        return html.Append("</tbody>\n</table>\n</div>\n").ToString();
    }

    private static string Side(ReportColumn column) => column.Right ? " class=\"n\"" : "";

    private sealed record FigureRow(IReadOnlyList<FigureBlock> Figures) : ReportBlock;
}
