// A run as a person reads it: plain lines, and on a terminal one line that moves.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Plugins;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Writes to standard error. Off a terminal a line of progress comes every ten seconds at most. There are no colours.</summary>
/// <param name="writer">Takes the lines.</param>
/// <param name="isTerminal">Whether it is a terminal.</param>
/// <param name="time">The clock.</param>
internal sealed class RunConsole(TextWriter writer, bool isTerminal, TimeProvider time) : ICommandConsole
{
    private const int Width = 79;
    private const int LogLines = 8;
    private const int LongestLogLine = 1000;
    private const int FailuresAtTheEnd = 20;
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(200);
    private readonly Lock _writing = new();
    private readonly Dictionary<string, Pace> _stages = [];
    private StageGroups? _groups;
    private long _lastProgress;
    private int _drawn;
    private bool _hasDrawn;

    /// <summary>Those of the CI system that shows the lines; null for none.</summary>
    public LogMarks? Marks { get; init; }

    /// <summary>Says what failed and what warns, and nothing else.</summary>
    public bool Quiet { get; set; }

    /// <summary>Whether a line may move where the terminal allows it.</summary>
    public bool Moves { get; set; }

    /// <summary>Called once, before the first line moves.</summary>
    public Action? Drawing { get; init; }

    public IPackageObserver Packages => field ??= new PackageConsole(this, time);

    public IRemoteObserver Remotes => field ??= new RemoteConsole(this);

    public void Begin(RunStart run) => _groups = Marks is null || Quiet ? null : new StageGroups(Line, Marks, time);

    public void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons)
    {
        lock (_writing)
        {
            _stages[stage.Id] = new Pace(actions - cached, stage.Declaration.FanOut?.Mode == FanOutMode.Batch, time);
            if (cached < actions)
            {
                string some = actions == 1 ? "1 action" : $"{actions} actions, {cached} cached, {actions - cached} to run";
                _groups?.Begin(stage.Id, $"{stage.Id} ({stage.Declaration.Type}): {some}");
                News(stage, $"{Name(stage)}{some}: {string.Join("; ", reasons)}");
            }
        }
    }

    public void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages)
    {
        lock (_writing)
        {
            News(stage, $"{Name(stage)}fetching {string.Join(" and ", packages)}, native libraries that it computes with");
        }
    }

    public void Preparing(StageNode stage)
    {
        lock (_writing)
        {
            News(stage, $"{Name(stage)}preparing what its rows share");
        }
    }

    public void Prepared(StageNode stage, bool executed, double seconds)
    {
    }

    public void Started(StageNode stage, string? point, string key)
    {
        lock (_writing)
        {
            _stages.GetValueOrDefault(stage.Id)?.Start(point ?? "");
        }
    }

    public void Progressed(StageNode stage, string? point, StageProgress progress)
    {
        lock (_writing)
        {
            _stages.GetValueOrDefault(stage.Id)?.Progress(point ?? "", progress);
            Draw(stage, point, progress);
        }
    }

    public void Waiting(StageNode stage, string? point, string reason)
    {
        lock (_writing)
        {
            News(stage, $"{Name(stage)}{(point is null ? "" : point + ": ")}{reason}");
        }
    }

    public void Queued(StageNode stage, string news)
    {
        lock (_writing)
        {
            News(stage, $"{Name(stage)}{news}");
        }
    }

    public void Done(StageNode stage, string? point, string key, bool executed, double seconds)
    {
        lock (_writing)
        {
            _stages.GetValueOrDefault(stage.Id)?.End(point ?? "", done: true);
            Draw(stage, point, null);
        }
    }

    public void Stopped(StageNode stage, string? point, string key)
    {
    }

    public void Failed(StageNode stage, Failure failure)
    {
        lock (_writing)
        {
            _stages.GetValueOrDefault(stage.Id)?.End(failure.Point ?? "", done: false);
            Matter(stage, $"{Name(stage)}{(failure.Point is null ? "" : failure.Point + " ")}failed");
            foreach (var finding in failure.Findings.Select(f => Placed(f, stage)))
            {
                Matter(stage, $"  {finding}");
                Annotate(stage, finding);
            }

            if (failure.Log is { } log)
            {
                Matter(stage, $"  Its log: {log}");
                string[] printed = System.Text.Encoding.UTF8.GetString(ActionLog.End(log)).TrimEnd('\n').Split('\n');
                foreach (string line in printed.Where(l => !IsStackFrame(l)).TakeLast(LogLines))
                {
                    string some = line.Length > LongestLogLine ? line[..LongestLogLine] + " …" : line;
                    Matter(stage, "  | " + (Marks?.Harmless(some) ?? some));
                }
            }
        }
    }

    public void Warned(StageNode stage, string? point, Diagnostic warning)
    {
        lock (_writing)
        {
            string row = point is null ? "" : $" ({point})";
            var placed = Placed(warning, stage);
            Matter(stage, placed.ToString() + row);
            Annotate(stage, placed);
        }
    }

    public void FoundDamage(Diagnostic finding) => Found(finding);

    public void Found(Diagnostic finding)
    {
        lock (_writing)
        {
            Matter(null, finding.ToString());
            Annotate(null, finding);
        }
    }

    public void Ended(StageOutcome summary)
    {
        lock (_writing)
        {
            string counts = summary.Executed == 0 && summary.NotDone is null
                ? "cached"
                : $"{summary.Executed} executed, {summary.Cached} cached{(summary.Failures.Count > 0 ? $", {summary.Failures.Count} failed" : "")}, {Duration.InWords(summary.Seconds)}";
            string line = $"{summary.Id,-10} {summary.Uses,-12} {(summary.NotDone is null ? counts : $"{counts}; not done: {summary.NotDone}")}";
            if (!Quiet)
            {
                Group(summary.Id, line);
            }

            _groups?.End(summary.Id);
        }
    }

    public void Conclude(RunSummary? summary, int exitCode, double seconds)
    {
        if (summary is null)
        {
            return;
        }

        lock (_writing)
        {
            if (_groups is not null)
            {
                FailuresAgain(summary);
            }

            _groups = null;
            if (Marks is GitHubMarks)
            {
                JobSummary.Append(Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY"), summary);
            }

            if (Quiet)
            {
                return;
            }

            if (summary.Stages.Any(s => s.NotDone is not null))
            {
                Line($"Stages that were not done keep the results of an earlier run, if any: {string.Join(", ", summary.Stages.Where(s => s.NotDone is not null).Select(s => s.Id))}.");
            }

            int executed = summary.Stages.Sum(s => s.Executed);
            int cached = summary.Stages.Sum(s => s.Cached);
            int failed = summary.Stages.Sum(s => s.Failures.Count);
            Line($"{Outcome(exitCode)}: {executed} executed, {cached} cached, {failed} failed. Results: {summary.ResultsFolder}");
        }
    }

    /// <summary>How a run ended, as its last line says it.</summary>
    /// <param name="exitCode">Of the run.</param>
    public static string Outcome(int exitCode) => exitCode switch
    {
        ExitCode.Done => "Done",
        ExitCode.Interrupted => "Interrupted; run again to continue",
        _ => "Not done",
    };

    public void Stopping()
    {
        lock (_writing)
        {
            Line("Stopping: running actions write their checkpoints. Once more ends at once."); // Also where it is quiet: a key was pressed.
        }
    }

    public void Say(string text)
    {
        lock (_writing)
        {
            News(null, text);
        }
    }

    public void Moving(string text)
    {
        lock (_writing)
        {
            if (!Quiet && IsTimeToDraw())
            {
                DrawNow(text);
            }
        }
    }

    /// <summary>What failed lies in groups that are folded.</summary>
    private void FailuresAgain(RunSummary summary)
    {
        var failures = summary.Stages.SelectMany(s => s.Failures.Select(f => (s.Id, Failure: f))).ToArray();
        foreach (var (id, failure) in failures.Take(FailuresAtTheEnd))
        {
            Line($"{id}{(failure.Point is null ? "" : "@" + failure.Point)} failed: {string.Join(" ", failure.Findings.Select(f => f with { Location = null }))}");
        }

        if (failures.Length > FailuresAtTheEnd)
        {
            Line($"and {failures.Length - FailuresAtTheEnd} more failed");
        }
    }

    private bool IsMoving => isTerminal && Moves;

    private bool IsTimeToDraw()
    {
        bool first = _lastProgress == 0;
        if (!first && time.GetElapsedTime(_lastProgress) < (IsMoving ? RedrawInterval : LineInterval))
        {
            return false;
        }

        _lastProgress = time.GetTimestamp();
        return IsMoving || !first; // Off a terminal the first line comes after one interval: what is short stays silent.
    }

    private void DrawNow(string line)
    {
        if (!IsMoving)
        {
            Line(line);
            return;
        }

        if (!_hasDrawn)
        {
            Drawing?.Invoke();
            _hasDrawn = true;
        }

        line = line.Length > Width ? line[..Width] : line;
        writer.Write($"\r{line.PadRight(_drawn)}");
        _drawn = line.Length;
    }

    private void Draw(StageNode stage, string? point, StageProgress? progress)
    {
        // A stage that is executed to plan has no pace.
        if (!Quiet && (_groups?.Shows(stage.Id) ?? true) && _stages.TryGetValue(stage.Id, out var pace) && IsTimeToDraw())
        {
            string rate = pace is { Rate: { } speed, SecondsLeft: { } left } ? $" ({Speed(speed)}, {Duration.InWords(left)} left)" : "";
            DrawNow(Fitted($"{Name(stage)}{pace.Done}/{pace.Wanted}{rate}", point, progress));
        }
    }

    /// <summary>One line of a terminal: the news are shortened first, then the row's name from its middle, since rows differ at their ends.</summary>
    private static string Fitted(string head, string? point, StageProgress? progress)
    {
        const int shortestPoint = 9;
        string share = progress is null ? "" : Share(progress);
        int room = Width - head.Length - share.Length - 3;
        if (progress is null || room < 0)
        {
            return Cut(head, Width);
        }

        if (point is not null)
        {
            point = point.Length <= room ? point : room < shortestPoint ? null : $"{point[..((room - 1) / 2)]}…{point[^(room - 1 - ((room - 1) / 2))..]}";
        }

        return Cut($"{head}  {(point is null ? "" : point + " ")}{share} {progress.News}".TrimEnd(), Width);
    }

    private static string Cut(string text, int length) => text.Length <= length ? text : text[..(length - 1)] + "…";

    /// <summary>What need not be read.</summary>
    private void News(StageNode? stage, string text)
    {
        if (!Quiet)
        {
            Matter(stage, text);
        }
    }

    private void Matter(StageNode? stage, string text) => Group(stage?.Id, text);

    private void Group(string? stage, string text)
    {
        if (_groups is null)
        {
            Line(text);
        }
        else
        {
            _groups.Line(stage, text);
        }
    }

    private void Annotate(StageNode? stage, Diagnostic finding)
    {
        if (Marks?.Annotation(finding) is { } annotation)
        {
            Matter(stage, annotation);
        }
    }

    private void Line(string text)
    {
        Clear();
        writer.WriteLine(text);
    }

    /// <summary>Takes the line that moves away.</summary>
    public void Clear()
    {
        lock (_writing)
        {
            if (_drawn > 0)
            {
                writer.Write($"\r{new string(' ', _drawn)}\r");
                _drawn = 0;
            }
        }
    }

    private static Diagnostic Placed(Diagnostic finding, StageNode stage) => finding.Location is null ? finding with { Location = stage.Location } : finding;

    /// <summary>Where in the code it happened is the stage author's business, and stands in the log.</summary>
    private static bool IsStackFrame(string line) => line.AsSpan().TrimStart().StartsWith("at ", StringComparison.Ordinal);

    private static string Name(StageNode stage) => $"{stage.Id,-10} {stage.Declaration.Type,-12} ";

    private static string Share(StageProgress progress) =>
        progress.Total > 0 ? $"{100 * progress.Done / progress.Total:0} %" : $"{progress.Done:0} {progress.Unit}";

    private static string Speed(double rowsPerSecond) =>
        rowsPerSecond >= 1 ? FormattableString.Invariant($"{rowsPerSecond:0.#}/s") : rowsPerSecond >= 1.0 / 60 ? FormattableString.Invariant($"{rowsPerSecond * 60:0.#}/min") : FormattableString.Invariant($"{rowsPerSecond * 3600:0.##}/h");
}
