// The learning rate of a step: a linear warm-up, then half a cosine.
namespace Scaling.Torch;

/// <summary>
/// Step s of S, from 0, with W steps of warm-up and peak p: p·(s + 1)/W while s &lt; W, then p·(m + (1 − m)·(1 + cos(π·(s − W)/(S − W)))/2) with m = 0.1.
/// With S = 110, W = 10 and p = 1, step 60 has 0.55.
/// </summary>
/// <param name="Steps">S, at least 1.</param>
/// <param name="Warmup">W, fewer than S, 0 for none.</param>
/// <param name="Peak">p.</param>
public sealed record CosineSchedule(long Steps, long Warmup, double Peak)
{
    /// <summary>m, the last rate over the peak.</summary>
    public const double Floor = 0.1;

    /// <summary>The rate of a step.</summary>
    /// <param name="step">From 0.</param>
    public double this[long step] => step < Warmup
        ? Peak * (step + 1) / Warmup
        : Peak * (Floor + (1 - Floor) * 0.5 * (1 + Math.Cos(Math.PI * (step - Warmup) / (Steps - Warmup))));
}
