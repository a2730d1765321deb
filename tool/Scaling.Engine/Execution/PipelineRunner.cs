// Runs a pipeline: each stage as soon as what it needs is there, circles of feedback in rounds, each action that is not in the store.
using System.Collections.Concurrent;
using System.Diagnostics;
using Scaling.Engine.Executors;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>One run of one pipeline.</summary>
/// <param name="pipeline">Linked.</param>
/// <param name="store">Where actions are found and published.</param>
/// <param name="workers">Where they run.</param>
/// <param name="options">How.</param>
/// <param name="observer">Takes what happens.</param>
/// <param name="code">Brings the code of stages that are packages.</param>
/// <param name="remote">Brings what was published elsewhere, and is given what is published here. Null: nothing.</param>
/// <param name="cluster">Runs the actions of stages that do not run on this machine. Null: there are none.</param>
public sealed class PipelineRunner(
    Pipeline pipeline, ContentStore store, WorkerPool workers, RunOptions options, IRunObserver observer, StageCode code, IRemoteEntries? remote = null, IExecutor? cluster = null)
{
    private readonly StagePlanner _planner = new(pipeline, store);
    private readonly Collector _collector = new(store);
    private readonly LocalExecutor _here = new(workers, store, options.Jobs, observer, code);
    private readonly DateTimeOffset _started = store.Now;
    private readonly RunHistory _history = new(store, pipeline.Path);
    private readonly Task<RunRecord?> _reading = Task.Run(() => new RunHistory(store, pipeline.Path).Last); // Megabytes where there are many points.
    private readonly ConcurrentDictionary<string, StageResult> _results = new();
    private readonly ConcurrentDictionary<string, IReadOnlyList<NativePackage>> _natives = new();
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<Binding, string>> _digests = new();
    private readonly ConcurrentDictionary<string, RecordedStage> _records = new();
    private readonly ConcurrentDictionary<string, StageOutcome> _summaries = new();
    private readonly ConcurrentDictionary<string, Failure> _failures = new();
    private readonly Lock _judging = new();
    private int _worst;

    /// <summary>The last run; null for none.</summary>
    private RunRecord? Last => _reading.GetAwaiter().GetResult();

    /// <summary>Runs, writes results, and keeps the record that <c>why</c> compares with. Returns when all of it is done.</summary>
    /// <param name="stop">Asks to stop gracefully: finished work is kept, checkpoints are written.</param>
    public RunSummary Run(CancellationToken stop)
    {
        store.LeavesNotes = true; // Until the record is kept.
        using var halt = CancellationTokenSource.CreateLinkedTokenSource(stop);
        var running = new Dictionary<string, Task>();
        var circles = pipeline.Circles;
        foreach (var stage in pipeline.Stages)
        {
            if (running.ContainsKey(stage.Id))
            {
                continue; // In a circle with one before it.
            }

            if (circles.FirstOrDefault(c => c.Lister == stage.Id) is { } circle)
            {
                StageNode[] members = [.. circle.Members.Select(id => pipeline.Stages.First(s => s.Id == id))];
                var task = RunCircle(circle, members, running.ToDictionary(), halt);
                members.ToList().ForEach(m => running[m.Id] = task);
            }
            else
            {
                Task[] needs = [.. stage.Needs.Select(n => running[n.Id])];
                running[stage.Id] = RunWhenReady(stage, needs, halt);
            }
        }

        // This thread has nothing else to do. Continuations of all that called us would have to be compiled, a tenth of a run with nothing to do.
        Task.WhenAll(running.Values).GetAwaiter().GetResult();
        var results = new ResultsFolder(Path.Combine(options.ResultsFolder, pipeline.Name), store);
        var written = results.Write(pipeline, _results, _summaries, Last);

        // Undone without a failure is interrupted too: somebody may have asked a worker to stop, and not the tool.
        bool undone = _summaries.Values.Any(s => s.NotDone is not null);
        int exit = undone && (stop.IsCancellationRequested || _worst == ExitCode.Done) ? ExitCode.Interrupted : _worst;
        Keep(exit, results.Path, written);
        store.LeavesNotes = false;
        return new RunSummary(pipeline.Name, [.. pipeline.Stages.Select(s => _summaries[s.Id])], exit, results.Path, _results) { Natives = _natives, Digests = _digests };
    }

    private async Task RunWhenReady(StageNode stage, Task[] needs, CancellationTokenSource halt)
    {
        await Task.Yield();
        End(stage, await RunOnce(stage, needs, new StageCourse(stage), halt).ConfigureAwait(false));
    }

    /// <summary>Rounds until nothing new is listed. In each, a stage of the circle runs as soon as what it needs is there of that round; stages below wait for the last.</summary>
    private async Task RunCircle(FeedbackCircle circle, StageNode[] members, Dictionary<string, Task> outside, CancellationTokenSource halt)
    {
        await Task.Yield();
        var rounds = new CircleRounds(circle, members[0]);
        var courses = members.ToDictionary(m => m.Id, m => new StageCourse(m) { Rounds = rounds });
        Dictionary<string, StageOutcome> outcomes;
        string? open; // The stage with which the circle stopped before its end.
        while (true)
        {
            var running = new Dictionary<string, Task<StageOutcome>>();
            foreach (var stage in members)
            {
                Task[] needs = [.. stage.Needs.Select(n => running.TryGetValue(n.Id, out var inside) ? inside : outside[n.Id])];
                running[stage.Id] = RunOnce(stage, needs, courses[stage.Id], halt);
            }

            await Task.WhenAll(running.Values).ConfigureAwait(false);
            outcomes = running.ToDictionary(r => r.Key, r => r.Value.Result);
            open = members.FirstOrDefault(m => !_results.ContainsKey(m.Id))?.Id;
            try
            {
                if (open is null && rounds.End(members.ToDictionary(m => m.Id, m => (IReadOnlyList<string>)[.. _records[m.Id].Actions.Select(a => a.Key)]), _results))
                {
                    break;
                }
            }
            catch (StageFailedException e)
            {
                open = circle.Lister;
                outcomes[open] = Fail(members[0], outcomes[open], new Failure(null, e.Diagnostics, null), halt);
            }

            foreach (var stage in members)
            {
                _results.TryRemove(stage.Id, out _); // Of a round that is not the last: what is below takes none of it.
            }

            if (open is not null)
            {
                break;
            }

            foreach (var stage in members)
            {
                courses[stage.Id].EndRound(outcomes[stage.Id], _records[stage.Id]);
            }
        }

        foreach (var stage in members)
        {
            var outcome = outcomes[stage.Id];
            End(stage, open is not null && outcome.NotDone is null ? outcome with { NotDone = $"its circle stopped in round {rounds.Number}, at '{open}'" } : outcome);
        }
    }

    private void End(StageNode stage, StageOutcome outcome)
    {
        _summaries[stage.Id] = outcome;
        RetireWorkers(code.AssemblyOf(stage.Type));
        observer.Ended(outcome);
    }

    /// <summary>Runs a stage once, in a circle for one round, when what it needs is there.</summary>
    private async Task<StageOutcome> RunOnce(StageNode stage, Task[] needs, StageCourse course, CancellationTokenSource halt)
    {
        var summary = course.Outcome;
        try
        {
            var natives = await PlannedNatives(stage, halt.Token).ConfigureAwait(false);
            await Task.WhenAll(needs).ConfigureAwait(false);
            summary = natives is null ? summary with { NotDone = "stopped before its native packages were here" } : stage.Needs.FirstOrDefault(n => !_results.ContainsKey(n.Id)) is { } missing
                ? summary with { NotDone = $"it needs '{missing.Id}'" }
                : await RunStage(stage, natives, course, halt).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (halt.IsCancellationRequested)
        {
            summary = summary with { NotDone = "stopped before it was planned" };
        }
        catch (ActionFailedException e)
        {
            summary = Fail(stage, summary, e.Failure, halt);
        }
        catch (StageFailedException e)
        {
            summary = Fail(stage, summary, new Failure(null, e.Diagnostics, null), halt);
        }
        catch (InfrastructureException e)
        {
            summary = Fail(stage, summary, new Failure(null, [e.Diagnostic], null), halt);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            summary = Fail(stage, summary, new Failure(null, [InfrastructureException.OfFile(e).Diagnostic], null), halt);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            summary = Fail(stage, summary, new Failure(null, [Defect.Of(e) with { Location = stage.Location }], null), halt); // Of the tool; what other stages did is kept and told all the same.
        }

        return summary;
    }

    private IExecutor ExecutorOf(StageNode stage) => stage.Executor == ExecutorKind.Local || cluster is null ? _here : cluster;

    /// <summary>Lets workers of a plugin go when the last stage that has them has ended.</summary>
    private void RetireWorkers(string assembly)
    {
        if (pipeline.Stages.All(s => _summaries.ContainsKey(s.Id) || code.AssemblyOf(s.Type) != assembly))
        {
            workers.Retire(assembly);
        }
    }

    /// <summary>
    /// What the stage's keys are made with; null where the user stopped it. Where it has to be fetched for that, and can't be used here, this is told before what the stage needs is made, which may take days.
    /// </summary>
    private async Task<IReadOnlyList<NativePackage>?> PlannedNatives(StageNode stage, CancellationToken halt)
    {
        try
        {
            var natives = await code.Natives.Look(stage, halt).ConfigureAwait(false);
            return natives.Any(n => n.Sha512 is null) ? await ExecutorOf(stage).Natives(stage, halt).ConfigureAwait(false) : natives;
        }
        catch (OperationCanceledException) when (halt.IsCancellationRequested)
        {
            return null;
        }
    }

    private async Task<StageOutcome> RunStage(StageNode stage, IReadOnlyList<NativePackage> natives, StageCourse course, CancellationTokenSource halt)
    {
        long started = Stopwatch.GetTimestamp();
        stage = await ExecutorOf(stage).Placed(stage, halt.Token).ConfigureAwait(false);
        var plan = _planner.Plan(stage, _results, natives, course.Rounds?.Before);
        _natives[stage.Id] = plan.Natives;
        _digests[stage.Id] = plan.Digests;
        bool again = options.Again.Contains(stage.Id);
        var found = again ? plan.Actions.Where(a => course.Executed.Contains(a.Key)).ToDictionary(a => a.Key, a => (Manifest?)store.FindPublished(a.Key)) : await _collector.Look(plan, remote, halt.Token).ConfigureAwait(false);
        ActionSpec[] missing = [.. plan.Actions.Where(a => !found.ContainsKey(a.Key) && !course.Failed.Contains(a.Key)).Select(a => again ? a with { Again = true } : a)];
        HoldAgainstPlan(stage, missing, course.Rounds);
        if (again)
        {
            store.Use([.. plan.Actions.Select(a => a.Key), .. plan.Prepare is { } shared ? [shared.Key] : Array.Empty<string>()]); // Nobody has looked for them.
        }

        var reasons = again && missing.Length > 0 ? ["executed again, as was asked for"] : missing.Length == 0 ? [] : Why(plan, missing, course.Rounds);
        if (course.Rounds is { } rounds && rounds.Circle.Lister == stage.Id)
        {
            observer.Round(rounds.Circle, rounds.Number);
        }

        observer.Planned(stage, plan.Actions.Count, found.Count, reasons);
        var ended = await Execute(plan, missing, course, halt).ConfigureAwait(false);

        int stopped = missing.Count(a => ended[a.Key].End == ActionEnd.Stopped);
        course.Executed.UnionWith(missing.Where(a => ended[a.Key].End == ActionEnd.Published).Select(a => a.Key));
        course.Failed.UnionWith(missing.Select(a => a.Key).Where(_failures.ContainsKey));
        Failure[] failures = [.. plan.Actions.Where(a => course.Failed.Contains(a.Key)).Select(a => _failures[a.Key])];
        foreach (var spec in missing.Where(a => ended[a.Key].End is ActionEnd.Published or ActionEnd.Found))
        {
            found[spec.Key] = store.FindPublished(spec.Key);
        }

        bool complete = stopped == 0 && (failures.Length == 0 || (options.OnFailure == FailurePolicy.KeepGoing && failures.Length < plan.Actions.Count));
        StageResult? result = null;
        var record = _records[stage.Id] = new RecordedStage(
            stage.Id, stage.Declaration.Type, [.. plan.Actions.Select(a => new RecordedAction(a.Point, a.Key) { FailedWith = _failures.GetValueOrDefault(a.Key)?.Findings is [var first, ..] ? first.Code : null })],
            course.Executed.Count, course.Reasons(reasons))
        { Prepare = plan.Prepare?.Key, Earlier = course.EarlierKeys };
        if (complete)
        {
            bool collects = plan.FansOut && (found.Count == 0 || found.Values.Any(m => m is not null));
            result = _collector.Join(plan, found, again);
            if (collects && result.Collection is { } collection)
            {
                remote?.Give(collection);
            }

            _records[stage.Id] = record with { Collection = result.Collection };
            _results[stage.Id] = result;
        }

        return course.Outcome with
        {
            Actions = plan.Actions.Count,
            Executed = course.Executed.Count,
            Cached = plan.Actions.Count(a => !course.Executed.Contains(a.Key)) - failures.Length - stopped,
            Failures = failures,
            Rounds = course.Rounds?.Number ?? 0,
            Seconds = course.Outcome.Seconds + Stopwatch.GetElapsedTime(started).TotalSeconds,
            NotDone = stopped > 0 ? $"stopped before {stopped} of its actions were done" : failures.Length > 0 ? $"{failures.Length} of its actions failed" : null,
        };
    }

    private IReadOnlyList<string> Why(StagePlan plan, ActionSpec[] missing, CircleRounds? rounds)
    {
        var explainer = new Explainer(store, Last, pipeline);
        return rounds?.Why(plan, missing, explainer) ?? explainer.Why(plan, missing);
    }

    /// <summary>What a frozen plan does not have is not begun: the code, the data or the machine is another than it was made for. Of rounds after the one that it was made in it knows nothing.</summary>
    /// <exception cref="StageFailedException">SCAL3023: it lacks actions of a stage that it knew whole.</exception>
    private void HoldAgainstPlan(StageNode stage, ActionSpec[] missing, CircleRounds? rounds)
    {
        if (options.Plan?.Stages.FirstOrDefault(s => s.Id == stage.Id && s.Outlook != StageOutlook.Depends) is not { } frozen || (rounds is not null && rounds.Number > frozen.Round))
        {
            return;
        }

        var planned = frozen.Actions.Select(a => a.Key).ToHashSet(StringComparer.Ordinal);
        string[] others = [.. missing.Where(a => !planned.Contains(a.Key)).Select(a => a.Point ?? stage.Id)];
        if (others.Length > 0)
        {
            throw new StageFailedException([new Diagnostic("SCAL3023", $"{others.Length} of the actions of '{stage.Id}' are not in the plan, {others[0]} among them.")
            {
                Location = stage.Location, Hint = "They were in the store when the plan was made, or data or machine are others since. Plan again: dotnet scaling plan PIPELINE --json > plan.json",
            }]);
        }
    }

    private async Task<IReadOnlyDictionary<string, ActionResult>> Execute(StagePlan plan, ActionSpec[] missing, StageCourse course, CancellationTokenSource halt)
    {
        var stage = plan.Stage;
        if (missing.Length > 0 && plan.Prepare is { } shared)
        {
            var prepared = await Prepare(stage, shared, course, halt).ConfigureAwait(false);
            if (prepared is null)
            {
                return missing.ToDictionary(a => a.Key, _ => new ActionResult(ActionEnd.Stopped, [], 0));
            }

            var files = ActionInput.Prepared(store, prepared);
            missing = Array.ConvertAll(missing, a => a with { Prepared = files });
        }

        bool batch = stage.Declaration.FanOut?.Mode == FanOutMode.Batch;
        var groups = batch && missing.Length > 0 ? [missing] : missing.Select(a => new[] { a });
        var ended = new ConcurrentDictionary<string, ActionResult>();
        await ExecutorOf(stage).Execute(stage, [.. groups], End, halt.Token).ConfigureAwait(false);
        return ended;

        void End(ActionSpec spec, ActionResult result)
        {
            ended[spec.Key] = result;
            GiveIfPublished(spec.Key, result);
            if (result.End == ActionEnd.Stopped)
            {
                observer.Stopped(stage, spec.Point, spec.Key);
            }
            else if (result.End is not (ActionEnd.Published or ActionEnd.Found))
            {
                _failures[spec.Key] = Failed(stage, spec, result, halt);
            }
        }
    }

    /// <summary>Finds or makes what the rows share; null where the user stopped it.</summary>
    private async Task<Manifest?> Prepare(StageNode stage, ActionSpec shared, StageCourse course, CancellationTokenSource halt)
    {
        bool again = options.Again.Contains(stage.Id) && course.Prepared.Add(shared.Key);
        if (!again && store.Find(shared.Key) is { } there)
        {
            return there;
        }

        if (!again && remote is not null)
        {
            await remote.Bring([shared.Key], halt.Token).ConfigureAwait(false);
            if (store.Find(shared.Key) is { } brought)
            {
                return brought;
            }
        }

        observer.Preparing(stage);
        shared = shared with { Again = again };
        var result = new ActionResult(ActionEnd.Stopped, [], 0);
        await ExecutorOf(stage).Execute(stage, [[shared]], (_, given) => result = given, halt.Token).ConfigureAwait(false);
        GiveIfPublished(shared.Key, result);
        if (result.End is ActionEnd.Published or ActionEnd.Found)
        {
            observer.Prepared(stage, result.End == ActionEnd.Published, result.Seconds);
        }

        return result.End switch
        {
            ActionEnd.Published or ActionEnd.Found => store.FindPublished(shared.Key),
            ActionEnd.Stopped => null,
            _ => throw new ActionFailedException(new Failure(null, result.Reasons, result.Log)),
        };
    }

    private void GiveIfPublished(string key, ActionResult result)
    {
        if (result.End == ActionEnd.Published)
        {
            remote?.Give(key);
        }
    }

    private Failure Failed(StageNode stage, ActionSpec spec, ActionResult result, CancellationTokenSource halt)
    {
        var failure = new Failure(spec.Point, result.Reasons, result.Log) { Key = spec.Key };
        Fail(stage, new StageOutcome(stage.Id, stage.Declaration.Type), failure, halt);
        return failure;
    }

    private StageOutcome Fail(StageNode stage, StageOutcome summary, Failure failure, CancellationTokenSource halt)
    {
        observer.Failed(stage, failure);
        int exit = ExitCode.Of(failure.Findings, ExitCode.StageFailed);
        Worsen(exit);
        // Where the store cannot be written, no other action can be published either.
        if (options.OnFailure == FailurePolicy.FailFast || (exit == ExitCode.Infrastructure && !failure.Findings.Any(Defect.Is)))
        {
            halt.Cancel();
        }

        return summary with { Actions = Math.Max(1, summary.Actions), Failures = [.. summary.Failures, failure], NotDone = "it failed" };
    }

    /// <summary>What the rows of a stage share could not be made.</summary>
    private sealed class ActionFailedException(Failure failure) : Exception
    {
        public Failure Failure { get; } = failure;
    }

    private void Worsen(int code)
    {
        lock (_judging)
        {
            _worst = Math.Max(_worst, code);
        }
    }

    private IReadOnlyList<string> Earlier(StageNode stage) => new Explainer(store, Last, pipeline).Recorded(stage)?.Reasons ?? [];

    private void Keep(int exit, string folder, IReadOnlyList<RecordedResult> written)
    {
        bool all = pipeline.Stages.All(s => _records.ContainsKey(s.Id));
        RecordedStage[] stages =
        [
            .. pipeline.Stages.Where(s => _records.ContainsKey(s.Id)).Select(s => _records[s.Id] with
            {
                Reasons = _records[s.Id].Executed > 0 ? _records[s.Id].Reasons : Earlier(s),
                Earlier = [.. _records[s.Id].Earlier.Except(_records[s.Id].LastKeys, StringComparer.Ordinal)], Cached = _summaries[s.Id].Cached, Failed = _summaries[s.Id].Failures.Count, NotDone = _summaries[s.Id].NotDone,
            }),
            .. all ? [] : Last?.Stages.Where(s => !_records.ContainsKey(s.Id)) ?? [],
        ];
        _history.Keep(new RunRecord(pipeline.Name, pipeline.Path, _started, store.Now, exit, stages, folder, written) { Overrides = pipeline.Overrides }, Last);
    }

    /// <summary>A stage in a run: what it has done so far, which in a circle is the work of some rounds.</summary>
    private sealed class StageCourse(StageNode stage)
    {
        private readonly HashSet<string> _earlier = new(StringComparer.Ordinal);
        private readonly List<string> _reasons = [];

        /// <summary>Of its circle; null for a stage in none.</summary>
        public CircleRounds? Rounds { get; init; }

        /// <summary>Up to the last round that ended.</summary>
        public StageOutcome Outcome { get; private set; } = new(stage.Id, stage.Declaration.Type);

        /// <summary>Keys of actions that this run executed: with <c>--again</c> each is, once.</summary>
        public HashSet<string> Executed { get; } = new(StringComparer.Ordinal);

        /// <summary>Keys of actions that failed in this run, and are not tried again in it.</summary>
        public HashSet<string> Failed { get; } = new(StringComparer.Ordinal);

        /// <summary>Keys of what its rows share that were looked after in this run.</summary>
        public HashSet<string> Prepared { get; } = new(StringComparer.Ordinal);

        /// <summary>Every key of the rounds that ended.</summary>
        public IReadOnlyList<string> EarlierKeys => [.. _earlier];

        /// <summary>Those of all rounds.</summary>
        public IReadOnlyList<string> Reasons(IReadOnlyList<string> more)
        {
            _reasons.AddRange(more.Except(_reasons, StringComparer.Ordinal).ToArray());
            return [.. _reasons];
        }

        public void EndRound(StageOutcome outcome, RecordedStage record)
        {
            Outcome = outcome;
            _earlier.UnionWith(record.LastKeys);
        }
    }
}
