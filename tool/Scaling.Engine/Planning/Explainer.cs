// Says in words why actions run: the entries of their keys beside those of an earlier run.
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Planning;

/// <summary>An entry of a key that is not what it was.</summary>
/// <param name="Kind">See <see cref="EntryKind"/>.</param>
/// <param name="Name">Which one.</param>
/// <param name="Was">Null where it is new.</param>
/// <param name="Now">Null where it is gone.</param>
/// <param name="Text">In words, with its place in the pipeline file where it has one.</param>
public sealed record Difference(string Kind, string Name, string? Was, string? Now, string Text);

/// <summary>Compares keys with those of an earlier run of the pipeline.</summary>
/// <param name="store">Holds the manifests of that run's actions.</param>
/// <param name="run">That run; null for none.</param>
/// <param name="pipeline">As it is now.</param>
public sealed class Explainer(ContentStore store, RunRecord? run, Pipeline pipeline)
{
    private const int PointsNamed = 3;
    private (RecordedStage Of, Dictionary<string, RecordedAction> Actions)? _before;

    /// <summary>What messages call the run. Default: the last run.</summary>
    public string Called { get; init; } = "the last run";

    /// <summary>The run's record of a stage, also when it was renamed since.</summary>
    /// <param name="stage">A stage of the pipeline as it is now.</param>
    public RecordedStage? Recorded(StageNode stage) =>
        run?.Stages.FirstOrDefault(s => s.Id == stage.Id && s.Type == stage.Declaration.Type)
        ?? (run?.Stages.Where(s => s.Type == stage.Declaration.Type && pipeline.Stages.All(now => now.Id != s.Id)).ToArray() is [var only] ? only : null);

    /// <summary>Why actions are not in the store, a sentence for each cause, with the number of actions where the stage fans out.</summary>
    /// <param name="plan">The stage.</param>
    /// <param name="missing">Those of its actions that have no entry.</param>
    public IReadOnlyList<string> Why(StagePlan plan, IReadOnlyList<ActionSpec> missing)
    {
        if (missing.Count == 0)
        {
            return [];
        }

        if (NotFetched(plan) is [_, ..] unknown)
        {
            return unknown;
        }

        if (Recorded(plan.Stage) is not { } recorded)
        {
            return [run is null ? "this pipeline has not run here before" : $"this stage was not in {Called}"];
        }

        var before = Before(recorded);
        var causes = new Dictionary<string, List<string>>();
        foreach (var action in missing)
        {
            foreach (string cause in Causes(plan, action, before))
            {
                if (!causes.TryGetValue(cause, out var points))
                {
                    causes[cause] = points = [];
                }

                points.Add(action.Point ?? "");
            }
        }

        return [.. causes.Select(c => plan.FansOut ? $"{Count(c.Value.Count, plan.Actions.Count)}: {c.Key} ({Named(c.Value)})" : c.Key)];
    }

    /// <summary>Why one action is not in the store.</summary>
    /// <param name="plan">The stage.</param>
    /// <param name="missing">One of its actions.</param>
    public IReadOnlyList<string> Why(StagePlan plan, ActionSpec missing) =>
        NotFetched(plan) is [] && Recorded(plan.Stage) is { } recorded ? [.. Causes(plan, missing, Before(recorded))] : Why(plan, [missing]);

    private static string[] NotFetched(StagePlan plan) =>
        [.. plan.NotFetched.Select(n => $"the native package {n} is not fetched yet; keys hold its content, so 'run' fetches it first and knows then what is cached")];

    /// <summary>Actions of the earlier run by row; made once, as rows are asked about one by one.</summary>
    private Dictionary<string, RecordedAction> Before(RecordedStage recorded)
    {
        if (_before is not { } before || !ReferenceEquals(before.Of, recorded))
        {
            _before = before = (recorded, recorded.Actions.ToDictionary(a => a.Point ?? ""));
        }

        return before.Actions;
    }

    private IEnumerable<string> Causes(StagePlan plan, ActionSpec action, Dictionary<string, RecordedAction> before)
    {
        if (!before.TryGetValue(action.Point ?? "", out var recorded))
        {
            return [$"no such row in {Called}"];
        }

        string failed = recorded.FailedWith is { } code ? $"it failed in {Called} with {code}" : "";
        if (recorded.Key == action.Key)
        {
            return [failed.Length > 0 ? failed : $"{Called} did not finish it, or its entry is gone from the store"];
        }

        return store.Read(recorded.Key) is { } old
            ? [.. Differences(plan, old.Entries, action.Entries).Select(d => d.Text)]
            : [failed.Length > 0 ? $"its key changed; {failed}" : $"its key changed; {Called} did not finish it, or its entry is gone from the store"];
    }

    /// <summary>What is not the same in two keys of a stage; where what the rows share changed, what changed of that.</summary>
    /// <param name="plan">The stage as it is now.</param>
    /// <param name="old">Entries of the earlier key.</param>
    /// <param name="now">Entries of one of its actions.</param>
    public IReadOnlyList<Difference> Differences(StagePlan plan, IReadOnlyList<KeyEntry> old, IReadOnlyList<KeyEntry> now) => Differences(plan.Stage, old, now, plan.Prepare);

    private Difference[] Differences(StageNode stage, IReadOnlyList<KeyEntry> old, IReadOnlyList<KeyEntry> now, ActionSpec? prepare)
    {
        var before = Numbered(old).ToDictionary(e => e.Place, e => e.Entry.Value);
        var after = Numbered(now).ToDictionary(e => e.Place, e => e.Entry);
        var differences = new List<Difference>();
        foreach (var (place, entry) in after)
        {
            string? was = before.GetValueOrDefault(place);
            if (was == entry.Value)
            {
                continue;
            }

            if (entry.Kind == EntryKind.Prepare && was is not null && prepare is not null && store.Read(was) is { } shared)
            {
                differences.AddRange(Differences(stage, shared.Entries, prepare.Entries, null));
            }
            else
            {
                differences.Add(Told(stage, entry, was, entry.Value));
            }
        }

        differences.AddRange(Numbered(old).Where(e => !after.ContainsKey(e.Place)).Select(e => Told(stage, e.Entry, e.Entry.Value, null)));
        return [.. differences.DistinctBy(d => d.Text)];
    }

    /// <summary>Entries with a place that none of them shares: of two inputs of one name, as two files of one kind are, the second is compared with the second.</summary>
    internal static IEnumerable<((string Kind, string Name, int Which) Place, KeyEntry Entry)> Numbered(IReadOnlyList<KeyEntry> entries)
    {
        var taken = new HashSet<(string, string, int)>();
        foreach (var entry in entries)
        {
            int which = 0;
            while (!taken.Add((entry.Kind, entry.Name, which)))
            {
                which++;
            }

            yield return ((entry.Kind, entry.Name, which), entry);
        }
    }

    private static Difference Told(StageNode stage, KeyEntry entry, string? was, string? now) =>
        new(entry.Kind, entry.Name, was, now, Sentence(entry.Kind, entry.Name, was, now) + Place(stage, entry.Kind, entry.Name));

    private static string Place(StageNode stage, string kind, string name) =>
        kind == EntryKind.Setting && stage.SettingLocations.TryGetValue(name, out var place) ? $" at {place}" : "";

    /// <summary>What became of an entry, in words.</summary>
    internal static string Sentence(string kind, string name, string? was, string? now)
    {
        if (kind == EntryKind.Setting)
        {
            (was, now) = (Readable(was), Readable(now));
        }

        string change = (was, now) switch
        {
            (null, _) => $"is new ({now})",
            (_, null) => $"is gone (it was {was})",
            _ => $"changed from {was} to {now}",
        };
        return kind switch
        {
            EntryKind.Setting => $"setting '{name}' {change}",
            EntryKind.Assembly => was is null ? $"the assembly {name} is new" : now is null ? $"the assembly {name} is gone" : $"the assembly {name} changed",
            EntryKind.Library => was is null ? $"the native library {name} is new" : now is null ? $"the native library {name} is gone" : $"the native library {name} changed",
            EntryKind.Native => $"the native package {name} {change}",
            EntryKind.Files => $"the files that setting '{name.Split('[')[0]}' names changed",
            EntryKind.Seed => $"the pipeline's seed {change}",
            EntryKind.Input => $"its input '{name.Split('[')[0]}' has other content",
            EntryKind.Row => $"column '{name}' of its row {change}",
            EntryKind.Prepare => "the action that its rows share changed",
            EntryKind.Device => $"the machine's device class {change}",
            EntryKind.Determinism => $"the declared determinism {change}",
            EntryKind.Contract => $"the stage contract's revision {change}",
            EntryKind.Framework => $"the major version of .NET {change}",
            EntryKind.Format => $"the key format's revision {change}",
            _ => $"{kind} {name} {change}",
        };
    }

    /// <summary>A setting as a person writes it: the key's JSON has escapes for what is no danger to a reader.</summary>
    /// <param name="json">Canonical JSON; null for none.</param>
    public static string? Readable(string? json) => json is null || !json.Contains("\\u", StringComparison.Ordinal) ? json : System.Text.Json.Nodes.JsonNode.Parse(json)?.ToJsonString(Unescaped);

    private static readonly System.Text.Json.JsonSerializerOptions Unescaped = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private static string Count(int some, int all) => some == all ? $"all {all} actions" : $"{some} of {all} actions";

    private static string Named(List<string> points) =>
        string.Join(", ", points.Take(PointsNamed)) + (points.Count > PointsNamed ? $" and {points.Count - PointsNamed} more" : "");
}
