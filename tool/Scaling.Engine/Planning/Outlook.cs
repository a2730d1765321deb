// What a run would do now: the whole pipeline walked, circles of feedback as far as their rounds are in the store, without executing anything but enumerating stages.
using System.Text.Json.Serialization;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>What would become of a stage.</summary>
public enum StageOutlook
{
    /// <summary>Everything is in the store.</summary>
    [JsonStringEnumMemberName("done")]
    Done,

    /// <summary>Some of its actions would run.</summary>
    [JsonStringEnumMemberName("will_run")]
    WillRun,

    /// <summary>An input is not made yet: whether anything runs is known then.</summary>
    [JsonStringEnumMemberName("depends")]
    Depends,
}

/// <summary>A stage, looked ahead.</summary>
/// <param name="Stage">The stage.</param>
/// <param name="Outlook">What would become of it.</param>
/// <param name="Plan">Its actions; null where they depend on what is not made yet.</param>
/// <param name="Missing">Those that would run.</param>
/// <param name="Reasons">Why, in words.</param>
public sealed record StageAhead(StageNode Stage, StageOutlook Outlook, StagePlan? Plan, IReadOnlyList<ActionSpec> Missing, IReadOnlyList<string> Reasons)
{
    /// <summary>What it gives; null where it is not made yet, or its circle has not ended.</summary>
    public StageResult? Result { get; init; }

    /// <summary>The round of its circle that this tells of; null for a stage in none.</summary>
    public AheadRound? Round { get; init; }
}

/// <summary>Where a circle of feedback is.</summary>
/// <param name="Circle">The circle.</param>
/// <param name="Number">The last round where it has ended; else the first that is not done, of which all before are in the store.</param>
/// <param name="HasEnded">Whether nothing new was listed in it.</param>
public sealed record AheadRound(FeedbackCircle Circle, int Number, bool HasEnded);

/// <summary>Looks ahead.</summary>
/// <param name="pipeline">Linked.</param>
/// <param name="store">What is there already.</param>
/// <param name="workers">Evaluates enumerating stages.</param>
/// <param name="observer">Takes warnings of those.</param>
/// <param name="code">Brings the code of those that are packages.</param>
/// <param name="remote">Brings what was published elsewhere, so that what depends on it is looked at too. Null: nothing is brought.</param>
public sealed class Outlook(Pipeline pipeline, ContentStore store, WorkerPool workers, IRunObserver observer, StageCode code, IRemoteEntries? remote = null)
{
    /// <summary>Whether enumerating stages are executed that are not in the store. Default: true.</summary>
    public bool Evaluates { get; init; } = true;

    private readonly StagePlanner _planner = new(pipeline, store);
    private readonly Collector _collector = new(store);
    private readonly LocalExecutor _executor = new(workers, store, 1, observer, code);
    private readonly Lazy<Explainer> _explainer = new(() => new Explainer(store, new RunHistory(store, pipeline.Path).Last, pipeline));

    /// <summary>Every stage in order.</summary>
    /// <param name="stop">Stops evaluating.</param>
    /// <exception cref="StageFailedException">An enumerating stage failed, a table of rows lacks a column, or a circle of feedback does not end.</exception>
    public async Task<IReadOnlyList<StageAhead>> Look(CancellationToken stop)
    {
        var circles = pipeline.Circles;
        var results = new Dictionary<string, StageResult>();
        var ahead = new List<StageAhead>();
        foreach (var stage in pipeline.Stages)
        {
            if (circles.FirstOrDefault(c => c.Lister == stage.Id) is { } circle)
            {
                ahead.AddRange(await LookAtRounds(circle, results, stop).ConfigureAwait(false));
            }
            else if (ahead.All(a => a.Stage.Id != stage.Id))
            {
                var open = stage.Needs.Select(n => ahead.Find(a => a.Stage.Id == n.Id)!).FirstOrDefault(a => a.Round is { HasEnded: false })?.Round;
                ahead.Add(open is null
                    ? await LookAt(stage, results, null, stop).ConfigureAwait(false)
                    : new StageAhead(stage, StageOutlook.Depends, null, [], [$"it depends on what the rounds of the circle {open.Circle} give"]));
            }
        }

        return ahead;
    }

    /// <summary>The last round of a circle, or the first that is not done.</summary>
    private async Task<IReadOnlyList<StageAhead>> LookAtRounds(FeedbackCircle circle, Dictionary<string, StageResult> results, CancellationToken stop)
    {
        StageNode[] members = [.. circle.Members.Select(id => pipeline.Stages.First(s => s.Id == id))];
        var rounds = new CircleRounds(circle, members[0]);
        while (true)
        {
            int number = rounds.Number;
            var given = new Dictionary<string, StageResult>(results);
            var ahead = new List<StageAhead>();
            foreach (var stage in members)
            {
                ahead.Add(await LookAt(stage, given, rounds, stop).ConfigureAwait(false));
            }

            bool done = ahead.TrueForAll(a => a.Outlook == StageOutlook.Done);
            bool hasEnded = done && rounds.End(ahead.ToDictionary(a => a.Stage.Id, a => (IReadOnlyList<string>)[.. a.Plan!.Actions.Select(action => action.Key)]), given);
            if (hasEnded)
            {
                members.ToList().ForEach(m => results[m.Id] = given[m.Id]);
            }

            if (hasEnded || !done)
            {
                return [.. ahead.Select(a => a with { Round = new AheadRound(circle, number, hasEnded), Result = hasEnded ? a.Result : null })];
            }
        }
    }

    private async Task<StageAhead> LookAt(StageNode stage, Dictionary<string, StageResult> results, CircleRounds? rounds, CancellationToken stop)
    {
        if (stage.Needs.FirstOrDefault(n => !results.ContainsKey(n.Id)) is { } open)
        {
            return new StageAhead(stage, StageOutlook.Depends, null, [], [$"it depends on what '{open.Id}' gives"]);
        }

        if (stage.AwaitsNode)
        {
            return new StageAhead(stage, StageOutlook.Depends, null, [], ["it depends on what kind of machine the nodes are, which the first of them tells when it runs"]);
        }

        var plan = _planner.Plan(stage, results, await code.Natives.Look(stage, stop).ConfigureAwait(false), rounds?.Before);
        var found = await _collector.Look(plan, remote, stop).ConfigureAwait(false);
        ActionSpec[] missing = [.. plan.Actions.Where(a => !found.ContainsKey(a.Key))];
        var reasons = rounds?.Why(plan, missing, _explainer.Value) ?? _explainer.Value.Why(plan, missing);
        // Looking ahead fetches no native libraries; an enumerating stage that has some is then looked at no further.
        if (Evaluates && missing.Length > 0 && stage.Declaration.Enumerating && plan.Natives.All(n => n.Folder is not null))
        {
            foreach (var (key, result) in await _executor.Execute(stage, missing, stop).ConfigureAwait(false))
            {
                stop.ThrowIfCancellationRequested();
                found[key] = store.Find(key) ?? throw new StageFailedException([.. result.Reasons.Select(r => r with { Location = r.Location ?? stage.Location })]);
            }

            (missing, reasons) = ([], []);
        }

        if (missing.Length == 0)
        {
            results[stage.Id] = _collector.Join(plan, found);
        }

        return new StageAhead(stage, missing.Length == 0 ? StageOutlook.Done : StageOutlook.WillRun, plan, missing, reasons) { Result = results.GetValueOrDefault(stage.Id) };
    }
}
