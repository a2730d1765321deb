// The whole table of what follows from how a task ended.
using System.Text;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Workers;
using Scaling.Sdk;
using Scaling.TestKit;

namespace Scaling.Engine.Tests.Executors;

public sealed class EndingPolicyTests
{
    private static readonly JobRecord Record = new()
    {
        Schema = JobRecord.CurrentSchema, Token = "3f9a1c07d2e4b681", Pipeline = "p", Path = "/p.yaml", Stage = "runs", Keys = [new string('a', 64)], Resources = new Resources { MemoryMebibytes = 1024, Exclude = "n9" }, Controller = "0123456789abcdef",
    };

    private static readonly (string Name, bool HasBegun, bool CanGoOn, TaskEnd? End)[] Said =
    [
        ("never began", false, false, null),
        ("began, no word", true, false, null),
        ("began, checkpoint", true, true, null),
        ("stopped, late, checkpoint", true, true, End(ActionEnd.Stopped, late: true)),
        ("stopped, late, nothing", true, false, End(ActionEnd.Stopped, late: true)),
        ("stopped, asked", true, true, End(ActionEnd.Stopped)),
        ("worker died", true, false, End(ActionEnd.Died)),
        ("published, not there", true, false, End(ActionEnd.Published)),
    ];

    [Fact]
    public Task Every_ending_has_its_policy()
    {
        var table = new StringBuilder("what the task said / what Slurm says\n");
        foreach (var said in Said)
        {
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"\n{said.Name}\n");
            foreach (var phase in Enum.GetValues<JobPhase>().Cast<JobPhase?>().Append(null))
            {
                var ending = new TaskEnding(phase is { } p ? new JobState(p, p.ToString()) : null, said.End) { HasBegun = said.HasBegun, CanGoOn = said.CanGoOn, Words = "WORDS", Node = "n1" };
                table.Append(System.Globalization.CultureInfo.InvariantCulture, $"  {phase?.ToString() ?? "(forgotten)",-12} {Text(EndingPolicy.Of(ending, Record))}\n");
            }
        }

        return Snapshot.Match(table.ToString());
    }

    [Fact]
    public Task Cancelled_and_out_of_tries()
    {
        var table = new StringBuilder();
        var died = End(ActionEnd.Died);
        foreach (var (name, ending, record) in new (string, TaskEnding, JobRecord)[]
        {
            ("cancelled by its own user", Of(JobPhase.Cancelled) with { CancelledBy = "/p.yaml" }, Record),
            ("cancelled by the user of another pipeline", Of(JobPhase.Cancelled) with { CancelledBy = "/other.yaml" }, Record),
            ("cancelled by the user who submitted it, and awaited by another", Of(JobPhase.Cancelled) with { CancelledBy = "/p.yaml", AwaitedBy = "/other.yaml" }, Record),
            ("cancelled by its own user before it began, and it ended by itself", Of(JobPhase.Completed) with { CancelledBy = "/p.yaml" }, Record),
            ("cancelled by another's user before it began, and it ended by itself", Of(JobPhase.Completed) with { CancelledBy = "/other.yaml" }, Record),
            ("cancelled by its own user, and forgotten", new TaskEnding(null, null) { CancelledBy = "/p.yaml", Words = "WORDS" }, Record),
            ("cancelled by another's user, and it had stopped by itself", Of(JobPhase.Failed, End(ActionEnd.Stopped)) with { CancelledBy = "/other.yaml" }, Record),
            ("lost the fourth time", Of(JobPhase.NodeFailed) with { HasBegun = true }, Record with { Earlier = new EarlierTries(3, 0, 0, 0) }),
            ("never began the second time", Of(JobPhase.Failed), Record with { Earlier = new EarlierTries(1, 0, 0, 0) }),
            ("never began, its node failed, the second time", Of(JobPhase.NodeFailed), Record with { Earlier = new EarlierTries(1, 0, 0, 0) }),
            ("its worker died the third time", Of(JobPhase.Failed, died), Record with { Earlier = new EarlierTries(0, 2, 0, 0) }),
            ("out of memory the fourth time", Of(JobPhase.OutOfMemory), Record with { Earlier = new EarlierTries(0, 0, 3, 0), Resources = new Resources { MemoryMebibytes = 8192 } }),
            ("out of memory, nobody knows how much it had", Of(JobPhase.OutOfMemory), Record with { Resources = Resources.None }),
            ("out of memory, it told how much it had", Of(JobPhase.OutOfMemory, died with { PeakBytes = 3L << 30 }), Record with { Resources = Resources.None }),
            ("asked to stop for the fourth time", Of(JobPhase.Failed, End(ActionEnd.Stopped)), Record with { Earlier = new EarlierTries(3, 0, 0, 3) }),
            ("preempted for the hundredth time", Of(JobPhase.Preempted) with { HasBegun = true }, Record with { Earlier = new EarlierTries(0, 0, 0, 99) }),
        })
        {
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"{name}\n  {Text(EndingPolicy.Of(ending, record))}\n");
        }

        return Snapshot.Match(table.ToString());
    }

    private static TaskEnding Of(JobPhase phase, TaskEnd? end = null) => new(new JobState(phase, phase.ToString()), end) { Words = "WORDS", HasBegun = end is not null };

    private static TaskEnd End(ActionEnd end, bool late = false) => new()
    {
        Begin = new TaskBegin("17", 0, "n1", default), Late = late,
        Actions = [new TaskAction(new string('a', 64), end, end == ActionEnd.Died ? [new Diagnostic("SCAL5001", "The worker was ended by signal 11.")] : [], 1, null)],
    };

    private static string Text(Decision decision) => decision switch
    {
        Decision.Again { Reason: var reason, Earlier: var earlier, Resources: var asked } =>
            FormattableString.Invariant($"again: {reason} [{earlier.Losses} lost, {earlier.Deaths} died, {earlier.Growths} grown, {earlier.Continuations} gone on; {asked.MemoryMebibytes} MiB, without {asked.Exclude}]"),
        Decision.Fail { Why: var why } => $"fail:  {why.Code} {why.Message} -> {why.Hint}",
        _ => "stopped",
    };
}
