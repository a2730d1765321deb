// Runs actions on this machine: so many workers side by side, one alone where it must be, waiting for what others execute.
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Execution;

/// <summary>The local executor.</summary>
/// <param name="workers">Where actions run.</param>
/// <param name="store">Where they are published.</param>
/// <param name="jobs">Side by side, at least 1.</param>
/// <param name="observer">Takes what happens.</param>
public sealed class ActionExecutor(WorkerPool workers, ContentStore store, int jobs, IRunObserver observer)
{
    private static readonly TimeSpan FirstWait = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);
    private readonly Slots _slots = new(jobs);

    /// <summary>Executes actions in one worker until each has ended; those that somebody else executes are waited for.</summary>
    /// <param name="stage">Whose actions they are.</param>
    /// <param name="actions">One, or a batch.</param>
    /// <param name="stop">Asks to stop: what runs ends gracefully, what waits is not begun.</param>
    /// <returns>A result for each key: published, found, failed, stopped, or with changed inputs.</returns>
    public async Task<IReadOnlyDictionary<string, ActionResult>> Execute(StageNode stage, IReadOnlyList<ActionSpec> actions, CancellationToken stop)
    {
        var points = actions.ToDictionary(a => a.Key, a => a.Point);
        var events = new WorkerEvents((key, progress) => observer.Progressed(stage, points.GetValueOrDefault(key), progress), observer.Warned);
        var ended = new Dictionary<string, ActionResult>();
        var wait = FirstWait;
        bool said = false;
        while (ended.Count < actions.Count)
        {
            ActionSpec[] open = [.. actions.Where(a => !ended.ContainsKey(a.Key))];
            using (await _slots.Take(all: actions[0].Exclusive).ConfigureAwait(false))
            {
                if (stop.IsCancellationRequested)
                {
                    foreach (var spec in open)
                    {
                        ended[spec.Key] = new ActionResult(ActionEnd.Stopped, [], 0);
                    }

                    break;
                }

                foreach (var (key, result) in await workers.Execute(open, stage.Patience, events, stop).ConfigureAwait(false))
                {
                    if (result.End != ActionEnd.Busy)
                    {
                        ended[key] = result;
                    }
                    else if (!said)
                    {
                        said = true;
                        observer.Waiting(stage, points[key], result.Findings[0].Message);
                    }
                }
            }

            if (ended.Count < actions.Count)
            {
                await Task.Delay(wait, CancellationToken.None).ConfigureAwait(false);
                wait = wait * 2 < LongestWait ? wait * 2 : LongestWait;
            }
        }

        return ended;
    }

    /// <summary>What an action printed; null for nothing.</summary>
    /// <param name="key">Its key, or its batch's first.</param>
    public string? Log(string key) => File.Exists(store.LogPath(key)) ? store.LogPath(key) : null;
}
