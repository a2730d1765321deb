// The stage `measure`: shapes timed in turn on one machine, so that whatever drifts there drifts for all of them.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Measure;

/// <summary>
/// Times prefill and decode of every shape with random weights. The shapes take turns: a processor that slows down then slows all, and their order stays.
/// </summary>
public sealed class MeasureStage : Stage<MeasureSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "measure",
        Summary = "Measures how fast every shape reads a prompt and writes an answer.",
        Example = """
            speed:
              uses: measure
              needs: shapes
              with:
                workload: { prompt: 128, output: 64, batch: 8 }
            """,
        Inputs = [new InputRole("shapes", "shapes")],
        FanOut = new FanOut("shapes", MeasureTables.Reads, [Vocabulary.Shape.Name]) { Mode = FanOutMode.Batch, Optional = MeasureTables.MayRead },
        Exclusive = true,
        Determinism = Determinism.Statistical,
        Outputs = [new OutputFile("speed.csv", "speed") { Columns = MeasureTables.Speed }],
    };

    /// <inheritdoc/>
    protected override void CheckMachine(StageContext<MeasureSettings> context)
    {
        try
        {
            NativeLibtorch.DemandDevice(context.Settings.Device);
        }
        catch (UnusableInputException e)
        {
            throw new StageFailedException(e.Code, e.Message, e.Hint);
        }
    }

    /// <inheritdoc/>
    protected override void RunBatch(IReadOnlyList<StageContext<MeasureSettings>> rows)
    {
        if (rows.Count == 0)
        {
            return;
        }

        var first = rows[0];
        var settings = first.Settings;
        MeasuredRow[] measured = [.. rows.Select(r => new MeasuredRow(r, ShapeOf(r), WalkOf(r)))];
        try
        {
            if (settings.Engine != Engine.Torch)
            {
                Action measure = new EngineBatch(measured).Measure;
                if (settings.Device == ComputeDevice.Cpu)
                {
                    Measure(first, measure, ComputeDevice.Cpu); // For the processor's peaks; on a GPU, libtorch would only take memory from the engine.
                }
                else
                {
                    measure();
                }

                return;
            }

            CheckOwn(settings);
            Measure(first, new MeasureBatch(measured).Measure, settings.Device);
        }
        catch (UnusableInputException e)
        {
            throw new StageFailedException(e.Code, e.Message, e.Hint);
        }
    }

    private static void Measure(StageContext<MeasureSettings> row, Action measure, ComputeDevice device)
    {
        NativeLibtorch.Load(
            row.NativeFolders, row.CacheFolder, news => row.Warn("SCAL8205", news, $"Nothing need be done; {NativeLibtorch.FixSwitch}=0 forbids it."), device,
            putting => row.Progress(putting.Done, putting.Total, "bytes", putting.News), row.Stop);
        using var threads = NativeLibtorch.Threads(row.Settings.Threads);
        measure();
    }

    /// <summary>What the decoder that is built in cannot do.</summary>
    private static void CheckOwn(MeasureSettings settings)
    {
        if (settings.Command.Count > 0 || settings.TensorParallel > 1)
        {
            throw new StageFailedException(
                "SCAL8617", $"'{(settings.Command.Count > 0 ? "command" : "tensor_parallel")}' is for an inference engine, and 'engine' is torch, the decoder that is built in.",
                "Write 'engine: vllm', 'engine: sglang' or 'engine: llama.cpp', or leave it away.");
        }

        if (settings.DataType == DataType.Fp8)
        {
            throw new StageFailedException(
                "SCAL8102", "data_type: fp8 is not measured: libtorch's products of fp8 numbers need scales that no decoder here has.",
                "Write 'data_type: bfloat16' on a GPU or 'data_type: float32', and ask 'search' for the roofline of fp8.");
        }

        if (settings is { DataType: DataType.Bfloat16, Device: ComputeDevice.Cpu })
        {
            throw new StageFailedException(
                "SCAL8101", "data_type: bfloat16 is not measured on the CPU, where it runs at about 1 GFLOP/s and says nothing of the devices that have it.",
                "Write 'data_type: float32', or 'device: cuda'.");
        }
    }

    private static DecoderShape ShapeOf(StageContext<MeasureSettings> row)
    {
        var shape = DecoderShape.FromCells(row.Row.Count, row.Row.Truth);
        return shape.Flaw is null
            ? shape
            : throw new StageFailedException("SCAL7404", $"Shape '{row.Point}' cannot be built: {shape.Flaw}.", "Take the shapes of a 'sweep', or correct the row.");
    }

    private static int? WalkOf(StageContext<MeasureSettings> row) => row.Row.Text(MeasureTables.WalkFrom).Length == 0 ? null : row.Row.Count(MeasureTables.WalkFrom);
}
