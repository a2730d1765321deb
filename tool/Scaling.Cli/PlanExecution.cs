// Actions of a frozen plan on this machine, without planning.
using Scaling.Engine.Execution;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Executes actions of one stage of a plan.</summary>
/// <param name="session">Of the plan's store.</param>
/// <param name="plan">The plan.</param>
/// <param name="frozen">One of its stages.</param>
/// <param name="console">Takes what happens.</param>
/// <param name="remote">Brings what was published elsewhere. Null: nothing.</param>
internal sealed class PlanExecution(Session session, FrozenPlan plan, FrozenStage frozen, ICommandConsole console, RemoteEntries? remote = null)
{
    /// <summary>Whether others are told that somebody runs the pipeline here; not where a task of another's run does its share. Default: they are.</summary>
    public bool IsRun { get; init; } = true;

    /// <summary>Takes how far an action is, by its key. Default: nobody.</summary>
    public Action<string, StageProgress>? Heard { get; init; }

    /// <summary>Executes actions until each has ended.</summary>
    /// <param name="actions">Of the stage.</param>
    /// <param name="sideBySide">So many at once.</param>
    /// <param name="ended">Takes how each ended, from any thread.</param>
    /// <param name="stop">Asks to stop.</param>
    public async Task Execute(ActionSpec[] actions, int sideBySide, Action<StageNode, ActionSpec, ActionResult> ended, CancellationToken stop)
    {
        var stage = await new PlanThaw(session.Catalog, session.Store).Alone(frozen).ConfigureAwait(false);
        var executor = new LocalExecutor(session.Workers, session.Store, sideBySide, console, session.Code) { Heard = Heard };
        if (IsRun)
        {
            new RunHistory(session.Store, plan.Path).Begin();
        }

        session.Store.LeavesNotes = true; // No record names what is published here before the run that the plan belongs to collects it.
        string[] wanted = [.. actions.Select(a => a.Key), .. frozen.Prepare is { } first ? [first.Key] : Array.Empty<string>()];
        session.Store.Use([.. wanted, .. actions.SelectMany(a => a.Inputs).Select(i => i.Sha256).Distinct()]);
        if (remote is not null)
        {
            await remote.Bring([.. wanted.Where(k => session.Store.Find(k) is null)], stop).ConfigureAwait(false);
        }

        if (frozen.Prepare is { } shared && await Prepared(executor, stage, shared, stop).ConfigureAwait(false) is { } files)
        {
            actions = Array.ConvertAll(actions, a => a with { Prepared = files });
        }

        var groups = stage.Declaration.FanOut?.Mode == FanOutMode.Batch ? [actions] : actions.Select(a => new[] { a });
        await executor.Execute(stage, [.. groups], (action, result) => ended(stage, action, result), stop).ConfigureAwait(false);
    }

    private async Task<ActionInput[]?> Prepared(LocalExecutor executor, StageNode stage, ActionSpec shared, CancellationToken stop)
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

    /// <summary>Says how an action ended.</summary>
    /// <returns>The exit code that follows from it alone.</returns>
    public static int Tell(ICommandConsole console, StageNode stage, ActionSpec action, ActionResult result)
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
