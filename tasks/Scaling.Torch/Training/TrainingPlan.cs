// Everything that decides a training run, byte for byte.
using Scaling.Architectures;

namespace Scaling.Torch;

/// <summary>A run. Two equal plans on one corpus give the same weights and the same curve.</summary>
public sealed record TrainingPlan
{
    /// <summary>What is trained.</summary>
    public required DecoderShape Shape { get; init; }

    /// <summary>Row seed: initialisation.</summary>
    public required long Seed { get; init; }

    /// <summary>Pipeline seed: order of the training windows.</summary>
    public required long OrderSeed { get; init; }

    /// <summary>Optimiser steps, at least 1.</summary>
    public required long Steps { get; init; }

    /// <summary>Sequences a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Tokens a sequence.</summary>
    public required int Context { get; init; }

    /// <summary>Peak of the schedule.</summary>
    public required double LearningRate { get; init; }

    /// <summary>Share of the steps over which the rate rises, 0 to under 1.</summary>
    public required double Warmup { get; init; }

    /// <summary>AdamW's decay of matrices.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>D = steps · batch · context.</summary>
    public long Tokens => Steps * Batch * Context;

    /// <summary>The rate of each step.</summary>
    public CosineSchedule Schedule => new(Steps, (long)(Warmup * Steps), LearningRate);

    /// <summary>
    /// Floating-point operations a trained token: 6·(N + V·d), forward and backward of every product with weights, and 6·L·n·h·T, those of causal attention over T tokens.
    /// </summary>
    public long FlopsPerToken =>
        6 * (Shape.Parameters + (long)Shape.Vocabulary * Shape.Hidden) + 6L * Shape.Layers * Shape.QueryWidth * Context;
}

/// <summary>A line of a loss curve.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Loss">Mean training loss since the last line, nats a token.</param>
/// <param name="LearningRate">Of the last step.</param>
public sealed record CurvePoint(long Step, long Tokens, double Loss, double LearningRate);
