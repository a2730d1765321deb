// What follows from how a task ended: it is tried again, it failed, or it was stopped. Success is not decided here: that is an entry in the store.
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>All that is known of a task which ended, or is gone, with actions that are not in the store.</summary>
/// <param name="State">The last that Slurm told; null where it has forgotten the job, and nobody knows.</param>
/// <param name="End">What the task said itself; null where it said nothing.</param>
public sealed record TaskEnding(JobState? State, TaskEnd? End)
{
    /// <summary>Whether it began, as far as it said.</summary>
    public bool HasBegun { get; init; }

    /// <summary>Whether its actions left something to go on from.</summary>
    public bool CanGoOn { get; init; }

    /// <summary>Slurm's own words on the end: state, reason, exit code.</summary>
    public string Words { get; init; } = "";

    /// <summary>Its first node; null where that is not known.</summary>
    public string? Node { get; init; }

    /// <summary>Whether words of the user's stand before the worker's command.</summary>
    public bool IsWrapped { get; init; }

    /// <summary>Absolute path of the pipeline whose user cancelled it; null for nobody.</summary>
    public string? CancelledBy { get; init; }

    /// <summary>Absolute path of the pipeline that awaits it; null for that which submitted it.</summary>
    public string? AwaitedBy { get; init; }
}

/// <summary>What is done about an ending.</summary>
public abstract record Decision
{
    private Decision()
    {
    }

    /// <summary>Its actions are submitted again.</summary>
    /// <param name="Earlier">With this try.</param>
    /// <param name="Resources">What is asked for then.</param>
    /// <param name="Reason">In words.</param>
    public sealed record Again(EarlierTries Earlier, Resources Resources, string Reason) : Decision;

    /// <summary>Its actions failed.</summary>
    /// <param name="Why">For the user.</param>
    public sealed record Fail(Diagnostic Why) : Decision;

    /// <summary>They were stopped, as the user asked.</summary>
    public sealed record Stopped : Decision;
}

/// <summary>The policies.</summary>
public static class EndingPolicy
{
    /// <summary>So often a task that was lost is tried again: its node failed, or something killed it.</summary>
    public const int MostLosses = 3;

    /// <summary>So often a task whose worker died is tried again.</summary>
    public const int MostDeaths = 2;

    /// <summary>So often memory is doubled.</summary>
    public const int MostGrowths = 3;

    /// <summary>Decides.</summary>
    /// <param name="ending">What is known.</param>
    /// <param name="record">The job as it was meant.</param>
    public static Decision Of(TaskEnding ending, JobRecord record) => ending.State?.Phase switch
    {
        _ when ending.CancelledBy is not null => Cancelled(ending, record), // Its tasks end by themselves, however that looks to Slurm.
        JobPhase.OutOfMemory => OutOfMemory(ending, record),
        JobPhase.TimedOut => TimedOut(ending, record),
        JobPhase.Preempted => GoesOn(record, "another job took its place"),
        JobPhase.NodeFailed => Lost(ending, record, "its node failed"),
        JobPhase.Cancelled => Cancelled(ending, record),
        _ when ending.End is { } end => Said(ending, end, record),
        null => Lost(ending, record, "Slurm has no record of it any more, and it left no result"),
        _ => Lost(ending, record, ending.HasBegun ? "it ended without a result" : "it ended before it began to work"),
    };

    /// <summary>The task told how it ended, and Slurm tells nothing worse.</summary>
    private static Decision Said(TaskEnding ending, TaskEnd end, JobRecord record) =>
        end.Actions.FirstOrDefault(a => a.IsOfNode) is { } faulty ? OfNode(ending, faulty, record)
        : end.Actions.FirstOrDefault(a => a.End == ActionEnd.Died) is { } died ? Died(died, record)
        : end.Late ? TimedOut(ending, record)
        : end.Actions.Any(a => a.End == ActionEnd.Stopped) ? Asked(ending, record, "something asked it to stop")
        : Lost(ending, record, "what it published is not in the store");

    private static Decision OutOfMemory(TaskEnding ending, JobRecord record)
    {
        var asked = record.Resources;
        long had = asked.MemoryMebibytes ?? 0; // Where a flag says it in another way, sbatch would not take both.
        return record.Earlier.Growths < MostGrowths && had > 0
            ? new Decision.Again(record.Earlier with { Growths = record.Earlier.Growths + 1 }, asked with { MemoryMebibytes = had * 2 }, FormattableString.Invariant($"it ran out of memory; {had * 2} MiB are asked for now"))
            : new Decision.Fail(new Diagnostic("SCAL5111", $"Slurm ended the job for want of memory{(had > 0 ? FormattableString.Invariant($", of which it had {had} MiB a node") : "")}: {ending.Words}.")
            {
                Hint = had > 0 ? "Ask for more (resources: { mem: 64G }), or make the action smaller." : "Say how much it needs: resources: { mem: 8G }; that is doubled when it does not do.",
            });
    }

    private static Decision TimedOut(TaskEnding ending, JobRecord record) => ending.CanGoOn
        ? GoesOn(record, "its time limit came; it goes on from its checkpoint")
        : new Decision.Fail(new Diagnostic("SCAL5110", $"The time limit came before the action was done, and it left nothing to go on from: {ending.Words}.")
        {
            Hint = "Ask for more (resources: { time: 12h }), or pack fewer rows into a task.",
        });

    private static Decision Cancelled(TaskEnding ending, JobRecord record) =>
        ending.CancelledBy is null ? new Decision.Fail(new Diagnostic("SCAL5113", $"Somebody cancelled the job: {ending.Words}.") { Hint = "Run again where that was not meant: what is finished is kept." })
        : ending.CancelledBy == (ending.AwaitedBy ?? record.Path) ? new Decision.Stopped()
        : new Decision.Again(record.Earlier, record.Resources, $"the user of {ending.CancelledBy} cancelled it");

    private static Decision Died(TaskAction died, JobRecord record) => record.Earlier.Deaths < MostDeaths
        ? new Decision.Again(record.Earlier with { Deaths = record.Earlier.Deaths + 1 }, record.Resources, died.Findings is [var first, ..] ? first.Message.TrimEnd('.') : "its worker died")
        : new Decision.Fail(died.Findings is [var why, ..] ? why : new Diagnostic("SCAL5001", "The worker died."));

    /// <summary>Elsewhere, twice; then it is no node's fault.</summary>
    private static Decision OfNode(TaskEnding ending, TaskAction action, JobRecord record) => record.Earlier.Losses < MostLosses - 1
        ? new Decision.Again(record.Earlier with { Losses = record.Earlier.Losses + 1 }, Without(ending.Node, record.Resources), action.Findings[0].Message.TrimEnd('.'))
        : new Decision.Fail(action.Findings[0]);

    /// <summary>A node that ends everything at once would take every other task too.</summary>
    private static Resources Without(string? node, Resources resources) =>
        node is null ? resources : resources with { Exclude = resources.Exclude is { Length: > 0 } others ? $"{others},{node}" : node };

    private static Decision Lost(TaskEnding ending, JobRecord record, string what)
    {
        int most = ending.HasBegun || ending.State?.Phase is JobPhase.NodeFailed or null ? MostLosses : 1;
        if (record.Earlier.Losses < most)
        {
            var asked = ending.HasBegun ? record.Resources : Without(ending.Node, record.Resources);
            return new Decision.Again(record.Earlier with { Losses = record.Earlier.Losses + 1 }, asked, what);
        }

        return new Decision.Fail(ending.HasBegun || ending.State is null
            ? new Diagnostic("SCAL5112", $"The task was lost {record.Earlier.Losses + 1} times, the last time since {what}: {ending.Words}.") { Hint = "See its log and what Slurm's administrators say of the nodes ('sinfo -R'); then run again: what is finished is kept." }
            : new Diagnostic("SCAL5114", $"The task ended before it began to work{(ending.Node is null ? "" : $", on {ending.Node} at last")}: {ending.Words}.")
            {
                Hint = (ending.IsWrapped ? "See in its log whether what 'wrap' says can be executed there. If so, see" : "See") + " whether that node sees the store's folder, and can write it: name one that all nodes share with --cache or SCALING_CACHE.",
            });
    }

    private static Decision.Again GoesOn(JobRecord record, string why) => new(record.Earlier with { Continuations = record.Earlier.Continuations + 1 }, record.Resources, why);

    private static Decision Asked(TaskEnding ending, JobRecord record, string why) =>
        record.Earlier.Losses >= MostLosses ? Lost(ending, record, why) : GoesOn(record with { Earlier = record.Earlier with { Losses = record.Earlier.Losses + 1 } }, why);
}
