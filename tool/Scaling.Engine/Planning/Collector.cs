// Joins what the rows of a stage made: tables into one table, other files by point.
using System.Text;
using Scaling.Engine.Execution;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Makes and finds the collection entry of a fanned-out stage, so that a hit opens no rows.</summary>
/// <param name="store">Holds the rows.</param>
public sealed class Collector(ContentStore store)
{
    /// <summary>The published actions of a plan by key. Where the whole collection is there, no row is opened and its manifest is null.</summary>
    /// <param name="plan">Any stage's.</param>
    public Dictionary<string, Manifest?> Look(StagePlan plan)
    {
        if (plan.FansOut && Find(plan, plan.Actions) is not null)
        {
            return plan.Actions.ToDictionary(a => a.Key, _ => (Manifest?)null);
        }

        store.Use(plan.Actions.Select(a => a.Key));
        var found = new Dictionary<string, Manifest?>(StringComparer.Ordinal);
        foreach (var action in plan.Actions)
        {
            if (store.Find(action.Key) is { } manifest)
            {
                found.Add(action.Key, manifest);
            }
        }

        return found;
    }

    /// <summary>The published actions of a plan, those also that a remote cache has: its collection first, so that a hit there opens no rows either.</summary>
    /// <param name="plan">Any stage's.</param>
    /// <param name="remote">Null for none.</param>
    /// <param name="stop">Stops bringing.</param>
    public async Task<Dictionary<string, Manifest?>> Look(StagePlan plan, IRemoteEntries? remote, CancellationToken stop)
    {
        var found = Look(plan);
        if (remote is null || found.Count == plan.Actions.Count)
        {
            return found;
        }

        if (plan.FansOut)
        {
            await remote.Bring([ActionKey.Of(plan.CollectionEntries(plan.Actions))], stop).ConfigureAwait(false);
            if (Find(plan, plan.Actions) is not null)
            {
                return plan.Actions.ToDictionary(a => a.Key, _ => (Manifest?)null);
            }
        }

        string[] missing = [.. plan.Actions.Select(a => a.Key).Where(key => !found.ContainsKey(key))];
        await remote.Bring(missing, stop).ConfigureAwait(false);
        foreach (var (key, manifest) in missing.Select(key => (key, store.Find(key))).Where(f => f.Item2 is not null))
        {
            found[key] = manifest;
        }

        return found;
    }

    /// <summary>The stage's result: its one action's, or the collection of those that are there, made where it is missing.</summary>
    /// <param name="plan">Any stage's.</param>
    /// <param name="found">Published actions, as <see cref="Look(StagePlan)"/> gives them.</param>
    /// <param name="again">Collects them though there is a collection: of what they gave before.</param>
    /// <exception cref="InfrastructureException">SCAL4005: they were there, and are not any more.</exception>
    public StageResult Join(StagePlan plan, IReadOnlyDictionary<string, Manifest?> found, bool again = false)
    {
        if (!plan.FansOut)
        {
            return new StageResult(found[plan.Actions[0].Key]!.Files);
        }

        ActionSpec[] members = [.. plan.Actions.Where(a => found.ContainsKey(a.Key))];
        var collection = (again ? null : Find(plan, members)) ?? Collect(plan, members, [.. members.Select(m => found[m.Key] ?? store.FindPublished(m.Key))]);
        return new StageResult(collection.Files) { Collection = collection.Key };
    }

    private Manifest? Find(StagePlan plan, IReadOnlyList<ActionSpec> members) => store.Find(ActionKey.Of(plan.CollectionEntries(members)));

    private Manifest Collect(StagePlan plan, ActionSpec[] members, Manifest[] rows)
    {
        var entries = plan.CollectionEntries(members);
        var files = new List<StoredFile>();
        foreach (var output in plan.Stage.Declaration.Outputs)
        {
            if (output.Name.EndsWith(".csv", StringComparison.Ordinal))
            {
                files.Add(store.Take(Join(plan.Stage, output, rows), output.Name, output.Kind) with { Volatile = output.Volatile });
            }
            else
            {
                files.AddRange(rows.SelectMany((row, i) => row.Files.Where(f => f.Name == output.Name).Select(f => f with { Point = members[i].Point })));
            }
        }

        var manifest = new Manifest(ActionKey.Of(entries), plan.Stage.Declaration.Type, null, entries, files, rows.Sum(r => r.Seconds), store.Now);
        store.Publish(manifest);
        return manifest;
    }

    /// <summary>The rows' tables as one. Those with declared columns were checked when they were published; others may differ.</summary>
    private byte[] Join(StageNode stage, OutputFile output, Manifest[] rows)
    {
        try
        {
            Table[] tables = [.. rows.Select(r => r.Files.FirstOrDefault(f => f.Name == output.Name)).OfType<StoredFile>().Select(f => Table.Parse(Encoding.UTF8.GetString(store.Content(f))))];
            IReadOnlyList<string> columns = tables.Length > 0 ? tables[0].Columns : [.. output.Columns.Select(c => c.Name)];
            return tables.FirstOrDefault(t => !t.Columns.SequenceEqual(columns)) is { } other
                ? throw new FormatException($"one row has the columns {string.Join(',', columns)}, another {string.Join(',', other.Columns)}")
                : Encoding.UTF8.GetBytes(new Table(columns, [.. tables.SelectMany(t => t.Rows)]).ToCsv());
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL6005", $"The rows of '{stage.Id}' ({stage.Declaration.Type}) do not join to one '{output.Name}': {e.Message}.", "This is a defect of the stage: it declares no columns for it.");
        }
    }
}
