// What a pipeline can say to `search`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Search;

/// <summary>What to look for. What is absent is taken from the law's runs or the measured rows.</summary>
public sealed record SearchSettings
{
    [Description("Size of the model, in non-embedding parameters.")]
    [Unit("parameters"), Range(1, 1e15)]
    public required long Size { get; init; }

    [Description("Training tokens a parameter that every prediction assumes.")]
    [Unit("tokens a parameter"), Range(1e-6, 1e9)]
    public required double TokensPerParameter { get; init; }

    [Description("Relative miss of the size that is allowed, 0.01 for 1 %.")]
    [Unit("1"), Range(0, 1)]
    public double Tolerance { get; init; } = 0.01;

    [Description("Decoder blocks. Absent: as in the law's runs.")]
    [Unit("layers"), Range(1, 10_000)]
    public int? Layers { get; init; }

    [Description("Features a head. Absent: as in the law's runs.")]
    [Unit("features"), Range(2, 65_536)]
    public int? HeadSize { get; init; }

    [Description("Query heads a key/value head, each in turn. Absent: as in the law's runs.")]
    [Unit("1"), Range(1, 65_536), MinLength(1)]
    public IReadOnlyList<int>? Gqa { get; init; }

    [Description("Different tokens. Absent: as in the law's runs.")]
    [Unit("tokens"), Range(2, 16_777_216)]
    public int? Vocabulary { get; init; }

    [Description("Input and output embeddings are one matrix. Absent: as in the law's runs.")]
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

    [Description("The shape to beat: a candidate is feasible where its predicted loss is at most this one's. Absent: every candidate is feasible.")]
    public BaselineSettings? Baseline { get; init; }

    [Description("What is served. Absent: the workload of the measured rows.")]
    public WorkloadSettings? Workload { get; init; }

    [Description("The device that serves, by its data sheet, or calibrated where measured rows name it. Absent: the measured rows' own.")]
    [AllowedValues("a100-40", "a100-80", "h100-sxm", "h200", "epyc-9654")]
    public string? Device { get; init; }
}

/// <summary>A shape of the searched size, depth and head size.</summary>
public sealed record BaselineSettings
{
    [Description("Hidden size.")]
    [Unit("features"), Range(1, 1_000_000)]
    public required int Hidden { get; init; }

    [Description("MLP parameters over attention parameters. Give this or 'intermediate'.")]
    [Unit("1"), Range(1e-6, 1e6)]
    public double? Ratio { get; init; }

    [Description("Width of the MLP. Give this or 'ratio'.")]
    [Unit("features"), Range(1, 10_000_000)]
    public int? Intermediate { get; init; }

    [Description("Query heads a key/value head. Absent: the first that is searched.")]
    [Unit("1"), Range(1, 65_536)]
    public int? Gqa { get; init; }
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

    [Description("Sequences served together.")]
    [Unit("sequences"), Range(1, 1_000_000)]
    public required int Batch { get; init; }

    [Description("Format of the weights. Absent: as measured, bfloat16 without measured rows.")]
    public DataType? Weights { get; init; }

    [Description("Format of cached keys and values. Absent: as measured, bfloat16 without measured rows.")]
    public DataType? KvCache { get; init; }
}
