// execute: actions of a frozen plan, without planning: what a scheduler's job runs.
using Scaling.Engine.Execution;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class ExecuteCommand
{
    public static async Task<int> Run(Commands.Invocation call)
    {
        var plan = FrozenPlan.Read(call.PlanToExecute);
        string[] target = call.Target.Split('@', 2);
        if (plan.Stages.FirstOrDefault(s => s.Id == target[0]) is not { } frozen)
        {
            throw UsageException.NoStage("SCAL1077", target[0], plan.Stages.Select(s => s.Id), " in the plan");
        }

        FrozenAction[] chosen = target.Length == 1 ? [.. frozen.Actions] : RowNames.Find(frozen.Actions, a => a.Point, target[1]);
        if (chosen.Length == 0)
        {
            string again = $"dotnet scaling plan {plan.Path}{string.Concat(plan.Overrides.Select(set => $" --set '{set}'"))} --json > {call.PlanToExecute}";
            var (found, hint) = frozen.Outlook switch
            {
                StageOutlook.Depends => ($"What '{frozen.Id}' runs was not known yet when the plan was made: {string.Join("; ", frozen.Reasons)}.", $"Execute that first, then plan again: {again}"),
                StageOutlook.Done => ($"'{frozen.Id}' had nothing to do when the plan was made.", $"Nothing, or plan again where the store has lost it since: {again}"),
                _ => ($"The plan has no action '{call.Target}'. Those of '{frozen.Id}' begin: {string.Join(", ", frozen.Actions.Take(5).Select(a => a.Point ?? "(it has no rows)"))}.", $"'dotnet scaling execute {call.PlanToExecute} {frozen.Id}' executes all of them."),
            };
            throw new UsageException("SCAL1078", found, hint);
        }

        var console = CommandConsole.For(moves: true);
        using var session = Session.OfPlan(plan, call.StoreFolder, console);
        session.DemandStore();
        var stage = await new PlanThaw(session.Catalog, session.Store).Alone(frozen).ConfigureAwait(false);
        var executor = new LocalExecutor(session.Workers, session.Store, 1, console, session.Code);
        ActionSpec[] actions = [.. chosen.Select(frozen.Spec)];
        using var remote = RemoteCommands.Of(call, session.Store, console);
        new RunHistory(session.Store, plan.Path).Begin();
        session.Store.LeavesNotes = true; // No record names what is published here before the run that the plan belongs to collects it.
        string[] wanted = [.. actions.Select(a => a.Key), .. frozen.Prepare is { } first ? [first.Key] : Array.Empty<string>()];
        session.Store.Use([.. wanted, .. actions.SelectMany(a => a.Inputs).Select(i => i.Sha256).Distinct()]);
        if (remote is not null)
        {
            await remote.Bring([.. wanted.Where(k => session.Store.Find(k) is null)], call.Stop).ConfigureAwait(false);
        }

        if (frozen.Prepare is { } shared && await Prepared(session, executor, stage, shared, remote, call.Stop).ConfigureAwait(false) is { } files)
        {
            actions = Array.ConvertAll(actions, a => a with { Prepared = files });
        }

        bool batch = stage.Declaration.FanOut?.Mode == FanOutMode.Batch;
        int exit = ExitCode.Done;
        foreach (var group in batch ? [actions] : actions.Select(a => new[] { a }))
        {
            var byKey = group.ToDictionary(a => a.Key);
            foreach (var (key, result) in await executor.Execute(stage, group, call.Stop).ConfigureAwait(false))
            {
                exit = Math.Max(exit, Tell(console, stage, byKey[key], result));
                if (result.End == ActionEnd.Published)
                {
                    remote?.Give(key);
                }
            }
        }

        if (remote is not null)
        {
            await RemoteCommands.Finish(remote, console, call.Stop).ConfigureAwait(false);
        }

        return exit;
    }

    private static async Task<ActionInput[]?> Prepared(Session session, LocalExecutor executor, StageNode stage, ActionSpec shared, RemoteEntries? remote, CancellationToken stop)
    {
        var manifest = session.Store.Find(shared.Key);
        if (manifest is null)
        {
            var result = (await executor.Execute(stage, [shared], stop).ConfigureAwait(false))[shared.Key];
            stop.ThrowIfCancellationRequested();
            manifest = session.Store.Find(shared.Key) ?? throw new StageFailedException(result.Reasons);
            remote?.Give(shared.Key);
        }

        return ActionInput.Prepared(session.Store, manifest);
    }

    private static int Tell(ICommandConsole console, StageNode stage, ActionSpec action, ActionResult result)
    {
        string name = action.Point is null ? stage.Id : $"{stage.Id}@{action.Point}";
        switch (result.End)
        {
            case ActionEnd.Published or ActionEnd.Found:
                console.Say($"{name} {action.Key[..12]} {(result.End == ActionEnd.Published ? $"executed, {Duration.InWords(result.Seconds)}" : "cached")}");
                return ExitCode.Done;
            case ActionEnd.Stopped:
                console.Stopped(stage, action.Point, action.Key);
                console.Say($"{name} {action.Key[..12]} stopped");
                return ExitCode.Interrupted;
            default:
                var failure = new Failure(action.Point, result.Reasons, result.Log) { Key = action.Key };
                console.Failed(stage, failure);
                return ExitCode.Of(failure.Findings, ExitCode.StageFailed);
        }
    }
}
