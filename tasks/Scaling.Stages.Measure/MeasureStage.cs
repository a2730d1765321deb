// The stage `measure`: shapes timed in turn on one machine, so that whatever drifts there drifts for all of them.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Measure;

/// <summary>
/// Times prefill and decode of every shape with random weights. The shapes take turns, A B C A B C: a processor that slows down then slows all, and their order stays.
/// </summary>
public sealed class MeasureStage : Stage<MeasureSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "measure",
        Summary = "Measures how fast every shape reads a prompt and writes an answer.",
        Inputs = [new InputRole("shapes", "shapes")],
        FanOut = new FanOut("shapes", MeasureTables.Reads, [Vocabulary.Shape.Name]) { Mode = FanOutMode.Batch, Optional = MeasureTables.MayRead },
        Exclusive = true,
        Determinism = Determinism.Statistical,
        Outputs = [new OutputFile("speed.csv", "speed") { Columns = MeasureTables.Speed }],
    };

    /// <inheritdoc/>
    protected override void RunBatch(IReadOnlyList<StageContext<MeasureSettings>> rows)
    {
        var first = rows[0];
        if (first.Settings.DataType != DataType.Float32)
        {
            throw new StageFailedException(
                "SCAL8101", "data_type: bfloat16 is not measured on the CPU, where it runs at about 1 GFLOP/s and says nothing of the devices that have it.",
                "Write 'data_type: float32'.");
        }

        DecoderShape[] shapes = [.. rows.Select(ShapeOf)];
        try
        {
            NativeLibtorch.Load(first.NativeFolders, first.CacheFolder, news => first.Warn("SCAL8205", news, $"Nothing need be done; {NativeLibtorch.FixSwitch}=0 forbids it."));
        }
        catch (UnusableInputException e)
        {
            throw new StageFailedException(e.Code, e.Message, e.Hint);
        }

        using var threads = NativeLibtorch.Threads(first.Settings.Threads);
        Measure(rows, shapes);
    }

    private static void Measure(IReadOnlyList<StageContext<MeasureSettings>> rows, DecoderShape[] shapes)
    {
        var settings = rows[0].Settings;
        var workload = new Workload(settings.Workload.Prompt, settings.Workload.Output, settings.Workload.Batch) { Weights = DataType.Float32, KvCache = DataType.Float32 };
        var decoders = new List<WorkloadTiming>();
        try
        {
            decoders.AddRange(shapes.Select(s => new WorkloadTiming(s, workload)));
            var times = TakeTurns(rows, decoders);
            for (int i = 0; i < rows.Count; i++)
            {
                Write(rows[i], shapes[i], workload, times[i]);
                rows[i].Publish();
            }
        }
        finally
        {
            decoders.ForEach(d => d.Dispose());
        }
    }

    private static DecoderShape ShapeOf(StageContext<MeasureSettings> row)
    {
        var shape = DecoderShape.FromCells(row.Row.Count, row.Row.Truth);
        return shape.Flaw is null
            ? shape
            : throw new StageFailedException("SCAL7404", $"Shape '{row.Point}' cannot be built: {shape.Flaw}.", "Take the shapes of a 'sweep', or correct the row.");
    }

    /// <summary>Every shape once, then every shape again; the first rounds warm up.</summary>
    private static List<WorkloadTime>[] TakeTurns(IReadOnlyList<StageContext<MeasureSettings>> rows, List<WorkloadTiming> decoders)
    {
        var settings = rows[0].Settings;
        int rounds = settings.Warmup + settings.Repeats;
        List<WorkloadTime>[] times = [.. decoders.Select(_ => new List<WorkloadTime>())];
        for (int round = 0; round < rounds; round++)
        {
            for (int i = 0; i < decoders.Count; i++)
            {
                rows[i].Stop.ThrowIfCancellationRequested();
                var time = decoders[i].Run();
                if (round >= settings.Warmup)
                {
                    times[i].Add(time);
                }

                rows[i].Progress(round + 1, rounds, "runs");
            }
        }

        return times;
    }

    private static void Write(StageContext<MeasureSettings> row, DecoderShape shape, Workload workload, List<WorkloadTime> times)
    {
        int written = workload.Batch * workload.Output;
        var rate = Median.Of([.. times.Select(t => written / (t.TimeToFirstToken + t.DecodeSeconds))]);
        var table = new TableBuilder(MeasureTables.Speed);
        table.Add(
        [
            .. shape.Cells(), workload.Prompt, workload.Output, workload.Batch, row.Settings.Threads, "float32", "cpu",
            Median.Of([.. times.Select(t => t.TimeToFirstToken)]).Value,
            Median.Of([.. times.Select(t => t.DecodeSeconds / (workload.Output - 1))]).Value,
            rate.Value, rate.Low, rate.High,
            InferenceCost.KvBytesPerToken(shape, workload.KvCache.Bytes()), shape.ParametersTotal * workload.Weights.Bytes(), times.Count, "measured",
            row.Row.Text(Vocabulary.Baseline.Name),
        ]);
        table.Build().Write(row.Output("speed.csv"));
    }
}
