// One Chromium for all tests of the assembly, and why there is none where there is none.
using System.Reflection;
using Microsoft.Playwright;
using Scaling.TestKit;

namespace Scaling.Browser.Tests;

/// <summary>Starts Chromium at the first test and ends it after the last.</summary>
public sealed class Browser : IAsyncLifetime
{
    private static readonly string[] Names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "microsoft-edge"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    /// <summary>Why a page cannot be looked at on this machine; null where it can.</summary>
    public static string? Missing => Program is null ? $"no Chromium is on the PATH (looked for {string.Join(", ", Names)}): 'apt-get install chromium' brings one" : NodePackages.Missing;

    private static string? Program { get; } =
        (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').SelectMany(folder => Names.Select(name => Path.Combine(folder, name))).FirstOrDefault(File.Exists);

    public async Task InitializeAsync()
    {
        if (Missing is not null)
        {
            return;
        }

        Environment.SetEnvironmentVariable("PLAYWRIGHT_DRIVER_SEARCH_PATH", Assembly.GetExecutingAssembly().GetCustomAttributes<AssemblyMetadataAttribute>().First(a => a.Key == "PlaywrightDriver").Value);
        Environment.SetEnvironmentVariable("PLAYWRIGHT_NODEJS_PATH", NodePackages.Node);
        _playwright = await Playwright.CreateAsync();
        _browser = await _playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = Program, Args = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-component-update", "--disable-sync"],
        });
    }

    public async Task DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.CloseAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>A page of a report, in a window of its own. What it asks the network for, and what its script complains of, fails the test in <see cref="ReportPage.DisposeAsync"/>.</summary>
    public async Task<ReportPage> Open(string file, int width = 1440, bool dark = false)
    {
        var context = await _browser!.NewContextAsync(new BrowserNewContextOptions
        {
            ViewportSize = new ViewportSize { Width = width, Height = 900 }, ColorScheme = dark ? ColorScheme.Dark : ColorScheme.Light, AcceptDownloads = true, HasTouch = width < 500,
        });
        var page = await context.NewPageAsync();
        var opened = new ReportPage(context, page);
        await page.GotoAsync("file://" + file);
        return opened;
    }
}

/// <summary>An open page.</summary>
public sealed class ReportPage : IAsyncDisposable
{
    private readonly IBrowserContext _context;
    private readonly List<string> _complaints = [];

    public ReportPage(IBrowserContext context, IPage page)
    {
        (_context, Page) = (context, page);
        page.Console += (_, message) => Complain(message.Type is "error" or "warning", message.Text);
        page.PageError += (_, error) => Complain(true, error);
        page.Request += (_, request) => Complain(!request.Url.StartsWith("file:", StringComparison.Ordinal) && !request.Url.StartsWith("data:", StringComparison.Ordinal), $"asked for {request.Url}");
    }

    public IPage Page { get; }

    public async ValueTask DisposeAsync()
    {
        await _context.CloseAsync();
        Assert.Empty(_complaints);
    }

    private void Complain(bool isComplaint, string text)
    {
        if (isComplaint)
        {
            _complaints.Add(text);
        }
    }
}

[CollectionDefinition("browser")]
public sealed class BrowserCollection : ICollectionFixture<Browser>;

/// <summary>A fact about a page; skipped, with the reason, where there is no Chromium.</summary>
public sealed class BrowserFactAttribute : FactAttribute
{
    public BrowserFactAttribute() => Skip = Browser.Missing;
}

/// <summary>A theory about pages; skipped, with the reason, where there is no Chromium.</summary>
public sealed class BrowserTheoryAttribute : TheoryAttribute
{
    public BrowserTheoryAttribute() => Skip = Browser.Missing;
}
