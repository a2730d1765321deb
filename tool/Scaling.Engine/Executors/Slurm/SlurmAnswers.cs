// What Slurm's commands print, read as evidence: lines that are none are left out, and nothing is made up.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>What one line tells of a job, or of some tasks of its array.</summary>
/// <param name="Job">Number of the job, of the array where it is one.</param>
/// <param name="Tasks">Of the array; null for a job without one.</param>
/// <param name="Name">The job's, uncut.</param>
/// <param name="State">As told.</param>
public sealed record TaskSight(string Job, ArrayIndexes? Tasks, string Name, JobState State)
{
    /// <summary>Why it waits, or how it ended, in Slurm's words; null for none.</summary>
    public string? Reason { get; init; }

    /// <summary>Its nodes; null for none yet.</summary>
    public string? Nodes { get; init; }

    /// <summary>When it was submitted, local time of the cluster as told; null where it is not told.</summary>
    public DateTime? Submitted { get; init; }

    /// <summary>Exit code and signal as told, <c>0:9</c>; null where it is not told.</summary>
    public string? ExitCode { get; init; }
}

/// <summary>What became of a call of sbatch that did not print a job's number.</summary>
public enum SubmissionFault
{
    /// <summary>Slurm refused: nothing was submitted, and asking again gives the same.</summary>
    Refused,

    /// <summary>Slurm takes no more of this user's, or of anybody's, just now: nothing was submitted, and later it may be.</summary>
    Full,

    /// <summary>Nobody knows whether it was submitted: no answer, half an answer, or a word of another version.</summary>
    Ambiguous,
}

/// <summary>Readers of the commands' answers.</summary>
public static class SlurmAnswers
{
    /// <summary>What squeue is asked for: fields with a pipe between, free text last.</summary>
    public const string QueueFormat = "%i|%T|%V|%N|%j|%r";

    /// <summary>What sacct is asked for.</summary>
    public const string AccountingFormat = "JobID,State,Submit,NodeList,ExitCode,JobName,Reason";

    /// <summary>squeue --noheader --format=QueueFormat.</summary>
    public static IReadOnlyList<TaskSight> Queue(string printed) => throw new NotImplementedException();

    /// <summary>sacct --noheader --parsable2 --allocations --array --format=AccountingFormat.</summary>
    public static IReadOnlyList<TaskSight> Accounting(string printed) => throw new NotImplementedException();

    /// <summary>scontrol --oneliner show job ID.</summary>
    public static IReadOnlyList<TaskSight> Details(string printed) => throw new NotImplementedException();

    /// <summary>Whether scontrol, asked for one job, said that there is none: the only answer that proves an absence.</summary>
    /// <param name="error">What it printed on standard error.</param>
    public static bool SaysThereIsNone(string error) => throw new NotImplementedException();

    /// <summary>sbatch --parsable: the job's number, and the cluster where it is told.</summary>
    /// <returns>Null where it is no answer.</returns>
    public static (string Job, string? Cluster)? Submitted(string printed) => throw new NotImplementedException();

    /// <summary>Of a call of sbatch that gave no number.</summary>
    /// <param name="exitCode">Null where it did not end in time.</param>
    /// <param name="error">What it printed on standard error.</param>
    public static SubmissionFault FaultOf(int? exitCode, string error) => throw new NotImplementedException();

    /// <summary>A line of scontrol show config, for example of <c>MaxArraySize</c>; null where it is not there.</summary>
    public static string? Setting(string printed, string name) => throw new NotImplementedException();
}
