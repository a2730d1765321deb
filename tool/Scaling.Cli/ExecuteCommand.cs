// execute: actions of a frozen plan, without planning: what a scheduler's job runs.
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;

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
        using var remote = RemoteCommands.Of(call, session.Store, console);
        int exit = ExitCode.Done;
        var execution = new PlanExecution(session, plan, frozen, console, remote);
        await execution.Execute([.. chosen.Select(frozen.Spec)], 1, (stage, action, result) =>
        {
            exit = Math.Max(exit, PlanExecution.Tell(console, stage, action, result));
            if (result.End == ActionEnd.Published)
            {
                remote?.Give(action.Key);
            }
        }, call.Stop).ConfigureAwait(false);
        if (remote is not null)
        {
            await RemoteCommands.Finish(remote, console, call.Stop).ConfigureAwait(false);
        }

        return exit;
    }
}
