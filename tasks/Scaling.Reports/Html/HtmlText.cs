// Markdown within a line, as HTML. The one door to Markdig.
using System.Buffers;
using System.Security;
using System.Text;
using Markdig;

namespace Scaling.Reports;

internal static class HtmlText
{
    /// <summary>HTML in a text is shown as it stands: titles and names come from the user.</summary>
    private static readonly MarkdownPipeline Plain = new MarkdownPipelineBuilder().DisableHtml().DisableHeadings().Build();

    private static readonly SearchValues<char> Special = SearchValues.Create("*_`[\\&<>\"!~#+-:.)\n");

    /// <summary>A line: emphasis, code and links.</summary>
    public static string Inline(string text)
    {
        if (text.AsSpan().IndexOfAny(Special) < 0)
        {
            return text; // Cells are thousands, and most are a number or a word.
        }

        string html = Markdown.ToHtml(text, Plain).Trim();
        const string open = "<p>", close = "</p>";
        return html.StartsWith(open, StringComparison.Ordinal) && html.EndsWith(close, StringComparison.Ordinal) && html.IndexOf(open, 1, StringComparison.Ordinal) < 0
            ? html[open.Length..^close.Length]
            : SecurityElement.Escape(text); // What begins like a list, a number with a dot for instance, is one line all the same.
    }

    /// <summary>The name by which GitHub links to a heading too.</summary>
    public static string Anchor(string heading)
    {
        var anchor = new StringBuilder();
        foreach (char c in heading.ToLowerInvariant())
        {
            anchor.Append(char.IsLetterOrDigit(c) || c is '-' or '_' ? c : c == ' ' ? '-' : "");
        }

        return anchor.ToString();
    }
}
