// What a pipeline can say to `search`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Architectures;
using Scaling.Sdk;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Search;

/// <summary>What to look for. What is absent is taken from the law's runs, the baseline's configuration or the measured rows.</summary>
public sealed record SearchSettings
{
    [Description("Size of the model, in non-embedding parameters. Absent: the size of the baseline's configuration, which must then be given.")]
    [Unit("parameters"), Range(1, 1e15)]
    public long? Size { get; init; }

    /// <summary>The size once it is settled, be it by a configuration.</summary>
    internal long SettledSize => Size ?? throw new InvalidOperationException("a size is asked for before it is settled");

    [Description("Training tokens a parameter of 'size'; their product is what every prediction assumes.")]
    [Unit("tokens a parameter"), Range(1e-6, 1e9)]
    public required double TokensPerParameter { get; init; }

    [Description("Relative miss of the held quantity that is allowed, 0.01 for 1 %.")]
    [Unit("1"), Range(0, 1)]
    public double Tolerance { get; init; } = 0.01;

    [Description("What candidates have in common. Beside 'parameters' it is the baseline's, and losses are predicted at each shape's own size.")]
    [Choice("parameters", "those of 'size', and all losses are predicted at it")]
    [Choice("parameters_total", "parameters, embeddings included")]
    [Choice("train_flops", "FLOPs of training")]
    [Choice("decode_bytes", "bytes that decoding reads for a token")]
    public HeldQuantity Hold { get; init; } = HeldQuantity.Parameters;

    [Description("What the efficient pick is best in.")]
    [Choice("throughput", "output tokens a second")]
    [Choice("latency", "seconds of a batch")]
    [Choice("decode_bytes", "bytes that decoding reads for a token")]
    [Choice("lifetime_cost", "device-hours of training and serving")]
    public SearchObjective Objective { get; init; } = SearchObjective.Throughput;

    [Description("Output tokens that are served over the model's life; 'objective: lifetime_cost' needs it.")]
    [Unit("tokens"), Range(1, 1e18)]
    public double? ServedTokens { get; init; }

    [Description("Share of the device's peak FLOP/s that training reaches, for 'objective: lifetime_cost'.")]
    [Unit("1"), Range(1e-3, 1)]
    public double TrainingUtilisation { get; init; } = 0.4;

    [Description("Tokens of a training sequence: attention's share of the training FLOPs depends on it.")]
    [Unit("tokens"), Range(1, 100_000_000)]
    public int TrainingContext { get; init; } = 4096;

    [Description("Decoder blocks, each in turn. Absent: as in the law's runs, else the baseline's configuration.")]
    [Unit("layers"), Range(1, 10_000), MinLength(1)]
    public IReadOnlyList<int>? Layers { get; init; }

    [Description("Features a head, each in turn. Absent: as in the law's runs, else the baseline's configuration.")]
    [Unit("features"), Range(2, 65_536), MinLength(1)]
    public IReadOnlyList<int>? HeadSize { get; init; }

    [Description("Query heads a key/value head, each in turn. Absent: as in the law's runs, else the baseline's configuration.")]
    [Unit("1"), Range(1, 65_536), MinLength(1)]
    public IReadOnlyList<int>? Gqa { get; init; }

    [Description("What you believe that an axis without a fitted term costs. An axis of several values needs a term or a penalty. Absent: no axis has one.")]
    public PenaltySettings? Penalties { get; init; }

    [Description("Different tokens. Absent: as in the baseline's configuration, else in the law's runs.")]
    [Unit("tokens"), Range(2, 16_777_216)]
    public int? Vocabulary { get; init; }

    [Description("Input and output embeddings are one matrix. Absent: as in the baseline's configuration, else in the law's runs.")]
    public bool? Tied { get; init; }

    [Description("Hidden and intermediate sizes are multiples of it. Absent: what the measured shapes' sizes have in common, 128 without any.")]
    [Unit("features"), Range(1, 65_536)]
    public int? MultipleOf { get; init; }

    [Description("Least and greatest hidden size over the square root of the parameters. Absent: the range of the law's runs.")]
    [Unit("1"), Range(1e-6, 1e3), MinLength(2)]
    public IReadOnlyList<double>? X { get; init; }

    [Description("Least and greatest MLP parameters over attention parameters. Absent: the range of the law's runs.")]
    [Unit("1"), Range(1e-6, 1e6), MinLength(2)]
    public IReadOnlyList<double>? Ratio { get; init; }

    [Description("The shape to beat: a candidate is feasible where its loss is at most this one's. Absent: every candidate is feasible, unless 'loss_at_most' is set.")]
    public BaselineSettings? Baseline { get; init; }

    [Description("The most that a candidate may lose, in the place of the baseline's loss. Absent: the baseline's.")]
    [Unit("nats a token"), Range(1e-3, 1e3)]
    public double? LossAtMost { get; init; }

    [Description("How probable it must be that a candidate loses at most that, over the law's resamples and its misfit.")]
    [Unit("1"), Range(1e-3, 0.999999)]
    public double Probability { get; init; } = 0.5;

    [Description("What the law misses of the loss of one shape, as a standard deviation. Absent: the held-out shape error of 'scores' less the noise of seeds, else what the runs scatter by beyond their replicates.")]
    [Unit("nats a token"), Range(0, 10)]
    public double? Misfit { get; init; }

    [Description("What to do where the law's runs do not determine what the search rests on.")]
    [Choice("warn", "warn and widen")]
    [Choice("stop", "fail")]
    public Doubt NotIdentified { get; init; } = Doubt.Warn;

    [Description("What serving a candidate may take. Absent: anything.")]
    public LimitSettings? Limits { get; init; }

    [Description("Programs that must take every candidate.")]
    [AllowedValues("transformers-4", "transformers-5", "vllm", "llama.cpp", "megatron", "torchtitan", "litgpt")]
    public IReadOnlyList<string> Consumers { get; init; } = [];

    [Description("What is served. Absent: the workload of the measured rows.")]
    public WorkloadSettings? Workload { get; init; }

    [Description("The device that serves, by its data sheet, or calibrated where measured rows name it. Absent: 'own_device', or the measured rows' own.")]
    [AllowedValues("a100-40", "a100-80", "h100-sxm", "h200", "epyc-9654")]
    public string? Device { get; init; }

    [Description("A device that is not listed, by its peak figures. Give this or 'device'.")]
    public OwnDeviceSettings? OwnDevice { get; init; }

    [Description("How 'measure' goes through 'variants.csv'.")]
    [Choice("local", "from the fitted GQA until one falls below it, as the paper does")]
    [Choice("exhaustive", "through all")]
    public GqaWalk GqaWalk { get; init; } = GqaWalk.Local;
}

/// <summary>What to do with a law that its runs do not determine.</summary>
public enum Doubt
{
    /// <summary>Say so, and trust it less. The default.</summary>
    Warn,

    /// <summary>Search nothing.</summary>
    Stop,
}

/// <summary>How variants of the efficient pick are measured.</summary>
public enum GqaWalk
{
    /// <summary>From the fitted GQA upwards until one is slower. The default.</summary>
    Local,

    /// <summary>All of them.</summary>
    Exhaustive,
}

/// <summary>Nats a token for every doubling or halving away from the value of the law's runs (the nearest of several). 0 says that the axis is believed to cost nothing.</summary>
public sealed record PenaltySettings
{
    [Description("Of query heads a key/value head. Absent: not known.")]
    [Unit("nats a token"), Range(0, 10)]
    public double? Gqa { get; init; }

    [Description("Of decoder blocks. Absent: not known.")]
    [Unit("nats a token"), Range(0, 10)]
    public double? Layers { get; init; }

    [Description("Of features a head. Absent: not known.")]
    [Unit("nats a token"), Range(0, 10)]
    public double? HeadSize { get; init; }
}

/// <summary>The shape to beat: a configuration, or numbers at the searched size, depth and head size.</summary>
public sealed record BaselineSettings
{
    [Description("A Hugging Face config.json of a Llama; its depth, head size and vocabulary are the baseline's. Give this or 'hidden'.")]
    public FileSet? Config { get; init; }

    [Description("Hidden size. Give this or 'config'.")]
    [Unit("features"), Range(1, 1_000_000)]
    public int? Hidden { get; init; }

    [Description("MLP parameters over attention parameters. Beside 'hidden', give this or 'intermediate'.")]
    [Unit("1"), Range(1e-6, 1e6)]
    public double? Ratio { get; init; }

    [Description("Width of the MLP. Beside 'hidden', give this or 'ratio'.")]
    [Unit("features"), Range(1, 10_000_000)]
    public int? Intermediate { get; init; }

    [Description("Query heads a key/value head, beside 'hidden'. Absent: the first that is searched.")]
    [Unit("1"), Range(1, 65_536)]
    public int? Gqa { get; init; }

    [Description("Its measured loss at 'size' and the training tokens: it sets the level of all predictions. Absent: the law's own level.")]
    [Unit("nats a token"), Range(1e-3, 1e3)]
    public double? Loss { get; init; }
}

/// <summary>What serving may take.</summary>
public sealed record LimitSettings
{
    [Description("Seconds until the first token of a batch. Absent: no limit.")]
    [Unit("s"), Range(1e-9, 1e9)]
    public double? TimeToFirstToken { get; init; }

    [Description("Mean seconds of a decode step. Absent: no limit.")]
    [Unit("s"), Range(1e-9, 1e9)]
    public double? TimePerOutputToken { get; init; }

    [Description("Seconds until a batch has its last token. Absent: no limit.")]
    [Unit("s"), Range(1e-9, 1e9)]
    public double? Latency { get; init; }

    [Description("Weights and a full cache on one device, in the batch that is served. Absent: no limit beyond the device's own memory, of which 90 % is filled with as many sequences as fit.")]
    [Unit("bytes"), Range(1, 1e18)]
    public double? Memory { get; init; }
}

/// <summary>What is served.</summary>
public sealed record WorkloadSettings
{
    [Description("Tokens read before the first is written.")]
    [Unit("tokens"), Range(1, 100_000_000)]
    public required int Prompt { get; init; }

    [Description("Tokens written for each sequence.")]
    [Unit("tokens"), Range(1, 100_000_000)]
    public required int Output { get; init; }

    [Description("Sequences served together, as far as they fit into memory.")]
    [Unit("sequences"), Range(1, 1_000_000)]
    public required int Batch { get; init; }

    [Description("Format of the weights. Absent: as measured, bfloat16 without measured rows.")]
    public DataType? Weights { get; init; }

    [Description("Format of cached keys and values. Absent: as measured, bfloat16 without measured rows.")]
    public DataType? KvCache { get; init; }

    [Description("Devices that share every layer. It must divide query heads and MLP, and divide or be divided by key/value heads. Absent: as measured, 1 without measured rows.")]
    [Unit("devices"), Range(1, 1024)]
    public int? TensorParallel { get; init; }
}

/// <summary>A device by its peak figures.</summary>
public sealed record OwnDeviceSettings
{
    [Description("What to call it; measured rows of this name calibrate it.")]
    public required string Name { get; init; }

    [Description("Dense peak in the type that models are served in, never the figure for 2:4 sparsity.")]
    [Unit("FLOP/s"), Range(1, 1e24)]
    public required double FlopsPerSecond { get; init; }

    [Description("Dense peak in fp8. Absent: fp8 weights are multiplied at 'flops_per_second'.")]
    [Unit("FLOP/s"), Range(1, 1e24)]
    public double? Fp8FlopsPerSecond { get; init; }

    [Description("Peak memory bandwidth.")]
    [Unit("bytes/s"), Range(1, 1e24)]
    public required double BytesPerSecond { get; init; }

    [Description("Memory. Absent: nothing is too large.")]
    [Unit("bytes"), Range(1, 1e18)]
    public double? Memory { get; init; }

    [Description("What one device sends to its peers at most, in one direction. Absent: what tensor parallelism sends costs nothing.")]
    [Unit("bytes/s"), Range(1, 1e24)]
    public double? LinkBytesPerSecond { get; init; }

    /// <summary>As the others are described.</summary>
    internal Device ToDevice() => new(Name, FlopsPerSecond, BytesPerSecond, "the pipeline")
    {
        Fp8FlopsPerSecond = Fp8FlopsPerSecond,
        MemoryBytes = Memory,
        LinkBytesPerSecond = LinkBytesPerSecond,
    };
}
