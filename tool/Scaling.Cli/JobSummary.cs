// The page that GitHub shows of a job: how the run ended, stage by stage, and the study's report.
using System.Text;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;

namespace Scaling.Cli;

internal static class JobSummary
{
    /// <summary>GitHub takes a mebibyte a step; what is longer it refuses whole.</summary>
    private const int Longest = 1_000_000;

    /// <summary>Appends a run to the page, where there is one.</summary>
    /// <param name="page">Its file, as <c>GITHUB_STEP_SUMMARY</c> names it; null for none.</param>
    /// <param name="summary">The run.</param>
    public static void Append(string? page, RunSummary summary)
    {
        if (string.IsNullOrEmpty(page))
        {
            return;
        }

        try
        {
            File.AppendAllText(page, Text(summary));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The run is what it is without the page.
        }
    }

    private static string Text(RunSummary summary)
    {
        var text = new StringBuilder($"## {summary.Pipeline}: {RunConsole.Outcome(summary.ExitCode)}\n\n| stage | uses | executed | cached | failed | time |\n|---|---|--:|--:|--:|--:|\n");
        foreach (var stage in summary.Stages)
        {
            text.Append($"| {stage.Id} | {stage.Uses} | {stage.Executed} | {stage.Cached} | {stage.Failures.Count} | {Duration.InWords(stage.Seconds)}{(stage.NotDone is { } why ? $", not done: {why}" : "")} |\n");
        }

        text.Append('\n');
        foreach (var finding in summary.Stages.SelectMany(s => s.Failures).SelectMany(f => f.Findings).DistinctBy(f => f.ToString()).Take(20))
        {
            text.Append($"- `{finding.ToString().Replace('`', '\'').ReplaceLineEndings(" ")}`\n");
        }

        foreach (string report in Reports(summary).Where(File.Exists))
        {
            string content = File.ReadAllText(report);
            text.Append('\n').Append(Encoding.UTF8.GetByteCount(content) + text.Length < Longest ? content : $"The report is too long for this page: {report}\n");
        }

        return text.ToString();
    }

    private static IEnumerable<string> Reports(RunSummary summary) => summary.Stages.Where(s => summary.Results.ContainsKey(s.Id))
        .SelectMany(s => summary.Results[s.Id].Files.Where(f => f.Name == ReportCommand.Markdown).Select(f => Path.Combine(summary.ResultsFolder, s.Id, f.ResultName)));
}
