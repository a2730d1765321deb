// Many trials, side by side, with a table at the end.
using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using Scaling.Faults.Tracing;

namespace Scaling.Faults.Faulted;

/// <summary>What is tried.</summary>
internal sealed record CampaignSettings
{
    /// <summary>Actions side by side in the disturbed run. Default: 1.</summary>
    public int Jobs { get; init; } = 1;

    /// <summary>Studies side by side. Default: 2.</summary>
    public int SideBySide { get; init; } = 2;

    /// <summary>Tries every so many steps. Default: 1, every step.</summary>
    public int Every { get; init; } = 1;

    /// <summary>The first step that is tried. Default: 1.</summary>
    public int First { get; init; } = 1;

    /// <summary>The last step that is tried. Default: all.</summary>
    public int Last { get; init; } = int.MaxValue;

    /// <summary>Kinds of faults, as the command line names them. Default: all.</summary>
    public IReadOnlyList<string> Kinds { get; init; } = AllKinds;

    /// <summary>Kills at random moments instead of steps; 0 for none. Default: 0.</summary>
    public int Random { get; init; }

    /// <summary>Of random moments and of where a sample begins. Default: 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Nothing new is begun after it. Default: never.</summary>
    public TimeSpan Longest { get; init; } = TimeSpan.MaxValue;

    /// <summary>The kinds by name.</summary>
    public static IReadOnlyList<string> AllKinds { get; } = ["kill", "kill-tool", "kill-worker", "tear", "full", "read-only", "clock"];
}

/// <summary>Runs trials and counts.</summary>
/// <param name="settings">What is tried.</param>
/// <param name="build">On what.</param>
/// <param name="folder">Absolute; studies lie below it.</param>
internal sealed class Campaign(CampaignSettings settings, Build build, string folder)
{
    private readonly ConcurrentQueue<Fault[]> _waiting = new();
    private readonly ConcurrentBag<TrialResult> _ended = [];
    private readonly Stopwatch _clock = Stopwatch.StartNew();
    private readonly Lock _telling = new();
    private TimeSpan _told;
    private int _planned;

    /// <summary>Runs everything.</summary>
    /// <param name="output">Takes the table.</param>
    /// <param name="progress">Takes what goes on.</param>
    /// <returns>Whether everything held.</returns>
    public bool Run(TextWriter output, TextWriter progress)
    {
        var trials = Enumerable.Range(0, settings.SideBySide).Select(i => new Trial(new Study(Path.Combine(folder, $"{i}"), build, settings.Jobs))).ToArray();
        Array.ForEach(trials, t => t.LookAtUndisturbed());
        Plan(trials[0]);
        _planned = _waiting.Count;
        progress.WriteLine($"An undisturbed run makes {trials[0].Steps.Count} steps in {trials[0].Duration.TotalSeconds:0.0} s; {_planned} trials.");
        _clock.Restart();
        var threads = trials.Select(trial => new Thread(() => Work(trial, progress))).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        Table(trials[0], output);
        return _ended.All(e => e.Broken.Count == 0);
    }

    private void Plan(Trial trial)
    {
        var random = new Random(settings.Seed);
        for (int i = 0; i < settings.Random; i++)
        {
            // One kill, or several runs killed one after the other before one may finish.
            _waiting.Enqueue([.. Enumerable.Range(0, 1 + (i % 3)).Select(_ => new Fault(FaultKind.Kill, 0, (Victim)random.Next(3)) { After = random.NextDouble() * trial.Duration })]);
        }

        if (settings.Random > 0)
        {
            return;
        }

        var planned = new List<Fault>();
        foreach (string kind in settings.Kinds)
        {
            int first = settings.Every == 1 ? 0 : random.Next(settings.Every);
            foreach (var step in trial.Steps.Where(s => s.Number >= settings.First && s.Number <= settings.Last).Where(s => kind != "tear" || s is { Call.Change: Change.Write, Bytes: > 1 }).Where((_, i) => i % settings.Every == first % Math.Max(1, settings.Every)))
            {
                planned.Add(Of(kind, step.Number));
            }
        }

        // In no order, so that a campaign that is cut short has looked everywhere.
        Fault[] shuffled = [.. planned];
        random.Shuffle(shuffled);
        Array.ForEach(shuffled, f => _waiting.Enqueue([f]));
    }

    private static Fault Of(string kind, int step) => kind switch
    {
        "kill" => new Fault(FaultKind.Kill, step),
        "kill-tool" => new Fault(FaultKind.Kill, step, Victim.Tool),
        "kill-worker" => new Fault(FaultKind.Kill, step, Victim.Worker),
        "tear" => new Fault(FaultKind.Tear, step),
        "full" => new Fault(FaultKind.Full, step),
        "read-only" => new Fault(FaultKind.ReadOnly, step),
        "clock" => new Fault(FaultKind.ClockBack, step),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "no such kind"),
    };

    private void Work(Trial trial, TextWriter progress)
    {
        while (_clock.Elapsed < settings.Longest && _waiting.TryDequeue(out var faults))
        {
            TrialResult result;
            try
            {
                result = trial.Try(faults);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException or System.Text.Json.JsonException or FormatException or InvalidOperationException)
            {
                result = new TrialResult(faults, false, [$"the outcome cannot be looked at: {e}"], null);
            }

            _ended.Add(result);
            Tell(result, progress);
        }
    }

    private void Tell(TrialResult result, TextWriter progress)
    {
        lock (_telling)
        {
            if (result.Broken.Count > 0)
            {
                progress.WriteLine($"BROKEN {string.Join(", ", result.Faults)}{(result.Struck is { } s ? $" ({(s.IsTool ? "tool" : "worker")} {s.Call.Name} {s.Path})" : "")}");
                foreach (string what in result.Broken)
                {
                    progress.WriteLine($"  {what}");
                }
            }

            var now = _clock.Elapsed;
            if (now - _told > TimeSpan.FromSeconds(10) || _ended.Count == _planned)
            {
                _told = now;
                double rate = _ended.Count / now.TotalSeconds;
                progress.WriteLine(string.Create(
                    CultureInfo.InvariantCulture, $"{_ended.Count}/{_planned} trials, {rate:0.00} a second, {TimeSpan.FromSeconds((_planned - _ended.Count) / rate):hh\\:mm\\:ss} left, {_ended.Count(e => e.Broken.Count > 0)} broken"));
            }
        }
    }

    private void Table(Trial trial, TextWriter output)
    {
        output.WriteLine($"{trial.Steps.Count} steps of an undisturbed run with --jobs {settings.Jobs}: {string.Join(", ", trial.Steps.GroupBy(s => s.Call.Name).OrderByDescending(g => g.Count()).Select(g => $"{g.Count()} {g.Key}"))}");
        output.WriteLine();
        output.WriteLine("| fault | trials | met somebody | broken |");
        output.WriteLine("|---|---|---|---|");
        foreach (var kind in _ended.GroupBy(Name).OrderBy(g => g.Key, StringComparer.Ordinal))
        {
            output.WriteLine($"| {kind.Key} | {kind.Count()} | {kind.Count(r => r.Hit)} | {kind.Count(r => r.Broken.Count > 0)} |");
        }

        if (_ended.Count < _planned)
        {
            output.WriteLine($"{_planned - _ended.Count} of {_planned} trials were not begun in the time given.");
        }
    }

    private static string Name(TrialResult result)
    {
        var last = result.Faults[^1];
        string what = (last with { Step = 0, After = null }).ToString().Replace(" at step 0", "", StringComparison.Ordinal);
        return last.After is null ? what : result.Faults.Count == 1 ? "killed at a random moment" : $"killed at random moments, {result.Faults.Count} runs in turn";
    }
}
