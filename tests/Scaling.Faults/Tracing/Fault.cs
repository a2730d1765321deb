// What is done to a run, and at which of its steps.
using System.Globalization;

namespace Scaling.Faults.Tracing;

/// <summary>What happens.</summary>
internal enum FaultKind
{
    /// <summary>Nothing: the steps are counted.</summary>
    None,

    /// <summary>Processes are killed just before the step.</summary>
    Kill,

    /// <summary>Half of what the step writes is written, then processes are killed.</summary>
    Tear,

    /// <summary>From the step on nothing more fits on the disk.</summary>
    Full,

    /// <summary>From the step on the store can only be read.</summary>
    ReadOnly,

    /// <summary>From the step on the clock is a day behind.</summary>
    ClockBack,
}

/// <summary>Who is killed.</summary>
internal enum Victim
{
    /// <summary>The tool and all workers.</summary>
    Both,

    /// <summary>The tool.</summary>
    Tool,

    /// <summary>The worker that is about to make the step; every worker where the tool is.</summary>
    Worker,
}

/// <summary>A fault.</summary>
/// <param name="Kind">What happens.</param>
/// <param name="Step">At which step, from 1; 0: at none.</param>
/// <param name="Victim">Who is killed.</param>
internal sealed record Fault(FaultKind Kind, int Step, Victim Victim = Victim.Both)
{
    public static readonly Fault None = new(FaultKind.None, 0);

    /// <summary>Kill so long after the start instead of at a step.</summary>
    public TimeSpan? After { get; init; }

    /// <inheritdoc/>
    public override string ToString()
    {
        string what = Kind switch
        {
            FaultKind.None => "nothing",
            FaultKind.Kill => $"kill {Victim.ToString().ToLowerInvariant()}",
            FaultKind.Tear => $"tear and kill {Victim.ToString().ToLowerInvariant()}",
            FaultKind.Full => "disk full",
            FaultKind.ReadOnly => "store read-only",
            _ => "clock set back",
        };
        return After is { } after ? string.Create(CultureInfo.InvariantCulture, $"{what} after {after.TotalMilliseconds:0} ms") : $"{what} at step {Step}";
    }
}

/// <summary>A step of a run: one call that changes a file.</summary>
/// <param name="Number">From 1, in the order of all processes.</param>
/// <param name="IsTool">Made by the tool; else by a worker.</param>
/// <param name="Call">The system call.</param>
/// <param name="Path">What it changes.</param>
/// <param name="Bytes">What it writes; 0 for none.</param>
internal sealed record Step(int Number, bool IsTool, SystemCall Call, string Path, long Bytes);
