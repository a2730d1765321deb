// run: the pipeline, or what is missing of it.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;

namespace Scaling.Cli;

internal static class RunCommand
{
    public static async Task<int> Run(Commands.Invocation call)
    {
        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        var options = call.Options;
        var console = new RunConsole(Console.Error, isTerminal: !Console.IsErrorRedirected, TimeProvider.System);
        var opened = await Session.Open(call.Pipeline, call.StoreFolder, console).ConfigureAwait(false);
        RunSummary? summary = null;
        if (opened is { } open)
        {
            using var session = open.Session;
            CheckWritable(Path.Combine(options.ResultsFolder, open.Pipeline.Name));
            summary = await new PipelineRunner(open.Pipeline, session.Store, session.Workers, options, console).Run(call.Stop).ConfigureAwait(false);
            console.Conclude(summary);
        }

        int exit = summary?.ExitCode ?? ExitCode.InvalidPipeline;
        if (call.Json)
        {
            double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
            Console.Out.WriteLine(ToJson(opened?.Pipeline.Name ?? call.Pipeline, exit, seconds, summary?.Stages ?? []));
        }

        return exit;
    }

    /// <summary>Results that cannot be written are better known before the work than after it.</summary>
    private static void CheckWritable(string folder)
    {
        try
        {
            Directory.CreateDirectory(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UsageException("SCAL1002", $"Results cannot be written to {folder}: {e.Message}", "Name another folder with --out.");
        }
    }

    private static string ToJson(string pipeline, int exitCode, double seconds, IReadOnlyList<StageSummary> stages) => new JsonObject
    {
        ["pipeline"] = pipeline,
        ["exitCode"] = exitCode,
        ["seconds"] = Math.Round(seconds, 3),
        ["stages"] = new JsonArray([.. stages.Select(s => new JsonObject
        {
            ["id"] = s.Id,
            ["uses"] = s.Uses,
            ["actions"] = s.Actions,
            ["executed"] = s.Executed,
            ["cached"] = s.Cached,
            ["failed"] = s.Failures.Count,
            ["seconds"] = Math.Round(s.Seconds, 3),
        })]),
    }.ToJsonString(new JsonSerializerOptions { WriteIndented = false });
}
