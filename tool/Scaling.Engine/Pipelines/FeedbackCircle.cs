// Circles that are meant: a stage that takes feedback, and the stages on the way from it to those whose outputs come back to it.
namespace Scaling.Engine.Pipelines;

/// <summary>A circle of stages, by their ids.</summary>
/// <param name="Lister">The stage with <c>feedback:</c>, which lists what the others do next.</param>
/// <param name="Others">On a path from the lister to a stage that it takes feedback from, in the order of the stages.</param>
public sealed record FeedbackCircle(string Lister, IReadOnlyList<string> Others)
{
    /// <summary>All of it, the lister first.</summary>
    public IEnumerable<string> Members => Others.Prepend(Lister);

    /// <summary>As messages name it: <c>shapes → runs</c>.</summary>
    public override string ToString() => string.Join(" → ", Members);

    /// <summary>The circles of a pipeline. Nothing here recurses: a chain of needs may be as long as the file allows.</summary>
    /// <param name="stages">Ids, each with what it needs and what it takes feedback from. What is named and not there is left out; so are circles that nothing comes back to.</param>
    public static IReadOnlyList<FeedbackCircle> In(IReadOnlyList<(string Id, IEnumerable<string> Needs, IEnumerable<string> Feedback)> stages)
    {
        var circles = new List<FeedbackCircle>();
        if (!stages.Any(s => s.Feedback.Any()))
        {
            return circles;
        }

        var needs = stages.SelectMany(s => s.Needs.Select(need => (s.Id, Need: need))).ToArray();
        var (up, down) = (needs.ToLookup(n => n.Id, n => n.Need), needs.ToLookup(n => n.Need, n => n.Id));
        foreach (var (lister, _, feedback) in stages.Where(s => s.Feedback.Any()))
        {
            var (givers, below) = (Reached(feedback, up), Reached([lister], down));
            string[] others = [.. stages.Select(s => s.Id).Where(id => id != lister && givers.Contains(id) && below.Contains(id)).Distinct()];
            if (others.Length > 0)
            {
                circles.Add(new FeedbackCircle(lister, others));
            }
        }

        return circles;
    }

    /// <summary>The circles of a pipeline file.</summary>
    /// <param name="stages">As read; what is wrong with them is left out.</param>
    internal static IReadOnlyList<FeedbackCircle> In(IReadOnlyList<StageDocument> stages) =>
        In([.. stages.Select(s => (s.Id, s.Needs.Where(n => !n.IsFile).Select(n => n.Source), s.Feedback.Select(f => f.Source).Where(id => id != s.Id)))]);

    /// <summary>A stage, and those that need it, directly or through others.</summary>
    internal static HashSet<string> Below(string id, IEnumerable<StageDocument> stages) =>
        Reached([id], stages.SelectMany(s => s.Needs.Where(n => !n.IsFile).Select(n => (s.Id, n.Source))).ToLookup(n => n.Source, n => n.Id));

    /// <summary>Everything that can be reached from some ids, those included.</summary>
    private static HashSet<string> Reached(IEnumerable<string> from, ILookup<string, string> to)
    {
        var reached = from.ToHashSet(StringComparer.Ordinal);
        var open = new Queue<string>(reached);
        while (open.TryDequeue(out string? id))
        {
            foreach (string next in to[id].Where(reached.Add))
            {
                open.Enqueue(next);
            }
        }

        return reached;
    }
}
