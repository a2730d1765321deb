// What a pipeline can say to `sweep`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>The grid: every size with every x, ratio and GQA, and every seed, and the corners once more at other learning rates; or what a design chooses of it.</summary>
public sealed record SweepSettings
{
    [Description("Sizes to build, in non-embedding parameters.")]
    [Unit("parameters"), Range(1, 1e15), MinLength(1)]
    public required IReadOnlyList<long> Sizes { get; init; }

    [Description("Decoder blocks: one number for all sizes, or one a size.")]
    [Unit("layers"), Range(1, 10_000), MinLength(1)]
    public required IReadOnlyList<int> Layers { get; init; }

    [Description("Features a head, one number for all sizes, or one a size; even, because rotary positions turn features in pairs.")]
    [Unit("features"), Range(2, 65_536), MinLength(1)]
    public IReadOnlyList<int> HeadSize { get; init; } = [64];

    [Description("Hidden and intermediate sizes are multiples of it.")]
    [Unit("features"), Range(1, 65_536)]
    public int MultipleOf { get; init; } = 128;

    [Description("Hidden size over the square root of the parameters.")]
    [Unit("1"), Range(1e-6, 1e3), MinLength(1)]
    public IReadOnlyList<double> X { get; init; } = [0.08];

    [Description("MLP parameters over attention parameters.")]
    [Unit("1"), Range(1e-6, 1e6), MinLength(1)]
    public IReadOnlyList<double> Ratio { get; init; } = [1];

    [Description("Query heads a key/value head.")]
    [Unit("1"), Range(1, 65_536), MinLength(1)]
    public IReadOnlyList<int> Gqa { get; init; } = [4];

    [Description("Different tokens; 256 for bytes.")]
    [Unit("tokens"), Range(2, 16_777_216)]
    public int Vocabulary { get; init; } = 256;

    [Description("Input and output embeddings are one matrix.")]
    public bool Tied { get; init; } = true;

    [Description("Initialisations to train of every shape, seeds 1, 2, …: one number for all sizes, or one a size. Five of five shapes tell an effect of the shape from chance. Absent: 1. With 'design' the most of a candidate, absent 100, and those of a baseline, absent 1.")]
    [Unit("seeds"), Range(1, 10_000), MinLength(1)]
    public IReadOnlyList<int>? Replicates { get; init; }

    [Description("Factors on the learning rate with which the corners of the grid, least and largest x with least and largest ratio of every size, are trained once more, for example [0.5, 2]. They check the learning-rate rule and are never fitted.")]
    [Unit("1"), Range(1e-3, 1e3)]
    public IReadOnlyList<double> LearningRateBracket { get; init; } = [];

    [Description("Hugging Face config.json of a LLaMA-like decoder of the same vocabulary, or a glob of several: shapes to hold the others against. Each joins the sweep with the seeds and the budget of the size that it is nearest to.")]
    public FileSet? Baseline { get; init; }

    [Description("The baseline's loss where you know it, to be shown beside the measured one. It enters no fit.")]
    [Unit("nats a token"), Range(1e-6, 100)]
    public double? BaselineLoss { get; init; }

    [Description("Relative miss of the size that is allowed, 0.05 for 5 %. Rounding costs small models that much; large ones miss by less than 1 %.")]
    [Unit("1"), Range(0, 1)]
    public double Tolerance { get; init; } = 0.05;

    [Description("Trains not the whole grid but the runs of it that tell most of the best shape at a larger size, for a budget: all at once, or in rounds where this stage has 'feedback' of the one that trains. Absent: the whole grid.")]
    public DesignSettings? Design { get; init; }
}
