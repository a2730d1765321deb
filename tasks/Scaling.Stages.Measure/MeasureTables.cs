// The columns of what `measure` reads and writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Measure;

internal static class MeasureTables
{
    /// <summary>The GQA where a walk starts; see <see cref="GqaWalk"/>.</summary>
    public const string WalkFrom = "walk_from";

    /// <summary>The shape without a seed: what a token costs does not depend on what the weights say.</summary>
    public static readonly IReadOnlyList<string> Reads = [.. Vocabulary.ShapeIdentity.Select(t => t.Name)];

    /// <summary>What a row may tell besides: whether it is a baseline, and the walk that it belongs to.</summary>
    public static readonly IReadOnlyDictionary<string, string> MayRead = new Dictionary<string, string> { [Vocabulary.Baseline.Name] = "false", [WalkFrom] = "" };

    public static readonly IReadOnlyList<Column> Speed =
    [
        .. Vocabulary.ShapeTerms.Select(t => new Column(t.Name, t.Unit, t.Meaning)),
        new("engine", "text", "what computed: 'torch', the decoder that 'train' trains, or 'vllm', 'sglang', 'llama.cpp'"),
        new("engine_version", "text", "as the engine prints it; empty where it does not"),
        new("device", "text", "where: 'cpu', a GPU by its name among the devices of 'search', or 'cuda' for another"),
        new("data_type", "text", "format of the weights"),
        new("kv_data_type", "text", "format of cached keys and values"),
        new("threads", "threads", "threads of one operation"),
        new("tensor_parallel", "devices", "devices that shared every layer"),
        new("prompt", "tokens", "tokens read, a sequence"),
        new("output", "tokens", "tokens written, a sequence"),
        new("batch", "sequences", "sequences at once"),
        new("time_to_first_token", "seconds", "median time of the prompt and the choice of the first token"),
        new("time_per_output_token", "seconds", "median time of a decode step, one token a sequence"),
        new("tokens_per_second", "tokens a second", "the batch's output tokens over prefill and decode: the median ratio to the anchor in the same round, times the anchor's median"),
        new("tokens_per_second_low", "tokens a second", "lower end of the 95 % bootstrap interval of that, rounds resampled"),
        new("tokens_per_second_high", "tokens a second", "upper end of the 95 % bootstrap interval of that, rounds resampled"),
        new("total_tokens_per_second", "tokens a second", "tokens read and written over the same time"),
        new("anchor", "text", "content id of the shape that was timed in every round beside this one: the same in all batches with these settings"),
        new("relative_speed", "1", "median of the rounds' ratios of tokens a second to the anchor's"),
        new("relative_speed_low", "1", "lower end of the 95 % bootstrap interval of that median"),
        new("relative_speed_high", "1", "upper end of the 95 % bootstrap interval of that median"),
        new("peak_memory", "bytes", "weights, cache, and what a run takes beside them: on a processor the rise of the resident set, on a GPU the driver's count, shapes timed before included; empty where nobody counts"),
        new("kv_bytes_per_token", "bytes", "keys and values that a token leaves in the cache"),
        new("weight_bytes", "bytes", "all weights, embeddings and norms included"),
        new("bandwidth_utilisation", "1", "weights and cache that the workload reads over the time and the peak; above 1 where caches keep them"),
        new("flop_utilisation", "1", "FLOPs of the workload's products over the time and the peak"),
        new("roofline_tokens_per_second", "tokens a second", "what a roofline of the peaks predicts"),
        new("roofline_ratio", "1", "measured over predicted tokens a second"),
        new("warmup", "runs", "runs before those that count"),
        new("repeats", "runs", "timed runs that count"),
        new("processor", "text", "what computed, as the kernel or the driver calls it"),
        new("peak_flops", "FLOP/s", "the machine's best rate of matrix products"),
        new("peak_bytes_per_second", "bytes a second", "the machine's best rate of reading memory"),
        new("peak_source", "text", "where these two are from: 'data sheet', or 'measured' with the stage's threads"),
        new("source", "text", "'measured'; 'skipped' for a row that its walk did not reach, which has no speed"),
        new(Vocabulary.Baseline.Name, Vocabulary.Baseline.Unit, Vocabulary.Baseline.Meaning),
    ];

    /// <summary>The table of one row.</summary>
    /// <param name="row">Its settings, and whether it is a baseline.</param>
    /// <param name="shape">Of the row.</param>
    /// <param name="workload">What was asked.</param>
    /// <param name="machine">What computed.</param>
    /// <param name="version">Of the engine; null where it is not told.</param>
    /// <param name="measured">Null for a row that was not reached.</param>
    public static Table Of(StageContext<MeasureSettings> row, DecoderShape shape, Workload workload, Machine machine, string? version, MeasuredShape? measured)
    {
        var table = new TableBuilder(Speed);
        table.Add(
        [
            .. shape.Cells(), Named(row.Settings.Engine), version, machine.Device, Named(workload.Weights), Named(workload.KvCache), row.Settings.Threads, workload.TensorParallel,
            workload.Prompt, workload.Output, workload.Batch, .. Speeds(shape, workload, machine, measured), machine.Processor, machine.Peak?.FlopsPerSecond, machine.Peak?.BytesPerSecond,
            machine.PeakSource, measured is null ? "skipped" : "measured", row.Row.Text(Vocabulary.Baseline.Name),
        ]);
        return table.Build();
    }

    private static object?[] Speeds(DecoderShape shape, Workload workload, Machine machine, MeasuredShape? measured)
    {
        double kv = InferenceCost.KvBytesPerToken(shape, workload.KvCache.Bytes()), weights = shape.ParametersTotal * workload.Weights.Bytes();
        double? ceiling = machine.Roofline is { } roofline ? Architectures.Speed.Predict(roofline, shape, workload).TokensPerSecond : null;
        if (measured is null)
        {
            return [null, null, null, null, null, null, null, null, null, null, null, kv, weights, null, null, ceiling, null, 0, 0];
        }

        double rate = measured.TokensPerSecond.Value, seconds = workload.Batch * (double)workload.Output / rate;
        double Whole(Func<OperatorCost, double> cost) =>
            DecoderOperators.Prefill(shape, workload).Sum(o => o.Times * cost(o))
            + (workload.Output - 1) * DecoderOperators.DecodeStep(shape, workload, workload.MeanContext).Sum(o => o.Times * cost(o));
        return
        [
            measured.TimeToFirstToken, measured.TimePerOutputToken, rate, measured.TokensPerSecond.Low, measured.TokensPerSecond.High, workload.Batch * ((double)workload.Prompt + workload.Output) / seconds,
            measured.Anchor?.Id, measured.Relative?.Value, measured.Relative?.Low, measured.Relative?.High, measured.PeakMemory, kv, weights,
            Whole(o => o.Bytes) / seconds / machine.Peak?.BytesPerSecond, Whole(o => o.Flops) / seconds / machine.Peak?.FlopsPerSecond, ceiling, rate / ceiling, measured.Warmup, measured.Repeats,
        ];
    }

    private static string Named(DataType type) => type.ToString().ToLowerInvariant();

    /// <summary>As the setting has it.</summary>
    private static string Named(Engine engine) => engine == Engine.LlamaCpp ? "llama.cpp" : engine.ToString().ToLowerInvariant();
}

/// <summary>What was found of a shape.</summary>
/// <param name="TokensPerSecond">Output tokens over prefill and decode.</param>
/// <param name="PeakMemory">Bytes; null where nobody counts.</param>
/// <param name="Warmup">Rounds that did not count.</param>
/// <param name="Repeats">Rounds that did.</param>
internal sealed record MeasuredShape(Median TokensPerSecond, long? PeakMemory, int Warmup, int Repeats)
{
    /// <summary>Median seconds; null where an engine does not tell.</summary>
    public double? TimeToFirstToken { get; init; }

    /// <summary>Median seconds of a decode step; null where an engine does not tell.</summary>
    public double? TimePerOutputToken { get; init; }

    /// <summary>What it is told against; null for an engine's.</summary>
    public DecoderShape? Anchor { get; init; }

    /// <summary>Tokens a second over the anchor's; null without one.</summary>
    public Median? Relative { get; init; }
}
