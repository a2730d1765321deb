// The actions of a stage without executing anything: as the pipeline is now, and as its last run had them.
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;

namespace Scaling.Cli;

/// <summary>What became of an action.</summary>
internal enum ActionState
{
    /// <summary>It is in the store.</summary>
    Done,

    /// <summary>Somebody executes it now.</summary>
    Running,

    /// <summary>Neither: it failed, was stopped or killed, or did not begin.</summary>
    NotDone,
}

/// <summary>An action that <c>logs</c> and <c>show</c> find.</summary>
/// <param name="Point">The row; null without fan-out, and for what rows share.</param>
/// <param name="Key">Its key.</param>
/// <param name="Prepares">Whether it makes what rows share.</param>
internal sealed record FoundAction(string? Point, string Key, bool Prepares)
{
    /// <summary>As a person names it after <c>@</c>; null without fan-out.</summary>
    public string? Name => Prepares ? StageActions.Prepare : Point;
}

/// <summary>A stage's actions.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Now">As the pipeline is now; empty where that depends on what is not made yet.</param>
/// <param name="Before">As its last run had them; empty where there is none.</param>
/// <param name="Collection">Key of the collection of its rows in the last run; null for none.</param>
internal sealed record StageActions(StageNode Stage, IReadOnlyList<FoundAction> Now, IReadOnlyList<FoundAction> Before, string? Collection)
{
    /// <summary>What names the action of what rows share.</summary>
    public const string Prepare = "prepare";

    public bool FansOut => Stage.Declaration.FanOut is not null;

    /// <summary>The actions of the stage that <c>STAGE</c> or <c>STAGE@POINT</c> names.</summary>
    /// <param name="call">Its target.</param>
    /// <param name="session">Its store.</param>
    /// <param name="pipeline">Linked.</param>
    /// <param name="console">Takes what is found meanwhile.</param>
    /// <exception cref="UsageException">SCAL1004: there is no such stage; SCAL1051: nothing is known of its actions.</exception>
    public static async Task<StageActions> Of(Commands.Invocation call, Session session, Pipeline pipeline, IRunObserver console)
    {
        string id = call.Target.Split('@', 2)[0];
        if (pipeline.Stages.All(s => s.Id != id))
        {
            throw UsageException.NoStage("SCAL1004", id, pipeline.Stages.Select(s => s.Id));
        }

        var ahead = (await new Outlook(pipeline, session.Store, session.Workers, console, session.Code) { Evaluates = false }.Look(call.Stop).ConfigureAwait(false)).First(a => a.Stage.Id == id);
        var last = new RunHistory(session.Store, pipeline.Path).Last;
        var recorded = new Explainer(session.Store, last, pipeline).Recorded(ahead.Stage);
        FoundAction[] now = ahead.Plan is not { } plan ? [] : [.. Shared(plan.Prepare?.Key), .. plan.Actions.Select(a => new FoundAction(a.Point, a.Key, false))];
        FoundAction[] before = recorded is null ? [] : [.. Shared(recorded.Prepare), .. recorded.Actions.Select(a => new FoundAction(a.Point, a.Key, false))];
        return now.Length + before.Length > 0
            ? new StageActions(ahead.Stage, now, before, ahead.Result?.Collection ?? recorded?.Collection)
            : throw new UsageException("SCAL1051", $"Nothing is known of the actions of '{id}': {string.Join("; ", ahead.Reasons)}, and it was not in the last run.", $"'dotnet scaling run {call.Pipeline}' makes it.");
    }

    /// <summary>The actions that the target names; all of them where it names no point.</summary>
    /// <param name="target"><c>STAGE</c> or <c>STAGE@POINT</c>, a point being a row's name or its beginning.</param>
    /// <param name="among">Those to choose from.</param>
    /// <exception cref="UsageException">SCAL1006: there is no such row.</exception>
    public IReadOnlyList<FoundAction> Named(string target, IReadOnlyList<FoundAction> among)
    {
        if (target.Split('@', 2) is not [_, var point])
        {
            return among;
        }

        var named = RowNames.Find(among, a => a.Name, point);
        return named.Length > 0 ? named : throw RowNames.NoRow(Stage.Id, point, among.Where(_ => FansOut).Select(a => a.Name));
    }

    /// <summary>What became of an action.</summary>
    /// <param name="store">The store.</param>
    /// <param name="key">Its key.</param>
    public static ActionState State(ContentStore store, string key) =>
        store.Leases.Holder(key) is not null ? ActionState.Running : store.Read(key) is not null ? ActionState.Done : ActionState.NotDone;

    private static FoundAction[] Shared(string? key) => key is null ? [] : [new FoundAction(null, key, true)];
}
