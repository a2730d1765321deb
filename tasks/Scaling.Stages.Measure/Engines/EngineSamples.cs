// Runs as the adapters of several engines read them: those that count, a decode step from two totals, and whether what was served was what was asked.
namespace Scaling.Stages.Measure;

internal static class EngineSamples
{
    /// <summary>What an engine's count of tokens may miss of what was asked: its random prompts are cut to length after being made of text.</summary>
    private const double TokenMiss = 0.01;

    /// <summary>The runs after the warm-up.</summary>
    /// <exception cref="FormatException">There are fewer than asked.</exception>
    public static IReadOnlyList<T> Timed<T>(EngineCall call, IReadOnlyList<T> runs) => runs.Count == call.Warmup + call.Repeats
        ? [.. runs.Skip(call.Warmup)]
        : throw new FormatException($"it tells of {runs.Count} runs, where {call.Warmup + call.Repeats} were asked for");

    /// <summary>A decode step: what the medians of the whole and of the first token differ by, over the steps. None where the difference is lost in the noise.</summary>
    public static IReadOnlyList<double> Steps(EngineCall call, IReadOnlyList<double> first, IReadOnlyList<double> whole)
    {
        double step = (Median.Middle(whole) - Median.Middle(first)) / (call.Workload.Output - 1);
        return step > 0 ? [step] : [];
    }

    /// <summary>Refuses a result of other prompts or outputs than were asked for.</summary>
    /// <exception cref="FormatException">It is one.</exception>
    public static void CheckTokens(double found, double asked)
    {
        if (Math.Abs(found / asked - 1) > TokenMiss)
        {
            throw new FormatException(FormattableString.Invariant($"it served {found} tokens, where {asked} were asked for"));
        }
    }
}
