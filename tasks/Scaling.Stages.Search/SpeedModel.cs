// How fast a candidate serves: a roofline from a data sheet, or calibrated on measured rows, and the workload that it is asked about.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>What predicts speed.</summary>
internal sealed record SpeedModel(DeviceModel Machine, Workload Workload)
{
    /// <summary>The measured rows miss the fitted roofline by more than this, root mean square: then the ranking by speed is doubtful.</summary>
    private const double DoubtfulError = 0.25;

    /// <summary>Predicted speed of a shape.</summary>
    public Speed Predict(DecoderShape shape) => Speed.Predict(Machine.Model, shape, Workload);

    /// <summary>The model that settings and measured rows ask for.</summary>
    /// <exception cref="StageFailedException">Neither says enough, or the rows differ in what must be one.</exception>
    public static SpeedModel Of(StageContext<SearchSettings> context, SpeedRows rows)
    {
        var (settings, all) = (context.Settings, rows.Rows);
        var named = settings.Device is { } name ? Named(name) : null;
        var own = named is null ? all : [.. all.Where(r => r.Device == named.Name)];
        var workload = WorkloadOf(settings.Workload, all);
        if (own.Count == 0)
        {
            return named is null
                ? throw new StageFailedException(
                    "SCAL7303", "There is nothing to predict speed from: no measured rows and no 'device'.",
                    $"Add a 'measure' stage to 'needs:', or set 'device' to one of {Devices()}.")
                : new SpeedModel(DeviceModel.Of(named), workload);
        }

        var fit = SpeedCalibration.Fit([.. own.Select(r => r.Measured)]);
        if (fit.FitError > DoubtfulError)
        {
            context.Warn(
                "SCAL7315", $"The calibrated roofline misses the {own.Count} measured rows by {fit.FitError:0%} (root mean square).",
                "Measure with more repeats on a quiet machine, or read the ranking by speed with care.");
        }

        return new SpeedModel(fit.ToDevice(SpeedRows.One(own, r => r.Device, "device", "device"), named?.MemoryBytes), workload);
    }

    private static Device Named(string name) => Device.Named(name) ?? throw new StageFailedException(
        "SCAL7314", $"There is no device '{name}'. Expected one of {Devices()}.", NearestSpelling.Hint(name, Device.All.Select(d => d.Name)));

    private static string Devices() => string.Join(", ", Device.All.Select(d => d.Name));

    private static Workload WorkloadOf(WorkloadSettings? settings, IReadOnlyList<SpeedRow> rows)
    {
        if (settings is null && rows.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7303", "There is no workload to predict speed for: no measured rows and no 'workload'.",
                "Add a 'measure' stage to 'needs:', or set 'workload: { prompt: 4096, output: 1024, batch: 32 }'.");
        }

        DataType TypeOf(DataType? setting, Func<Workload, DataType> measured, string what) =>
            setting ?? (rows.Count == 0 ? DataType.Bfloat16 : SpeedRows.One(rows, r => measured(r.Measured.Workload), what, "workload"));
        int Of(int? setting, Func<Workload, int> measured, string what) =>
            setting ?? SpeedRows.One(rows, r => measured(r.Measured.Workload), what, "workload");
        return new Workload(
            Of(settings?.Prompt, w => w.Prompt, "prompt"),
            Of(settings?.Output, w => w.Output, "output"),
            Of(settings?.Batch, w => w.Batch, "batch"))
        {
            Weights = TypeOf(settings?.Weights, w => w.Weights, "weights"),
            KvCache = TypeOf(settings?.KvCache, w => w.KvCache, "KV cache"),
        };
    }
}

/// <summary>A row of speed.csv.</summary>
internal sealed record SpeedRow(MeasuredSpeed Measured, string Device);

/// <summary>The rows of speed.csv; none where the role is not bound.</summary>
internal sealed record SpeedRows(IReadOnlyList<SpeedRow> Rows)
{
    /// <summary>Reads the table. Rows that a walk over GQA did not reach have no speed and are left out.</summary>
    /// <exception cref="StageFailedException">A column is missing or holds no number, or a time is not positive.</exception>
    public static SpeedRows Read(string? path)
    {
        var table = path is null ? null : Table.Read(path);
        return new(table is null ? [] : [.. table.Each().Where(r => !table.Has("source") || r.Text("source") != "skipped").Select(Of)]);
    }

    /// <summary>The greatest number that divides every measured hidden and intermediate size; 128, what GPU kernels like, without rows.</summary>
    public int CommonMultiple() => Rows.Count == 0
        ? 128
        : Rows.SelectMany(r => new[] { r.Measured.Shape.Hidden, r.Measured.Shape.Intermediate }).Aggregate(GreatestDivisor);

    /// <summary>The one value that all rows share.</summary>
    /// <exception cref="StageFailedException">SCAL7316: they differ.</exception>
    public static T One<T>(IReadOnlyList<SpeedRow> rows, Func<SpeedRow, T> value, string what, string setting)
    {
        T[] values = [.. rows.Select(value).Distinct()];
        return values is [var one]
            ? one
            : throw new StageFailedException(
                "SCAL7316", $"The measured rows differ in {what}: {string.Join(", ", values.Select(v => Table.Cell(v)))}.", $"Set '{setting}' to say which is meant.");
    }

    private static SpeedRow Of(Row row)
    {
        var shape = DecoderShape.FromCells(row.Count, row.Truth);
        if (shape.Flaw is { } flaw)
        {
            throw new StageFailedException("SCAL7404", $"The measured shape '{row.Text(Vocabulary.Shape.Name)}' cannot be built: {flaw}.", "Measure the shapes of a 'sweep'.");
        }

        var workload = new Workload(row.Count("prompt"), row.Count("output"), row.Count("batch"))
        {
            Weights = TypeOf(Within(row, "weight_bytes", 1, 1e18, "bytes") / shape.ParametersTotal),
            KvCache = TypeOf(Within(row, "kv_bytes_per_token", 1, 1e18, "bytes") / shape.KvElementsPerToken),
        };
        return new SpeedRow(
            new MeasuredSpeed(shape, workload, Time(row, "time_to_first_token"), Time(row, "time_per_output_token")), row.Text("device"));
    }

    private static DataType TypeOf(double bytes) => bytes > 3 ? DataType.Float32 : bytes > 1.5 ? DataType.Bfloat16 : DataType.Fp8;

    private static double Time(Row row, string column) => Within(row, column, 1e-9, 1e9, "seconds");

    private static double Within(Row row, string column, double least, double most, string unit)
    {
        double number = row.Number(column);
        return number >= least && number <= most
            ? number
            : throw new StageFailedException(
                "SCAL7317", $"Column '{column}' of the measured rows holds '{row.Text(column)}'. Expected {unit} from {Table.Cell(least)} to {Table.Cell(most)}.", "Measure again.");
    }

    private static int GreatestDivisor(int a, int b)
    {
        while (b != 0)
        {
            (a, b) = (b, a % b);
        }

        return a;
    }
}
