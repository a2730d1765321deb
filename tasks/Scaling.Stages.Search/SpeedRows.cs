// Measured rows: what `measure` wrote, as far as a search reads it.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>A row of speed.csv.</summary>
/// <param name="Measured">Its shape, workload and times.</param>
/// <param name="Device">Its name.</param>
/// <param name="TokensPerSecond">Output tokens of the batch, as measured.</param>
/// <param name="Interval">95 % of it.</param>
/// <param name="PeakFlops">Of the machine, FLOP/s; null where the table does not say.</param>
internal sealed record SpeedRow(MeasuredSpeed Measured, string Device, double TokensPerSecond, Bounds Interval, double? PeakFlops)
{
    /// <summary>The anchor that it was timed beside; null for none.</summary>
    public string? Anchor { get; init; }

    /// <summary>Tokens a second over the anchor's; null without one.</summary>
    public double? Relative { get; init; }

    /// <summary>The row as if its anchor had been as fast as it was on average: its ratio to the anchor stays, and what the machine did at its time goes.</summary>
    /// <param name="level">Tokens a second of the anchor.</param>
    public SpeedRow At(double level)
    {
        double factor = Relative!.Value * level / TokensPerSecond;
        return this with
        {
            TokensPerSecond = TokensPerSecond * factor,
            Interval = new Bounds(Interval.Low * factor, Interval.High * factor),
            Measured = Measured with { TimeToFirstToken = Measured.TimeToFirstToken / factor, TimePerOutputToken = Measured.TimePerOutputToken / factor },
        };
    }
}

/// <summary>The rows of speed.csv; none where the role is not bound.</summary>
/// <param name="Rows">That were measured.</param>
/// <param name="Skipped">Shapes that a walk over GQA did not reach.</param>
internal sealed record SpeedRows(IReadOnlyList<SpeedRow> Rows, IReadOnlySet<DecoderShape> Skipped)
{
    /// <summary>Reads the table.</summary>
    /// <exception cref="StageFailedException">A column is missing or holds no number, or a time is not positive.</exception>
    public static SpeedRows Read(string? path)
    {
        if (path is null)
        {
            return new([], new HashSet<DecoderShape>());
        }

        var table = Table.Read(path);
        var skipped = table.Each().ToLookup(row => table.Has("source") && row.Text("source") == "skipped");
        return new(AtOneLevel([.. skipped[false].Select(row => Of(table, row))]), skipped[true].Select(ShapeOf).ToHashSet());
    }

    /// <summary>
    /// Rows come from several batches where some were in the store already, and from the steps of a walk; from one to the next a machine may be a tenth faster. What may be compared is their
    /// ratio to the anchor: rows that share device, workload and anchor are told at the median of its speeds.
    /// </summary>
    private static IReadOnlyList<SpeedRow> AtOneLevel(IReadOnlyList<SpeedRow> rows)
    {
        var levels = rows.Where(r => r.Relative is > 0).GroupBy(LevelOf).ToDictionary(g => g.Key, g => Quantiles.Median(g.Select(r => r.TokensPerSecond / r.Relative!.Value)));
        return [.. rows.Select(r => r.Relative is > 0 ? r.At(levels[LevelOf(r)]) : r)];
    }

    private static (string Device, Workload Workload, string? Anchor) LevelOf(SpeedRow row) => (row.Device, row.Measured.Workload, row.Anchor);

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

    private static SpeedRow Of(Table table, Row row)
    {
        var shape = ShapeOf(row);
        DataType Type(string column, Func<double> bytes) =>
            table.Has(column) && Enum.TryParse<DataType>(row.Text(column), ignoreCase: true, out var type) ? type : TypeOf(bytes());
        var workload = new Workload(Tokens(row, "prompt"), Tokens(row, "output"), (int)Within(row, "batch", 1, 1e9, "sequences"))
        {
            Weights = Type("data_type", () => Within(row, "weight_bytes", 1, 1e18, "bytes") / shape.ParametersTotal),
            KvCache = Type("kv_data_type", () => Within(row, "kv_bytes_per_token", 1, 1e18, "bytes") / shape.KvElementsPerToken),
            TensorParallel = table.Has("tensor_parallel") ? (int)Within(row, "tensor_parallel", 1, 1e6, "devices") : 1,
        };
        var measured = new MeasuredSpeed(shape, workload, Time(row, "time_to_first_token"), Time(row, "time_per_output_token"));
        return new SpeedRow(
            measured, row.Text("device"), Rate(row, "tokens_per_second"), new Bounds(Rate(row, "tokens_per_second_low"), Rate(row, "tokens_per_second_high")),
            table.Has("peak_flops") && row.Text("peak_flops").Length > 0 ? Within(row, "peak_flops", 1, 1e24, "FLOP/s") : null)
        {
            Anchor = table.Has("anchor") && row.Text("anchor").Length > 0 ? row.Text("anchor") : null,
            Relative = table.Has("relative_speed") && row.Text("relative_speed").Length > 0 ? Within(row, "relative_speed", 1e-9, 1e9, "times the anchor's speed") : null,
        };
    }

    private static DecoderShape ShapeOf(Row row)
    {
        var shape = DecoderShape.FromCells(row.Count, row.Truth);
        return shape.Flaw is not { } flaw
            ? shape
            : throw new StageFailedException("SCAL7404", $"The measured shape '{row.Text(Vocabulary.Shape.Name)}' cannot be built: {flaw}.", "Measure the shapes of a 'sweep'.");
    }

    private static DataType TypeOf(double bytes) => bytes > 3 ? DataType.Float32 : bytes > 1.5 ? DataType.Bfloat16 : DataType.Fp8;

    private static int Tokens(Row row, string column) => (int)Within(row, column, 1, 1e9, "tokens");

    private static double Rate(Row row, string column) => Within(row, column, 1e-9, 1e15, "tokens a second");

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
