// What two recorded runs were made of, side by side: the entries of their keys, whatever became of their pipeline files since.
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;

namespace Scaling.Engine.Planning;

/// <summary>A stage in two runs.</summary>
/// <param name="A">In the first; null where that had none.</param>
/// <param name="B">In the second; null where that had none.</param>
/// <param name="Changes">What its keys have otherwise; <see cref="Difference.Was"/> is of the first. Empty where one of them had no such stage.</param>
public sealed record StageChange(RecordedStage? A, RecordedStage? B, IReadOnlyList<Difference> Changes)
{
    /// <summary>Rows that only the first had.</summary>
    public IReadOnlyList<string> OnlyInA { get; init; } = [];

    /// <summary>Rows that only the second had.</summary>
    public IReadOnlyList<string> OnlyInB { get; init; } = [];

    /// <summary>Whether it is the same in both.</summary>
    public bool IsSame => A is not null && B is not null && A.Id == B.Id && Changes.Count + OnlyInA.Count + OnlyInB.Count == 0;
}

/// <summary>Compares two runs, of one pipeline or of two.</summary>
/// <param name="store">Holds the manifests of their actions.</param>
public sealed class RunComparison(ContentStore store)
{
    /// <summary>As many manifests of a stage are opened at most: where rows differ in settings, that shows in the first of them.</summary>
    private const int MostOpened = 200;

    /// <summary>As many values of a setting are told that differs between rows.</summary>
    private const int MostValues = 8;

    /// <summary>What changed, in the order of the second run's stages, then those that it lacks.</summary>
    /// <param name="a">The first.</param>
    /// <param name="b">The second.</param>
    public IReadOnlyList<StageChange> Compare(RunRecord a, RunRecord b)
    {
        var pairs = Pairs(a, b);
        var madeByA = Made(a);
        var madeByB = Made(b);
        return
        [
            .. b.Stages.Select(s => pairs.TryGetValue(s, out var was) ? Compare(was, s, madeByA, madeByB) : new StageChange(null, s, [])),
            .. a.Stages.Where(s => !pairs.ContainsValue(s)).Select(s => new StageChange(s, null, [])),
        ];
    }

    /// <summary>Those of one name and type; and a renamed one, where it is the only other one of its type in both.</summary>
    private static Dictionary<RecordedStage, RecordedStage> Pairs(RunRecord a, RunRecord b)
    {
        var pairs = new Dictionary<RecordedStage, RecordedStage>(ReferenceEqualityComparer.Instance);
        foreach (var stage in b.Stages)
        {
            if (a.Stages.FirstOrDefault(s => s.Id == stage.Id && s.Type == stage.Type) is { } same)
            {
                pairs[stage] = same;
            }
        }

        foreach (var others in b.Stages.Where(s => !pairs.ContainsKey(s)).GroupBy(s => s.Type).Where(g => g.Count() == 1).ToArray())
        {
            if (a.Stages.Where(s => s.Type == others.Key && !pairs.ContainsValue(s)).ToArray() is [var renamed])
            {
                pairs[others.Single()] = renamed;
            }
        }

        return pairs;
    }

    private StageChange Compare(RecordedStage a, RecordedStage b, HashSet<string> madeByA, HashSet<string> madeByB)
    {
        var was = Entries(a, madeByA);
        var now = Entries(b, madeByB);
        string[] rowsOfA = [.. a.Actions.Select(x => x.Point).OfType<string>()];
        string[] rowsOfB = [.. b.Actions.Select(x => x.Point).OfType<string>()];
        bool known = was.Count > 0 && now.Count > 0; // Where no action was published nothing is known of what it was made of.
        return new StageChange(a, b, known ? [.. Changes(was, now)] : [])
        {
            OnlyInA = [.. rowsOfA.Except(rowsOfB)], OnlyInB = [.. rowsOfB.Except(rowsOfA)],
        };
    }

    private static IEnumerable<Difference> Changes(Dictionary<(string Kind, string Name, int Which), SortedSet<string>> was, Dictionary<(string Kind, string Name, int Which), SortedSet<string>> now)
    {
        foreach (var place in was.Keys.Union(now.Keys))
        {
            string? before = was.TryGetValue(place, out var old) ? Told(old) : null;
            string? after = now.TryGetValue(place, out var other) ? Told(other) : null;
            if (before is null || after is null || !old!.SetEquals(other!))
            {
                yield return new Difference(place.Kind, place.Name, before, after, Explainer.Sentence(place.Kind, place.Name, before, after));
            }
        }
    }

    private static string Told(SortedSet<string> values) => string.Join(", ", values.Take(MostValues)) + (values.Count > MostValues ? $" and {values.Count - MostValues} more" : "");

    /// <summary>The values that the keys of a stage's actions have, by their place: of what rows share too, and without what another stage of the run made, which has its own entry.</summary>
    private Dictionary<(string Kind, string Name, int Which), SortedSet<string>> Entries(RecordedStage stage, HashSet<string> made)
    {
        var entries = new Dictionary<(string, string, int), SortedSet<string>>();
        foreach (var manifest in stage.Actions.Take(MostOpened).Select(a => a.Key).Append(stage.Prepare).OfType<string>().Select(store.Read).OfType<Manifest>())
        {
            foreach (var (place, entry) in Explainer.Numbered(manifest.Entries))
            {
                if (entry.Kind is EntryKind.Row or EntryKind.Member or EntryKind.Prepare or EntryKind.Stage || (entry.Kind == EntryKind.Input && made.Contains(entry.Value)))
                {
                    continue;
                }

                if (!entries.TryGetValue(place, out var values))
                {
                    entries[place] = values = new SortedSet<string>(StringComparer.Ordinal);
                }

                values.Add(entry.Value);
            }
        }

        return entries;
    }

    /// <summary>SHA-256 of all that the stages of a run gave each other.</summary>
    private HashSet<string> Made(RunRecord run) =>
        [.. run.Stages.SelectMany(s => s.Actions.Take(MostOpened).Select(a => a.Key).Append(s.Collection)).OfType<string>().Select(store.Read).OfType<Manifest>().SelectMany(m => m.Files).Select(f => f.Sha256)];
}
