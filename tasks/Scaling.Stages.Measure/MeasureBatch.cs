// One batch of rows: all rounds of the rows that stand for themselves, and step by step those of the walks.
using System.Globalization;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Measure;

/// <summary>A row to be measured.</summary>
/// <param name="Context">Where it is published.</param>
/// <param name="Shape">What it asks about.</param>
/// <param name="WalkFrom">The GQA where its walk starts; null where it is measured whatever others show.</param>
internal sealed record MeasuredRow(StageContext<MeasureSettings> Context, DecoderShape Shape, int? WalkFrom);

/// <summary>Measures rows and publishes each as soon as its numbers are there.</summary>
internal sealed class MeasureBatch
{
    private readonly IReadOnlyList<MeasuredRow> _rows;
    private readonly IReadOnlyList<GqaWalk> _walks;
    private readonly MeasureSettings _settings;
    private readonly Workload _workload;
    private readonly HashSet<MeasuredRow> _open;
    private readonly Dictionary<DecoderShape, (WorkloadTiming Timing, long? PeakMemory)> _decoders = [];

    /// <summary>A batch.</summary>
    /// <param name="rows">At least one, all with the same settings.</param>
    /// <exception cref="StageFailedException">SCAL8105: a walk starts nowhere.</exception>
    public MeasureBatch(IReadOnlyList<MeasuredRow> rows)
    {
        _rows = rows;
        _open = [.. rows];
        _walks = GqaWalk.Of(rows.Select(r => (r.Shape, r.WalkFrom)));
        _settings = rows[0].Context.Settings;
        var asked = _settings.Workload;
        _workload = new Workload(asked.Prompt, asked.Output, asked.Batch) { Weights = _settings.DataType, KvCache = _settings.DataType };
    }

    /// <summary>Through which the batch speaks: a row that is not published yet.</summary>
    private StageContext<MeasureSettings> Open => _open.First().Context;

    /// <summary>Measures. libtorch is loaded and has its threads.</summary>
    public void Measure()
    {
        DecoderShape[] shapes = [.. _rows.Select(r => r.Shape), .. _walks.Select(w => w.Reference)];
        long available = Machine.AvailableMemory(_settings.Device);
        Machine.DemandMemory(shapes, _workload, _settings.Device, available);
        var machine = Machine.Of(_settings.Device, _settings.DataType, available);
        var anchor = AnchorShape.Of(_settings.Device, s => Machine.Fits(s, _workload, available));
        using var memory = new WorkloadMemory([.. shapes, anchor], _workload, _settings.Device);
        try
        {
            MeasureInSteps(machine, anchor, memory);
        }
        finally
        {
            foreach (var (timing, _) in _decoders.Values)
            {
                timing.Dispose();
            }
        }
    }

    /// <summary>First everything that does not depend on what others show, with the first step of every walk; then the walks that go on, side by side.</summary>
    private void MeasureInSteps(Machine machine, DecoderShape anchor, WorkloadMemory memory)
    {
        void Publish(Func<MeasuredRow, bool> which, Func<DecoderShape, MeasuredShape?> found)
        {
            foreach (var row in _open.Where(which).ToList())
            {
                MeasureTables.Of(row.Context, row.Shape, _workload, machine, version: null, found(row.Shape)).Write(row.Context.Output("speed.csv"));
                row.Context.Publish();
                _open.Remove(row);
            }
        }

        bool Stands(DecoderShape shape) => _rows.Any(r => r.WalkFrom is null && r.Shape == shape);
        var walks = _walks.ToList();
        for (int step = 0; step == 0 || walks.Count > 0; step++)
        {
            DecoderShape[] asked = [.. step == 0 ? _rows.Select(r => r.Shape).Where(Stands) : [], .. walks.Select(w => w.Reference), .. walks.SelectMany(w => w.Steps.Skip(step).Take(1))];
            var rounds = Take([.. asked.Append(anchor).Distinct()], memory);
            MeasuredShape Found(DecoderShape s)
            {
                var speed = rounds.Rounds.Of(s, anchor);
                return new MeasuredShape(speed.TokensPerSecond, _decoders[s].PeakMemory, rounds.Warmup, _settings.Repeats)
                {
                    TimeToFirstToken = speed.TimeToFirstToken, TimePerOutputToken = speed.TimePerOutputToken, Anchor = anchor, Relative = speed.Relative,
                };
            }

            Publish(r => asked.Contains(r.Shape), Found);
            foreach (var walk in walks.Where(w => w.Steps.Count > step && rounds.Rounds.Relative(w.Steps[step], w.Reference).High < 1).ToList())
            {
                string news = string.Create(CultureInfo.InvariantCulture, $"GQA {walk.Steps[step].Gqa} is slower than GQA {walk.Reference.Gqa}: the walk ends");
                bool Beyond(MeasuredRow r) => r.WalkFrom is not null && walk.Steps.Skip(step + 1).Contains(r.Shape);
                foreach (var row in _open.Where(Beyond))
                {
                    row.Context.Progress(0, 0, "runs", news);
                }

                Publish(Beyond, _ => null);
                walks.Remove(walk);
            }

            walks.RemoveAll(w => w.Steps.Count <= step + 1);
        }

        Publish(_ => true, _ => null); // Of lower GQA than their walk starts from.
    }

    private SettledRounds Take(IReadOnlyList<DecoderShape> shapes, WorkloadMemory memory)
    {
        foreach (var shape in shapes.Where(s => !_decoders.ContainsKey(s)))
        {
            Open.Stop.ThrowIfCancellationRequested();
            var timing = new WorkloadTiming(shape, memory);
            _decoders.Add(shape, (timing, null));
            _decoders[shape] = (timing, timing.PeakMemory(Open.Stop));
        }

        var rounds = SettledRounds.Take(_workload, _settings.Warmup, _settings.Repeats, (round, all) => Round(shapes, round, all));
        if (rounds.Drift)
        {
            Open.Warn(
                "SCAL8103", $"The machine's speed still drifts after {rounds.Warmup} warm-up runs of every shape: times of these rows are those of the last {_settings.Repeats} runs, ratios between shapes are safer.",
                "End what else runs on the machine, or raise 'warmup' and 'repeats'.");
        }

        return rounds;
    }

    private Dictionary<DecoderShape, WorkloadTime> Round(IReadOnlyList<DecoderShape> shapes, int round, int all)
    {
        var times = new Dictionary<DecoderShape, WorkloadTime>();
        foreach (var shape in SettledRounds.Order(shapes, round))
        {
            Open.Stop.ThrowIfCancellationRequested();
            times.Add(shape, _decoders[shape].Timing.Run(Open.Stop));
            foreach (var row in _rows.Where(r => r.Shape == shape))
            {
                row.Context.Progress(round + 1, all, "runs");
            }
        }

        return times;
    }
}
