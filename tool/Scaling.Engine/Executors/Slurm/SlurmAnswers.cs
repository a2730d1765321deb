// What Slurm's commands print, read as evidence: lines that are none are left out, and nothing is made up.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>What one line tells of a job, or of some tasks of its array.</summary>
/// <param name="Job">Number of the job, of the array where it is one.</param>
/// <param name="Tasks">Of the array; null for a job without one, and for what is left of an array whose waiting tasks were all cancelled: Slurm forgets which they were.</param>
/// <param name="Name">The job's, uncut.</param>
/// <param name="State">As told.</param>
public sealed record TaskSight(string Job, ArrayIndexes? Tasks, string Name, JobState State)
{
    /// <summary>Why it waits, or how it ended, in Slurm's words; null for none.</summary>
    public string? Reason { get; init; }

    /// <summary>Its nodes; null for none yet.</summary>
    public string? Nodes { get; init; }

    /// <summary>When it was submitted, local time of the cluster as told, or when it was last requeued; null where it is not told.</summary>
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

/// <summary>
/// Readers of the commands' answers. The commands must be asked without what changes their form: SLURM_BITSTR_LEN=0 (or long arrays are cut short, and cut lines are left out), and none of SLURM_TIME_FORMAT, SQUEUE_*, SACCT_*,
/// SBATCH_*, SLURM_CLUSTERS in the environment.
/// </summary>
public static partial class SlurmAnswers
{
    /// <summary>What squeue is asked for: fields with a pipe between, free text last.</summary>
    public const string QueueFormat = "%i|%T|%V|%N|%j|%r";

    /// <summary>What sacct is asked for.</summary>
    public const string AccountingFormat = "JobID,State,Submit,NodeList,ExitCode,JobName,Reason";

    /// <summary>squeue --noheader --format=QueueFormat.</summary>
    /// <param name="printed">Standard output.</param>
    public static IReadOnlyList<TaskSight> Queue(string printed) => Lines(printed, line => line.Split('|', 5) is [var id, var state, var submitted, var nodes, var free] ? Sight(id, state, submitted, nodes, null, free) : null);

    /// <summary>sacct --noheader --parsable2 --allocations --format=AccountingFormat; with <c>--array</c> too, which versions before 23.11 do not know.</summary>
    /// <param name="printed">Standard output.</param>
    public static IReadOnlyList<TaskSight> Accounting(string printed) =>
        Lines(printed, line => line.Split('|', 6) is [var id, var state, var submitted, var nodes, var exitCode, var free] ? Sight(id, state, submitted, nodes, exitCode, free) : null);

    /// <summary>scontrol --oneliner show job ID.</summary>
    /// <param name="printed">Standard output.</param>
    public static IReadOnlyList<TaskSight> Details(string printed) => Lines(printed, Detail);

    /// <summary>
    /// Whether scontrol, asked for one job or task, said that there is none: the only answer that proves an absence, from the queue and not from a node: a controller that was killed forgets jobs that it had begun. Of a task of an array that is there it says so on standard output: it was cancelled before it began, or ended longer
    /// ago than MinJobAge, and no list shows it.
    /// </summary>
    /// <param name="printed">What it printed, on standard output and standard error.</param>
    public static bool SaysThereIsNone(string printed) => NoSuchJob().IsMatch(printed.Trim());

    /// <summary>Whether scancel only found that a job had ended, or is not there any more.</summary>
    /// <param name="error">What it printed on standard error.</param>
    public static bool SaysItEnded(string error) => error.Split('\n', StringSplitOptions.RemoveEmptyEntries) is { Length: > 0 } lines
        && Array.TrueForAll(lines, l => l.Contains("Invalid job id", StringComparison.Ordinal) || l.Contains("already completing or completed", StringComparison.Ordinal));

    /// <summary>sbatch --parsable: the job's number, and the cluster where it is told.</summary>
    /// <param name="printed">Standard output; a site's greeting around the number does no harm.</param>
    /// <returns>Null where it is no answer.</returns>
    public static (string Job, string? Cluster)? Submitted(string printed)
    {
        Match[] numbers = [.. Rows(printed).Select(line => Number().Match(line.Trim())).Where(m => m.Success)];
        return numbers is [var one] ? (one.Groups["job"].Value, one.Groups["cluster"] is { Success: true, Value: var cluster } ? cluster : null) : null;
    }

    /// <summary>Of a call of sbatch that gave no number.</summary>
    /// <param name="exitCode">Null where it did not end in time.</param>
    /// <param name="error">What it printed on standard error.</param>
    /// <returns>Refused or Full only where its words are known ones that are told before a job is made.</returns>
    public static SubmissionFault FaultOf(int? exitCode, string error) => exitCode is null or 0 ? SubmissionFault.Ambiguous : SubmissionWords.Judge(error);

    /// <summary>A line of scontrol show config, for example of <c>MaxArraySize</c>; null where it is not there.</summary>
    /// <param name="printed">Standard output.</param>
    /// <param name="name">Of the setting, as Slurm spells it.</param>
    public static string? Setting(string printed, string name) =>
        Rows(printed).Select(line => line.Split('=', 2)).FirstOrDefault(pair => pair.Length == 2 && pair[0].Trim() == name)?[1].Trim();

    /// <summary>Slurm's number for none: what is left of an array whose waiting tasks were all cancelled, which squeue writes as a job without tasks.</summary>
    private const string TasksNotTold = "4294967294";

    private static string[] Rows(string printed) => printed.ReplaceLineEndings("\n").Split('\n', StringSplitOptions.RemoveEmptyEntries);

    private static List<TaskSight> Lines(string printed, Func<string, TaskSight?> read) => [.. Rows(printed).Select(read).OfType<TaskSight>()];

    /// <summary>Of separate fields; the last holds name and reason, and a pipe in either belongs to the name.</summary>
    private static TaskSight? Sight(string id, string state, string submitted, string nodes, string? exitCode, string free)
    {
        int reason = free.LastIndexOf('|');
        return reason < 0 || Identity(id.Trim()) is not (var job, var tasks)
            ? null
            : new TaskSight(job, tasks, free[..reason].Trim(), JobState.Parse(state)) { Reason = Told(free[(reason + 1)..]), Nodes = Told(nodes), Submitted = Time(submitted), ExitCode = exitCode is null ? null : Told(exitCode) };
    }

    /// <summary>Keys are looked for where Slurm writes them, one after the other: name and reason may hold spaces and what looks like keys.</summary>
    private static TaskSight? Detail(string line)
    {
        if (JobLine().Match(line) is not { Success: true } job)
        {
            return null;
        }

        bool ofAnArray = job.Groups["array"].Success;
        string told = job.Groups["tasks"].Value;
        var tasks = ofAnArray ? ArrayIndexes.TryParse(told) : null;
        if (ofAnArray && tasks is null && told != TasksNotTold)
        {
            return null;
        }

        string rest = job.Groups["rest"].Value;
        string? Key(Regex key) => key.Match(rest) is { Success: true } found ? Told(found.Groups["value"].Value) : null;
        return new TaskSight(job.Groups[ofAnArray ? "array" : "job"].Value, tasks, job.Groups["name"].Value, JobState.Parse(job.Groups["state"].Value))
        {
            Reason = Told(job.Groups["reason"].Value), Nodes = Key(NodeListKey()), Submitted = Key(SubmitTimeKey()) is { } time ? Time(time) : null, ExitCode = Key(ExitCodeKey()),
        };
    }

    /// <summary><c>12</c>, <c>12_3</c> or <c>12_[0-3%2]</c>. A part of a heterogeneous job (<c>12+1</c>), a step (<c>12.batch</c>) and a list that was cut are none.</summary>
    private static (string Job, ArrayIndexes? Tasks)? Identity(string id)
    {
        string[] parts = id.Split('_', 2);
        if (parts[0].Length == 0 || !parts[0].All(char.IsAsciiDigit))
        {
            return null;
        }

        return parts.Length == 1 ? (parts[0], null) : ArrayIndexes.TryParse(parts[1]) is { } tasks ? (parts[0], tasks) : null;
    }

    private static string? Told(string text) => text.Trim() is var told && told is "" or "None" or "(null)" or "N/A" or "Unknown" or "None assigned" ? null : told;

    private static DateTime? Time(string text) => DateTime.TryParseExact(text.Trim(), "yyyy-MM-dd'T'HH:mm:ss", CultureInfo.InvariantCulture, DateTimeStyles.None, out var time) ? time : null;

    [GeneratedRegex(@"^(slurm_load_jobs error: Invalid job id specified|Job [0-9_]+ not found)$")]
    private static partial Regex NoSuchJob();

    [GeneratedRegex(@"^(?<job>[1-9][0-9]*)(;(?<cluster>\S+))?$")]
    private static partial Regex Number();

    [GeneratedRegex(@"^JobId=(?<job>[1-9][0-9]*) (ArrayJobId=(?<array>[1-9][0-9]*) ArrayTaskId=(?<tasks>\S+) (ArrayTaskThrottle=\d+ )?)?JobName=(?<name>.*?) (SLUID=\S+ )?UserId=\S* GroupId=\S* .*? JobState=(?<state>\S+) Reason=(?<reason>.*?) (FailedNode=\S+ )?Dependency=(?<rest>.*)$")]
    private static partial Regex JobLine();

    [GeneratedRegex(@"^.*? SubmitTime=(?<value>\S+)")]
    private static partial Regex SubmitTimeKey();

    [GeneratedRegex(@"^.*? NodeList=(?<value>\S*)")]
    private static partial Regex NodeListKey();

    [GeneratedRegex(@"^.*? ExitCode=(?<value>\S+)")]
    private static partial Regex ExitCodeKey();
}
