// What jobs used of what they held, as a table.
using System.Text.Json.Nodes;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Pipelines;

namespace Scaling.Cli;

internal static class SlurmText
{
    /// <summary>Says it; nothing where no task ended.</summary>
    /// <param name="usage">By stage.</param>
    /// <param name="say">Takes lines.</param>
    public static void Tell(IReadOnlyList<StageUsage> usage, Action<string> say)
    {
        if (usage.Count == 0)
        {
            return;
        }

        say($"{"On the cluster",-16} {"tasks",6} {"restarts",9} {"waited",9} {"ran",9} {"processors",11} {"memory",18}");
        foreach (var stage in usage)
        {
            string share = stage.MemoryShare is { } of ? FormattableString.Invariant($", {of:P0}") : "";
            say(FormattableString.Invariant($"{stage.Stage,-16} {stage.Tasks,6} {stage.Restarts,9} {Duration.InWords(stage.WaitedSeconds),9} {Duration.InWords(stage.HeldSeconds),9} {stage.ProcessorShare,11:P0} {ByteCount.Text(stage.PeakBytes) + share,18}"));
        }
    }

    /// <summary>For programs.</summary>
    /// <param name="usage">By stage.</param>
    public static JsonArray ToJson(IReadOnlyList<StageUsage> usage) => new([.. usage.Select(u => JsonText.WithoutNulls(new JsonObject
    {
        ["stage"] = u.Stage, ["tasks"] = u.Tasks, ["restarts"] = u.Restarts, ["waited_seconds"] = Math.Round(u.WaitedSeconds, 3), ["ran_seconds"] = Math.Round(u.HeldSeconds, 3),
        ["processor_share"] = Math.Round(u.ProcessorShare, 3), ["peak_bytes"] = u.PeakBytes, ["memory_share"] = u.MemoryShare is { } share ? Math.Round(share, 3) : null,
    }))]);
}
