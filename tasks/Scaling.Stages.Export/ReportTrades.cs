// The part of the report that says at which batch and prompt the faster of two shapes becomes the slower.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportTrades
{
    public static void Append(ReportDocument report, SearchResult best, Action<string[]> show)
    {
        if (best.TradePlaces.Count == 0)
        {
            return;
        }

        report.Heading(3, "Where shapes trade places");
        report.Paragraph(
            $"Tokens a second, all else as asked ({best.Workload.Prompt} tokens read, {best.Workload.Output} written, batch {best.Workload.Batch}); batches and prompts are tried as far as they fit into memory, up to a million.");
        report.List(best.TradePlaces.Select(InWords));
        show([ExportTables.SpeedAgainstBatch, ExportTables.SpeedAgainstPrompt]);
    }

    private static string InWords(TradePlace trade)
    {
        string Where(string first, int? turn, string any, Func<int, string> below) =>
            turn is { } t ? $"{below(t)} {Noun(first)} is the faster, and from there on {Noun(Other(trade, first))}" : $"{any} {Noun(first)} is the faster";
        return $"**{Capital(trade.First)} and {trade.Second}**: {Where(trade.FasterAtBatch1, trade.Batch, "at any batch", b => $"at batches below {b}")}; "
            + $"{Where(trade.FasterAtPrompt1, trade.Prompt, "at any prompt", p => $"at prompts below {p} tokens")}.";
    }

    private static string Other(TradePlace trade, string first) => first == trade.First ? trade.Second : trade.First;

    private static string Noun(string name) => name == "baseline" ? "the baseline" : $"the {name} shape";

    private static string Capital(string word) => char.ToUpperInvariant(word[0]) + word[1..];
}
