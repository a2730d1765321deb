// What earlier runs of a pipeline tell of actions that are to run: the published one that is nearest, and how long such actions take.
using Scaling.Engine.Execution;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Planning;

/// <summary>A published action of an earlier run.</summary>
/// <param name="Manifest">What was published.</param>
/// <param name="Run">Number of the run.</param>
/// <param name="Differences">What its key has otherwise.</param>
public sealed record PastEntry(Manifest Manifest, int Run, IReadOnlyList<Difference> Differences);

/// <summary>What actions will take.</summary>
/// <param name="Seconds">Of compute, of all of them together.</param>
/// <param name="Basis">So many past actions were looked at.</param>
public sealed record ComputeEstimate(double Seconds, int Basis)
{
    /// <summary>In words.</summary>
    public string Text => $"about {Duration.InWords(Seconds)} of compute, as {(Basis == 1 ? "a past action" : $"{Basis} past actions")} took";
}

/// <summary>Looks into the runs of a pipeline.</summary>
/// <param name="store">Holds the manifests.</param>
/// <param name="history">The runs.</param>
public sealed class PastEntries(ContentStore store, RunHistory history)
{
    /// <summary>As many manifests are opened at most to find the nearest one.</summary>
    private const int MostOpened = 2000;

    /// <summary>As many manifests are opened at most to tell a time: a mean of more is no better.</summary>
    private const int MostTimed = 100;

    private readonly Dictionary<string, Past[]> _pasts = [];
    private readonly Lazy<RunRecord[]> _runs = new(() => [.. history.Numbers.Select(history.Read).OfType<RunRecord>()]);

    /// <summary>The published action of the stage's type whose key has the fewest other entries; of several the latest. Null where no run left one.</summary>
    /// <param name="plan">The stage.</param>
    /// <param name="action">One that is not in the store.</param>
    /// <param name="explainer">Tells differences.</param>
    public PastEntry? Nearest(StagePlan plan, ActionSpec action, Explainer explainer)
    {
        var now = Explainer.Numbered(action.Entries).ToDictionary(e => ((string, string, int))e.Place, e => e.Entry.Value);
        (Past Past, int Others)? nearest = null;
        foreach (var past in Pasts(plan.Stage))
        {
            int most = nearest?.Others ?? int.MaxValue;
            int others = past.Others(now, most);
            if (others < most)
            {
                nearest = (past, others);
            }
        }

        return nearest is { Past: var found } ? new PastEntry(found.Manifest, found.Run, explainer.Differences(plan, found.Manifest.Entries, action.Entries)) : null;
    }

    /// <summary>What is published of a stage's type, opened once however many rows are asked about.</summary>
    private Past[] Pasts(StageNode stage)
    {
        if (!_pasts.TryGetValue(stage.Declaration.Type, out var pasts))
        {
            _pasts[stage.Declaration.Type] = pasts =
            [
                .. Keys(stage).Take(MostOpened).Select(k => (Manifest: store.Read(k.Key), k.Run)).Where(k => k.Manifest is not null)
                    .Select(k => new Past(k.Manifest!, k.Run, [.. Explainer.Numbered(k.Manifest!.Entries).Select(e => (e.Place, e.Entry.Value))])),
            ];
        }

        return pasts;
    }

    private sealed record Past(Manifest Manifest, int Run, ((string, string, int) Place, string Value)[] Entries)
    {
        /// <summary>Entries that are in one key alone or have other values; as soon as it is known that they are no fewer, <paramref name="most"/> or more.</summary>
        public int Others(Dictionary<(string, string, int), string> now, int most)
        {
            int others = now.Count - Entries.Length; // Each of the past that is not the same now is one here, and leaves one there.
            foreach (var (place, value) in Entries)
            {
                if (!now.TryGetValue(place, out string? other) || other != value)
                {
                    others += 2;
                    if (others >= most)
                    {
                        return others;
                    }
                }
            }

            return others;
        }
    }

    /// <summary>What actions of a stage will take, by the mean of its latest published ones, those of the same rows first; null where there are none.</summary>
    /// <param name="stage">The stage.</param>
    /// <param name="missing">At least one.</param>
    public ComputeEstimate? Estimate(StageNode stage, IReadOnlyList<ActionSpec> missing)
    {
        var points = missing.Select(a => a.Point ?? "").ToHashSet(StringComparer.Ordinal);
        double[] seconds =
        [
            .. Latest(stage).OrderByDescending(a => points.Contains(a.Point ?? "")).Select(a => store.Read(a.Key)?.Seconds).OfType<double>().Take(MostTimed),
        ];
        return seconds.Length == 0 ? null : new ComputeEstimate(seconds.Average() * missing.Count, seconds.Length);
    }

    /// <summary>The actions of the latest run that had the stage.</summary>
    private IReadOnlyList<RecordedAction> Latest(StageNode stage) =>
        _runs.Value.Select(run => run.Stages.FirstOrDefault(s => s.Type == stage.Declaration.Type && s.Id == stage.Id)).FirstOrDefault(s => s is { Actions.Count: > 0 })?.Actions ?? [];

    /// <summary>Keys of the stage's type, those of late runs first, each once.</summary>
    private IEnumerable<(string Key, int Run)> Keys(StageNode stage) =>
        _runs.Value
            .SelectMany(run => run.Stages.Where(s => s.Type == stage.Declaration.Type).SelectMany(s => s.Actions.Select(a => (a.Key, run.Number)))).DistinctBy(k => k.Key);
}
