// What is written of a job before it is submitted, and of a task when it begins and ends: any controller, on any host, goes on from it.
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>What became of earlier tries of the same actions.</summary>
/// <param name="Losses">Ended without a word: a node failed, a task was lost or killed.</param>
/// <param name="Deaths">A worker died.</param>
/// <param name="Growths">Memory was not enough, and was doubled.</param>
/// <param name="Continuations">Stopped with something to go on from: time limits and preemptions.</param>
public sealed record EarlierTries(int Losses, int Deaths, int Growths, int Continuations)
{
    /// <summary>This is the first.</summary>
    public static EarlierTries None { get; } = new(0, 0, 0, 0);

    /// <summary>For people.</summary>
    internal string InWords => Growths > 0 ? "it ran out of memory" : Deaths > 0 ? "its worker died" : Losses > 0 ? "it was lost" : "it was stopped";
}

/// <summary>A job as it was meant, written before it is submitted. SLURM.md tells what lies beside it.</summary>
public sealed record JobRecord
{
    /// <summary>Name and version of the format.</summary>
    public const string CurrentSchema = "scaling.job/1";

    /// <summary>Always <see cref="CurrentSchema"/>.</summary>
    public required string Schema { get; init; }

    /// <summary>In the job's name too.</summary>
    public required string Token { get; init; }

    /// <summary>Name of the pipeline.</summary>
    public required string Pipeline { get; init; }

    /// <summary>Absolute path of its file.</summary>
    public required string Path { get; init; }

    /// <summary>What <c>--set</c> said.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Where the run puts results, absolute; null where that is not known.</summary>
    public string? ResultsFolder { get; init; }

    /// <summary>Id of the stage.</summary>
    public required string Stage { get; init; }

    /// <summary>Keys of its actions: task <c>i</c> has those from <c>i * Pack</c> on.</summary>
    public required IReadOnlyList<string> Keys { get; init; }

    /// <summary>Actions a task, at least 1.</summary>
    public int Pack { get; init; } = 1;

    /// <summary>Actions of a task side by side, at least 1.</summary>
    public int SideBySide { get; init; } = 1;

    /// <summary>Whether the actions are executed though they are published.</summary>
    public bool Again { get; init; }

    /// <summary>Whether it only tells what kind of machine it runs on.</summary>
    public bool IsProbe { get; init; }

    /// <summary>What each task asks for.</summary>
    public required Resources Resources { get; init; }

    /// <summary>Has its nodes for itself.</summary>
    public bool Exclusive { get; init; }

    /// <summary>What came before it.</summary>
    public EarlierTries Earlier { get; init; } = EarlierTries.None;

    /// <summary>The life of the controller that submits it.</summary>
    public required string Controller { get; init; }

    /// <summary>When it was written.</summary>
    public DateTimeOffset Made { get; init; }

    /// <summary>Number of tasks, at least 1.</summary>
    public int Tasks => (Keys.Count + Pack - 1) / Pack;

    /// <summary>The keys of one task.</summary>
    /// <param name="index">From 0.</param>
    public IEnumerable<string> KeysOf(int index) => Keys.Skip(index * Pack).Take(Pack);

    /// <summary>Whether every part of it is there.</summary>
    internal bool IsSound =>
        Schema == CurrentSchema && Token is not null && Pipeline is not null && Path is not null && Overrides is not null && Stage is not null && Keys is { Count: > 0 } && Keys.All(k => k is { Length: 64 })
        && Pack > 0 && SideBySide > 0 && Resources is not null && Earlier is not null && Controller is not null;
}

/// <summary>A task that began, written by the task.</summary>
/// <param name="Job">Number of the job, of the array where it is one.</param>
/// <param name="Restart">How often Slurm has begun it anew, from 0.</param>
/// <param name="Node">The first of its nodes.</param>
/// <param name="Time">When, by the node's clock.</param>
public sealed record TaskBegin(string Job, int Restart, string Node, DateTimeOffset Time);

/// <summary>How an action of a task ended.</summary>
/// <param name="Key">Which.</param>
/// <param name="End">How.</param>
/// <param name="Findings">Why.</param>
/// <param name="Seconds">What it took.</param>
/// <param name="Log">What it printed; null for nothing.</param>
public sealed record TaskAction(string Key, ActionEnd End, IReadOnlyList<Diagnostic> Findings, double Seconds, string? Log)
{
    /// <summary>Whether it failed for a file that could not be read or written: another node may see the same folder rightly.</summary>
    internal bool IsOfNode => End == ActionEnd.Failed && Findings.Any(f => f.Code is "SCAL4001" or "SCAL4004" or "SCAL4010" or "SCAL4011");
}

/// <summary>A task that ended by itself, written by the task.</summary>
public sealed record TaskEnd
{
    /// <summary>When it began, and where.</summary>
    public required TaskBegin Begin { get; init; }

    /// <summary>When, by the node's clock.</summary>
    public DateTimeOffset Time { get; init; }

    /// <summary>All of its actions.</summary>
    public required IReadOnlyList<TaskAction> Actions { get; init; }

    /// <summary>Whether it was stopped since its time was running out.</summary>
    public bool Late { get; init; }

    /// <summary>Whether something was left to go on from by every action that was stopped.</summary>
    public bool CanGoOn { get; init; }

    /// <summary>Processor seconds of all its processes that have ended.</summary>
    public double ProcessorSeconds { get; init; }

    /// <summary>Largest resident memory of one of its processes, bytes.</summary>
    public long PeakBytes { get; init; }

    internal bool IsSound => Begin is not null && Actions is not null && Actions.All(a => a is { Key: not null, Findings: not null });
}
