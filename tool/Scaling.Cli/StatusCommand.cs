// status: who runs a pipeline now, how its last run ended, what is missing. Nothing is executed.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Cli;

internal static class StatusCommand
{
    private const int MostRunning = 20;

    /// <summary>An action that somebody executes.</summary>
    private sealed record Running(string Stage, FoundAction Action, string Holder, DateTimeOffset Since);

    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code) { Evaluates = false }.Look(call.Stop).ConfigureAwait(false);
        Running[] running = [.. ahead.SelectMany(a => RunningOf(a, session.Store))];
        var history = new RunHistory(session.Store, pipeline.Path);
        var last = history.Last;
        var jobs = await JobsUnderWay.Of(call).ConfigureAwait(false);
        string[] paths = [.. ClusterCommands.JobsOf(call).Select(j => j.Record.Path).Append(pipeline.Path).Distinct()]; // A run may know the file by another path.
        string[] runners = [.. paths.SelectMany(path => new RunHistory(session.Store, path).Runners).Distinct()];
        if (call.Json)
        {
            var answer = Answer(runners, running, last, ahead);
            if (jobs.Count > 0)
            {
                answer["jobs"] = new JsonArray([.. jobs.Select(j => j.ToJson())]);
            }

            JsonText.Print("scaling.status/1", pipeline, answer);
        }
        else
        {
            Tell(runners, running, last, ahead, session.Store.Now, jobs, new PastEntries(session.Store, history));
        }

        return ExitCode.Done;
    });

    /// <summary>Whoever executes an action holds its lock; a stage that runs has a plan, since what it needs is done.</summary>
    private static IEnumerable<Running> RunningOf(StageAhead stage, ContentStore store) =>
        from action in new[] { stage.Plan?.Prepare }.OfType<ActionSpec>().Concat(stage.Plan?.Actions ?? []) // Also those that are there: --force executes them again.
        let held = store.Leases.Holder(action.Key)
        where held is not null
        select new Running(stage.Stage.Id, new FoundAction(action.Point, action.Key, action.Kind == ActionKind.Prepare), held.Value.Holder, held.Value.Since);

    private static void Tell(string[] runners, IReadOnlyList<Running> running, RunRecord? last, IReadOnlyList<StageAhead> ahead, DateTimeOffset now, IReadOnlyList<JobsUnderWay> jobs, PastEntries past)
    {
        var output = Console.Out;
        string[] holders = [.. running.Select(r => r.Holder).Distinct()];
        output.WriteLine(running.Count > 0 ? $"Running: {Actions(running.Count)}{(holders is [var only] ? $", by {only}" : "")}" : runners.Length == 0 ? "Nobody runs it now." : $"Running, and none of these actions just now: {string.Join(", ", runners)}");
        var named = running.OrderBy(r => r.Since).Take(MostRunning).Select(r => (Name: r.Stage + (r.Action.Name is { } name ? "@" + name : ""), Running: r)).ToArray();
        int width = named.Select(n => n.Name.Length).DefaultIfEmpty().Max();
        foreach (var (name, action) in named)
        {
            output.WriteLine($"  {name.PadRight(width)}  for {Duration.InWords(Math.Max(0, (now - action.Since).TotalSeconds))}{(holders.Length > 1 ? $", by {action.Holder}" : "")}");
        }

        if (running.Count > MostRunning)
        {
            output.WriteLine($"  and {running.Count - MostRunning} more");
        }

        if (jobs.Count > 0)
        {
            output.WriteLine(runners.Length > 0 ? "Jobs on the cluster:" : "Jobs on the cluster, for which no run waits ('attach' does):");
            jobs.ToList().ForEach(output.WriteLine);
        }

        if (last is null)
        {
            output.WriteLine("It has not run here yet.");
        }
        else
        {
            output.WriteLine($"Last run: number {last.Number}, ended {Time(last.Ended)} after {Duration.InWords((last.Ended - last.Started).TotalSeconds)}.");
            output.WriteLine($"  {RunConsole.Outcome(last.ExitCode)} (exit code {last.ExitCode}).");
            var (id, type) = (last.Stages.Select(s => s.Id.Length).DefaultIfEmpty().Max(), last.Stages.Select(s => s.Type.Length).DefaultIfEmpty().Max());
            foreach (var stage in last.Stages)
            {
                string why = stage.NotDone is null ? "" : stage.Failed > 0 ? ", not done" : $"; {stage.NotDone}";
                output.WriteLine($"  {stage.Id.PadRight(id)}  {stage.Type.PadRight(type)}  {stage.Executed} executed, {stage.Cached} cached{(stage.Failed > 0 ? $", {stage.Failed} failed" : "")}{why}");
            }

            output.WriteLine($"  Results: {last.ResultsFolder}");
        }

        Missing(running, ahead, past);
    }

    /// <summary>What is missing, with what it took before: how far a run is that goes on.</summary>
    private static void Missing(IReadOnlyList<Running> running, IReadOnlyList<StageAhead> ahead, PastEntries past)
    {
        int missing = ahead.Sum(a => a.Missing.Count);
        StageAhead[] lacking = [.. ahead.Where(a => a.Missing.Count > 0)];
        string[] open = [.. ahead.Where(a => a.Outlook == StageOutlook.Depends).Select(a => a.Stage.Id)];
        Console.Out.WriteLine(missing + open.Length == 0 ? "Nothing is missing." : $"Missing now: {(missing > 0 ? Actions(missing) : "")}{(missing > 0 && open.Length > 0 ? ", and " : "")}{(open.Length > 0 ? $"what {string.Join(", ", open)} will need" : "")}.");
        var (id, type) = (lacking.Select(s => s.Stage.Id.Length).DefaultIfEmpty().Max(), lacking.Select(s => s.Stage.Declaration.Type.Length).DefaultIfEmpty().Max());
        foreach (var stage in lacking)
        {
            int atWork = running.Count(r => r.Stage == stage.Stage.Id && !r.Action.Prepares);
            string took = past.Estimate(stage.Stage, stage.Missing) is { } estimate ? $", about {Duration.InWords(estimate.Seconds)} of compute" : "";
            string round = stage.Round is { } at ? $"round {at.Number}: " : "";
            Console.Out.WriteLine($"  {stage.Stage.Id.PadRight(id)}  {stage.Stage.Declaration.Type.PadRight(type)}  {round}{stage.Missing.Count} of {Actions(stage.Plan!.Actions.Count)}{(atWork > 0 ? $", {atWork} running" : "")}{took}");
        }
    }

    private static JsonObject Answer(string[] runners, IReadOnlyList<Running> running, RunRecord? last, IReadOnlyList<StageAhead> ahead) => new()
    {
        ["runners"] = JsonText.Of(runners),
        ["running"] = new JsonArray([.. running.Select(r => JsonText.WithoutNulls(new JsonObject
        {
            ["stage"] = r.Stage, ["point"] = r.Action.Point, ["prepares"] = r.Action.Prepares ? true : null, ["key"] = r.Action.Key, ["holder"] = r.Holder, ["since"] = JsonText.Of(r.Since),
        }))]),
        ["last_run"] = last is null ? null : new JsonObject
        {
            ["number"] = last.Number, ["started"] = JsonText.Of(last.Started), ["ended"] = JsonText.Of(last.Ended), ["exit_code"] = last.ExitCode, ["results_folder"] = last.ResultsFolder,
            ["stages"] = new JsonArray([.. last.Stages.Select(s => JsonText.WithoutNulls(new JsonObject
            {
                ["id"] = s.Id, ["uses"] = s.Type, ["actions"] = s.Actions.Count, ["executed"] = s.Executed, ["cached"] = s.Cached, ["failed"] = s.Failed, ["not_done"] = s.NotDone,
            }))]),
        },
        ["now"] = new JsonArray([.. ahead.Select(a => JsonText.WithoutNulls(new JsonObject
        {
            ["id"] = a.Stage.Id, ["uses"] = a.Stage.Declaration.Type, ["actions"] = a.Plan?.Actions.Count, ["missing"] = a.Plan is null ? null : a.Missing.Count, ["round"] = a.Round?.Number,
        }))]),
    };

    private static string Actions(int count) => count == 1 ? "1 action" : $"{count} actions";

    private static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd HH:mm:ss'Z'", System.Globalization.CultureInfo.InvariantCulture);
}
