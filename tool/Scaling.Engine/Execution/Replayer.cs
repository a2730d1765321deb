// Executes published actions again, beside the store, and holds what they give against what was published, as their stage declares it.
using System.Globalization;
using System.Runtime.CompilerServices;
using System.Text;
using Scaling.Engine.Executors.Local;
using Scaling.Engine.Keys;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Execution;

/// <summary>What came of a repetition.</summary>
public enum ReplayVerdict
{
    /// <summary>Every file but volatile ones has the same bytes.</summary>
    Same,

    /// <summary>Other bytes, which a stage that is not exact may give.</summary>
    WithinDeclared,

    /// <summary>Other bytes, though the stage is declared exact; or other files or columns than before, of any stage but one that promises nothing.</summary>
    Differs,

    /// <summary>It failed.</summary>
    Failed,

    /// <summary>Stopped as asked.</summary>
    Stopped,
}

/// <summary>A repeated action.</summary>
/// <param name="Stage">Its stage.</param>
/// <param name="Point">The row's name; null without fan-out.</param>
/// <param name="Key">Its key.</param>
/// <param name="Verdict">What came of it.</param>
/// <param name="Detail">In words; empty where nothing is to be said.</param>
public sealed record Replay(StageNode Stage, string? Point, string Key, ReplayVerdict Verdict, string Detail)
{
    /// <summary>As <c>why</c> names it.</summary>
    public string Name => Point is null ? Stage.Id : $"{Stage.Id}@{Point}";
}

/// <summary>Words for verdicts.</summary>
public static class ReplayWords
{
    /// <summary>A verdict in one or two words.</summary>
    /// <param name="verdict">Any.</param>
    public static string InWords(this ReplayVerdict verdict) => verdict switch
    {
        ReplayVerdict.Same => "same bytes", ReplayVerdict.WithinDeclared => "as declared", ReplayVerdict.Differs => "differs", ReplayVerdict.Failed => "failed", _ => "stopped",
    };
}

/// <summary>Repeats actions in a store of its own, which is gone afterwards.</summary>
public sealed class Replayer : IDisposable
{
    private readonly ContentStore _published;
    private readonly ContentStore _scratch;
    private readonly WorkerPool _workers;
    private readonly LocalExecutor _executor;

    /// <param name="published">What is held against; nothing is written there.</param>
    /// <param name="command">How to start a worker.</param>
    /// <param name="code">Brings the code of stages.</param>
    /// <param name="observer">Takes progress and warnings.</param>
    public Replayer(ContentStore published, WorkerCommand command, StageCode code, IRunObserver observer)
    {
        _published = published;
        string folder = Directory.CreateTempSubdirectory("scaling-replay-").FullName;
        Directory.CreateDirectory(published.MachineCachePath);
        Directory.CreateSymbolicLink(Path.Combine(folder, Path.GetFileName(published.MachineCachePath)), published.MachineCachePath);
        _scratch = ContentStore.Open(folder, observer.FoundDamage);
        _workers = new WorkerPool(command, _scratch.Root);
        _executor = new LocalExecutor(_workers, _scratch, 1, observer, code);
    }

    /// <summary>Repeats some of the published actions of a pipeline, one after the other.</summary>
    /// <param name="ahead">The pipeline, looked ahead.</param>
    /// <param name="count">At most so many.</param>
    /// <param name="seed">Draws them.</param>
    /// <param name="stop">Stops after the one that runs.</param>
    public async IAsyncEnumerable<Replay> Replay(IReadOnlyList<StageAhead> ahead, int count, int seed, [EnumeratorCancellation] CancellationToken stop)
    {
        var published = ahead.Where(a => a.Plan is not null).SelectMany(a =>
        {
            var missing = a.Missing.Select(m => m.Key).ToHashSet(StringComparer.Ordinal);
            return a.Plan!.Actions.Where(action => !missing.Contains(action.Key) && IsOfThisMachine(action)).Select(action => (a.Plan, action));
        }).ToArray();
        int[] drawn = [.. Enumerable.Range(0, published.Length)];
        new Random(seed).Shuffle(drawn);
        foreach (var (plan, action) in drawn.Take(count).Order().Select(i => published[i]))
        {
            stop.ThrowIfCancellationRequested();
            yield return await Repeat(plan, action, stop).ConfigureAwait(false);
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _workers.Dispose();
        _scratch.Dispose();
        for (int tries = 0; Directory.Exists(_scratch.Root); tries++)
        {
            try
            {
                Directory.Delete(_scratch.Root, recursive: true); // The link to the machine's cache is removed, not what it leads to.
            }
            catch (IOException) when (tries < 100)
            {
                Thread.Sleep(50); // An idle worker ends when its pipe closes, and writes down what it digested.
            }
        }
    }

    /// <summary>Whether it can be repeated here: speeds are of a kind of machine, and may have been measured on another.</summary>
    private static bool IsOfThisMachine(ActionSpec action) => action.Entries.All(e => e.Kind != EntryKind.Device || e.Value == DeviceClass.OfThisMachine);

    private async Task<Replay> Repeat(StagePlan plan, ActionSpec action, CancellationToken stop)
    {
        var stage = plan.Stage;
        if (plan.Prepare is { } shared)
        {
            var manifest = _published.Find(shared.Key);
            if (manifest is null && (_scratch.Find(shared.Key) ?? await Made(stage, shared, stop).ConfigureAwait(false)) is { } made)
            {
                action = action with { Prepared = ActionInput.Prepared(_scratch, made) };
            }
            else if (manifest is not null)
            {
                action = action with { Prepared = ActionInput.Prepared(_published, manifest) };
            }
        }

        var result = (await _executor.Execute(stage, [action], stop).ConfigureAwait(false))[action.Key];
        var repeated = _scratch.Find(action.Key);
        if (repeated is null)
        {
            return new Replay(stage, action.Point, action.Key, result.End == ActionEnd.Stopped ? ReplayVerdict.Stopped : ReplayVerdict.Failed, string.Join(" ", result.Reasons.Select(f => f.Message)));
        }

        if (_published.Find(action.Key) is not { } first)
        {
            return new Replay(stage, action.Point, action.Key, ReplayVerdict.Failed, "what it is to be compared with is damaged or gone");
        }

        var (verdict, detail) = Compare(stage, first, repeated);
        return new Replay(stage, action.Point, action.Key, verdict, detail);
    }

    private async Task<Manifest?> Made(StageNode stage, ActionSpec shared, CancellationToken stop)
    {
        await _executor.Execute(stage, [shared], stop).ConfigureAwait(false);
        return _scratch.Find(shared.Key);
    }

    private (ReplayVerdict Verdict, string Detail) Compare(StageNode stage, Manifest first, Manifest second)
    {
        var determinism = stage.Declaration.Determinism;
        var before = first.Files.Where(f => !f.Volatile).ToDictionary(f => f.Name);
        var after = second.Files.Where(f => !f.Volatile).ToDictionary(f => f.Name);
        string[] lost = [.. before.Keys.Except(after.Keys).Concat(after.Keys.Except(before.Keys))];
        if (lost.Length > 0 && determinism != Determinism.Never)
        {
            return (ReplayVerdict.Differs, $"written once and not the other time: {string.Join(", ", lost)}");
        }

        string[] other = [.. before.Where(b => after.TryGetValue(b.Key, out var a) && a.Sha256 != b.Value.Sha256).Select(b => b.Key)];
        if (other.Length + lost.Length == 0)
        {
            return (ReplayVerdict.Same, "");
        }

        var tables = other.Where(name => name.EndsWith(".csv", StringComparison.Ordinal)).ToDictionary(name => name, name => Apart(before[name], after[name]));
        string told = string.Join("; ", other.Select(name => name + (!tables.TryGetValue(name, out double? apart) ? ""
            : apart is null ? " (other columns or rows)" : string.Create(CultureInfo.InvariantCulture, $" (numbers up to {100 * apart:G2} % apart)"))));
        bool alike = determinism == Determinism.Never || (determinism == Determinism.Statistical && tables.Values.All(apart => apart is not null));
        return (alike ? ReplayVerdict.WithinDeclared : ReplayVerdict.Differs, told);
    }

    /// <summary>How far the numbers of two tables are apart at most, as a share of the greater one; null where they have other columns or rows.</summary>
    private double? Apart(StoredFile first, StoredFile second)
    {
        var before = Table.Parse(Encoding.UTF8.GetString(_published.Content(first)));
        var after = Table.Parse(Encoding.UTF8.GetString(_scratch.Content(second)));
        if (!before.Columns.SequenceEqual(after.Columns) || before.Rows.Count != after.Rows.Count)
        {
            return null;
        }

        double farthest = 0;
        for (int row = 0; row < before.Rows.Count; row++)
        {
            for (int column = 0; column < before.Columns.Count; column++)
            {
                if (Number(before.Rows[row][column], out double a) && Number(after.Rows[row][column], out double b) && a != b)
                {
                    farthest = Math.Max(farthest, Math.Abs(a - b) / Math.Max(Math.Abs(a), Math.Abs(b)));
                }
            }
        }

        return farthest;

        static bool Number(string text, out double number) => double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out number);
    }
}
