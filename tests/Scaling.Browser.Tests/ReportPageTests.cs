// The report in a real browser: wide and narrow, light and dark, on paper; pointer, keys, sorting, data.
using System.Text.Json;
using Microsoft.Playwright;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Browser.Tests;

[Collection("browser")]
public sealed class ReportPageTests(Browser browser) : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private static string CpuStudy => Path.Combine(Repository.Root, "examples/cpu-study/report.html");

    public void Dispose() => _folder.Dispose();

    /// <summary>The pages that the repository has: that of the committed study and that which the tests of the tool compare with what <c>pipelines/llama-3.2.yaml</c> gives.</summary>
    private static readonly string[] Files = ["examples/cpu-study/report.html", "tests/Scaling.EndToEnd/LlamaTests.The_page_tells_the_same.verified.txt"];

    public static TheoryData<string> Pages => [.. Files];

    public static TheoryData<string, int, bool> Views()
    {
        var views = new TheoryData<string, int, bool>();
        foreach (string file in Files)
        {
            foreach (int width in (int[])[1440, 390])
            {
                views.Add(file, width, false);
                views.Add(file, width, true);
            }
        }

        return views;
    }

    [BrowserTheory]
    [MemberData(nameof(Views))]
    public async Task Nothing_is_cut_off_or_lies_on_something_else(string file, int width, bool dark)
    {
        await using var open = await Open(file, width, dark);
        string[] faults = await open.Page.EvaluateAsync<string[]>(
            """
            () => {
              const faults = [];
              document.querySelectorAll("details").forEach(d => { d.open = true; });
              const width = document.documentElement.clientWidth;
              if (document.documentElement.scrollWidth > width) faults.push(`the page is ${document.documentElement.scrollWidth} wide in a window of ${width}`);
              const meets = (a, b) => a.left < b.right - 1 && b.left < a.right - 1 && a.top < b.bottom - 1 && b.top < a.bottom - 1;
              for (const svg of document.querySelectorAll("svg[role=img]")) {
                const name = document.getElementById(svg.getAttribute("aria-labelledby")).textContent, frame = svg.getBoundingClientRect();
                const texts = [...svg.querySelectorAll("text")].map(t => ({ t: t.textContent, box: t.getBoundingClientRect() }));
                for (const { t, box } of texts)
                  if (box.left < frame.left - 1 || box.right > frame.right + 1 || box.top < frame.top - 1 || box.bottom > frame.bottom + 1) faults.push(`${name}: '${t}' leaves the figure`);
                texts.forEach((a, i) => texts.slice(i + 1).forEach(b => { if (meets(a.box, b.box)) faults.push(`${name}: '${a.t}' lies on '${b.t}'`); }));
              }
              // Texts that stand in the page and not in something that scrolls.
              for (const e of document.querySelectorAll("h1, h2, h3, p, li, dt, dd, figure, summary")) {
                const box = e.getBoundingClientRect();
                if (box.width > 0 && (box.right > width + 1 || box.left < -1) && !e.closest(".tip")) faults.push(`'${e.textContent.slice(0, 40)}' leaves the page`);
                if (e.scrollWidth > e.clientWidth + 1 && getComputedStyle(e).display === "block") faults.push(`'${e.textContent.slice(0, 40)}' is wider than its box`);
              }
              return faults;
            }
            """);
        Assert.Empty(faults);
    }

    [BrowserTheory]
    [MemberData(nameof(Views))]
    public async Task Axe_finds_nothing(string file, int width, bool dark)
    {
        await using var open = await Open(file, width, dark);
        await open.Page.EvaluateAsync("document.querySelectorAll('details').forEach(d => { d.open = true; })");
        await open.Page.AddScriptTagAsync(new PageAddScriptTagOptions { Content = await File.ReadAllTextAsync(NodePackages.File("axe-core/axe.min.js")) });
        string[] violations = await open.Page.EvaluateAsync<string[]>(
            "async () => (await axe.run(document, { resultTypes: ['violations'] })).violations.map(v => `${v.id} (${v.impact}): ${v.help}: ${v.nodes.slice(0, 3).map(n => n.html.slice(0, 160)).join(' | ')}`)");
        Assert.Empty(violations);
    }

    [BrowserFact]
    public async Task A_point_tells_its_shape_where_the_pointer_is()
    {
        await using var open = await browser.Open(CpuStudy);
        var figure = open.Page.Locator("#figure-loss-x");
        await figure.ScrollIntoViewIfNeededAsync();
        var point = (await figure.Locator(".p use").First.BoundingBoxAsync())!;
        var tip = open.Page.Locator(".tip");

        Assert.False(await tip.IsVisibleAsync());
        await open.Page.Mouse.MoveAsync(point.X + point.Width / 2, point.Y + point.Height / 2);
        Assert.True(await tip.IsVisibleAsync());
        string text = await tip.InnerTextAsync();
        Assert.Matches("[0-9a-f]{8}", text);
        Assert.Matches("layers, hidden", text);
        Assert.Contains("parameters", text, StringComparison.Ordinal);

        var title = (await figure.Locator("figcaption").BoundingBoxAsync())!;
        await open.Page.Mouse.MoveAsync(title.X, title.Y);
        Assert.False(await tip.IsVisibleAsync());
    }

    [BrowserFact]
    public async Task What_a_tap_shows_stays_when_the_finger_lifts_and_goes_with_a_tap_elsewhere()
    {
        await using var open = await browser.Open(CpuStudy, 390);
        var figure = open.Page.Locator("#figure-loss-x");
        await figure.ScrollIntoViewIfNeededAsync();
        var point = (await figure.Locator(".p use").First.BoundingBoxAsync())!;
        var tip = open.Page.Locator(".tip");

        await open.Page.Touchscreen.TapAsync(point.X + point.Width / 2, point.Y + point.Height / 2);
        await open.Page.WaitForTimeoutAsync(100);
        Assert.True(await tip.IsVisibleAsync());

        var caption = (await figure.Locator(".caption").BoundingBoxAsync())!;
        await open.Page.Touchscreen.TapAsync(caption.X + 5, caption.Y + 5);
        Assert.False(await tip.IsVisibleAsync());
    }

    [BrowserTheory]
    [InlineData(1440)]
    [InlineData(390)]
    public async Task Arrow_keys_go_from_point_to_point_and_what_they_tell_stays_on_the_screen(int width)
    {
        await using var open = await browser.Open(CpuStudy, width);
        foreach (var svg in await open.Page.Locator("figure svg[role=img]:has(.p use)").AllAsync())
        {
            await svg.ScrollIntoViewIfNeededAsync();
            await svg.FocusAsync();
            var told = new HashSet<string>();
            for (int i = 0; i < 5; i++)
            {
                await open.Page.Keyboard.PressAsync("ArrowRight");
                var tip = open.Page.Locator(".tip");
                told.Add(await tip.InnerTextAsync());
                var box = (await tip.BoundingBoxAsync())!;
                Assert.InRange(box.X, 0, width - box.Width);
                Assert.InRange(box.Y, 0, 900 - box.Height);
            }

            Assert.True(told.Count >= 1 && told.All(t => t.Length > 0));
            double above = (await open.Page.Locator(".tip").BoundingBoxAsync())!.Y;
            double scrolled = await open.Page.EvaluateAsync<double>("() => new Promise(done => { const from = scrollY; scrollBy(0, from > 40 ? -40 : 40); requestAnimationFrame(() => requestAnimationFrame(() => done(scrollY - from))); })");
            Assert.Equal(above - scrolled, (await open.Page.Locator(".tip").BoundingBoxAsync())!.Y, 1d);
            Assert.NotEqual(0, scrolled);
            await open.Page.Keyboard.PressAsync("Escape");
            Assert.False(await open.Page.Locator(".tip").IsVisibleAsync());
        }
    }

    [BrowserFact]
    public async Task A_table_sorts_by_the_column_that_is_pressed_and_the_other_way_round_the_second_time()
    {
        await using var open = await browser.Open(CpuStudy);
        var table = open.Page.Locator("table.sorts", new PageLocatorOptions { HasText = "KV bytes a token" }).First; // The front.
        var header = table.Locator("th", new LocatorLocatorOptions { HasText = "KV bytes a token" });
        int column = await header.EvaluateAsync<int>("h => h.cellIndex");
        async Task<double[]> Cells() => [.. (await table.Locator($"tbody tr td:nth-child({column + 1})").AllInnerTextsAsync()).Select(t => double.Parse(t, System.Globalization.CultureInfo.InvariantCulture))];
        double[] before = await Cells();

        await header.Locator("button").ClickAsync();
        Assert.Equal(before.Order(), await Cells());
        Assert.Equal("ascending", await header.GetAttributeAsync("aria-sort"));

        await header.Locator("button").PressAsync("Enter");
        Assert.Equal(before.OrderDescending(), await Cells());
        Assert.True(before.Distinct().Count() > 1);
    }

    [BrowserFact]
    public async Task Prefixes_units_and_minus_signs_sort_as_numbers_and_what_is_absent_comes_last()
    {
        string page = (await File.ReadAllTextAsync(CpuStudy)).Replace("<main>", "<main><table id=\"mixed\" class=\"sorts\"><thead><tr><th class=\"n\">value</th></tr></thead><tbody>"
            + string.Concat(new[] { "4.05M", "–", "−0.0017", "+20.2 %", "750k", "33 µs", "1.48 ms", "0.21 … 0.27", "at the end, 0.5" }.Select(cell => $"<tr><td class=\"n\">{cell}</td></tr>")) + "</tbody></table>", StringComparison.Ordinal);
        await using var open = await browser.Open(_folder.Write("mixed.html", page));

        await open.Page.Locator("#mixed button").ClickAsync();

        Assert.Equal(["−0.0017", "33 µs", "1.48 ms", "0.21 … 0.27", "at the end, 0.5", "+20.2 %", "750k", "4.05M", "–"], await open.Page.Locator("#mixed tbody td").AllInnerTextsAsync());
    }

    [BrowserFact]
    public async Task The_data_of_each_figure_is_a_click_away_and_is_the_file_beside_the_report()
    {
        await using var open = await browser.Open(CpuStudy);
        var links = await open.Page.Locator("a[download]").AllAsync();
        Assert.NotEmpty(links);
        foreach (var link in links)
        {
            var download = await open.Page.RunAndWaitForDownloadAsync(() => link.ClickAsync());
            string file = Path.Combine(Path.GetDirectoryName(CpuStudy)!, "figures", download.SuggestedFilename);
            Assert.Equal(await File.ReadAllTextAsync(file), await File.ReadAllTextAsync(await download.PathAsync()));
            Assert.NotEmpty(Table.Read(file).Rows);
        }
    }

    [BrowserTheory]
    [MemberData(nameof(Pages))]
    public async Task On_paper_everything_is_unfolded_and_nothing_is_wider_than_the_sheet(string file)
    {
        await using var open = await Open(file, 1440, dark: true);
        await open.Page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print });
        await open.Page.SetViewportSizeAsync(688, 900); // A4 less its margins at 96 dots an inch.
        await open.Page.EvaluateAsync("dispatchEvent(new Event('beforeprint'))");
        var found = await open.Page.EvaluateAsync<JsonElement>(
            """
            () => ({
              closed: document.querySelectorAll("details:not([open])").length,
              wide: [...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > 690 && !e.closest("svg")).map(e => `${e.tagName} ${e.textContent.slice(0, 60)}`),
              ground: getComputedStyle(document.body).backgroundColor,
            })
            """);
        Assert.Equal(0, found.GetProperty("closed").GetInt32());
        Assert.Equal("[]", found.GetProperty("wide").ToString());
        Assert.Equal("rgb(255, 255, 255)", found.GetProperty("ground").GetString());
        byte[] pdf = await open.Page.PdfAsync(new PagePdfOptions { PreferCSSPageSize = true });
        Assert.Equal("%PDF"u8, pdf.AsSpan(0, 4));
    }

    /// <summary>A copy that a browser takes for a page, whatever it is called.</summary>
    private Task<ReportPage> Open(string file, int width, bool dark) => browser.Open(_folder.Write("report.html", File.ReadAllText(Path.Combine(Repository.Root, file))), width, dark);
}
