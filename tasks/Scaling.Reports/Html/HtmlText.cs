// Markdown within a line, as HTML. The one door to Markdig.
using System.Buffers;
using System.Net;
using System.Security;
using System.Text;
using System.Text.RegularExpressions;
using Markdig;
using Markdig.Syntax;
using Markdig.Syntax.Inlines;

namespace Scaling.Reports;

internal static partial class HtmlText
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

        var parsed = Markdown.Parse(text, Plain);
        TakeAwayWhatLoads(parsed);
        string html = parsed.ToHtml(Plain).Trim();
        const string open = "<p>", close = "</p>";
        return html.StartsWith(open, StringComparison.Ordinal) && html.EndsWith(close, StringComparison.Ordinal) && html.IndexOf(open, 1, StringComparison.Ordinal) < 0
            ? html[open.Length..^close.Length]
            : SecurityElement.Escape(text); // What begins like a list, a number with a dot for instance, is one line all the same.
    }

    /// <summary>The text as it is to be read, without marks.</summary>
    public static string Bare(string text) => WebUtility.HtmlDecode(Tag().Replace(Inline(text), ""));

    /// <summary>Texts may be the user's, and a report is read by others: no picture is fetched, and links lead to the web, beside the report or into it.</summary>
    private static void TakeAwayWhatLoads(MarkdownDocument parsed)
    {
        foreach (var link in parsed.Descendants<LinkInline>().Where(l => l.IsImage || !IsHarmless(l.Url)).ToList())
        {
            var label = new LiteralInline(string.Concat(link.Descendants<LiteralInline>().Select(l => l.Content.ToString())));
            link.ReplaceBy(label, copyChildren: false);
        }

        foreach (var link in parsed.Descendants<AutolinkInline>().Where(l => !IsHarmless(l.Url)).ToList())
        {
            link.ReplaceBy(new LiteralInline(link.Url), copyChildren: false);
        }
    }

    private static bool IsHarmless(string? address) => address is not null
        && (address.StartsWith("https://", StringComparison.OrdinalIgnoreCase) || address.StartsWith("http://", StringComparison.OrdinalIgnoreCase) || !address.Contains(':', StringComparison.Ordinal));

    [GeneratedRegex("<[^>]*>")]
    private static partial Regex Tag();

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
