// How fast a candidate serves: a device by its data sheet or by the user's figures, or calibrated on measured rows, and the workload that it is asked about.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>What predicts speed.</summary>
/// <param name="Machine">The device.</param>
/// <param name="Workload">What is served.</param>
/// <param name="PeakFlops">Of the device, FLOP/s: by its data sheet, else the most that measured rows tell; null where neither does.</param>
/// <param name="Measured">Rows that are believed before the model, by shape; empty unless the candidates were given.</param>
internal sealed record SpeedModel(DeviceModel Machine, Workload Workload, double? PeakFlops, IReadOnlyDictionary<DecoderShape, SpeedRow> Measured)
{
    /// <summary>The measured rows miss the fitted roofline by more than this, root mean square: then the ranking by speed is doubtful.</summary>
    private const double DoubtfulError = 0.25;

    private const double TwoSided95 = 1.959964;

    /// <summary>What serving a shape takes: measured where it was, else predicted.</summary>
    public Serving Of(DecoderShape shape)
    {
        if (Measured.TryGetValue(shape, out var row))
        {
            var (_, workload, first, each) = row.Measured;
            return new Serving(Speed.Of(shape, workload, first, each) with { TokensPerSecond = row.TokensPerSecond }, true, row.Interval, "measured");
        }

        var speed = At(shape, Workload);
        double rate = (speed ?? Predict(shape, Workload.Of(1))).TokensPerSecond;
        double? error = Machine.HeldOutError * TwoSided95;
        return new Serving(
            speed ?? Predict(shape, Workload.Of(1)), speed is not null,
            error is { } e ? new Bounds(rate * Math.Max(0, 1 - e), rate * (1 + e)) : null, Machine.Source);
    }

    /// <summary>Predicted speed at any workload, in the batch that fits; null where not one sequence does.</summary>
    public Speed? At(DecoderShape shape, Workload workload) =>
        ServingMemory.LargestBatch(shape, workload, Machine.MemoryBytes) is >= 1 and var batch ? Predict(shape, workload.Of(batch)) : null;

    private Speed Predict(DecoderShape shape, Workload workload) => Speed.Predict(Machine.Model, shape, workload);

    /// <summary>The model that settings and measured rows ask for.</summary>
    /// <param name="context">Settings, and where warnings go.</param>
    /// <param name="rows">Of speed.csv.</param>
    /// <param name="believeRows">A shape that was measured under the workload has its measured speed.</param>
    /// <exception cref="StageFailedException">Neither says enough, or the rows differ in what must be one.</exception>
    public static SpeedModel Of(StageContext<SearchSettings> context, SpeedRows rows, bool believeRows)
    {
        var (settings, all) = (context.Settings, rows.Rows);
        var named = Named(settings);
        var own = named is null ? all : [.. all.Where(r => r.Device == named.Name)];
        var workload = WorkloadOf(settings.Workload, all);
        if (own.Count == 0)
        {
            WarnOfFreeLink(context, workload, named?.LinkBytesPerSecond is not null);
            return named is null
                ? throw new StageFailedException(
                    "SCAL7303", "There is nothing to predict speed from: no measured rows and no 'device'.",
                    $"Add a 'measure' stage to 'needs:', or set 'device' to one of {Devices()}, or describe 'own_device'.")
                : new SpeedModel(DeviceModel.Of(named), workload, named.FlopsPerSecond, new Dictionary<DecoderShape, SpeedRow>());
        }

        var fit = SpeedCalibration.Fit([.. own.Select(r => r.Measured)]);
        if (fit.FitError > DoubtfulError)
        {
            context.Warn(
                "SCAL7315", $"The calibrated model misses the {own.Count} measured rows by {fit.FitError:0%} (root mean square).",
                "Measure with more repeats on a quiet machine, or read the ranking by speed with care.");
        }

        WarnOfFreeLink(context, workload, own.Any(r => r.Measured.Workload.TensorParallel == workload.TensorParallel));
        string device = SpeedRows.One(own, r => r.Device, "device", "device");
        return new SpeedModel(
            fit.ToDevice(device, named?.MemoryBytes), workload, named?.FlopsPerSecond ?? own.Max(r => r.PeakFlops),
            believeRows ? own.Where(r => r.Measured.Workload == workload).DistinctBy(r => r.Measured.Shape).ToDictionary(r => r.Measured.Shape) : []);
    }

    /// <summary>The device of the settings; null where they name none.</summary>
    private static Device? Named(SearchSettings settings)
    {
        if (settings is { Device: not null, OwnDevice: not null })
        {
            throw new StageFailedException(
                "SCAL7324", $"'device' is '{settings.Device}' and 'own_device' describes '{settings.OwnDevice.Name}'; one device serves.", "Remove one of them.");
        }

        return settings.OwnDevice?.ToDevice() ?? (settings.Device is not { } name ? null : Device.Named(name) ?? throw new StageFailedException(
            "SCAL7314", $"There is no device '{name}'. Expected one of {Devices()}.", NearestSpelling.Hint(name, Device.All.Select(d => d.Name)) ?? "Describe it under 'own_device'."));
    }

    private static void WarnOfFreeLink(StageContext<SearchSettings> context, Workload workload, bool known)
    {
        if (workload.TensorParallel > 1 && !known)
        {
            context.Warn(
                "SCAL7329", $"{workload.TensorParallel} devices share every layer, and nothing tells what they need to send to each other: it is taken as nothing.",
                "Describe 'own_device' with 'link_bytes_per_second', or measure with tensor parallelism.");
        }
    }

    private static string Devices() => string.Join(", ", Device.All.Select(d => d.Name));

    private static Workload WorkloadOf(WorkloadSettings? settings, IReadOnlyList<SpeedRow> rows)
    {
        if (settings is null && rows.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7303", "There is no workload to predict speed for: no measured rows and no 'workload'.",
                "Add a 'measure' stage to 'needs:', or set 'workload: { prompt: 4096, output: 1024, batch: 32 }'.");
        }

        T Of<T>(T? setting, Func<Workload, T> measured, string what, T usual)
            where T : struct => setting ?? (rows.Count == 0 ? usual : SpeedRows.One(rows, r => measured(r.Measured.Workload), what, "workload"));
        return new Workload(
            Of(settings?.Prompt, w => w.Prompt, "prompt", 1),
            Of(settings?.Output, w => w.Output, "output", 1),
            Of(settings?.Batch, w => w.Batch, "batch", 1))
        {
            Weights = Of(settings?.Weights, w => w.Weights, "weights", DataType.Bfloat16),
            KvCache = Of(settings?.KvCache, w => w.KvCache, "KV cache", DataType.Bfloat16),
            TensorParallel = Of(settings?.TensorParallel, w => w.TensorParallel, "tensor-parallel degree", 1),
        };
    }
}
