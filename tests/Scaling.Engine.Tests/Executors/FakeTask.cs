// A task on a node of the fake cluster: what TaskRun does there, and how it may come to an end.
using System.Collections.Concurrent;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Executors;

/// <summary>One of an array.</summary>
/// <param name="cluster">Null for a stranger's.</param>
/// <param name="job">Its job.</param>
/// <param name="index">In the array.</param>
internal sealed class FakeTask(FakeCluster? cluster, FakeJob job, int index)
{
    private static readonly ConcurrentDictionary<string, Lazy<Plan>> Plans = new();
    private readonly TaskCompletionSource _over = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public FakeJob Job { get; } = job;

    public int Index { get; } = index;

    /// <summary>How often Slurm has begun it anew.</summary>
    public int Restart { get; private set; }

    public string State { get; set; } = "PENDING";

    public string Reason { get; set; } = "None";

    public string ExitCode { get; set; } = "0:0";

    public string NodeList { get; set; } = "";

    public DateTime? EndedAt { get; private set; }

    /// <summary>Whether Slurm has removed its record.</summary>
    public bool IsForgotten { get; set; }

    /// <summary>Whether somebody has to release it before it begins.</summary>
    public bool IsHeld => Reason.EndsWith("held", StringComparison.Ordinal);

    /// <summary>The state that scancel gave it.</summary>
    public string? CancelledAs { get; set; }

    /// <summary>Cancelled when Slurm asks it to stop.</summary>
    public CancellationTokenSource Signal { get; private set; } = new();

    /// <summary>Ends with the test.</summary>
    public Task Over => _over.Task;

    public void Begin()
    {
        Signal = new CancellationTokenSource();
        State = "RUNNING";
        string[] without = FakeJob.Option(Job.Script, "exclude")?.Split(',') ?? [];
        NodeList = new[] { $"n{1 + (Index % 2)}", $"n{2 - (Index % 2)}" }.FirstOrDefault(n => !without.Contains(n)) ?? "n3";
    }

    /// <summary>It has left its node.</summary>
    public void Leave(string state)
    {
        State = state;
        ExitCode = state == "FAILED" ? "1:0" : "0:0";
        if (state == "PENDING")
        {
            Restart++;
        }
        else
        {
            EndedAt = DateTime.UtcNow;
        }
    }

    public void End() => _over.TrySetResult();

    /// <summary>Does its share, and says so.</summary>
    public async Task<string> Works() => Ended(await Run(Publish));

    /// <summary>Says and publishes what <see cref="Works"/> does, without what that costs a node: leases, and a look at every process of the machine.</summary>
    public Task<string> WorksAtOnce()
    {
        var begin = new TaskBegin(Job.Number, Restart, NodeList, DateTimeOffset.UtcNow);
        Job.Folder.TryClaim(Job.Number);
        Job.Folder.Begin(Index, begin);
        string[] keys = [.. Specs().KeysOf(Index)];
        Array.ForEach(keys, PublishOne);
        Job.Folder.End(Index, new TaskEnd { Begin = begin, Time = DateTimeOffset.UtcNow, Actions = [.. keys.Select(k => new TaskAction(k, ActionEnd.Published, [], 0.25, null))] });
        return Task.FromResult("COMPLETED");
    }

    /// <summary>Says that it begins, and no more: its node, or its process, is gone.</summary>
    /// <param name="state">What Slurm says of it.</param>
    /// <param name="published">Whether it came as far as publishing.</param>
    public async Task<string> Dies(string state, bool published = false)
    {
        try
        {
            await Run(async (keys, sideBySide) =>
            {
                if (published)
                {
                    await Publish(keys, sideBySide);
                }
                else
                {
                    Lose(keys);
                }

                throw new IOException("gone");
            });
        }
        catch (IOException)
        {
            // As a process that is killed: nothing more is said.
        }

        return state;
    }

    /// <summary>Says how it ended, without publishing anything.</summary>
    /// <param name="end">Of every action.</param>
    /// <param name="state">What Slurm says of it; null for what follows from its exit code.</param>
    /// <param name="checkpoint">Whether something is left to go on from.</param>
    /// <param name="late">Whether its time was running out.</param>
    /// <param name="finding">Why.</param>
    public async Task<string> Ends(ActionEnd end, string? state = null, bool checkpoint = false, bool late = false, Diagnostic? finding = null)
    {
        int code = await Run(
            (keys, _) =>
            {
                Lose(keys);
                foreach (string key in checkpoint ? keys : [])
                {
                    LeaveCheckpoint(key);
                }

                return Task.FromResult<IReadOnlyDictionary<string, ActionResult>>(keys.ToDictionary(k => k, _ => new ActionResult(end, finding is null ? [] : [finding], 0.5)));
            },
            late);
        return state ?? Ended(code);
    }

    /// <summary>Works until it is asked to stop; then it saves a checkpoint.</summary>
    public async Task<string> WorksUntilAskedToStop() => Ended(await Run(async (keys, _) =>
    {
        Lose(keys);
        await Task.WhenAny(Task.Delay(Timeout.Infinite, Signal.Token), Over);
        return keys.ToDictionary(k => k, _ => new ActionResult(ActionEnd.Stopped, [], 0));
    }));

    /// <summary>Works on until the test lets it.</summary>
    /// <param name="go">What it waits for.</param>
    public async Task<string> WorksAfter(Task go) => Ended(await Run(async (keys, sideBySide) =>
    {
        await Task.WhenAny(go, Over, Task.Delay(Timeout.Infinite, Signal.Token));
        return Signal.IsCancellationRequested ? keys.ToDictionary(k => k, _ => new ActionResult(ActionEnd.Stopped, [], 0)) : await Publish(keys, sideBySide);
    }));

    /// <summary>What a worker does: whoever has the key's lease executes and publishes, and others find it.</summary>
    public async Task<IReadOnlyDictionary<string, ActionResult>> Publish(IReadOnlyList<string> keys, int sideBySide)
    {
        var specs = Specs();
        var results = new Dictionary<string, ActionResult>();
        var store = cluster!.Store;
        foreach (string key in keys)
        {
            Lease? lease;
            while ((lease = store.Leases.TryTake(key, store.Live(), null, out _)) is null)
            {
                await Task.Delay(5);
            }

            using (lease)
            {
                if (!specs.Actions[key].Again && store.Find(key) is not null)
                {
                    results[key] = new ActionResult(ActionEnd.Found, [], 0);
                    continue;
                }

                PublishOne(key);
                results[key] = new ActionResult(ActionEnd.Published, [], 0.25);
            }
        }

        return results;
    }

    /// <summary>As <c>dotnet scaling task</c>.</summary>
    public Task<int> Run(TaskRun.Share share, bool late = false) =>
        new TaskRun(cluster!.Store, Job.Folder, new TaskIdentity(Job.Number, Index, Restart, NodeList), TimeProvider.System).Run(share, () => late, _ => { });

    private static string Ended(int code) => code == JobScript.CanGoOn ? "PENDING" : code == Scaling.Engine.Execution.ExitCode.Done ? "COMPLETED" : "FAILED";

    private void LeaveCheckpoint(string key)
    {
        string scratch = Path.Combine(cluster!.Store.Leases.RestingWork(key), "scratch");
        Directory.CreateDirectory(scratch);
        File.WriteAllText(Path.Combine(scratch, "checkpoint"), "half");
    }

    private void Lose(IReadOnlyList<string> keys)
    {
        foreach (string key in keys)
        {
            cluster!.Executions.Enqueue(new Execution(key, Job.Number, Index, Restart) { IsLost = true });
        }
    }

    private void PublishOne(string key)
    {
        var (action, store) = (Specs().Actions[key], cluster!.Store);
        cluster.Executions.Enqueue(new Execution(key, Job.Number, Index, Restart));
        store.Publish(new Manifest(key, action.Stage, action.Point, action.Entries, [store.Take(System.Text.Encoding.UTF8.GetBytes($"{action.Point}\n"), "work.csv", "work")], 0.25, store.Now));
    }

    /// <summary>Read once a job.</summary>
    private Plan Specs() => Plans.GetOrAdd(Job.Folder.Path, _ => new Lazy<Plan>(() =>
    {
        var frozen = FrozenPlan.Read(Job.Folder.PlanPath).Stages[0];
        return new Plan(Job.Record, frozen.Actions.Select(frozen.Spec).ToDictionary(a => a.Key));
    })).Value;

    /// <summary>A job and its actions as its frozen plan has them.</summary>
    private sealed record Plan(JobRecord Record, IReadOnlyDictionary<string, ActionSpec> Actions)
    {
        public IEnumerable<string> KeysOf(int index) => Record.KeysOf(index);
    }
}
