// The states of a job, all of Slurm's words and codes, and what each means here.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>What a state means for who waits.</summary>
public enum JobPhase
{
    /// <summary>Not begun, or to begin again.</summary>
    Waiting,

    /// <summary>On its nodes, or between them and its end.</summary>
    Running,

    /// <summary>Ended with exit code 0: which proves nothing.</summary>
    Completed,

    /// <summary>Ended with another exit code, or by a signal.</summary>
    Failed,

    /// <summary>Its time limit, or its deadline, came.</summary>
    TimedOut,

    /// <summary>Another job took its place.</summary>
    Preempted,

    /// <summary>A node failed, or did not boot.</summary>
    NodeFailed,

    /// <summary>It used more memory than it asked for.</summary>
    OutOfMemory,

    /// <summary>Somebody cancelled it, or took it away.</summary>
    Cancelled,

    /// <summary>A word of another version of Slurm: it says nothing, least of all success.</summary>
    Unknown,
}

/// <summary>A state as Slurm told it.</summary>
/// <param name="Phase">What it means.</param>
/// <param name="Text">As told, for example <c>CANCELLED by 1000</c>.</param>
public sealed record JobState(JobPhase Phase, string Text)
{
    /// <summary>
    /// Slurm's words, codes and meanings, versions 20.11 to 25.05, from squeue(1), sacct(1) and https://slurm.schedmd.com/job_state_codes.html. Slurm keeps a job's base state and flags beside it. The order is the one in which
    /// its commands choose the one word that they print; flags that they never print stand where they outweigh what comes after them. COMPLETED is the last that means anything, so that no contradiction is read as success.
    /// </summary>
    private static readonly (string Word, string? Code, JobPhase Phase)[] Words =
    [
        ("COMPLETING", "CG", JobPhase.Running),
        ("STAGE_OUT", "SO", JobPhase.Running),
        ("CONFIGURING", "CF", JobPhase.Waiting),
        ("POWER_UP_NODE", null, JobPhase.Waiting),
        ("EXPEDITING", null, JobPhase.Waiting),
        ("RESIZING", "RS", JobPhase.Running),
        ("REQUEUED", "RQ", JobPhase.Waiting),
        ("REQUEUE_FED", "RF", JobPhase.Waiting),
        ("REQUEUE_HOLD", "RH", JobPhase.Waiting),
        ("SPECIAL_EXIT", "SE", JobPhase.Waiting),
        ("STOPPED", "ST", JobPhase.Running),

        // Another cluster of the federation began the job under the same number, so it lives: as Cancelled it would be submitted twice.
        ("REVOKED", "RV", JobPhase.Unknown),
        ("RESV_DEL_HOLD", "RD", JobPhase.Waiting),
        ("SIGNALING", "SI", JobPhase.Running),
        ("PENDING", "PD", JobPhase.Waiting),
        ("RUNNING", "R", JobPhase.Running),
        ("SUSPENDED", "S", JobPhase.Running),

        // Both say that the nodes, not the job, were at fault: a prolog that failed, a node that could not be set up.
        ("LAUNCH_FAILED", null, JobPhase.NodeFailed),
        ("RECONFIG_FAIL", null, JobPhase.NodeFailed),
        ("OUT_OF_MEMORY", "OOM", JobPhase.OutOfMemory),
        ("BOOT_FAIL", "BF", JobPhase.NodeFailed),
        ("NODE_FAIL", "NF", JobPhase.NodeFailed),
        ("PREEMPTED", "PR", JobPhase.Preempted),
        ("DEADLINE", "DL", JobPhase.TimedOut),
        ("TIMEOUT", "TO", JobPhase.TimedOut),
        ("CANCELLED", "CA", JobPhase.Cancelled),
        ("FAILED", "F", JobPhase.Failed),
        ("COMPLETED", "CD", JobPhase.Completed),

        // A note to the accounting database beside a state; alone it says nothing.
        ("UPDATE_DB", null, JobPhase.Unknown),
    ];

    /// <summary>Of sacct's columns, the width at which a state is cut and ends in a plus.</summary>
    private const int CutLength = 9;

    /// <summary>Reads long words, short codes, <c>CANCELLED by 1000</c>, <c>CANCELLED+</c>, and lists of flags with commas or pluses.</summary>
    /// <param name="text">Any.</param>
    /// <returns>Of a list, the phase of the word that Slurm would print for it; one word that is not in the table makes the whole unknown.</returns>
    public static JobState Parse(string text)
    {
        text = text.Trim();
        string[] told = text.Split(',', '+', '*').Select(t => t.Trim()).Where(t => t.Length > 0).Select(t => t.StartsWith("CANCELLED by ", StringComparison.Ordinal) ? "CANCELLED" : t).ToArray();
        int[] places = [.. told.Select(t => Place(t, mayBeCut: told.Length == 1 && text.EndsWith('+')))];
        return new JobState(places.Length == 0 || places.Contains(-1) ? JobPhase.Unknown : Words[places.Min()].Phase, text);
    }

    private static int Place(string told, bool mayBeCut)
    {
        int place = Array.FindIndex(Words, w => w.Word == told || w.Code == told);
        return place < 0 && mayBeCut && told.Length == CutLength ? Array.FindIndex(Words, w => w.Word.StartsWith(told, StringComparison.Ordinal)) : place;
    }
}
