// A run that a sweep lists: a row of shapes.csv.
using Scaling.Architectures;

namespace Scaling.Stages.Sweep;

/// <summary>A run that a stage is to train.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Seed">From 1.</param>
/// <param name="Size">Parameters that were asked for.</param>
internal sealed record SweptRun(DecoderShape Shape, int Seed, double Size)
{
    /// <summary>Other than 1 of a run that checks the learning-rate rule.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Of the tokens that the stage that trains asks for: less than 1 of a short run.</summary>
    public double TokensShare { get; init; } = 1;
}
