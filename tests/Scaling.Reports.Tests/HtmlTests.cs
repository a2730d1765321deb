// A page says what the report says, whatever its texts hold, and stands by itself.
using System.Diagnostics;
using System.Text.RegularExpressions;
using Scaling.TestKit;

namespace Scaling.Reports.Tests;

public partial class HtmlTests
{
    private static ReportDocument Example
    {
        get
        {
            var report = new ReportDocument()
                .Heading(1, "Shapes & <sizes>")
                .Heading(2, "Answer")
                .Answers([new("Efficient", "the fastest", "2 layers, hidden size 76", "No worse with a probability of 52 %.") { Figures = [new("+9.5 %", "tokens a second"), new("−0.0017", "nats a token", "−0.07 … +0.06")] }])
                .Table([new(""), ReportColumn.Number("accurate")], [["layers", "2"], ["x\\* = a2/a1", "0.19"]])
                .Heading(2, "Who takes it?")
                .Paragraph("See **all** of [`lint.csv`](lint.csv); 5 < 6.")
                .List(["1. first", "`code` and *stress*", "<b>no</b>"])
                .Table([new("shape"), ReportColumn.Number("loss (nats a token)")], [["`3f9a1c07`", "2.8030"], ["a|b", "–"]])
                .Folded("All runs", more => more.Code("L = E + A/N^α <"))
                .Figure(new Figure("Loss \"against\" x", new("x", ""), new("loss", "nats a token"), [new("runs", [new(1, 2) { Label = "3f9a1c07" }, new(2, 1) { Label = "50 %, \"#1\"" }])]), "figures/loss-x.svg", "Each run.");
            report.Glossary["3f9a1c07"] = "2 layers </script>";
            return report;
        }
    }

    [Fact]
    public Task A_page_looks_like_this() => Snapshot.Match(WithoutStyleAndScript().Replace(HtmlPage.Of(Example), "$1…$2"));

    [Fact]
    public void A_page_asks_the_network_for_nothing()
    {
        string page = HtmlPage.Of(Example);
        Assert.DoesNotMatch("(src|href)=\"(https?:)?//|url\\(|@import|fetch\\(|XMLHttpRequest", page);
    }

    /// <summary>A title or a cell may be anybody's.</summary>
    [Fact]
    public void A_text_of_the_users_brings_no_picture_no_script_and_no_link_but_to_the_web()
    {
        const string Hostile = "![x](https://evil.example/x.png) [c](javascript:alert(1)) <javascript:alert(2)> <img src=x> [d](data:text/html,x) [e](https://example.org) [f](lint.csv)";
        string page = HtmlPage.Of(new ReportDocument().Heading(1, Hostile).Heading(2, "Runs").Table([new("cell")], [[Hostile]]));
        string body = page[page.IndexOf("<body>", StringComparison.Ordinal)..page.IndexOf("<div class=\"tip\"", StringComparison.Ordinal)];

        Assert.DoesNotMatch("<img|<script|href=\"(javascript|data)", body);
        Assert.Contains("<a href=\"https://example.org\">e</a> <a href=\"lint.csv\">f</a>", body, StringComparison.Ordinal);
        Assert.Equal("# " + @"\!\[x\]\(".Replace(@"\(", "(") + "y) \\<b\\>", MarkdownText.Of(new ReportDocument().Heading(1, MarkdownText.Verbatim("![x](y) <b>"))).Trim());
    }

    [Fact]
    public void The_same_report_gives_the_same_bytes() => Assert.Equal(HtmlPage.Of(Example), HtmlPage.Of(Example));

    [Fact]
    public void Two_thousand_points_in_each_of_six_figures_stay_small_and_are_drawn_at_once()
    {
        var report = new ReportDocument().Heading(1, "Many").Heading(2, "Runs");
        var random = new Random(1);
        string[] shapes = [.. Enumerable.Range(0, 2000).Select(i => $"{i * 7919:x8}")];
        foreach (string shape in shapes)
        {
            report.Glossary[shape] = "12 layers, hidden 1024, MLP 4096, 16/4 heads of 64, x 0.0821, ratio 4.44";
        }

        for (int f = 0; f < 6; f++)
        {
            report.Figure(new Figure($"figure {f}", new("x", ""), new("loss", "nats a token"), [.. Enumerable.Range(0, 4).Select(s => new FigureSeries($"size {s}", [.. shapes.Skip(500 * s).Take(500).Select(shape => new FigurePoint(random.NextDouble(), random.NextDouble()) { Label = shape })]))]), $"figures/{f}.svg", "Many.");
        }

        HtmlPage.Of(Example);
        long start = Stopwatch.GetTimestamp();
        string page = HtmlPage.Of(report);
        var took = Stopwatch.GetElapsedTime(start);

        Assert.True(page.Length < 2_000_000, $"{page.Length} bytes");
        Assert.True(took < TimeSpan.FromSeconds(5), $"{took}"); // On an idle core .2 s; other work may share it.
    }

    [GeneratedRegex("(<style>|<script>).*?(</style>|</script>)", RegexOptions.Singleline)]
    private static partial Regex WithoutStyleAndScript();
}
