// Fits a machine's costs to measured times, so that predictions are in its own seconds, and says how well rows that it did not see are met.
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>A measured shape.</summary>
/// <param name="Shape">What was measured.</param>
/// <param name="Workload">What it served.</param>
/// <param name="TimeToFirstToken">Seconds, positive.</param>
/// <param name="TimePerOutputToken">Mean seconds of a decode step, positive.</param>
public sealed record MeasuredSpeed(DecoderShape Shape, Workload Workload, double TimeToFirstToken, double TimePerOutputToken)
{
    /// <summary>Output tokens a second that the two times make.</summary>
    public double TokensPerSecond => Speed.Of(Shape, Workload, TimeToFirstToken, TimePerOutputToken).TokensPerSecond;
}

/// <summary>A fitted machine.</summary>
/// <param name="Model">A <see cref="Roofline"/> or <see cref="CalibratedCosts"/>.</param>
/// <param name="Rows">Measured shapes used.</param>
/// <param name="FitError">Root mean square of (predicted − measured) / measured over all times of the rows fitted, 0.1 for 10 %.</param>
/// <param name="HeldOutError">The same of tokens per second of rows left out (cross-validation, up to <see cref="SpeedCalibration.Folds"/> parts); null for fewer than three rows.</param>
/// <param name="HeldOutRatioError">Median relative error of ratios between two rows left out together; null for fewer than <see cref="SpeedCalibration.LeastForRatios"/> rows.</param>
public sealed record SpeedFit(ISpeedModel Model, int Rows, double FitError, double? HeldOutError, double? HeldOutRatioError)
{
    /// <summary>As <c>best.json</c> holds it.</summary>
    /// <param name="name">Of the device.</param>
    /// <param name="memoryBytes">Of one device; null if not known.</param>
    public DeviceModel ToDevice(string name, double? memoryBytes) => new()
    {
        Name = name,
        Source = "calibrated",
        MemoryBytes = memoryBytes,
        Roofline = Model as Roofline,
        Costs = Model as CalibratedCosts,
        Rows = Rows,
        HeldOutError = HeldOutError,
        HeldOutRatioError = HeldOutRatioError,
    };
}

/// <summary>
/// Two descriptions of a machine are fitted, both by least squares on relative errors of the time to first token and the time per output token with costs ≥ 0: a roofline (three costs,
/// of each operator the slower of memory and arithmetic), and costs by kind of work, prefill and decode apart, with a cache beyond which bytes cost more. The one that meets rows better
/// that it did not see is kept; a tie goes to the roofline. No peak figure is needed.
/// </summary>
public static class SpeedCalibration
{
    /// <summary>Parts of a cross-validation at most; each is left out once.</summary>
    public const int Folds = 10;

    /// <summary>Below this many rows not every part holds two, and too few ratios lie within one.</summary>
    public const int LeastForRatios = 2 * Folds;

    private const int LeastHeldOut = 3;

    /// <summary>A cache is believed in where it lowers the squared errors by at least this share: one of nineteen sizes always lowers them a little.</summary>
    private const double CacheGain = 0.25;

    /// <summary>MiB that a processor's cache may keep; which of them is found by trying. Beyond the last, everything fits.</summary>
    private static readonly double[] CacheSizes = [.. new[] { 1, 1.5, 2, 3, 4, 6, 8, 10, 12, 14, 16, 20, 24, 32, 48, 64, 96, 128, 256 }.Select(m => m * 1048576)];

    /// <summary>Fits the costs.</summary>
    /// <param name="rows">At least one.</param>
    /// <exception cref="ArgumentException">No row, or a time that is not positive.</exception>
    public static SpeedFit Fit(IReadOnlyList<MeasuredSpeed> rows)
    {
        if (rows.Count == 0 || rows.Any(r => !(r.TimeToFirstToken > 0 && r.TimePerOutputToken > 0)))
        {
            throw new ArgumentException("a calibration needs rows with positive times", nameof(rows));
        }

        if (rows.Count < LeastHeldOut)
        {
            var only = RooflineFit.Of(rows);
            return new SpeedFit(only, rows.Count, Error(only, rows), null, null);
        }

        var (error, ratioError) = CrossValidate(rows, RooflineFit.Of);
        var (costsError, costsRatioError) = CrossValidate(rows, Costs);
        bool costs = costsError < error;
        ISpeedModel model = costs ? Costs(rows) : RooflineFit.Of(rows);
        return new SpeedFit(model, rows.Count, Error(model, rows), costs ? costsError : error, costs ? costsRatioError : ratioError);
    }

    /// <summary>Costs by kind of work, with the cache size that meets the rows best.</summary>
    private static CalibratedCosts Costs(IReadOnlyList<MeasuredSpeed> rows)
    {
        double[] first = [.. rows.Select(r => r.TimeToFirstToken)], each = [.. rows.Select(r => r.TimePerOutputToken)];
        (CalibratedCosts? Costs, double Error) best = (null, double.PositiveInfinity);
        foreach (double? cache in CacheSizes.Select(c => (double?)c).Prepend(null))
        {
            var (prefill, prefillError) = NonNegative([.. rows.Select(r => CalibratedCosts.OfPrefill(r.Shape, r.Workload, cache))], first);
            var (decode, decodeError) = NonNegative([.. rows.Select(r => CalibratedCosts.OfDecodeStep(r.Shape, r.Workload, r.Workload.MeanContext, cache))], each);
            if (prefillError + decodeError < (best.Costs?.CacheBytes is null ? 1 - CacheGain : 1) * best.Error)
            {
                best = (new CalibratedCosts(prefill, decode, cache), prefillError + decodeError);
            }
        }

        return best.Costs!;
    }

    /// <summary>argmin Σ (work·θ / seconds − 1)² over θ ≥ 0, and the sum.</summary>
    private static (IReadOnlyDictionary<string, double> Costs, double Error) NonNegative(double[][] work, double[] seconds)
    {
        int n = CalibratedCosts.Names.Count;
        double[,] gram = new double[n, n];
        double[] target = new double[n];
        for (int row = 0; row < work.Length; row++)
        {
            for (int i = 0; i < n; i++)
            {
                double a = work[row][i] / seconds[row];
                target[i] += a;
                for (int j = 0; j < n; j++)
                {
                    gram[i, j] += a * (work[row][j] / seconds[row]);
                }
            }
        }

        double[] θ = NonNegativeLeastSquares.Solve(gram, target);
        double error = work.Zip(seconds, (w, s) => Square(w.Zip(θ, (a, b) => a * b).Sum() / s - 1)).Sum();
        return (CalibratedCosts.Names.Zip(θ).Where(c => c.Second > 0).ToDictionary(c => c.First, c => c.Second), error);
    }

    /// <summary>Row i is left out with part i mod <see cref="Folds"/>; the rows are dealt in an order of their own, so theirs in the table changes nothing.</summary>
    private static (double Error, double? RatioError) CrossValidate(IReadOnlyList<MeasuredSpeed> rows, Func<IReadOnlyList<MeasuredSpeed>, ISpeedModel> fit)
    {
        MeasuredSpeed[] dealt = [.. rows.OrderBy(r => r.Shape.Id, StringComparer.Ordinal).ThenBy(r => r.TimeToFirstToken)];
        int folds = Math.Min(Folds, dealt.Length);
        var errors = new List<double>();
        var ratios = new List<double>();
        for (int fold = 0; fold < folds; fold++)
        {
            var model = fit([.. dealt.Where((_, i) => i % folds != fold)]);
            double[] off = [.. dealt.Where((_, i) => i % folds == fold).Select(r => Speed.Predict(model, r.Shape, r.Workload).TokensPerSecond / r.TokensPerSecond)];
            errors.AddRange(off.Select(o => Square(o - 1)));
            ratios.AddRange(from i in Enumerable.Range(0, off.Length) from j in Enumerable.Range(0, i) select Math.Abs(off[i] / off[j] - 1));
        }

        return (Math.Sqrt(errors.Average()), dealt.Length < LeastForRatios ? null : Quantiles.Median(ratios));
    }

    private static double Error(ISpeedModel model, IReadOnlyList<MeasuredSpeed> rows) => Math.Sqrt(rows.Average(r =>
    {
        var predicted = Speed.Predict(model, r.Shape, r.Workload);
        return (Square(predicted.TimeToFirstToken / r.TimeToFirstToken - 1) + Square(predicted.TimePerOutputToken / r.TimePerOutputToken - 1)) / 2;
    }));

    private static double Square(double v) => v * v;
}
