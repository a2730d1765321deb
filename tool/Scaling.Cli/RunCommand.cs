// run: the pipeline, or what is missing of it.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Locks;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class RunCommand
{
    public static async Task<int> Run(Commands.Invocation call)
    {
        if (call.Detach)
        {
            return await RunDetached(call).ConfigureAwait(false);
        }

        long started = System.Diagnostics.Stopwatch.GetTimestamp();
        var console = CommandConsole.For(moves: true, call.Telling);
        RunEnd? end = null;
        string? path = call.PipelinePath;
        IReadOnlyList<Diagnostic> findings = [];
        int exit;
        try
        {
            (end, path) = await Execute(call, console).ConfigureAwait(false);
            exit = end.ExitCode;
        }
        catch (Exception e)
        {
            exit = Commands.Report(e, call.Stop.IsCancellationRequested); // Whoever reads the summary gets one, whatever happens.
            findings = exit == ExitCode.Interrupted ? [] : Commands.Findings(e);
        }

        double seconds = System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds;
        end = (end ?? new RunEnd(null, exit, 0)) with { Seconds = seconds };
        console.Conclude(end);
        if (call.Json)
        {
            Answer(end, path, findings);
        }

        return exit;
    }

    /// <summary>What is wrong with the pipeline is said here, where somebody reads it.</summary>
    private static async Task<int> RunDetached(Commands.Invocation call)
    {
        var open = await Session.Open(call.Pipeline, call.StoreFolder, CommandConsole.For(moves: false), call.LockUse, call.Sets, executor: call.Executor).ConfigureAwait(false);
        open.Session.Dispose();
        return await Detached.Start(call, [.. call.Arguments.Where(a => a is not ("--detach" or "-d" or "--json"))]).ConfigureAwait(false);
    }

    private static async Task<(RunEnd End, string Path)> Execute(Commands.Invocation call, ICommandConsole console)
    {
        var options = call.Options;
        if (call.Plan is { } file)
        {
            return await ExecutePlan(call, FrozenPlan.Read(file), options, console).ConfigureAwait(false);
        }

        var open = await Session.Open(call.Pipeline, call.StoreFolder, console, call.LockUse, call.Sets, executor: call.Executor).ConfigureAwait(false);
        using var session = open.Session;
        session.DemandStore();
        LockPlugins(open.Document, session);
        return await Execute(call, session, open.Pipeline, options, console, _ => session.Packages.Resolved(open.Document)).ConfigureAwait(false);
    }

    /// <summary>Runs a frozen plan. The lock keeps the plugins that it has: the plan was made with them.</summary>
    private static async Task<(RunEnd End, string Path)> ExecutePlan(Commands.Invocation call, FrozenPlan plan, RunOptions options, ICommandConsole console)
    {
        using var session = Session.OfPlan(plan, call.StoreFolder, console);
        session.DemandStore();
        var pipeline = await new PlanThaw(session.Catalog, session.Store, call.Executor).Pipeline(plan).ConfigureAwait(false);
        return await Execute(call, session, pipeline, options with { Plan = plan }, console, held => held?.Plugins ?? []).ConfigureAwait(false);
    }

    private static async Task<(RunEnd End, string Path)> Execute(
        Commands.Invocation call, Session session, Pipeline pipeline, RunOptions options, ICommandConsole console, Func<PipelineLock?, IReadOnlyList<LockedPlugin>> plugins)
    {
        options = options with { Again = call.Again(pipeline) };
        using var remote = RemoteCommands.Of(call, session.Store, console);
        CheckWritable(Path.Combine(options.ResultsFolder, pipeline.Name));
        new RunHistory(session.Store, pipeline.Path).Begin();
        console.Begin(new RunStart(pipeline.Name, pipeline.Path, options.Jobs, session.Store.Root, Path.Combine(options.ResultsFolder, pipeline.Name), pipeline.Stages));
        pipeline.Warnings.ToList().ForEach(console.Found);
        var cluster = pipeline.Stages.Any(s => s.Executor == ExecutorKind.Slurm) ? Cluster(call, session, pipeline, options, console) : null;
        var summary = new PipelineRunner(pipeline, session.Store, session.Workers, options, console, session.Code, remote, cluster).Run(call.Stop) with { ClusterUsage = cluster?.Usage ?? [] };
        SlurmText.Tell(summary.ClusterUsage, console.Say);
        if (remote is not null)
        {
            await RemoteCommands.Finish(remote, console, call.Stop).ConfigureAwait(false);
        }

        var end = new RunEnd(summary, summary.ExitCode, 0) { Found = FoundSummary.Of(pipeline, summary, session.Store, console.Found), Typed = call.Typed, Pipeline = call.SamePipeline };
        if (summary.ExitCode != ExitCode.Done)
        {
            return (end, pipeline.Path);
        }

        if (pipeline.Overrides.Count > 0)
        {
            console.Say("The lock stays as it was: it tells of the pipeline file, and --set says otherwise.");
        }
        else
        {
            WriteLock(pipeline.Path, held => LockWriter.Of(SlurmExecutor.AsKnown(pipeline, session.Store), summary, plugins(held), Session.ToolVersion));
        }

        return (end, pipeline.Path);
    }

    private static SlurmExecutor Cluster(Commands.Invocation call, Session session, Pipeline pipeline, RunOptions options, ICommandConsole console)
    {
        var pace = SlurmPace.Of(Environment.GetEnvironmentVariable);
        var here = new LocalExecutor(session.Workers, session.Store, options.Jobs, console, session.Code);
        return new SlurmExecutor(pipeline, session.Store, here, session.Code, console, new SlurmCommands(pace.Command), pace, new StagedTool(session.Store), Session.ToolVersion, TimeProvider.System) { LeavesJobs = call.LeavesJobs, ResultsFolder = options.ResultsFolder };
    }

    /// <summary>What plugins were resolved to is kept before they run: the next run takes the same.</summary>
    public static void LockPlugins(PipelineDocument document, Session session)
    {
        var plugins = session.Packages.Resolved(document);
        if (plugins.Count == 0 && session.Packages.Held is not { Plugins.Count: > 0 })
        {
            return;
        }

        WriteLock(Path.GetFullPath(document.File), held => plugins.Count == 0 && held is null ? null : new PipelineLock(held?.Tool ?? Session.ToolVersion, plugins, held?.Stages ?? new Dictionary<string, LockedStage>()));
    }

    /// <summary>Writes the lock beside a pipeline; a folder that cannot be written is told, and no reason to fail.</summary>
    private static void WriteLock(string pipeline, Func<PipelineLock?, PipelineLock?> now)
    {
        string path = PipelineLock.PathOf(pipeline);
        try
        {
            now(PipelineLock.ReadOrTell(path, _ => { }))?.Write(path); // What was wrong with it was told when it was read first.
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Session.Print([new Diagnostic("SCAL9057", $"The lock {path} cannot be written: {e.Message}") { Severity = Severity.Warning, Hint = "Results are whole; builds elsewhere cannot tell whether they are stale." }]);
        }
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

    /// <summary>Answers a program.</summary>
    /// <param name="end">How it ended.</param>
    /// <param name="path">Absolute path of the pipeline file; null where that is not known.</param>
    /// <param name="findings">Why it did not begin.</param>
    public static void Answer(RunEnd end, string? path, IReadOnlyList<Diagnostic> findings) => JsonText.PrintLine("scaling.run/1", new JsonObject
    {
        ["pipeline"] = end.Summary?.Pipeline,
        ["path"] = path,
        ["exit_code"] = end.ExitCode,
        ["findings"] = end.Summary is null ? JsonText.Of(findings) : null,
        ["seconds"] = Math.Round(end.Seconds, 3),
        ["results_folder"] = end.Summary?.ResultsFolder,
        ["stages"] = new JsonArray([.. (end.Summary?.Stages ?? []).Select(s => new JsonObject
        {
            ["id"] = s.Id,
            ["uses"] = s.Uses,
            ["actions"] = s.Actions,
            ["executed"] = s.Executed,
            ["cached"] = s.Cached,
            ["failed"] = s.Failures.Count,
            ["rounds"] = s.Rounds > 0 ? s.Rounds : null,
            ["seconds"] = Math.Round(s.Seconds, 3),
        })]),
        ["cluster"] = end.Summary is { ClusterUsage: { Count: > 0 } usage } ? SlurmText.ToJson(usage) : null,
        ["summary"] = end.Found.Count > 0 ? new JsonArray([.. end.Found.Select(f => f.ToJson())]) : null,
    });
}
