// A task of a job: this process, on a node. It claims the job's folder, executes its share of the frozen plan, and says how that ended.
using System.Globalization;
using Scaling.Engine.Execution;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>Who a task is, as Slurm tells it.</summary>
/// <param name="Job">Number of the job, of the array where it is one.</param>
/// <param name="Index">In the array; 0 without one.</param>
/// <param name="Restart">How often it was begun anew.</param>
/// <param name="Node">Where it runs.</param>
public sealed record TaskIdentity(string Job, int Index, int Restart, string Node)
{
    /// <summary>Of this process; null where it is not in a job.</summary>
    /// <param name="variable">Gives the variables of the environment.</param>
    public static TaskIdentity? Of(Func<string, string?> variable) =>
        (variable("SLURM_ARRAY_JOB_ID") ?? variable("SLURM_JOB_ID")) is not { Length: > 0 } job ? null
            : new TaskIdentity(job, Number(variable("SLURM_ARRAY_TASK_ID")), Number(variable("SLURM_RESTART_COUNT")), variable("SLURMD_NODENAME") ?? Environment.MachineName);

    private static int Number(string? text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}

/// <summary>Runs a task.</summary>
/// <param name="store">The store.</param>
/// <param name="folder">Of the job.</param>
/// <param name="task">Who it is.</param>
/// <param name="time">The node's clock.</param>
public sealed class TaskRun(ContentStore store, JobFolder folder, TaskIdentity task, TimeProvider time)
{
    /// <summary>Executes actions.</summary>
    /// <param name="keys">Of the plan.</param>
    /// <param name="sideBySide">So many at once.</param>
    /// <returns>How each ended.</returns>
    public delegate Task<IReadOnlyDictionary<string, ActionResult>> Share(IReadOnlyList<string> keys, int sideBySide);

    /// <summary>Does its share, if it is for this job to do.</summary>
    /// <param name="share">Executes actions.</param>
    /// <param name="isLate">Tells, after it was stopped, whether time was running out.</param>
    /// <param name="tell">Takes what happens, for the log.</param>
    /// <returns>The exit code.</returns>
    /// <exception cref="InfrastructureException">SCAL5115: the folder is not there, or not whole.</exception>
    public async Task<int> Run(Share share, Func<bool> isLate, Action<string> tell)
    {
        if (folder.Read() is not { } record)
        {
            throw new InfrastructureException("SCAL5115", $"{folder.Path} is no job's folder that this node can read.", "The store has to lie on a folder that all nodes see: --cache or SCALING_CACHE.");
        }

        string owner = folder.TryClaim(task.Job);
        if (owner != task.Job || folder.IsClosed || folder.CancelledBy is not null || folder.News().GetValueOrDefault(task.Index) is { IsOver: true } || task.Index >= record.Tasks)
        {
            tell(owner != task.Job ? $"Job {owner} does this." : "This is not wanted any more.");
            return ExitCode.Done;
        }

        var begin = new TaskBegin(task.Job, task.Restart, task.Node, time.GetUtcNow());
        folder.Begin(task.Index, begin);
        string[] keys = [.. record.KeysOf(task.Index)];
        var results = record.IsProbe ? Probe(record, keys[0]) : await share(keys, record.SideBySide).ConfigureAwait(false);
        var used = OwnUsage.Now();
        bool stopped = results.Values.Any(r => r.End == ActionEnd.Stopped);
        var end = new TaskEnd
        {
            Begin = begin,
            Time = time.GetUtcNow(),
            Actions = [.. keys.Select(k => new TaskAction(k, results[k].End, results[k].Reasons, results[k].Seconds, results[k].Log))],
            Late = stopped && isLate(),
            CanGoOn = stopped && results.Any(r => r.Value.End == ActionEnd.Published || (r.Value.End == ActionEnd.Stopped && store.Leases.HasScratch(r.Key, begin.Time))),
            ProcessorSeconds = used.ProcessorSeconds,
            PeakBytes = used.PeakBytes,
        };
        folder.End(task.Index, end);
        return !stopped ? results.Values.All(r => r.End is ActionEnd.Published or ActionEnd.Found) ? ExitCode.Done : ExitCode.StageFailed
            : end is { Late: true, CanGoOn: true } ? JobScript.CanGoOn : ExitCode.Interrupted;
    }

    private Dictionary<string, ActionResult> Probe(JobRecord record, string key)
    {
        NodeProbe.Of(record.Resources).Answer(store);
        return new Dictionary<string, ActionResult> { [key] = new(ActionEnd.Published, [], 0) };
    }
}
