// How many tokens a parameter a law would train on for a given budget of FLOPs.
using Scaling.Laws;

namespace Scaling.Stages.Export;

/// <summary>
/// The least of E + A/N^α + B/D^β where 6·N·D = C (Hoffmann et al. 2022, equation 4): N = G·(C/6)^(β/(α+β)) with G = (α·A / (β·B))^(1/(α+β)), and D = C/(6·N). Their law (A 406.4, B 410.7, α .34, β .28)
/// at C = 5.76e23 gives 93 tokens a parameter, for 32B of them.
/// </summary>
/// <param name="Flops">C, of training: 6 FLOPs a parameter and token.</param>
/// <param name="TokensPerParameter">D/N there.</param>
/// <param name="Interval">95 % from the resampled laws; null where they are too few.</param>
internal sealed record ComputeOptimum(double Flops, double TokensPerParameter, Interval? Interval)
{
    /// <summary>At the most that a run of the study took; null where the law does not tell parameters from tokens.</summary>
    public static ComputeOptimum? Of(LawDocument law, IReadOnlyList<StudyRun> runs)
    {
        if (!law.HasLevel || law.Ray is not null || At(law.Base, 1) is null || law.Verdict("exponents") is { Identification: Identification.NotIdentified } || law.Shape?.Form == LawForm.WidthOverDepth)
        {
            return null;
        }

        double flops = 6 * (runs.Count > 0 ? runs.Max(r => r.Parameters * r.Tokens) : law.Ranges.Parameters.High * law.Ranges.Tokens.High);
        double[] resampled = [.. law.ResampledLaws().Select(r => At(r.Base, flops)).OfType<double>()];
        return new ComputeOptimum(flops, At(law.Base, flops)!.Value, resampled.Length < LawDocument.LeastResamples ? null : Quantiles.Central95(resampled));
    }

    private static double? At(ChinchillaLaw law, double flops)
    {
        var (a, b, alpha, beta) = (law.A, law.B, law.Alpha, law.Beta);
        if (!(a > 0 && b > 0 && alpha > 0 && beta > 0))
        {
            return null;
        }

        double parameters = Math.Pow(alpha * a / (beta * b), 1 / (alpha + beta)) * Math.Pow(flops / 6, beta / (alpha + beta));
        return flops / 6 / (parameters * parameters);
    }
}
