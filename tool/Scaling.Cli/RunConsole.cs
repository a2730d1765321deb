// A run as a person reads it: plain lines, and on a terminal one line that moves.
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Writes to standard error. Off a terminal a line of progress comes every ten seconds at most.</summary>
internal sealed class RunConsole(TextWriter writer, bool isTerminal, TimeProvider time) : IRunObserver
{
    private const int Width = 79;
    private const int LogLines = 8;
    private const int LongestLogLine = 1000;
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(200);
    private readonly Lock _writing = new();
    private readonly Dictionary<string, Counting> _stages = [];
    private long _lastProgress;
    private int _drawn;

    public void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons)
    {
        lock (_writing)
        {
            _stages[stage.Id] = new Counting(actions - cached, time.GetTimestamp());
            if (cached < actions)
            {
                string some = actions == 1 ? "1 action" : $"{actions} actions, {cached} cached, {actions - cached} to run";
                Line($"{Name(stage)}{some}: {string.Join("; ", reasons)}");
            }
        }
    }

    public void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages)
    {
        lock (_writing)
        {
            Line($"{Name(stage)}fetching {string.Join(" and ", packages)}, native libraries that it computes with");
        }
    }

    public void Preparing(StageNode stage)
    {
        lock (_writing)
        {
            Line($"{Name(stage)}preparing what its rows share");
        }
    }

    public void Progressed(StageNode stage, string? point, StageProgress progress)
    {
        lock (_writing)
        {
            Draw(stage, point, progress);
        }
    }

    public void Waiting(StageNode stage, string? point, string reason)
    {
        lock (_writing)
        {
            Line($"{Name(stage)}{(point is null ? "" : point + ": ")}{reason}");
        }
    }

    public void Done(StageNode stage, string? point, bool executed, double seconds)
    {
        lock (_writing)
        {
            _stages[stage.Id].Done++;
            Draw(stage, point, null);
        }
    }

    public void Failed(StageNode stage, Failure failure)
    {
        lock (_writing)
        {
            Line($"{Name(stage)}{(failure.Point is null ? "" : failure.Point + " ")}failed");
            foreach (var finding in failure.Findings)
            {
                Line("  " + (finding.Location is null ? finding with { Location = stage.Location } : finding));
            }

            if (failure.Log is { } log)
            {
                Line($"  Its log: {log}");
                string[] printed = System.Text.Encoding.UTF8.GetString(ActionLog.End(log)).TrimEnd('\n').Split('\n');
                foreach (string line in printed.Where(l => !IsStackFrame(l)).TakeLast(LogLines))
                {
                    Line("  | " + (line.Length > LongestLogLine ? line[..LongestLogLine] + " …" : line));
                }
            }
        }
    }

    public void Warned(StageNode stage, string? point, Diagnostic warning)
    {
        lock (_writing)
        {
            string row = point is null ? "" : $" ({point})";
            Line((warning with { Location = warning.Location ?? stage.Location }).ToString() + row);
        }
    }

    public void FoundDamage(Diagnostic finding)
    {
        lock (_writing)
        {
            Line(finding.ToString());
        }
    }

    public void Ended(StageSummary summary)
    {
        lock (_writing)
        {
            string counts = summary.Executed == 0 && summary.NotDone is null
                ? "cached"
                : $"{summary.Executed} executed, {summary.Cached} cached{(summary.Failures.Count > 0 ? $", {summary.Failures.Count} failed" : "")}, {Span(summary.Seconds)}";
            Line($"{summary.Id,-10} {summary.Uses,-12} {(summary.NotDone is null ? counts : $"{counts}; not done: {summary.NotDone}")}");
        }
    }

    /// <summary>The last lines: how it ended and where results are.</summary>
    public void Conclude(RunSummary summary)
    {
        lock (_writing)
        {
            int executed = summary.Stages.Sum(s => s.Executed);
            int cached = summary.Stages.Sum(s => s.Cached);
            int failed = summary.Stages.Sum(s => s.Failures.Count);
            string ended = summary.ExitCode switch
            {
                ExitCode.Done => "Done",
                ExitCode.Interrupted => "Interrupted; run again to continue",
                _ => "Not done",
            };
            if (summary.Stages.Any(s => s.NotDone is not null))
            {
                Line($"Stages that were not done keep the results of an earlier run, if any: {string.Join(", ", summary.Stages.Where(s => s.NotDone is not null).Select(s => s.Id))}.");
            }

            Line($"{ended}: {executed} executed, {cached} cached, {failed} failed. Results: {summary.ResultsFolder}");
        }
    }

    /// <summary>A line that stays.</summary>
    public void Say(string text)
    {
        lock (_writing)
        {
            Line(text);
        }
    }

    /// <summary>A line that moves on a terminal, and comes now and then elsewhere.</summary>
    public void Moving(string text)
    {
        lock (_writing)
        {
            if (IsTimeToDraw())
            {
                DrawNow(text);
            }
        }
    }

    private bool IsTimeToDraw()
    {
        bool first = _lastProgress == 0;
        if (!first && time.GetElapsedTime(_lastProgress) < (isTerminal ? RedrawInterval : LineInterval))
        {
            return false;
        }

        _lastProgress = time.GetTimestamp();
        return isTerminal || !first; // Off a terminal the first line comes after one interval: what is short stays silent.
    }

    private void DrawNow(string line)
    {
        if (!isTerminal)
        {
            writer.WriteLine(line);
            return;
        }

        line = line.Length > Width ? line[..Width] : line;
        writer.Write($"\r{line.PadRight(_drawn)}");
        _drawn = line.Length;
    }

    private void Draw(StageNode stage, string? point, StageProgress? progress)
    {
        if (!IsTimeToDraw())
        {
            return;
        }

        if (!_stages.TryGetValue(stage.Id, out var counting))
        {
            return; // A stage that is executed to plan has no count.
        }

        double elapsed = time.GetElapsedTime(counting.Started).TotalSeconds;
        string left = counting.Done > 0 ? $", {Span((counting.Wanted - counting.Done) * elapsed / counting.Done)} left" : "";
        string rate = counting.Done > 0 ? $" ({counting.Done / elapsed:0.##}/s{left})" : "";
        string now = progress is null ? "" : $"  {point} {Share(progress)} {progress.News}";
        string line = $"{Name(stage)}{counting.Done}/{counting.Wanted}{rate}{now}".TrimEnd();
        DrawNow(line);
    }

    private void Line(string text)
    {
        if (_drawn > 0)
        {
            writer.Write($"\r{new string(' ', _drawn)}\r");
            _drawn = 0;
        }

        writer.WriteLine(text);
    }

    /// <summary>Where in the code it happened is the stage author's business, and stands in the log.</summary>
    private static bool IsStackFrame(string line) => line.AsSpan().TrimStart().StartsWith("at ", StringComparison.Ordinal);

    private static string Name(StageNode stage) => $"{stage.Id,-10} {stage.Declaration.Type,-12} ";

    private static string Share(StageProgress progress) =>
        progress.Total > 0 ? $"{100 * progress.Done / progress.Total:0} %" : $"{progress.Done:0} {progress.Unit}";

    /// <summary>A time as people read it.</summary>
    public static string Span(double seconds) =>
        seconds < 60 ? $"{seconds:0.0} s" : seconds < 3600 ? $"{(int)seconds / 60} min {(int)seconds % 60:00} s" : $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60:00} min";

    private sealed class Counting(int wanted, long started)
    {
        public int Wanted { get; } = wanted;

        public long Started { get; } = started;

        public int Done { get; set; }
    }
}
