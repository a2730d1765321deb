// The time that a stage has left, told from rows that are done and rows on their way.
using Scaling.Engine.Execution;
using Scaling.Sdk;

namespace Scaling.Engine.Tests.Execution;

public sealed class PaceTests
{
    private readonly Clock _clock = new();

    [Fact]
    public void Nothing_is_known_before_a_row_is_on_its_way()
    {
        var pace = new Pace(4, batch: false, _clock);
        Assert.Null(pace.SecondsLeft);
        pace.Start("p1");
        _clock.Pass(10);
        Assert.Null(pace.SecondsLeft);
    }

    [Fact]
    public void Rows_that_are_done_tell_the_pace()
    {
        var pace = new Pace(10, batch: false, _clock);
        for (int row = 0; row < 4; row++)
        {
            pace.Start($"p{row}");
            _clock.Pass(5);
            pace.End($"p{row}", done: row != 3); // One that fails is over, too.
        }

        Assert.Equal((3, 10), (pace.Done, pace.Wanted));
        Assert.Equal(0.2, pace.Rate!.Value, 6);
        Assert.Equal(30, pace.SecondsLeft!.Value, 6);
    }

    [Fact]
    public void A_row_of_an_hour_tells_how_long_the_stage_takes_before_it_is_done()
    {
        var pace = new Pace(4, batch: false, _clock);
        pace.Start("p1");
        pace.Start("p2");
        Work(pace, "p1", 0, 0.1, 360, "p2");

        // Two side by side, an hour each: two rounds less six minutes.
        Assert.Equal(7200 - 360, pace.SecondsLeft!.Value, 1);
    }

    [Fact]
    public void The_rows_of_a_batch_end_together_and_its_time_is_right_meanwhile()
    {
        var pace = new Pace(3, batch: true, _clock);
        string[] rows = ["p1", "p2", "p3"];
        Array.ForEach(rows, pace.Start);
        Work(pace, "p1", 0, 0.5, 100, "p2", "p3");

        Assert.Equal(0, pace.Done);
        Assert.Equal(100, pace.SecondsLeft!.Value, 1);
    }

    [Fact]
    public void The_rows_of_a_batch_that_come_one_after_the_other_do_too()
    {
        var pace = new Pace(4, batch: true, _clock);
        string[] rows = ["p1", "p2", "p3", "p4"];
        Array.ForEach(rows, pace.Start);
        Work(pace, "p1", 0, 1, 100);
        pace.End("p1", done: true);
        Work(pace, "p2", 0, 0.5, 50);

        Assert.Equal(250, pace.SecondsLeft!.Value, 1);
    }

    [Fact]
    public void A_row_that_goes_on_from_a_checkpoint_is_not_taken_for_a_quick_one()
    {
        var pace = new Pace(1, batch: false, _clock);
        pace.Start("p1");
        Work(pace, "p1", 0.8, 0.81, 60);

        Assert.Equal(60 * 19, pace.SecondsLeft!.Value, 1);
    }

    [Fact]
    public void Another_unit_is_another_part_of_the_work()
    {
        var pace = new Pace(1, batch: false, _clock);
        pace.Start("p1");
        Work(pace, "p1", 0, 1, 10, unit: "bytes");
        Work(pace, "p1", 0, 0.1, 100, unit: "tokens");

        Assert.Equal(900, pace.SecondsLeft!.Value, 1);
    }

    [Fact]
    public void Progress_of_which_the_end_is_not_known_tells_nothing()
    {
        var pace = new Pace(1, batch: false, _clock);
        pace.Start("p1");
        pace.Progress("p1", new StageProgress(5, 0, "rows"));
        _clock.Pass(10);
        pace.Progress("p1", new StageProgress(50, 0, "rows"));

        Assert.Null(pace.SecondsLeft);
    }

    /// <summary>Reports progress in ten steps.</summary>
    private void Work(Pace pace, string row, double from, double to, double seconds, string second = "", string third = "", string unit = "tokens")
    {
        for (int step = 0; step <= 10; step++)
        {
            foreach (string point in new[] { row, second, third }.Where(p => p.Length > 0))
            {
                pace.Progress(point, new StageProgress(1000 * (from + ((to - from) * step / 10)), 1000, unit));
            }

            _clock.Pass(step < 10 ? seconds / 10 : 0);
        }
    }

    private sealed class Clock : TimeProvider
    {
        private long _ticks = TimeSpan.TicksPerHour;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Pass(double seconds) => _ticks += (long)(seconds * TimeSpan.TicksPerSecond);

        public override long GetTimestamp() => _ticks;
    }
}
