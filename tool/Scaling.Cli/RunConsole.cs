// A run as a person reads it: lines that stay, and on a terminal a block below them that tells how far it is.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Plugins;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>How much is said.</summary>
internal enum Telling
{
    /// <summary>What failed, what warns, and nothing else.</summary>
    Quiet,

    /// <summary>What a person who waits wants to know. The default.</summary>
    Usual,

    /// <summary>Also why each stage runs in full, when each action begins and ends, and where its log lies.</summary>
    Verbose,
}

/// <summary>Writes to standard error. Where nothing moves a line of progress comes every ten seconds at most.</summary>
/// <param name="terminal">Takes the lines.</param>
/// <param name="time">The clock.</param>
internal sealed class RunConsole(Terminal terminal, TimeProvider time) : ICommandConsole
{
    private const int LogLines = 8;
    private const int LongestLogLine = 1000;
    private const int FailuresAtTheEnd = 20;
    private static readonly TimeSpan LineInterval = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan RedrawInterval = TimeSpan.FromMilliseconds(200);

    /// <summary>What moves and says nothing for so long is over.</summary>
    private static readonly TimeSpan MovingLasts = TimeSpan.FromSeconds(3);

    private readonly Lock _writing = new();
    private readonly LiveBlock _block = new(terminal);
    private RunView _view = new(time);
    private StageGroups? _groups;
    private RunStart? _run;
    private ITimer? _redraw;
    private (string Text, long Since)? _moving;
    private long _lastProgress;
    private bool _ended;

    /// <summary>Those of the CI system that shows the lines; null for none.</summary>
    public LogMarks? Marks { get; init; }

    /// <summary>How much is said.</summary>
    public Telling Telling { get; set; } = Telling.Usual;

    /// <summary>Whether lines may move where the terminal allows it.</summary>
    public bool Moves { get; set; }

    /// <summary>Called once, before the first line moves.</summary>
    public Action? Drawing { get; init; }

    public IPackageObserver Packages => field ??= new PackageConsole(this, time);

    public IRemoteObserver Remotes => field ??= new RemoteConsole(this);

    private bool IsQuiet => Telling == Telling.Quiet;

    private bool IsVerbose => Telling == Telling.Verbose;

    /// <summary>A CI system shows a log and no terminal, though it give programs one.</summary>
    private bool IsMoving => terminal.Moves && Moves && Marks is null && !IsQuiet && !_ended;

    public void Begin(RunStart run)
    {
        lock (_writing)
        {
            _run = run;
            _groups = Marks is null || IsQuiet ? null : new StageGroups(Line, Marks, time);
            _view.Begin(run.Pipeline, run.Stages);
            if (IsVerbose)
            {
                Line($"dotnet-scaling {Session.ToolVersion} on .NET {Environment.Version}, {run.Jobs} {(run.Jobs == 1 ? "action" : "actions")} side by side");
                Line($"pipeline {run.Path}");
                Line($"store    {run.Store}");
                Line($"results  {run.ResultsFolder}");
            }

            Changed();
        }
    }

    public void Round(FeedbackCircle circle, int round)
    {
        lock (_writing)
        {
            _view.Round(circle, round);
            EndGroups(circle.Members);
            if (IsVerbose)
            {
                Line($"round {round} of the circle {circle}");
            }

            Changed();
        }
    }

    public void Planned(StageNode stage, int actions, int cached, IReadOnlyList<string> reasons)
    {
        lock (_writing)
        {
            _view.Planned(stage, actions, cached);
            EndGroups(stage.Needs.Select(n => n.Id)); // In a circle they have not ended, and yet nothing more comes of them in this round.
            if (cached < actions)
            {
                string some = actions == 1 ? "1 action" : $"{actions} actions, {cached} cached, {actions - cached} to run";
                _groups?.Begin(stage.Id, $"{stage.Id} ({stage.Declaration.Type}): {some}");
                string line = $"{Name(stage)}{some}: {(IsVerbose && reasons.Count > 1 ? "" : string.Join("; ", reasons))}";
                News(stage, IsMoving && !IsVerbose ? TerminalText.Cut(line, Width) : line.TrimEnd()); // Where it moves, why is a line: all of it comes with --verbose and from `why`.
                if (IsVerbose && reasons.Count > 1)
                {
                    reasons.ToList().ForEach(r => News(stage, $"  {r}"));
                }
            }
            else if (IsVerbose)
            {
                News(stage, $"{Name(stage)}{(actions == 1 ? "1 action" : $"{actions} actions")}, cached");
            }

            Changed();
        }
    }

    public void Fetching(StageNode stage, IReadOnlyList<NativePackage> packages)
    {
        lock (_writing)
        {
            About(stage, s => s.Doing = "fetching");
            News(stage, $"{Name(stage)}fetching {string.Join(" and ", packages)}, native libraries that it computes with");
        }
    }

    public void Preparing(StageNode stage)
    {
        lock (_writing)
        {
            About(stage, s => s.Doing = "preparing");
            News(stage, $"{Name(stage)}preparing what its rows share");
        }
    }

    public void Prepared(StageNode stage, bool executed, double seconds)
    {
        lock (_writing)
        {
            About(stage, s => s.Prepared());
            Detail(stage, $"{stage.Id}@{StageActions.Prepare} {(executed ? $"done in {Duration.InWords(seconds)}" : "done by another run")}");
        }
    }

    public void Started(StageNode stage, string? point, string key)
    {
        lock (_writing)
        {
            About(stage, s => s.Start(point ?? ""));
            Detail(stage, $"{Action(stage, point)} begins{(_run is { } run ? $"; its log: {Path.Combine(run.Store, "logs", key[..2], key)}" : "")}");
        }
    }

    public void Progressed(StageNode stage, string? point, StageProgress progress)
    {
        lock (_writing)
        {
            About(stage, s => s.Progress(point ?? "", progress));
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
            About(stage, s => s.Queue = news);
            News(stage, $"{Name(stage)}{news}");
        }
    }

    public void Done(StageNode stage, string? point, string key, bool executed, double seconds)
    {
        lock (_writing)
        {
            About(stage, s => s.End(point ?? "", done: true));
            Detail(stage, $"{Action(stage, point)} {(executed ? $"done in {Duration.InWords(seconds)}" : "done by another run")}");
            Draw(stage, point, null);
        }
    }

    public void Stopped(StageNode stage, string? point, string key)
    {
        lock (_writing)
        {
            About(stage, s => s.Stop(point ?? ""));
            Detail(stage, $"{Action(stage, point)} stopped");
        }
    }

    public void Failed(StageNode stage, Failure failure)
    {
        lock (_writing)
        {
            About(stage, s => s.End(failure.Point ?? "", done: false));
            Matter(stage, $"{Name(stage)}{(failure.Point is null ? "" : failure.Point + " ")}{Painted("failed", Colour.Red)}");
            foreach (var finding in failure.Findings.Select(f => Placed(f, stage)))
            {
                Matter(stage, $"  {Text(finding)}");
                Annotate(stage, finding);
            }

            if (failure.Log is { } log)
            {
                Matter(stage, $"  Its log: {log}");
                string[] printed = System.Text.Encoding.UTF8.GetString(ActionLog.End(log)).TrimEnd('\n').Split('\n');
                foreach (string line in printed.Where(l => !IsStackFrame(l)).TakeLast(LogLines))
                {
                    string some = line.Length > LongestLogLine ? line[..LongestLogLine] + " …" : line;
                    Matter(stage, "  | " + (Marks?.Harmless(some) ?? (terminal.Moves ? TerminalText.Harmless(some.TrimEnd('\r')) : some)));
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
            Matter(stage, Text(placed) + row);
            Annotate(stage, placed);
        }
    }

    public void FoundDamage(Diagnostic finding) => Found(finding);

    public void Found(Diagnostic finding)
    {
        lock (_writing)
        {
            Matter(null, Text(finding));
            Annotate(null, finding);
        }
    }

    public void Ended(StageOutcome outcome)
    {
        lock (_writing)
        {
            _view.End(outcome);
            string counts = outcome.Executed == 0 && outcome.NotDone is null
                ? "cached"
                : $"{outcome.Executed} executed, {outcome.Cached} cached{(outcome.Failures.Count > 0 ? $", {outcome.Failures.Count} failed" : "")}{(outcome.Rounds > 0 ? $", {InWords(outcome.Rounds)}" : "")}, {Duration.InWords(outcome.Seconds)}";
            if (!IsQuiet && !(IsMoving && _view.HasBegun)) // There it stands in the block, and in the last lines.
            {
                Group(outcome.Id, $"{outcome.Id,-10} {outcome.Uses,-12} {(outcome.NotDone is null ? counts : $"{counts}; not done: {outcome.NotDone}")}");
            }

            _groups?.End(outcome.Id);
            Changed();
        }
    }

    public void Conclude(RunEnd end)
    {
        lock (_writing)
        {
            _view = new RunView(time);
            Clear();
            if (end.Summary is not { } summary)
            {
                return;
            }

            if (_groups is not null)
            {
                FailuresAgain(summary);
            }

            _groups = null;
            if (Marks is GitHubMarks)
            {
                JobSummary.Append(Environment.GetEnvironmentVariable("GITHUB_STEP_SUMMARY"), summary);
            }

            if (!IsQuiet)
            {
                ClosingSummary.Lines(end, summary, terminal.Moves ? Terminal.Size.Width - 1 : int.MaxValue, terminal.Coloured).ToList().ForEach(Line);
            }
        }
    }

    /// <summary>Rounds of a circle of feedback.</summary>
    /// <param name="rounds">At least 1.</param>
    public static string InWords(int rounds) => rounds == 1 ? "1 round" : $"{rounds} rounds";

    /// <summary>How a run ended, in words.</summary>
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
            _view.IsStopping = true;
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
            if (IsMoving)
            {
                _moving = (text, time.GetTimestamp());
                Changed();
            }
            else if (!IsQuiet && IsTimeForALine())
            {
                Line(text);
            }
        }
    }

    /// <summary>Takes what moves away, which comes again while a run goes on.</summary>
    public void Clear()
    {
        lock (_writing)
        {
            _moving = null;
            _block.Erase();
        }
    }

    /// <summary>Does something while nothing moves.</summary>
    /// <param name="act">What.</param>
    public void Without(Action act)
    {
        lock (_writing)
        {
            Clear();
            act();
        }
    }

    /// <summary>Nothing moves from now on.</summary>
    public void End()
    {
        lock (_writing)
        {
            _ended = true;
            _redraw?.Dispose();
            Clear();
        }
    }

    /// <summary>Of a line that never breaks: terminals differ in what they do after the last column.</summary>
    private static int Width => Math.Max(1, Terminal.Size.Width - 1);

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

    private void EndGroups(IEnumerable<string> stages)
    {
        if (_groups is not null)
        {
            stages.ToList().ForEach(_groups.End);
        }
    }

    private void About(StageNode stage, Action<StageView> change)
    {
        if (_view.Of(stage) is { } view) // Not one that is executed to plan.
        {
            change(view);
            Changed();
        }
    }

    /// <summary>Sees to it that the block is drawn soon, and again and again.</summary>
    private void Changed()
    {
        if (!IsMoving || _redraw is not null || !(_view.HasBegun || _moving is not null))
        {
            return;
        }

        Drawing?.Invoke();
        _redraw = time.CreateTimer(_ => Redraw(), null, TimeSpan.Zero, RedrawInterval);
    }

    private void Redraw()
    {
        lock (_writing)
        {
            if (!IsMoving)
            {
                return;
            }

            if (_moving is { } moving && time.GetElapsedTime(moving.Since) > MovingLasts)
            {
                _moving = null;
            }

            var (width, height) = Terminal.Size;
            string[] below = _moving is { } line ? [new ScreenLine(width - 1, terminal.Coloured).Add(line.Text).ToString()] : [];
            _block.Draw([.. _view.Lines(width - 1, height - 1 - below.Length, terminal.Coloured), .. below]);
        }
    }

    private bool IsTimeForALine()
    {
        bool first = _lastProgress == 0;
        if (!first && time.GetElapsedTime(_lastProgress) < LineInterval)
        {
            return false;
        }

        _lastProgress = time.GetTimestamp();
        return !first; // The first line comes after one interval: what is short stays silent.
    }

    /// <summary>A line of progress now and then, where nothing moves.</summary>
    private void Draw(StageNode stage, string? point, StageProgress? progress)
    {
        // A stage that is executed to plan has no pace.
        if (!IsMoving && !IsQuiet && (_groups?.Shows(stage.Id) ?? true) && _view.Of(stage)?.Pace is { } pace && IsTimeForALine())
        {
            string rate = pace is { Rate: { } speed, SecondsLeft: { } left } ? $" ({StageView.Speed(speed)}, {Duration.InWords(left)} left)" : "";
            Line($"{Name(stage)}{pace.Done}/{pace.Wanted}{rate}{(progress is null ? "" : $"  {(point is null ? "" : point + " ")}{RowView.Share(progress)} {progress.News}".TrimEnd())}");
        }
    }

    /// <summary>What need not be read.</summary>
    private void News(StageNode? stage, string text)
    {
        if (!IsQuiet)
        {
            Matter(stage, text);
        }
    }

    private void Detail(StageNode stage, string text)
    {
        if (IsVerbose)
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

    private void Line(string text) => _block.Above(text);

    private string Painted(string text, Colour colour) => terminal.Coloured ? ScreenLine.Paint(text, colour) : text;

    private string Text(Diagnostic finding)
    {
        string text = finding.ToString();
        var (word, colour) = finding.Severity == Severity.Error ? ("error", Colour.Red) : ("warning", Colour.Yellow);
        int at = text.IndexOf($"{word} {finding.Code}: ", StringComparison.Ordinal);
        return at < 0 || !terminal.Coloured ? text : $"{text[..at]}{Painted(word, colour)}{text[(at + word.Length)..]}";
    }

    private static Diagnostic Placed(Diagnostic finding, StageNode stage) => finding.Location is null ? finding with { Location = stage.Location } : finding;

    /// <summary>Where in the code it happened is the stage author's business, and stands in the log.</summary>
    private static bool IsStackFrame(string line) => line.AsSpan().TrimStart().StartsWith("at ", StringComparison.Ordinal);

    private static string Action(StageNode stage, string? point) => point is null ? stage.Id : $"{stage.Id}@{point}";

    private static string Name(StageNode stage) => $"{stage.Id,-10} {stage.Declaration.Type,-12} ";
}
