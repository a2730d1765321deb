// Everything that decides a training run, byte for byte.
using Scaling.Architectures;

namespace Scaling.Torch;

/// <summary>A run. Two equal plans on one corpus give the same weights, the same curve and the same losses.</summary>
public sealed record TrainingPlan
{
    /// <summary>What is trained.</summary>
    public required DecoderShape Shape { get; init; }

    /// <summary>Row seed: initialisation.</summary>
    public required long Seed { get; init; }

    /// <summary>Pipeline seed: order of the training windows.</summary>
    public required long OrderSeed { get; init; }

    /// <summary>Optimiser steps at which the held-out loss is told, rising, each at least 1; the last one ends the run.</summary>
    public required IReadOnlyList<long> Points { get; init; }

    /// <summary>Sequences a step.</summary>
    public required int Batch { get; init; }

    /// <summary>Tokens a sequence.</summary>
    public required int Context { get; init; }

    /// <summary>Rate of each step.</summary>
    public required Schedule Schedule { get; init; }

    /// <summary>AdamW's decay of matrices.</summary>
    public required double WeightDecay { get; init; }

    /// <summary>S, optimiser steps of the whole run.</summary>
    public long Steps => Points[^1];

    /// <summary>D = S · batch · context.</summary>
    public long Tokens => TokensAt(Steps);

    /// <summary>Optimiser steps that are executed: those of the trunk, and those of every branch beside it.</summary>
    public long ExecutedSteps => Steps + Points.SkipLast(1).Sum(p => Leaves(p) ? p - Schedule.BranchesAt(p) : 0);

    /// <summary>Tokens seen in the course of so many steps.</summary>
    /// <param name="steps">From 0.</param>
    public long TokensAt(long steps) => steps * Batch * Context;

    /// <summary>Whether the schedule has ended at a point; a cosine has at its last one alone.</summary>
    /// <param name="point">One of <see cref="Points"/>.</param>
    public bool IsAnnealedAt(long point) => Schedule.Kind == ScheduleKind.WarmupStableDecay || point == Steps;

    /// <summary>Whether the run leaves its trunk for a point, to come back.</summary>
    /// <param name="point">One of <see cref="Points"/>.</param>
    public bool Leaves(long point) => Schedule.Kind == ScheduleKind.WarmupStableDecay && point != Steps;

    /// <summary>
    /// Floating-point operations a trained token, as <see cref="TrainingCost"/> counts them.
    /// </summary>
    public long FlopsPerToken => TrainingCost.FlopsPerToken(Shape, Context);

    /// <summary>A nat above ln V, the loss of guessing: a run of more has diverged. Nats a token.</summary>
    public double GreatestLoss => Math.Log(Shape.Vocabulary) + 1;

    /// <summary>All values as text: what a checkpoint is recognised by.</summary>
    public override string ToString() =>
        FormattableString.Invariant($"{Shape} seed {Seed} order {OrderSeed} points {string.Join(',', Points)} batch {Batch} context {Context} {Schedule} weight decay {WeightDecay}");
}

/// <summary>A line of a loss curve.</summary>
/// <param name="Step">Steps done.</param>
/// <param name="Tokens">Tokens seen.</param>
/// <param name="Loss">Mean training loss since the last line, nats a token.</param>
/// <param name="LearningRate">Of the last step.</param>
/// <param name="Point">Steps of the point on whose way the line is: lines of one point's branch come after those of the trunk before it.</param>
public sealed record CurvePoint(long Step, long Tokens, double Loss, double LearningRate, long Point);

/// <summary>What a run was found to be worth at a point.</summary>
/// <param name="Step">Steps done, one of <see cref="TrainingPlan.Points"/>.</param>
/// <param name="HeldOut">The held-out loss.</param>
public sealed record JudgedPoint(long Step, HeldOutLoss HeldOut);
