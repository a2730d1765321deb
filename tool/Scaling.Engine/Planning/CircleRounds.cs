// The rounds of a circle of feedback: what the last one gave, and when they end.
using Scaling.Engine.Pipelines;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>Counts the rounds of a circle. One that runs and one that looks ahead go through the same rounds.</summary>
/// <param name="circle">Of the pipeline.</param>
/// <param name="lister">Its stage that lists.</param>
public sealed class CircleRounds(FeedbackCircle circle, StageNode lister)
{
    /// <summary>A circle has as many rounds at most.</summary>
    public const int Most = 1000;

    private readonly Dictionary<string, int> _seen = new(StringComparer.Ordinal); // Rounds by the actions of the stages that do what is listed.
    private Dictionary<string, HashSet<string>> _keysBefore = [];

    /// <summary>The circle.</summary>
    public FeedbackCircle Circle => circle;

    /// <summary>The round that goes on, from 1.</summary>
    public int Number { get; private set; } = 1;

    /// <summary>What the stages of the circle gave in the round before, by id; null in the first.</summary>
    public IReadOnlyDictionary<string, StageResult>? Before { get; private set; }

    /// <summary>As messages name the round.</summary>
    public override string ToString() => $"round {Number} of the circle {circle}";

    /// <summary>Ends a round whose stages are all done.</summary>
    /// <param name="actions">Keys of the actions of each stage of the circle.</param>
    /// <param name="results">What each gave.</param>
    /// <returns>Whether the circle has ended, as nothing new was listed; else the next round has begun.</returns>
    /// <exception cref="StageFailedException">SCAL3036: it will not end.</exception>
    public bool End(IReadOnlyDictionary<string, IReadOnlyList<string>> actions, IReadOnlyDictionary<string, StageResult> results)
    {
        string listed = string.Join(' ', circle.Others.SelectMany(id => actions[id].Order(StringComparer.Ordinal).Prepend(id)));
        if (!_seen.TryAdd(listed, Number))
        {
            return _seen[listed] == Number - 1 ? true : throw Endless($"lists in round {Number} what it listed in round {_seen[listed]}, and so round and round");
        }

        if (Number == Most)
        {
            throw Endless($"lists something new after {Most} rounds");
        }

        _keysBefore = actions.ToDictionary(a => a.Key, a => a.Value.ToHashSet(StringComparer.Ordinal), StringComparer.Ordinal);
        Before = circle.Members.ToDictionary(id => id, id => results[id]);
        Number++;
        return false;
    }

    /// <summary>Why actions of a stage run in this round: as it is new, or what compares with an earlier run.</summary>
    /// <param name="plan">The stage in this round.</param>
    /// <param name="missing">Those of its actions that run.</param>
    /// <param name="explainer">Compares.</param>
    public IReadOnlyList<string> Why(StagePlan plan, IReadOnlyList<ActionSpec> missing, Explainer explainer)
    {
        if (Before is null || missing.Count == 0)
        {
            return explainer.Why(plan, missing);
        }

        var before = _keysBefore[plan.Stage.Id];
        ActionSpec[] known = [.. missing.Where(a => before.Contains(a.Key))];
        int count = missing.Count - known.Length;
        return [.. count == 0 ? [] : new[] { plan.FansOut ? $"{this}: {count} new" : $"{this}" }, .. explainer.Why(plan, known)];
    }

    private StageFailedException Endless(string how) => new([new Diagnostic("SCAL3036", $"The circle of feedback {circle} does not end: '{lister.Id}' ({lister.Declaration.Type}) {how}.")
    {
        Location = lister.Location, Hint = "A stage that takes feedback lists what it listed before and more, until nothing is left to list: change its settings, or the stage.",
    }]);
}
