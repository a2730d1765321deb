// One fault, then a run without help, then everything that must hold.
using Scaling.Faults.Tracing;

namespace Scaling.Faults.Faulted;

/// <summary>How a trial went.</summary>
/// <param name="Faults">What was done, one after the other.</param>
/// <param name="Hit">Whether the last fault met anybody.</param>
/// <param name="Broken">What did not hold; empty where all did.</param>
/// <param name="Struck">The step of the last fault.</param>
internal sealed record TrialResult(IReadOnlyList<Fault> Faults, bool Hit, IReadOnlyList<string> Broken, Step? Struck);

/// <summary>Tries faults on a study.</summary>
/// <param name="study">It is put back before each.</param>
internal sealed class Trial(Study study)
{
    private readonly SortedDictionary<string, string> _expected = [];

    /// <summary>Steps of an undisturbed run.</summary>
    public IReadOnlyList<Step> Steps { get; private set; } = [];

    /// <summary>How long an undisturbed run takes.</summary>
    public TimeSpan Duration { get; private set; }

    /// <summary>Runs undisturbed: the steps there are, and the outcome that every other run must have.</summary>
    public void LookAtUndisturbed()
    {
        study.PutBack();
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var plain = study.RunPlainly();
        Duration = clock.Elapsed;
        Study.Demand(plain);
        Steps = plain.Run.Steps;
        foreach (var (name, content) in study.Outcome())
        {
            _expected[name] = content;
        }
    }

    /// <summary>Strikes one run after the other, each going on where the last was struck, then lets one finish.</summary>
    /// <param name="faults">At least one.</param>
    public TrialResult Try(params Fault[] faults)
    {
        study.PutBack();
        var broken = new List<string>();
        var orphans = new List<TracedRun>();
        TracedRun? last = null;
        var done = new Done([], [], study.Executed());
        foreach (var fault in faults)
        {
            last = study.Start(fault, $"struck{orphans.Count}");
            _ = last.Tool.GetAwaiter().GetResult();
            bool wait = fault.Kind is not (FaultKind.Kill or FaultKind.Tear) || fault.Victim != Victim.Tool;
            if (wait)
            {
                last.All.GetAwaiter().GetResult();
            }

            CheckAgain(done, broken);
            CheckEnd(fault, last, orphans.Count, broken);
            done = Now();
            broken.AddRange(wait ? study.Damaged().Select(what => $"the run left {what} damaged") : []);
            orphans.Add(last);
        }

        var clock = System.Diagnostics.Stopwatch.StartNew();
        var recovered = study.RunPlainly("recovered");
        orphans.ForEach(o => o.All.GetAwaiter().GetResult());
        Demand(!recovered.Hung, "the next run hung", broken);
        Demand(recovered.ExitCode == 0, $"the next run ended with {recovered.ExitCode}: {recovered.Error}", broken);
        Demand(!IsCrash(recovered.Error), $"the next run crashed: {recovered.Error}", broken);
        CheckAgain(done, broken);
        CheckOutcome("the next run", broken);
        Demand(study.Quarantined == 0, $"{study.Quarantined} files of the store were found damaged: {recovered.Error}", broken);
        broken.AddRange(study.Damaged().Select(what => $"the next run left {what} damaged"));
        return new TrialResult(faults, last!.Hit, broken, last.Struck);
    }

    private void CheckEnd(Fault fault, TracedRun run, int index, List<string> broken)
    {
        int exit = run.Tool.Result;
        string error = File.ReadAllText(Path.Combine(Path.GetDirectoryName(study.Folder)!, $"struck{index}.err"));
        bool killed = fault.Kind is FaultKind.Kill or FaultKind.Tear;
        int[] documented = !run.Hit ? [0] : fault.Kind switch
        {
            FaultKind.Full or FaultKind.ReadOnly => [0, 5],
            FaultKind.ClockBack => [0],
            _ => fault.Victim == Victim.Worker ? error.Contains("SCAL6007", StringComparison.Ordinal) ? [1, 3] : [0, 1] : run.Struck is { IsTool: true } ? [-9] : [-9, 0], // A worker may do its last step when the tool has ended.
        };
        Demand(!run.Hung, $"the run hung: {error}", broken);
        Demand(documented.Contains(exit), $"the run ended with {exit}, documented is {string.Join(" or ", documented)}: {error}", broken);
        Demand(exit is 0 or -9 || error.Contains("SCAL", StringComparison.Ordinal), $"the run ended with {exit} and said no reason: {error}", broken);
        Demand(!IsCrash(error), $"the run crashed: {error}", broken);
        if (exit == 0)
        {
            CheckOutcome("the run", broken, allows: name => name == Study.Lock && error.Contains("SCAL9057", StringComparison.Ordinal)); // That it was not written is said.
        }

        if (exit == 0 && !killed)
        {
            Demand(study.Quarantined == 0, $"{study.Quarantined} files of the store were found damaged: {error}", broken);
        }
    }

    private static bool IsCrash(string error) =>
        error.Contains("SCAL1099", StringComparison.Ordinal) || error.Contains("Unhandled exception", StringComparison.Ordinal) || error.Contains("SCAL5002", StringComparison.Ordinal)
        || error.Contains("   at Scaling.", StringComparison.Ordinal);

    /// <summary>Published first: what is published after the look is no finished action, and what was executed before it is known.</summary>
    private Done Now()
    {
        var published = study.Published();
        var checkpoints = study.Checkpoints();
        return new Done(published, checkpoints, study.Executed());
    }

    /// <summary>Whether anything was executed again that was finished.</summary>
    private void CheckAgain(Done before, List<string> broken)
    {
        foreach (var (action, times) in study.Executed())
        {
            int again = times - before.Executed.GetValueOrDefault(action);
            Demand(again == 0 || !before.Published.Contains(action), $"{action} was published and executed again", broken);
            Demand(again == 0 || !before.Checkpoints.Contains(action), $"{action} had its checkpoint and was done again", broken);
        }
    }

    private void CheckOutcome(string whose, List<string> broken, Func<string, bool>? allows = null)
    {
        var found = study.Outcome();
        foreach (var (name, content) in _expected.Where(e => allows?.Invoke(e.Key) != true))
        {
            Demand(found.TryGetValue(name, out string? there), $"{whose} left no {name}", broken);
            Demand(there is null || there == content, $"{whose} left other bytes in {name}", broken);
        }

        foreach (string name in found.Keys.Where(n => !_expected.ContainsKey(n)))
        {
            broken.Add($"{whose} left {name}, which is no result");
        }
    }

    private static void Demand(bool holds, string otherwise, List<string> broken)
    {
        if (!holds)
        {
            broken.Add(otherwise.Length > 2000 ? otherwise[..2000] : otherwise);
        }
    }

    /// <summary>What was finished at a moment, and what had been executed.</summary>
    private sealed record Done(HashSet<string> Published, HashSet<string> Checkpoints, Dictionary<string, int> Executed);
}
