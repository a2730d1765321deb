// The last lines of a run: how it ended, stage by stage, what it found, where that lies, and what to type next.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;

namespace Scaling.Cli;

/// <summary>How a run ended.</summary>
/// <param name="Summary">Null where it did not begin.</param>
/// <param name="ExitCode">What the tool ends with.</param>
/// <param name="Seconds">What it took, all in all.</param>
internal sealed record RunEnd(RunSummary? Summary, int ExitCode, double Seconds)
{
    /// <summary>What its last stages found. Default: nothing.</summary>
    public IReadOnlyList<FoundSummary> Found { get; init; } = [];

    /// <summary>The command, as it was typed.</summary>
    public string Typed { get; init; } = "dotnet scaling run";

    /// <summary>What stands after a command that looks at the pipeline, for example <c>study.yaml</c>; null where a plan was run.</summary>
    public string? Pipeline { get; init; }
}

/// <summary>About ten lines, of which only paths and commands may be longer than the terminal is wide.</summary>
internal static class ClosingSummary
{
    private const int MostStages = 10;
    private const int MostFound = 6;
    private const int MostReports = 4;

    /// <summary>The lines.</summary>
    /// <param name="end">How the run ended.</param>
    /// <param name="summary">Of its stages.</param>
    /// <param name="width">Columns that they may take.</param>
    /// <param name="coloured">Whether they have colours.</param>
    public static IEnumerable<string> Lines(RunEnd end, RunSummary summary, int width, bool coloured) =>
        [Outcome(end, summary, width, coloured), .. Stages(summary, width, coloured), .. Found(end, width, coloured), .. Reports(summary), $"Results: {Near(summary.ResultsFolder)}", .. Next(end, summary)];

    private static string Outcome(RunEnd end, RunSummary summary, int width, bool coloured)
    {
        int executed = summary.Stages.Sum(s => s.Executed);
        int cached = summary.Stages.Sum(s => s.Cached);
        int failed = summary.Stages.Sum(s => s.Failures.Count);
        var line = new ScreenLine(width, coloured);
        line = end.ExitCode switch
        {
            ExitCode.Done => line.Add("Done", Colour.Green).Add(" in "),
            ExitCode.Interrupted => line.Add("Interrupted", Colour.Yellow).Add(" after "),
            _ => line.Add("Not done", Colour.Red).Add(" after "),
        };
        string counts = end.ExitCode == ExitCode.Done && executed + failed == 0 ? cached == 1 ? "1 action, cached" : $"{cached} actions, all cached" : $"{executed} executed, {cached} cached, {failed} failed";
        return line.Add($"{Duration.InWords(end.Seconds)}: {counts}.").ToString();
    }

    /// <summary>None where all was cached: the first line says so.</summary>
    private static IEnumerable<string> Stages(RunSummary summary, int width, bool coloured)
    {
        StageView[] all = [.. summary.Stages.Select(s => new StageView(s.Id, s.Uses) { Outcome = s })];
        StageView[] news = [.. all.Where(s => s.State != "cached")];
        StageView[] shown = news.Length == 0 ? [] : all.Length <= MostStages ? all : news;
        var lines = RunView.Lines(shown, width, coloured);
        return shown.Length > 0 && shown.Length < all.Length ? lines.Append(RunView.Others(all.Except(shown), width, coloured)) : lines;
    }

    private static IEnumerable<string> Found(RunEnd end, int width, bool coloured)
    {
        var lines = end.Found is [var only] ? only.Summary.Lines : [.. end.Found.SelectMany(f => f.Summary.Lines.Take(Math.Max(1, (MostFound / end.Found.Count) - 1)).Select(l => "  " + l).Prepend($"{f.Summary.Title}:"))];
        return lines.Count == 0 ? [] : lines.Select(l => new ScreenLine(width, coloured).Add("  " + l).ToString()).Prepend("Found:");
    }

    /// <summary>What a person opens first.</summary>
    private static IEnumerable<string> Reports(RunSummary summary) =>
    [
        .. summary.Stages.Where(s => summary.Results.ContainsKey(s.Id))
            .SelectMany(s => summary.Results[s.Id].Files.Where(f => f.Point is null && Path.GetFileNameWithoutExtension(f.Name) == "report").Select(f => Path.Combine(summary.ResultsFolder, s.Id, f.ResultName)))
            .Order(StringComparer.Ordinal).Take(MostReports).Select(path => $"Report:  {Near(path)}"),
    ];

    private static IEnumerable<string> Next(RunEnd end, RunSummary summary)
    {
        if (summary.Stages.Any(s => s.NotDone is not null))
        {
            yield return "What was not done keeps the results of an earlier run there, if any.";
        }

        var failed = summary.Stages.SelectMany(s => s.Failures.Where(f => f.Log is not null).Select(f => $"{s.Id}{(f.Point is null ? "" : "@" + f.Point)}")).FirstOrDefault();
        if (failed is not null && end.Pipeline is { } pipeline)
        {
            yield return $"Log:     dotnet scaling logs {CommandLine.Quoted(failed)} {pipeline}";
        }

        if (end.ExitCode != ExitCode.Done)
        {
            yield return $"Go on:   {end.Typed}";
        }
    }

    /// <summary>A path as it is typed here.</summary>
    private static string Near(string path)
    {
        string near = Path.GetRelativePath(Environment.CurrentDirectory, path);
        return near.StartsWith("..", StringComparison.Ordinal) ? path : near;
    }
}
