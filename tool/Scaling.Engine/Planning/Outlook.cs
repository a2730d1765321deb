// What a run would do now: the whole pipeline walked without executing anything but enumerating stages.
using System.Text.Json.Serialization;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Execution;
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
    /// <summary>What it gives; null where it is not made yet.</summary>
    public StageResult? Result { get; init; }
}

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

    /// <summary>Every stage in order.</summary>
    /// <param name="stop">Stops evaluating.</param>
    /// <exception cref="StageFailedException">An enumerating stage failed, or a table of rows lacks a column.</exception>
    public async Task<IReadOnlyList<StageAhead>> Look(CancellationToken stop)
    {
        var planner = new StagePlanner(pipeline, store);
        var collector = new Collector(store);
        var executor = new LocalExecutor(workers, store, 1, observer, code);
        var explainer = new Explainer(store, new RunHistory(store, pipeline.Path).Last, pipeline);
        var results = new Dictionary<string, StageResult>();
        var ahead = new List<StageAhead>();
        foreach (var stage in pipeline.Stages)
        {
            if (stage.Needs.FirstOrDefault(n => !results.ContainsKey(n.Id)) is { } open)
            {
                ahead.Add(new StageAhead(stage, StageOutlook.Depends, null, [], [$"it depends on what '{open.Id}' gives"]));
                continue;
            }

            if (stage.AwaitsNode)
            {
                ahead.Add(new StageAhead(stage, StageOutlook.Depends, null, [], ["it depends on what kind of machine the nodes are, which the first of them tells when it runs"]));
                continue;
            }

            var plan = planner.Plan(stage, results, await code.Natives.Look(stage, stop).ConfigureAwait(false));
            var found = await collector.Look(plan, remote, stop).ConfigureAwait(false);
            ActionSpec[] missing = [.. plan.Actions.Where(a => !found.ContainsKey(a.Key))];
            var reasons = explainer.Why(plan, missing);
            // Looking ahead fetches no native libraries; an enumerating stage that has some is then looked at no further.
            if (Evaluates && missing.Length > 0 && stage.Declaration.Enumerating && plan.Natives.All(n => n.Folder is not null))
            {
                foreach (var (key, result) in await executor.Execute(stage, missing, stop).ConfigureAwait(false))
                {
                    stop.ThrowIfCancellationRequested();
                    found[key] = store.Find(key) ?? throw new StageFailedException(result.Reasons);
                }

                (missing, reasons) = ([], []);
            }

            if (missing.Length == 0)
            {
                results[stage.Id] = collector.Join(plan, found);
            }

            ahead.Add(new StageAhead(stage, missing.Length == 0 ? StageOutlook.Done : StageOutlook.WillRun, plan, missing, reasons) { Result = results.GetValueOrDefault(stage.Id) });
        }

        return ahead;
    }
}
