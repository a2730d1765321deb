// plan: what would run, and why; with --json the plan is frozen, for run --plan.
using Scaling.Engine.Execution;
using Scaling.Engine.Executors;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class PlanCommand
{
    public static Task<int> Run(Commands.Invocation call) => LookCommands.WithPipeline(call, async (session, pipeline, console) =>
    {
        Session.Print(pipeline.Warnings);
        session.Store.LeavesNotes = call.Json; // What the frozen plan was made of stays until it runs.
        var past = new PastEntries(session.Store, new RunHistory(session.Store, pipeline.Path));
        var ahead = await new Outlook(pipeline, session.Store, session.Workers, console, session.Code).Look(call.Stop).ConfigureAwait(false);
        var estimates = ahead.Where(a => a.Missing.Count > 0).ToDictionary(a => a.Stage.Id, a => past.Estimate(a.Stage, a.Missing));
        if (call.Json)
        {
            JsonText.Begin();
            using var output = new StreamWriter(Console.OpenStandardOutput());
            var frozen = FrozenPlan.Of(pipeline, ahead, stage => estimates.GetValueOrDefault(stage.Stage.Id), Session.ToolVersion);
            (frozen with { Stages = [.. frozen.Stages.Zip(ahead, (stage, a) => stage with { Summary = Summary(session.Store, a)?.Lines })] }).Write(output);
            return ExitCode.Done;
        }

        var target = call.PriceTarget;
        var prices = new List<PricedQuantity>();
        foreach (var stage in ahead)
        {
            Console.Out.WriteLine($"{stage.Stage.Id,-10} {stage.Stage.Declaration.Type,-12} {stage.InWords()}{(stage.Stage.Executor == ExecutorKind.Slurm && stage.Outlook != StageOutlook.Done ? ", in jobs of Slurm" : "")}");
            Indent(stage.Outlook == StageOutlook.Depends ? [] : stage.Reasons);
            Indent(Summary(session.Store, stage)?.Lines ?? []);
            Indent(estimates.GetValueOrDefault(stage.Stage.Id) is { } estimate ? [estimate.Text] : []);
            if (target is not null && stage.Missing.Count > 0)
            {
                var price = await Priced(session, stage, target, call.Stop).ConfigureAwait(false);
                Indent(PriceText.Lines(price));
                prices.AddRange(price);
            }
        }

        int run = ahead.Sum(a => a.Missing.Count);
        int open = ahead.Count(a => a.Outlook == StageOutlook.Depends);
        string rounds = ahead.Any(a => a.Round is { HasEnded: false }) ? ", further rounds" : "";
        Console.Out.WriteLine(run + open == 0 ? "Nothing to do." : $"To run: {run} {(run == 1 ? "action" : "actions")}{rounds}{(open > 0 ? $", and what {open} {(open == 1 ? "stage" : "stages")} after them will need" : "")}.");
        using var remote = run > 0 ? RemoteCommands.Of(call, session.Store, CommandConsole.For(moves: true)) : null;
        if (remote is not null)
        {
            int there = await remote.CountThere([.. ahead.SelectMany(a => a.Missing).Select(a => a.Key)], call.Stop).ConfigureAwait(false);
            await remote.Finish(call.Stop).ConfigureAwait(false); // Says of how many entries more nothing is taken.
            Console.Out.WriteLine($"The remote cache {remote.Address} has {there} of the {run}{(there > 0 ? "; a run brings them" : "")}.");
        }

        if (target is not null)
        {
            Console.Out.WriteLine(prices.Count == 0 ? "Nothing of it has a price." : FormattableString.Invariant($"Price on {target.Device} at {target.Utilisation:0.##} of its peak:"));
            PriceText.Lines(Prices.Combined(prices)).ForEach(line => Console.Out.WriteLine($"  {line}"));
        }

        return ExitCode.Done;
    }, withoutFiles: call.PriceTarget is null || call.Json ? null : finding => Session.Print([finding]));

    /// <summary>What would become of a stage, in words.</summary>
    public static string InWords(this StageAhead stage) => stage switch
    {
        { Round: { HasEnded: false } round, Plan: { } plan, Missing.Count: > 0 } =>
            $"round {round.Number}: {(plan.FansOut ? $"{stage.Missing.Count} {(stage.Missing.Count == 1 ? "action" : "actions")} to run, {plan.Actions.Count - stage.Missing.Count} cached" : "to run")}; further rounds depend on what {(stage.Missing.Count == 1 ? "it gives" : "these give")}",
        { Round: { HasEnded: false } round, Plan: not null } => $"round {round.Number}: {(stage with { Round = null }).InWords()}",
        { Round: { HasEnded: true } round } => $"{(stage with { Round = null }).InWords()}; its circle ended in round {round.Number}",
        { Outlook: StageOutlook.Depends } => "not known yet: " + string.Join("; ", stage.Reasons),
        { Outlook: StageOutlook.Done, Plan.FansOut: true } => $"nothing to do, {stage.Plan.Actions.Count} actions cached",
        { Outlook: StageOutlook.Done } => "nothing to do, cached",
        { Plan.FansOut: true } => $"{stage.Missing.Count} of {stage.Plan.Actions.Count} actions to run",
        _ => "to run",
    };

    /// <summary>What a stage that lists rows while planning says of them, as a run says it at its end: what the next round is expected to tell, before it costs anything. Null for other stages.</summary>
    private static StageSummary? Summary(ContentStore store, StageAhead stage) =>
        stage is { Stage.Declaration.Enumerating: true, Missing.Count: 0, Plan.Actions: [{ Point: null } only] } ? FoundSummary.OfEntry(stage.Stage.Id, only.Key, store, CommandConsole.Now.Found)?.Summary : null;

    private static void Indent(IEnumerable<string> lines)
    {
        foreach (string line in lines)
        {
            Console.Out.WriteLine($"{"",-24}{line}");
        }
    }

    /// <summary>What the missing actions of a stage cost; a device that it does not know is a mistake on the command line.</summary>
    private static async Task<IReadOnlyList<PricedQuantity>> Priced(Session session, StageAhead stage, PriceTarget target, CancellationToken stop)
    {
        try
        {
            var actions = await session.Code.Ready(stage.Stage.Type, stage.Missing, stop).ConfigureAwait(false);
            return await session.Workers.Price(actions, target).ConfigureAwait(false);
        }
        catch (StageFailedException e)
        {
            throw new UsageException(e.Diagnostics[0].Code, e.Diagnostics[0].Message, e.Diagnostics[0].Hint);
        }
    }
}
