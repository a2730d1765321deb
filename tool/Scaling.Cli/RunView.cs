// What a run is at, as the lines of a terminal: its stages in order, and below them the rows that are being executed.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Takes what happens, and gives lines. Calls come one at a time.</summary>
/// <param name="time">The clock.</param>
internal sealed class RunView(TimeProvider time)
{
    private const int MostRows = 6;
    private const int LongestId = 24;
    private const int LongestType = 16;
    private const int LongestRow = 40;
    private const int ShortestRow = 9;
    private const int WidthOfTypes = 60;
    private readonly List<StageView> _stages = [];
    private string? _name;
    private long _began;

    /// <summary>Whether a run has begun.</summary>
    public bool HasBegun => _name is not null;

    /// <summary>Whether it was asked to stop.</summary>
    public bool IsStopping { get; set; }

    /// <summary>A run begins.</summary>
    /// <param name="name">The pipeline's.</param>
    /// <param name="stages">In their order.</param>
    public void Begin(string name, IEnumerable<StageNode> stages)
    {
        (_name, _began) = (name, time.GetTimestamp());
        _stages.AddRange(stages.Select(s => new StageView(s.Id, s.Declaration.Type)));
    }

    /// <summary>The stage; null for one that is executed to plan.</summary>
    /// <param name="stage">Of the pipeline.</param>
    public StageView? Of(StageNode stage) => _stages.Find(s => s.Id == stage.Id);

    /// <summary>A circle of feedback begins a round.</summary>
    /// <param name="circle">The circle.</param>
    /// <param name="round">From 1.</param>
    public void Round(FeedbackCircle circle, int round) => _stages.FindAll(s => circle.Members.Contains(s.Id)).ForEach(s => s.Round = round);

    /// <summary>A stage's actions are known.</summary>
    /// <param name="stage">Of the pipeline.</param>
    /// <param name="actions">All.</param>
    /// <param name="cached">Of them in the store.</param>
    public void Planned(StageNode stage, int actions, int cached)
    {
        if (Of(stage) is { } view)
        {
            view.Cached = cached;
            view.Pace = new Pace(actions - cached, stage.Declaration.FanOut?.Mode == FanOutMode.Batch, time);
        }
    }

    /// <summary>A stage has ended.</summary>
    /// <param name="outcome">How.</param>
    public void End(StageOutcome outcome) => _stages.Find(s => s.Id == outcome.Id)?.End(outcome);

    /// <summary>The lines.</summary>
    /// <param name="width">Columns that they may take.</param>
    /// <param name="height">Lines at most.</param>
    /// <param name="coloured">Whether they have colours.</param>
    public IReadOnlyList<string> Lines(int width, int height, bool coloured)
    {
        if (_name is null || height < 1)
        {
            return [];
        }

        var running = _stages.SelectMany(s => s.Running.Select(r => (Stage: s, Row: r))).OrderBy(r => r.Row.Progress is null).ThenBy(r => r.Row.Began).ToArray();
        int rows = Math.Min(running.Length > MostRows ? MostRows + 1 : running.Length, Math.Max(0, height - 1 - Math.Min(_stages.Count, 3)));
        int stages = Math.Max(0, height - 1 - rows);
        return [Head(width, coloured), .. StageLines(stages, width, coloured), .. RowLines(running, rows, width, coloured)];
    }

    private string Head(int width, bool coloured)
    {
        var line = new ScreenLine(width, coloured).Add($"{_name}: {_stages.Count(s => s.Outcome is { NotDone: null })} of {_stages.Count} stages, {Duration.InWords(time.GetElapsedTime(_began).TotalSeconds)}");
        return (IsStopping ? line.Add(", ").Add("stopping", Colour.Yellow) : line).ToString();
    }

    /// <summary>All of them where they fit; else those that somebody looks for first: what runs, what failed, what comes next.</summary>
    private IEnumerable<string> StageLines(int most, int width, bool coloured)
    {
        StageView[] shown = _stages.Count <= most ? [.. _stages] : [.. _stages.OrderBy(Importance).ThenBy(s => s.Outcome is null ? _stages.IndexOf(s) : -_stages.IndexOf(s)).Take(Math.Max(0, most - 1)).OrderBy(_stages.IndexOf)];
        var lines = Lines(shown, width, coloured);
        return shown.Length < _stages.Count && most > 0 ? lines.Append(Others(_stages.Except(shown), width, coloured)) : lines;
    }

    /// <summary>A line a stage.</summary>
    /// <param name="stages">In their order.</param>
    /// <param name="width">Columns that a line may take.</param>
    /// <param name="coloured">Whether they have colours.</param>
    public static IEnumerable<string> Lines(IReadOnlyList<StageView> stages, int width, bool coloured)
    {
        int id = Longest(stages.Select(s => s.Id), Math.Min(LongestId, width / 3));
        int type = width < WidthOfTypes ? 0 : Longest(stages.Select(s => s.Type), LongestType);
        int count = Longest(stages.Select(s => s.Count), LongestId);
        return stages.Select(s => s.Line(new ScreenLine(width, coloured).Add($"  {Column(s.Id, id)}  {(type == 0 ? "" : Column(s.Type, type) + "  ")}"), count).ToString());
    }

    /// <summary>One line of stages that have none.</summary>
    /// <param name="stages">At least one.</param>
    /// <param name="width">Columns that it may take.</param>
    /// <param name="coloured">Whether it has colours.</param>
    public static string Others(IEnumerable<StageView> stages, int width, bool coloured) =>
        new ScreenLine(width, coloured).Add($"  and {string.Join(", ", stages.GroupBy(s => s.State).Select(g => $"{g.Count()} {g.Key}"))}", Colour.Dim).ToString();

    private static IEnumerable<string> RowLines((StageView Stage, RowView Row)[] running, int most, int width, bool coloured)
    {
        var shown = running.Take(running.Length <= most ? most : Math.Max(0, most - 1)).Select(r => (Name: r.Row.Point.Length == 0 ? r.Stage.Id : $"{r.Stage.Id}@{r.Row.Point}", r.Row)).ToArray();
        int name = Math.Min(Longest(shown.Select(r => r.Name), LongestRow), Math.Max(ShortestRow, width - 24)); // What is left shows the share, and a number of the news.
        foreach (var (called, row) in shown)
        {
            yield return row.Line(new ScreenLine(width, coloured).Add($"  {TerminalText.Pad(TerminalText.CutMiddle(called, name), name)}  ")).ToString();
        }

        if (shown.Length < running.Length && most > 0)
        {
            yield return new ScreenLine(width, coloured).Add(shown.Length == 0 ? $"  {running.Length} actions are running" : $"  and {running.Length - shown.Length} more", Colour.Dim).ToString();
        }
    }

    private static int Importance(StageView stage) => stage.IsAtWork ? 0 : stage.Outcome is { NotDone: not null } ? 1 : stage.Outcome is null ? 2 : 3;

    private static int Longest(IEnumerable<string> texts, int most) => Math.Min(most, texts.Select(TerminalText.Columns).DefaultIfEmpty().Max());

    private static string Column(string text, int columns) => TerminalText.Pad(TerminalText.CutMiddle(text, columns), columns);
}

/// <summary>A stage of the view.</summary>
/// <param name="id">As YAML names it.</param>
/// <param name="type">Its type.</param>
internal sealed class StageView(string id, string type)
{
    private readonly Dictionary<string, RowView> _running = [];
    private int _failed;
    private long _order;

    public string Id => id;

    public string Type => type;

    /// <summary>How fast it goes; null before its actions are known.</summary>
    public Pace? Pace { get; set; }

    /// <summary>Of its actions in the store.</summary>
    public int Cached { get; set; }

    /// <summary>What it does where it does not execute its rows: fetching, preparing.</summary>
    public string? Doing { get; set; }

    /// <summary>Of its circle of feedback; null for a stage in none.</summary>
    public int? Round { get; set; }

    /// <summary>What becomes of its actions in the queue of a cluster; null where it said nothing.</summary>
    public string? Queue { get; set; }

    /// <summary>How it ended; null before that.</summary>
    public StageOutcome? Outcome { get; set; }

    /// <summary>Rows that are being executed.</summary>
    public IEnumerable<RowView> Running => _running.Values;

    /// <summary>Whether it has begun, and not ended.</summary>
    public bool IsAtWork => Outcome is null && (Doing is not null || Pace is not null);

    /// <summary>In a word.</summary>
    public string State => Outcome is { NotDone: null, Executed: 0 } ? "cached" : Outcome is { NotDone: null } ? "done" : Outcome is { Failures.Count: > 0 } ? "failed" : Outcome is not null ? "not done" : Doing ?? (Pace is null ? "waiting" : Queue is not null && _running.Count == 0 ? "queued" : "running");

    /// <summary>So many of those wanted, where it is at work.</summary>
    public string Count => Outcome is null && Pace is { } pace ? $"{pace.Done}/{pace.Wanted}" : "";

    /// <summary>A row begins, perhaps once more.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    public void Start(string point)
    {
        Doing = null;
        Pace?.Start(point);
        _running[point] = new RowView(point, _order++);
    }

    /// <summary>A row is on its way, or what rows share.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    /// <param name="progress">How far.</param>
    public void Progress(string point, StageProgress progress)
    {
        Pace?.Progress(point, progress);
        if (!_running.TryGetValue(point, out var row))
        {
            _running[point] = row = new RowView(point, _order++); // What rows share is not told to begin.
        }

        row.Progress = progress;
    }

    /// <summary>What rows share is there.</summary>
    public void Prepared()
    {
        Doing = null;
        _running.Remove("");
    }

    /// <summary>A row has ended.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    /// <param name="done">False where it failed.</param>
    public void End(string point, bool done)
    {
        Pace?.End(point, done);
        _running.Remove(point);
        _failed += done ? 0 : 1;
    }

    /// <summary>A row was stopped.</summary>
    /// <param name="point">Its name; empty without fan-out.</param>
    public void Stop(string point) => _running.Remove(point);

    /// <summary>The stage has ended.</summary>
    /// <param name="outcome">How.</param>
    public void End(StageOutcome outcome)
    {
        Outcome = outcome;
        _running.Clear();
    }

    /// <summary>State, counts, rate and time left.</summary>
    /// <param name="line">Begun.</param>
    /// <param name="count">Columns of the count.</param>
    public ScreenLine Line(ScreenLine line, int count)
    {
        line.Add(State, State switch { "done" => Colour.Green, "failed" => Colour.Red, "not done" => Colour.Yellow, "cached" or "waiting" => Colour.Dim, _ => Colour.None }).Add(new string(' ', Math.Max(0, 9 - State.Length)));
        return Outcome is { } outcome ? line.Add(" " + Ended(outcome)) : Pace is null ? line : AtWork(line, count);
    }

    private ScreenLine AtWork(ScreenLine line, int count)
    {
        line.Add($" {new string(' ', Math.Max(0, count - Count.Length))}{Count}");
        if (Round is { } round)
        {
            line.Add($", round {round}");
        }

        if (Cached > 0)
        {
            line.Add($", {Cached} cached", Colour.Dim);
        }

        if (_failed > 0)
        {
            line.Add($", {_failed} failed", Colour.Red);
        }

        if (Pace is { Rate: { } rate, SecondsLeft: { } left })
        {
            line.Add($", {Speed(rate)}, {Duration.InWords(left)} left");
        }

        return Queue is null ? line : line.Add($"; {Queue}");
    }

    private static string Ended(StageOutcome outcome)
    {
        int done = outcome.Executed + outcome.Cached + outcome.Failures.Count;
        var counts = new[] { (outcome.Executed, "executed"), (done > outcome.Cached ? outcome.Cached : 0, "cached"), (outcome.Failures.Count, "failed"), (outcome.Actions - done, "not done") };
        string[] some = [.. counts.Where(c => c.Item1 > 0).Select(c => $"{c.Item1} {c.Item2}")];
        some = some.Length > 0 && outcome.Rounds > 0 ? [.. some, RunConsole.InWords(outcome.Rounds)] : some;
        return some.Length > 0 ? $"{string.Join(", ", some)}, {Duration.InWords(outcome.Seconds)}" : outcome.NotDone ?? "";
    }

    /// <summary>A rate in the unit in which it is a number to read.</summary>
    /// <param name="rowsPerSecond">Above 0.</param>
    public static string Speed(double rowsPerSecond) =>
        rowsPerSecond >= 1 ? FormattableString.Invariant($"{rowsPerSecond:0.#}/s") : rowsPerSecond >= 1.0 / 60 ? FormattableString.Invariant($"{rowsPerSecond * 60:0.#}/min") : FormattableString.Invariant($"{rowsPerSecond * 3600:0.##}/h");
}

/// <summary>A row that is being executed.</summary>
/// <param name="point">Its name; empty without fan-out, and for what rows share.</param>
/// <param name="began">Its place among those that began.</param>
internal sealed class RowView(string point, long began)
{
    public string Point => point;

    public long Began => began;

    /// <summary>How far it is; null where it has not said.</summary>
    public StageProgress? Progress { get; set; }

    /// <summary>Share and news.</summary>
    /// <param name="line">Begun.</param>
    public ScreenLine Line(ScreenLine line) => Progress is null ? line.Add("begun", Colour.Dim) : line.Add($"{Share(Progress),6}").Add(Progress.News is null ? "" : $"  {Progress.News}");

    /// <summary>Of its work, or what it has done where nobody knows how much there is.</summary>
    /// <param name="progress">How far.</param>
    public static string Share(StageProgress progress) =>
        progress.Total > 0 ? FormattableString.Invariant($"{100 * progress.Done / progress.Total:0} %") : FormattableString.Invariant($"{progress.Done:0} {progress.Unit}");
}
