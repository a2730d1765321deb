// What tasks used of what they held.
namespace Scaling.Engine.Executors.Slurm;

/// <summary>What one task used.</summary>
/// <param name="Stage">Id of the stage.</param>
/// <param name="WaitedSeconds">From its submission until it began.</param>
/// <param name="HeldSeconds">From its last begin until it ended.</param>
/// <param name="HeldProcessors">Processors that it asked for.</param>
/// <param name="ProcessorSeconds">That its processes used.</param>
/// <param name="PeakBytes">Largest resident memory of one of its processes.</param>
/// <param name="AskedMebibytes">Memory that it asked for a node; null where it did not say.</param>
/// <param name="Restart">How often Slurm had begun it anew by then.</param>
public sealed record TaskUsage(string Stage, double WaitedSeconds, double HeldSeconds, int HeldProcessors, double ProcessorSeconds, long PeakBytes, long? AskedMebibytes, int Restart);

/// <summary>What the tasks of a stage used.</summary>
/// <param name="Stage">Its id.</param>
/// <param name="Tasks">How many ended by themselves.</param>
/// <param name="Restarts">How often Slurm began one of them anew.</param>
/// <param name="WaitedSeconds">In the queue until they first began, on average.</param>
/// <param name="HeldSeconds">On nodes, all together.</param>
/// <param name="ProcessorShare">Of the processor time that they held, what they used.</param>
/// <param name="PeakBytes">Largest resident memory of one process.</param>
/// <param name="MemoryShare">Of the memory that they asked for, the most that one process used; null where nothing was asked for.</param>
public sealed record StageUsage(string Stage, int Tasks, int Restarts, double WaitedSeconds, double HeldSeconds, double ProcessorShare, long PeakBytes, double? MemoryShare)
{
    internal static StageUsage Of(string stage, IReadOnlyList<TaskUsage> tasks)
    {
        if (tasks.Count == 0)
        {
            return new StageUsage(stage, 0, 0, 0, 0, 0, 0, null);
        }

        double held = tasks.Sum(t => t.HeldSeconds * t.HeldProcessors);
        long peak = tasks.Max(t => t.PeakBytes);
        return new StageUsage(
            stage, tasks.Count, tasks.Count(t => t.Restart > 0), tasks.Where(t => t.Restart == 0).Select(t => t.WaitedSeconds).DefaultIfEmpty().Average(), tasks.Sum(t => t.HeldSeconds), held > 0 ? tasks.Sum(t => t.ProcessorSeconds) / held : 0, peak,
            tasks.Max(t => t.AskedMebibytes is { } asked ? t.PeakBytes / (asked * 1048576.0) : null));
    }
}
