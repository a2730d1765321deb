// The roofline nearest to measured times, found exactly.
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>
/// Least squares on relative errors over non-negative θ = (seconds a byte, seconds a FLOP, seconds a layer).
/// </summary>
/// <remarks>
/// An operator takes max(θ₁·bytes, θ₂·FLOPs). Which is greater depends only on whether its FLOPs/bytes exceed θ₁/θ₂, so with the intensities of all operators sorted there is a
/// finite number of ways to split them, and each way is a linear problem. The best of these under the true objective is kept; nothing is iterated and nothing is random.
/// A minimum with operators on the ridge itself is covered by fixing θ₁/θ₂ at their intensity, which is linear too.
/// </remarks>
public static class RooflineFit
{
    private sealed record Time(double Seconds, IReadOnlyList<OperatorCost> Pass, double Layers);

    /// <summary>The roofline.</summary>
    /// <param name="rows">At least one, with positive times.</param>
    public static Roofline Of(IReadOnlyList<MeasuredSpeed> rows)
    {
        Time[] times =
        [
            .. rows.Select(r => new Time(r.TimeToFirstToken, DecoderOperators.Prefill(r.Shape, r.Workload), r.Shape.Layers)),
            .. rows.Select(r => new Time(r.TimePerOutputToken, DecoderOperators.DecodeStep(r.Shape, r.Workload, r.Workload.MeanContext), r.Shape.Layers)),
        ];
        double[] intensities = [.. times.SelectMany(t => t.Pass).Where(o => o.Bytes > 0).Select(o => o.Flops / o.Bytes).Distinct().Order()];
        Roofline best = new(0, 0, 0);
        double least = double.PositiveInfinity;
        foreach (var candidate in Candidates(times, Thinned(intensities)))
        {
            double error = times.Sum(t => Square(Seconds(t, candidate) / t.Seconds - 1));
            if (error < least)
            {
                (best, least) = (candidate, error);
            }
        }

        return best;
    }

    /// <summary>Hundreds of shapes have thousands of intensities, many of them side by side; 200 of them lie near enough to every one.</summary>
    private static double[] Thinned(double[] sorted)
    {
        const int Most = 200;
        return sorted.Length <= Most ? sorted : [.. Enumerable.Range(0, Most).Select(i => sorted[(int)((long)i * (sorted.Length - 1) / (Most - 1))])];
    }

    private static IEnumerable<Roofline> Candidates(Time[] times, double[] intensities)
    {
        foreach (double ridge in intensities.Prepend(0))
        {
            // Up to the ridge memory binds, beyond it arithmetic.
            double[] split = Solve(times, t => [Sum(t, o => o.Flops <= ridge * o.Bytes ? o.Bytes : 0), Sum(t, o => o.Flops <= ridge * o.Bytes ? 0 : o.Flops), t.Layers]);
            yield return new Roofline(split[1], split[0], split[2]);
            double[] on = Solve(times, t => [Sum(t, o => Math.Max(o.Bytes * ridge, o.Flops)), 0, t.Layers]);
            yield return new Roofline(on[0], on[0] * ridge, on[2]);
        }
    }

    private static double[] Solve(Time[] times, Func<Time, double[]> amounts)
    {
        double[,] gram = new double[3, 3];
        double[] target = new double[3];
        foreach (var time in times)
        {
            double[] row = [.. amounts(time).Select(a => a / time.Seconds)];
            for (int i = 0; i < 3; i++)
            {
                target[i] += row[i];
                for (int j = 0; j < 3; j++)
                {
                    gram[i, j] += row[i] * row[j];
                }
            }
        }

        return NonNegativeLeastSquares.Solve(gram, target);
    }

    private static double Seconds(Time time, Roofline roofline) =>
        Sum(time, o => Math.Max(o.Bytes * roofline.SecondsPerByte, o.Flops * roofline.SecondsPerFlop)) + time.Layers * roofline.SecondsPerLayer;

    private static double Sum(Time time, Func<OperatorCost, double> value) => time.Pass.Sum(o => o.Times * value(o));

    private static double Square(double v) => v * v;
}
