// The learning rate of a step: a warm-up, then half a cosine, or a stable stretch and a decay.
namespace Scaling.Torch;

/// <summary>How the learning rate goes over the steps.</summary>
public enum ScheduleKind
{
    /// <summary>Warm-up, then half a cosine to a tenth of the peak at the last step. What it passes on the way is no trained model of fewer tokens.</summary>
    Cosine,

    /// <summary>
    /// Warm-up, stable, decay (Hu et al., arXiv 2404.06395): the peak is held and then left on 1 − √ to near 0 (Hägele et al., arXiv 2405.18392), in a branch of its own for every
    /// point, so that one run gives several trained models.
    /// </summary>
    WarmupStableDecay,
}

/// <summary>
/// Rates of a run of S steps with W of warm-up and peak p; a step s counts from 0. While s &lt; W the rate is p·(s + 1)/W. Then a cosine has
/// p·(m + (1 − m)·(1 + cos(π·(s − W)/(S − W)))/2) with m = 0.1: with S = 110, W = 10 and p = 1, step 60 has 0.55. A warm-up–stable–decay run has p on its trunk, and in the
/// branch that ends at step e after d steps of decay p·(1 − √((s − (e − d))/d)): with e = 100 and d = 16, step 88 has 0.5.
/// </summary>
/// <param name="Kind">Which.</param>
/// <param name="Steps">S, at least 1.</param>
/// <param name="Warmup">W, fewer than S, 0 for none.</param>
/// <param name="Peak">p.</param>
/// <param name="Decay">Share of a point's steps over which a branch decays, above 0 and below 1; of no effect on a cosine.</param>
public sealed record Schedule(ScheduleKind Kind, long Steps, long Warmup, double Peak, double Decay)
{
    /// <summary>m, the last rate of a cosine over the peak.</summary>
    public const double Floor = 0.1;

    /// <summary>The first step of the branch that ends at a point: at least the warm-up is the trunk's.</summary>
    /// <param name="point">e, steps.</param>
    public long BranchesAt(long point) => Math.Min(point - 1, Math.Max(Warmup, point - (long)Math.Round(Decay * point)));

    /// <summary>The rate of a step on the way to a point.</summary>
    /// <param name="step">From 0.</param>
    /// <param name="point">e, the end of the branch that the step belongs to, or would if it had come to it.</param>
    public double Rate(long step, long point)
    {
        if (step < Warmup)
        {
            return Peak * (step + 1) / Warmup;
        }

        if (Kind == ScheduleKind.Cosine)
        {
            return Peak * (Floor + (1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * (step - Warmup) / (Steps - Warmup))));
        }

        long branch = BranchesAt(point);
        return step < branch ? Peak : Peak * (1 - Math.Sqrt((double)(step - branch) / (point - branch)));
    }
}
