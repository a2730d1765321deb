// A report as one page for a browser: no network, light and dark, on paper and on a phone.
using System.Security;
using System.Reflection;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Scaling.Reports;

/// <summary>
/// The same report gives the same bytes. Everything is in the page: style, script, figures and their data. Without the script it reads as well; with it tables sort and
/// points tell what they are.
/// </summary>
public static class HtmlPage
{
    private static readonly JsonSerializerOptions Readable = new() { Encoder = JavaScriptEncoder.Create(System.Text.Unicode.UnicodeRanges.All) };

    /// <summary>The page.</summary>
    /// <param name="report">Its first block is its title, a heading of level 1.</param>
    public static string Of(ReportDocument report)
    {
        var title = report.Blocks.OfType<HeadingBlock>().First(h => h.Level == 1);
        var sections = report.Blocks.OfType<HeadingBlock>().Where(h => h.Level == 2).ToList();
        return $"""
            <!doctype html>
            <html lang="en">
            <head>
            <meta charset="utf-8">
            <meta name="viewport" content="width=device-width, initial-scale=1">
            <meta name="color-scheme" content="light dark">
            <title>{SecurityElement.Escape(HtmlText.Bare(title.Text))}</title>
            <style>
            {Part("report.css")}</style>
            </head>
            <body>
            <svg class="marks" width="0" height="0" aria-hidden="true">{FigureDrawing.Marks}</svg>
            <a class="skip" href="#{HtmlText.Anchor(sections.FirstOrDefault()?.Text ?? title.Text)}">To the answer</a>
            <header>
            <h1 id="{HtmlText.Anchor(title.Text)}">{HtmlText.Inline(title.Text)}</h1>
            </header>
            <nav aria-label="Sections">
            <ol>
            {string.Concat(sections.Select(s => $"<li><a href=\"#{HtmlText.Anchor(s.Text)}\">{HtmlText.Inline(s.Text)}</a></li>\n"))}</ol>
            </nav>
            <main>
            {Sections(report.Blocks.Where(b => b != title))}</main>
            <div class="tip" role="status" hidden></div>
            <script type="application/json" id="glossary">{JsonSerializer.Serialize(report.Glossary, Readable)}</script>
            <script>
            {Part("report.js")}</script>
            </body>
            </html>

            """.ReplaceLineEndings("\n");
    }

    private static string Sections(IEnumerable<ReportBlock> blocks)
    {
        var page = new StringBuilder();
        bool open = false;
        foreach (var block in HtmlBlocks.WithFiguresInRows(blocks))
        {
            if (block is HeadingBlock { Level: 2 } heading)
            {
                page.Append(open ? "</section>\n" : "").Append($"<section aria-labelledby=\"{HtmlText.Anchor(heading.Text)}\">\n");
                open = true;
            }

            page.Append(HtmlBlocks.Of(block));
        }

        return page.Append(open ? "</section>\n" : "").ToString();
    }

    private static string Part(string name)
    {
        using var reader = new StreamReader(Assembly.GetExecutingAssembly().GetManifestResourceStream(name)!);
        return reader.ReadToEnd();
    }
}
