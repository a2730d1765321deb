// How fast a stage goes and how long it will take, from the rows that are done and from those on their way.
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>
/// A row on its way counts as the share of its time that is over: so much of it as it took, of that and what it will still take at the pace of its present unit. So a
/// stage whose rows take hours, or end together, tells how long before the first has ended, and a row that goes on from a checkpoint is not taken for a quick one.
/// </summary>
/// <param name="wanted">Rows to execute.</param>
/// <param name="batch">Whether its rows begin together and one may wait for another.</param>
/// <param name="time">The clock.</param>
public sealed class Pace(int wanted, bool batch, TimeProvider time)
{
    private readonly Dictionary<string, Row> _running = [];
    private long? _began;
    private int _ended;

    /// <summary>Rows to execute.</summary>
    public int Wanted => wanted;

    /// <summary>Rows that are done.</summary>
    public int Done { get; private set; }

    /// <summary>Rows a second, those on their way by their shares; null where nothing is known yet.</summary>
    public double? Rate => _began is { } began && DoneAndShares is > 0 and var rows && time.GetElapsedTime(began).TotalSeconds is > 0 and var seconds ? rows / seconds : null;

    /// <summary>What is left, in seconds; null where nothing is known yet.</summary>
    public double? SecondsLeft => Rate is { } rate ? Math.Max(0, wanted - DoneAndShares) / rate : null;

    private double DoneAndShares => _ended + _running.Values.Sum(r => r.Share);

    /// <summary>A row begins, perhaps once more.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    public void Start(string point)
    {
        _began ??= time.GetTimestamp();
        _running[point] = new Row(time, batch ? null : time.GetTimestamp());
    }

    /// <summary>A row is on its way.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    /// <param name="progress">How far.</param>
    public void Progress(string point, StageProgress progress)
    {
        if (progress.Total > 0 && _running.TryGetValue(point, out var row))
        {
            row.Progress(progress);
        }
    }

    /// <summary>A row has ended.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    /// <param name="done">False where it failed.</param>
    public void End(string point, bool done)
    {
        _running.Remove(point);
        _ended++;
        Done += done ? 1 : 0;
    }

    private sealed class Row(TimeProvider time, long? began)
    {
        private long? _began = began;
        private string? _unit;
        private long _unitBegan;
        private double _atUnitBegin;

        /// <summary>The share of its time that is over, from 0 to 1.</summary>
        public double Share { get; private set; }

        public void Progress(StageProgress progress)
        {
            long now = time.GetTimestamp();
            double done = Math.Clamp(progress.Done / progress.Total, 0, 1);
            _began ??= now;
            if (_unit != progress.Unit || done < _atUnitBegin)
            {
                (_unit, _unitBegan, _atUnitBegin) = (progress.Unit, now, done); // Another part of its work: what that takes is not known yet.
                return;
            }

            double inUnit = time.GetElapsedTime(_unitBegan, now).TotalSeconds;
            if (done > _atUnitBegin && inUnit > 0)
            {
                double over = time.GetElapsedTime(_began.Value, now).TotalSeconds;
                double left = inUnit * (1 - done) / (done - _atUnitBegin);
                Share = over / (over + left);
            }
        }
    }
}
