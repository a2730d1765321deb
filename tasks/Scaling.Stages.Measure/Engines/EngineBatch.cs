// One batch of rows on an engine: measured in turn, each published with what its calls told.
using Scaling.Architectures;
using Scaling.Sdk;
using ComputeDevice = Scaling.Torch.ComputeDevice;

namespace Scaling.Stages.Measure;

/// <summary>Measures rows on the engine of the settings. Rows that fail are told when the others are published.</summary>
internal sealed class EngineBatch
{
    private readonly IReadOnlyList<MeasuredRow> _rows;
    private readonly MeasureSettings _settings;
    private readonly EngineRun _run;
    private readonly Workload _workload;

    /// <summary>A batch.</summary>
    /// <param name="rows">At least one, all with the same settings.</param>
    /// <exception cref="StageFailedException">SCAL8611, SCAL8612: the engine's program is not known or not there.</exception>
    public EngineBatch(IReadOnlyList<MeasuredRow> rows)
    {
        _rows = rows;
        _settings = rows[0].Context.Settings;
        _run = EngineRun.Of(_settings.Engine, _settings.Command);
        var asked = _settings.Workload;
        _workload = _run.Benchmark.Served(new Workload(asked.Prompt, asked.Output, asked.Batch)
        {
            Weights = _settings.DataType, KvCache = _settings.DataType, TensorParallel = _settings.TensorParallel,
        });
    }

    /// <summary>Measures. On a processor, libtorch is loaded for its peaks.</summary>
    /// <exception cref="StageFailedException">SCAL8612 to SCAL8616, all rows' together.</exception>
    public void Measure()
    {
        var machine = Machine.OfEngine(_settings.Device, _settings.DataType);
        var measured = EngineRounds.Measure([.. _rows.Select(r => (r.Context, Call(r)))], _run.Measure);
        var failures = new List<Diagnostic>();
        foreach (var (row, found) in _rows.Zip(measured))
        {
            if (found.Failure is { } failure)
            {
                failures.AddRange(failure.Diagnostics);
                continue;
            }

            var result = EngineResult.Of(_settings.Engine, _workload, found.Calls);
            var shape = new MeasuredShape(result.OutputTokensPerSecond, null, EngineRounds.Rounds * _settings.Warmup, result.Samples.Count)
            {
                TimeToFirstToken = result.TimeToFirstToken, TimePerOutputToken = result.TimePerOutputToken,
            };
            MeasureTables.Of(row.Context, row.Shape, _workload, machine, result.Version, shape).Write(row.Context.Output("speed.csv"));
            row.Context.Publish();
        }

        if (failures.Count > 0)
        {
            throw new StageFailedException(failures);
        }
    }

    private EngineCall Call(MeasuredRow row) => new(
        row.Shape, _workload, _settings.Repeats, _settings.Warmup, _settings.Threads, _settings.Device == ComputeDevice.Cuda, Path.Combine(row.Context.WorkFolder, "engine"));
}
