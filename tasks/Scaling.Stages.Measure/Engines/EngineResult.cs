// What the calls of an engine for one shape say together.
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>The speed of one shape on one engine; null where the engine's benchmark does not tell.</summary>
internal sealed record EngineResult
{
    /// <summary>The engine.</summary>
    public required Engine Engine { get; init; }

    /// <summary>Its version; null where it prints none.</summary>
    public required string? Version { get; init; }

    /// <summary>Median seconds from the prompts to the first token of all sequences.</summary>
    public required double? TimeToFirstToken { get; init; }

    /// <summary>Median seconds of a decode step.</summary>
    public required double? TimePerOutputToken { get; init; }

    /// <summary>Output tokens a second over prefill and decode: the median of the calls' medians. Its interval resamples calls, since the runs of one call share how it was started.</summary>
    public required Median OutputTokensPerSecond { get; init; }

    /// <summary>Tokens a second, read and written.</summary>
    public required double TotalTokensPerSecond { get; init; }

    /// <summary>Output tokens a second of every run.</summary>
    public required IReadOnlyList<double> Samples { get; init; }

    /// <summary>Of the calls for one shape.</summary>
    /// <param name="engine">The engine.</param>
    /// <param name="workload">What was served.</param>
    /// <param name="calls">At least one.</param>
    public static EngineResult Of(Engine engine, Workload workload, IReadOnlyList<EngineTimes> calls)
    {
        var rate = Median.Of([.. calls.Select(c => Median.Middle(c.OutputRates))]);
        return new EngineResult
        {
            Engine = engine,
            Version = calls.Select(c => c.Version).FirstOrDefault(v => v is not null),
            TimeToFirstToken = MedianOf(calls.SelectMany(c => c.FirstToken)),
            TimePerOutputToken = MedianOf(calls.SelectMany(c => c.OutputToken)),
            OutputTokensPerSecond = rate,
            TotalTokensPerSecond = rate.Value * (workload.Prompt + workload.Output) / workload.Output,
            Samples = [.. calls.SelectMany(c => c.OutputRates)],
        };
    }

    private static double? MedianOf(IEnumerable<double> values) => values.ToArray() is { Length: > 0 } some ? Median.Middle(some) : null;
}
