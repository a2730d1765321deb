// Reasons for which a job waits for ever: sites that do not refuse such jobs let them lie in the queue.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>Slurm's reasons that only another job, or an administrator, can end; from squeue's "JOB REASON CODES".</summary>
internal static class HopelessReasons
{
    private static readonly (string Ending, string Advice)[] Limits =
    [
        ("TimeLimit", "ask for less time (resources: { time: … }), or for another partition ('sinfo -o \"%P %l\"' lists their limits)"),
        ("WallDurationPerJobLimit", "ask for less time (resources: { time: … }), or for another qos"),
        ("NodeLimit", "ask for fewer nodes (resources: { nodes: … }), or for another partition"),
        ("PerJobLimit", "ask for less of it, or for another qos"),
        ("PerJob", "ask for less of it, or for another qos"),
        ("PerNode", "ask for less of it a node, or for another qos"),
    ];

    private static readonly Dictionary<string, string> Words = new(StringComparer.Ordinal)
    {
        ["BadConstraints"] = "name constraints that some node satisfies ('sinfo -o \"%N %f\"' lists their features)",
        ["InvalidAccount"] = "name an account of yours (resources: { account: … })",
        ["InvalidQOS"] = "name a qos of yours (resources: { qos: … })",
        ["AccountNotAllowed"] = "name an account that the partition allows",
        ["QOSNotAllowed"] = "name a qos that the partition allows",
        ["DependencyNeverSatisfied"] = "change the dependency among its flags",
    };

    /// <summary>Nodes that are down may come back, and larger ones may not.</summary>
    public const string NothingLikeThat = "PartitionConfig";

    /// <summary>What to do about a reason; null where waiting may help.</summary>
    /// <param name="reason">As squeue gives it, without parentheses.</param>
    public static string? Advice(string? reason) => reason is null ? null
        : Words.TryGetValue(reason, out string? advice) ? advice
        : IsLimit(reason) && Array.Find(Limits, l => reason.EndsWith(l.Ending, StringComparison.Ordinal)) is { Advice: { } limit } ? limit : null;

    /// <summary>Whether Slurm holds the job since it could not be begun: somebody would have to release it.</summary>
    /// <param name="reason">As squeue or scontrol give it: with blanks or with underscores.</param>
    public static bool IsHeldAfterFailure(string? reason) => reason?.Replace('_', ' ') is "launch failed requeued held" or "job requeued in held state" or "JobHoldMaxRequeue";

    /// <summary>A reason with a word on those that may never end: nodes that are down may come back, and larger ones may not.</summary>
    /// <param name="reason">As squeue gives it.</param>
    public static string Explained(string reason) => reason == NothingLikeThat ? "PartitionConfig: no nodes of the partition have that just now; see nodes, cpus and mem" : reason;

    private static bool IsLimit(string reason) => reason.StartsWith("Partition", StringComparison.Ordinal) || reason.StartsWith("QOS", StringComparison.Ordinal) || reason.StartsWith("Assoc", StringComparison.Ordinal);
}
