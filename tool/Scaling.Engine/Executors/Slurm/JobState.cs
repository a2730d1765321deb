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
    /// <summary>Reads long words, short codes, <c>CANCELLED by 1000</c>, <c>CANCELLED+</c>, and lists of flags with commas or pluses.</summary>
    /// <param name="text">Any.</param>
    public static JobState Parse(string text) => throw new NotImplementedException();
}
