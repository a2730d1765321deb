// Fits a roofline's three costs to measured times, so that predictions are in this machine's own seconds.
namespace Scaling.Architectures;

/// <summary>A measured shape.</summary>
/// <param name="Shape">What was measured.</param>
/// <param name="Workload">What it served.</param>
/// <param name="TimeToFirstToken">Seconds, positive.</param>
/// <param name="TimePerOutputToken">Mean seconds of a decode step, positive.</param>
public sealed record MeasuredSpeed(DecoderShape Shape, Workload Workload, double TimeToFirstToken, double TimePerOutputToken);

/// <summary>A fitted roofline.</summary>
/// <param name="Roofline">Its costs; one that never bound is 0.</param>
/// <param name="Rows">Measured shapes used.</param>
/// <param name="RelativeError">Root mean square of (predicted − measured) / measured over all times, 0.1 for 10 %.</param>
public sealed record CalibratedRoofline(Roofline Roofline, int Rows, double RelativeError)
{
    /// <summary>e_bw against a device's peak; null where memory never was the bound.</summary>
    /// <param name="device">With known peak figures.</param>
    public double? BandwidthEfficiency(Device device) => Efficiency(Roofline.SecondsPerByte, device.BytesPerSecond);

    /// <summary>e_f against a device's peak; null where FLOPs never were the bound.</summary>
    /// <param name="device">With known peak figures.</param>
    public double? FlopEfficiency(Device device) => Efficiency(Roofline.SecondsPerFlop, device.FlopsPerSecond);

    private static double? Efficiency(double seconds, double peak) => seconds > 0 ? 1 / (seconds * peak) : null;
}

/// <summary>
/// Least squares on relative errors of the time to first token and the time per output token, over non-negative costs
/// θ = (seconds a byte, seconds a FLOP, seconds a layer). No peak figure is needed.
/// </summary>
/// <remarks>
/// A time is max(θ₁·bytes, θ₂·FLOPs) + θ₃·L. Which of the two is greater depends only on whether FLOPs/bytes exceeds θ₁/θ₂, so with m times sorted
/// by that intensity there are m + 1 ways to split them, and each way is a linear problem in three non-negative unknowns, small enough to try all its
/// eight sets of free unknowns. The best of these under the true objective is kept; nothing is iterated and nothing is random.
/// A minimum in which one time lies on the ridge itself is covered by fixing θ₁/θ₂ at that time's intensity, which is linear too.
/// </remarks>
public static class Calibration
{
    private sealed record Time(double Seconds, double Bytes, double Flops, double Layers)
    {
        public double Intensity => Flops / Bytes;
    }

    /// <summary>Fits the costs.</summary>
    /// <param name="rows">At least one; rows with times that are not positive are refused.</param>
    /// <exception cref="ArgumentException">No row, or a time that is not positive.</exception>
    public static CalibratedRoofline Fit(IReadOnlyList<MeasuredSpeed> rows)
    {
        if (rows.Count == 0 || rows.Any(r => !(r.TimeToFirstToken > 0 && r.TimePerOutputToken > 0)))
        {
            throw new ArgumentException("a calibration needs rows with positive times", nameof(rows));
        }

        Time[] times = [.. rows.SelectMany(TimesOf).OrderBy(t => t.Intensity)];
        Roofline best = new(0, 0, 0);
        double least = double.PositiveInfinity;
        foreach (var candidate in Candidates(times))
        {
            double error = MeanSquare(candidate, rows);
            if (error < least)
            {
                (best, least) = (candidate, error);
            }
        }

        return new CalibratedRoofline(best, rows.Count, Math.Sqrt(least));
    }

    private static IEnumerable<Time> TimesOf(MeasuredSpeed row)
    {
        // Bytes and FLOPs of a decode step are linear in the context, so the mean context stands for all steps.
        double context = row.Workload.Prompt + Math.Max(1, row.Workload.Output / 2.0);
        yield return new Time(
            row.TimeToFirstToken, InferenceCost.WeightBytes(row.Shape, row.Workload), InferenceCost.PrefillFlops(row.Shape, row.Workload), row.Shape.Layers);
        yield return new Time(
            row.TimePerOutputToken, InferenceCost.DecodeBytes(row.Shape, row.Workload, context),
            InferenceCost.DecodeFlops(row.Shape, row.Workload, context), row.Shape.Layers);
    }

    private static IEnumerable<Roofline> Candidates(Time[] sorted)
    {
        for (int split = 0; split <= sorted.Length; split++)
        {
            // Times below the split are bound by memory, the others by arithmetic.
            foreach (double[] θ in NonNegativeSolutions(sorted, (t, i) => i < split ? [t.Bytes, 0, t.Layers] : [0, t.Flops, t.Layers]))
            {
                yield return new Roofline(θ[1], θ[0], θ[2]);
            }
        }

        foreach (var ridge in sorted)
        {
            foreach (double[] θ in NonNegativeSolutions(sorted, (t, _) => [Math.Max(t.Bytes * ridge.Intensity, t.Flops), 0, t.Layers]))
            {
                yield return new Roofline(θ[0], θ[0] * ridge.Intensity, θ[2]);
            }
        }
    }

    /// <summary>Every non-negative least-squares solution with some of the three unknowns free and the others 0, each equation divided by its measured time.</summary>
    private static IEnumerable<double[]> NonNegativeSolutions(Time[] times, Func<Time, int, double[]> row)
    {
        double[][] rows = [.. times.Select((t, i) => row(t, i).Select(v => v / t.Seconds).ToArray())];
        for (int free = 1; free < 8; free++)
        {
            int[] unknowns = [.. Enumerable.Range(0, 3).Where(u => (free >> u & 1) == 1)];
            if (LeastSquares(rows, unknowns) is { } θ && θ.All(v => v >= 0))
            {
                yield return θ;
            }
        }
    }

    /// <summary>argmin Σ (row·θ − 1)² over the given unknowns by modified Gram–Schmidt; null where their columns are dependent.</summary>
    private static double[]? LeastSquares(double[][] rows, int[] unknowns)
    {
        int m = rows.Length, p = unknowns.Length;
        double[][] q = [.. unknowns.Select(u => rows.Select(r => r[u]).ToArray())];
        double[] rest = [.. Enumerable.Repeat(1.0, m)];
        double[,] r = new double[p, p];
        double[] projection = new double[p];
        for (int j = 0; j < p; j++)
        {
            double before = Math.Sqrt(Dot(q[j], q[j]));
            for (int i = 0; i < j; i++)
            {
                r[i, j] = Dot(q[i], q[j]);
                Subtract(q[j], q[i], r[i, j]);
            }

            r[j, j] = Math.Sqrt(Dot(q[j], q[j]));
            // 1e-9 of the column's length is far above the rounding of a sum and far below any real difference between shapes.
            if (r[j, j] <= 1e-9 * before || before == 0)
            {
                return null;
            }

            q[j] = [.. q[j].Select(v => v / r[j, j])];
            projection[j] = Dot(q[j], rest);
            Subtract(rest, q[j], projection[j]);
        }

        double[] θ = new double[3];
        for (int j = p - 1; j >= 0; j--)
        {
            double sum = projection[j];
            for (int i = j + 1; i < p; i++)
            {
                sum -= r[j, i] * θ[unknowns[i]];
            }

            θ[unknowns[j]] = sum / r[j, j];
        }

        return θ;
    }

    private static double MeanSquare(Roofline roofline, IReadOnlyList<MeasuredSpeed> rows)
    {
        double sum = 0;
        foreach (var row in rows)
        {
            var predicted = roofline.Predict(row.Shape, row.Workload);
            sum += Square(predicted.TimeToFirstToken / row.TimeToFirstToken - 1) + Square(predicted.TimePerOutputToken / row.TimePerOutputToken - 1);
        }

        return sum / (2 * rows.Count);
    }

    private static double Square(double v) => v * v;

    private static double Dot(double[] a, double[] b) => a.Zip(b, (u, v) => u * v).Sum();

    private static void Subtract(double[] from, double[] vector, double factor)
    {
        for (int i = 0; i < from.Length; i++)
        {
            from[i] -= factor * vector[i];
        }
    }
}
