// Runs actions on this machine: so many workers side by side, one alone where it must be, waiting for what others execute.
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Local;

/// <summary>The local executor.</summary>
/// <param name="workers">Where actions run.</param>
/// <param name="store">Where they are published.</param>
/// <param name="jobs">Side by side, at least 1.</param>
/// <param name="observer">Takes what happens.</param>
/// <param name="code">Brings the code of stages that are packages.</param>
public sealed class LocalExecutor(WorkerPool workers, ContentStore store, int jobs, IRunObserver observer, StageCode code) : IExecutor
{
    private readonly Slots _slots = new(jobs);

    /// <summary>Takes how far an action is, by its key, beside the observer. Default: nobody.</summary>
    public Action<string, StageProgress>? Heard { get; init; }

    /// <inheritdoc/>
    public Task<StageNode> Placed(StageNode stage, CancellationToken halt) => Task.FromResult(stage);

    /// <inheritdoc/>
    public Task Execute(StageNode stage, IReadOnlyList<IReadOnlyList<ActionSpec>> groups, Action<ActionSpec, ActionResult> ended, CancellationToken halt) => Task.WhenAll(groups.Select(async group =>
    {
        var results = await Execute(stage, group, halt).ConfigureAwait(false);
        foreach (var action in group)
        {
            ended(action, results[action.Key]);
        }
    }));

    /// <summary>Executes actions in one worker until each has ended; those that somebody else executes are waited for.</summary>
    /// <param name="stage">Whose actions they are.</param>
    /// <param name="actions">One, or a batch.</param>
    /// <param name="stop">Asks to stop: what runs ends gracefully, what waits is not begun.</param>
    /// <returns>A result for each key; none is busy.</returns>
    public async Task<IReadOnlyDictionary<string, ActionResult>> Execute(StageNode stage, IReadOnlyList<ActionSpec> actions, CancellationToken stop)
    {
        if (stop.IsCancellationRequested)
        {
            return AllStopped(actions);
        }

        try
        {
            actions = await code.Ready(stage.Type, actions, stop).ConfigureAwait(false);
            actions = await WithNatives(stage, actions, Natives, stop).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return AllStopped(actions);
        }

        var points = actions.ToDictionary(a => a.Key, a => a.Point);
        var events = new WorkerEvents(
            (key, progress) =>
            {
                observer.Progressed(stage, points.GetValueOrDefault(key), progress);
                Heard?.Invoke(key, progress);
            },
            (key, warning) => Warn(stage, key, points, warning))
        {
            Started = key => Tell(key, point => observer.Started(stage, point, key)),
            Ended = (key, result) => Tell(key, point =>
            {
                if (result.End is ActionEnd.Published or ActionEnd.Found)
                {
                    observer.Done(stage, point, key, result.End == ActionEnd.Published, result.Seconds);
                }
            }),
        };
        var ended = new Dictionary<string, ActionResult>();
        Wait? wait = null;
        bool oneByOne = false;
        while (ended.Count < actions.Count)
        {
            ActionSpec[] open = [.. actions.Where(a => !ended.ContainsKey(a.Key)).Take(oneByOne ? 1 : actions.Count)];
            var busy = new Dictionary<string, string?>();
            using (await _slots.Take(all: actions[0].Exclusive).ConfigureAwait(false))
            {
                var asked = wait is null ? open : Array.ConvertAll(open, wait.WithSilent);
                var results = stop.IsCancellationRequested ? AllStopped(open) : await workers.Execute(asked, stage.Patience, events, stop).ConfigureAwait(false);
                // A worker that died could not say where its batch printed: where the first of its actions does that is not somebody else's.
                string? log = open.FirstOrDefault(a => results[a.Key].End is not (ActionEnd.Busy or ActionEnd.Found)) is { } first ? store.LogPath(first.Key) : null;
                foreach (var (key, result) in results)
                {
                    switch (result.End)
                    {
                        case ActionEnd.Busy:
                            busy[key] = result.Lease;
                            break;
                        case ActionEnd.Died when open.Length > 1:
                            oneByOne = true; // One row of the batch killed the worker: each that is left is tried by itself.
                            break;
                        default:
                            ended[key] = result with { Log = Printed(result.Log ?? (result.End == ActionEnd.Died ? log : null)) };
                            break;
                    }
                }
            }

            if (busy.Count > 0)
            {
                wait ??= new Wait(store, actions[0].Exclusive, reason => observer.Waiting(stage, open[0].Point, reason));
                await wait.UntilSomeAreFree(busy, stop).ConfigureAwait(false);
            }
        }

        return ended;

        // What rows share is no row: the runner tells of it.
        void Tell(string key, Action<string?> about)
        {
            if (actions[0].Kind == ActionKind.Run)
            {
                about(points.GetValueOrDefault(key));
            }
        }
    }

    /// <inheritdoc/>
    /// <remarks>What fetching them takes of the machine is asked, and told, before.</remarks>
    public Task<IReadOnlyList<NativePackage>> Natives(StageNode stage, CancellationToken halt) => code.Natives.Bring(stage, async missing =>
    {
        await workers.CheckMachine(stage, await code.Assembly(stage.Type, halt).ConfigureAwait(false)).ConfigureAwait(false);
        observer.Fetching(stage, missing);
    }, halt);

    /// <summary>The actions with the folders of their native packages, if these are what their keys were made with.</summary>
    internal static async Task<IReadOnlyList<ActionSpec>> WithNatives(
        StageNode stage, IReadOnlyList<ActionSpec> actions, Func<StageNode, CancellationToken, Task<IReadOnlyList<NativePackage>>> bring, CancellationToken stop)
    {
        KeyEntry[] planned = [.. actions[0].Entries.Where(e => e.Kind == EntryKind.Native)];
        if (planned.Length == actions[0].NativeFolders.Count)
        {
            return actions;
        }

        var natives = await bring(stage, stop).ConfigureAwait(false);
        return natives.Select(n => n.Entry).SequenceEqual(planned)
            ? [.. actions.Select(a => a with { NativeFolders = [.. natives.Select(n => n.Folder!)] })]
            : throw new InvalidOperationException($"'{stage.Id}' was planned with other native packages than it has");
    }

    private static Dictionary<string, ActionResult> AllStopped(IReadOnlyList<ActionSpec> actions) => actions.ToDictionary(a => a.Key, _ => new ActionResult(ActionEnd.Stopped, [], 0));

    private void Warn(StageNode stage, string? key, Dictionary<string, string?> points, Diagnostic warning)
    {
        if (key is null)
        {
            observer.FoundDamage(warning);
        }
        else
        {
            observer.Warned(stage, points.GetValueOrDefault(key), warning);
        }
    }

    private static string? Printed(string? path) => path is not null && new FileInfo(path) is { Exists: true, Length: > 0 } log ? log.FullName : null;
}
