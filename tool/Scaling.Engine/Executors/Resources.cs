// What an action asks of a cluster: said in YAML for a pipeline or a stage, or in the user's profile for a site.
using System.Text.Json.Serialization;

namespace Scaling.Engine.Executors;

/// <summary>Where actions run.</summary>
public enum ExecutorKind
{
    /// <summary>In workers on this machine. The default.</summary>
    [JsonStringEnumMemberName("local")]
    Local,

    /// <summary>In jobs of a Slurm cluster.</summary>
    [JsonStringEnumMemberName("slurm")]
    Slurm,
}

/// <summary>
/// Resources of one task of a job: what <c>resources:</c> may hold. Null is what is not said: the site's default, or the usual value told below. None of it enters a key.
/// </summary>
public sealed record Resources
{
    /// <summary>Nothing is said.</summary>
    public static Resources None { get; } = new();

    /// <summary>Partition, or several with commas.</summary>
    public string? Partition { get; init; }

    /// <summary>Whom it is charged to.</summary>
    public string? Account { get; init; }

    /// <summary>Quality of service.</summary>
    public string? Qos { get; init; }

    /// <summary>Features of nodes, as Slurm reads them, for example <c>a100|h100</c>.</summary>
    public string? Constraint { get; init; }

    /// <summary>Nodes to leave out, as Slurm lists them, for example <c>n[7-9]</c>.</summary>
    public string? Exclude { get; init; }

    /// <summary>Generic resources a node, for example <c>gpu:h100:1</c>.</summary>
    public string? Gres { get; init; }

    /// <summary>Nodes, at least 1. More than one is for trainers of the user, which start themselves on the others by <c>srun</c>.</summary>
    public int? Nodes { get; init; }

    /// <summary>Tasks a node, at least 1.</summary>
    public int? TasksPerNode { get; init; }

    /// <summary>Processors a task, at least 1. Rows of one job run side by side on them where no <see cref="Gres"/> is asked for.</summary>
    public int? Cpus { get; init; }

    /// <summary>Memory a node, MiB, at least 1. It grows where Slurm ends a job for want of it.</summary>
    public long? MemoryMebibytes { get; init; }

    /// <summary>Time limit; Slurm counts whole minutes, so it is rounded up.</summary>
    public TimeSpan? Time { get; init; }

    /// <summary>Rows that one task of an array executes, at least 1; usually 1.</summary>
    public int? Pack { get; init; }

    /// <summary>Tasks of one array that run at once, at least 1; usually as many as the site lets.</summary>
    public int? Limit { get; init; }

    /// <summary>More options of sbatch, each in one word with its dashes, for example <c>--reservation=maintenance</c>; null where nothing is said.</summary>
    public IReadOnlyList<string>? Flags { get; init; }

    /// <summary>Whether every number is at least 1 and no text is missing within a list: what a file that somebody wrote may lack.</summary>
    internal bool IsWhole =>
        new long?[] { Nodes, TasksPerNode, Cpus, MemoryMebibytes, Pack, Limit }.All(n => n is null or >= 1) && Time is not { Ticks: <= 0 } && Flags?.All(f => f is not null) != false && Wrap?.All(w => w is not null) != false;

    /// <summary>Words before the worker's command, for example those that run it in a container: <c>apptainer exec --nv IMAGE</c>; null where nothing is said.</summary>
    public IReadOnlyList<string>? Wrap { get; init; }

    /// <summary>Whether graphics processors or other devices are asked for, by <see cref="Gres"/> or a flag such as <c>--gpus=1</c>: rows then do not share them.</summary>
    internal bool AsksForDevices => Gres is not null || (Flags?.Any(f => f.StartsWith("--gpu", StringComparison.Ordinal)) ?? false);

    /// <summary>What is said here, and else what is said there.</summary>
    /// <param name="other">Of the pipeline for a stage, of the profile for a pipeline.</param>
    public Resources Over(Resources other) => new()
    {
        Partition = Partition ?? other.Partition,
        Account = Account ?? other.Account,
        Qos = Qos ?? other.Qos,
        Constraint = Constraint ?? other.Constraint,
        Exclude = Exclude ?? other.Exclude,
        Gres = Gres ?? other.Gres,
        Nodes = Nodes ?? other.Nodes,
        TasksPerNode = TasksPerNode ?? other.TasksPerNode,
        Cpus = Cpus ?? other.Cpus,
        MemoryMebibytes = MemoryMebibytes ?? other.MemoryMebibytes,
        Time = Time ?? other.Time,
        Pack = Pack ?? other.Pack,
        Limit = Limit ?? other.Limit,
        Flags = Flags ?? other.Flags,
        Wrap = Wrap ?? other.Wrap,
    };
}
