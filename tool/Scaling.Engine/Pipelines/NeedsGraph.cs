// Who needs whom: stages that are not there, that need themselves, or each other in a circle; and feedback from stages that it cannot come from.
namespace Scaling.Engine.Pipelines;

/// <summary>Checks of needs across stages. Nothing here recurses: a chain of needs may be as long as the file allows.</summary>
internal static class NeedsGraph
{
    public static void Check(IReadOnlyList<StageDocument> stages, IReadOnlyList<string> ids, Findings findings)
    {
        var known = ids.ToHashSet(StringComparer.Ordinal);
        foreach (var stage in stages)
        {
            var seen = new HashSet<(string?, string)>();
            foreach (var need in stage.Needs)
            {
                if (!seen.Add((need.Role, need.Source)))
                {
                    findings.Add(PipelineDiagnostics.NeededTwice(need.Location, stage.Id, need.Source));
                }
                else if (need.IsFile)
                {
                    continue;
                }
                else if (need.Source == stage.Id)
                {
                    findings.Add(PipelineDiagnostics.NeedsItself(need.Location, stage.Id));
                }
                else if (!known.Contains(need.Source))
                {
                    string? hint = findings.Nearest(need.Source, ids.Where(id => id != stage.Id));
                    findings.Add(PipelineDiagnostics.UnknownStage(need.Location, stage.Id, need.Source, ids, hint));
                }
            }
        }

        ReportCycles(stages, findings);
        CheckFeedback(stages, known, findings);
    }

    private static void CheckFeedback(IReadOnlyList<StageDocument> stages, HashSet<string> known, Findings findings)
    {
        foreach (var stage in stages.Where(s => s.Feedback.Count > 0))
        {
            var below = FeedbackCircle.Below(stage.Id, stages);
            var seen = new HashSet<string>(StringComparer.Ordinal);
            foreach (var (_, source, _, location) in stage.Feedback)
            {
                var (what, hint) = !seen.Add(source) ? ("which it names twice", "Keep one of them.")
                    : source == stage.Id ? ("which is itself", "Remove it: what it gave itself in the round before comes back to it anyway.")
                    : !known.Contains(source) ? ("which is no stage here", findings.Nearest(source, known.Except([stage.Id])) ?? "Name a stage of this file.")
                    : !below.Contains(source) ? ("which does not need it", $"Remove it; where '{PipelineDiagnostics.Shown(stage.Id)}' needs it, write 'needs:'.")
                    : (null, "");
                if (what is not null)
                {
                    findings.Add(PipelineDiagnostics.NoFeedback(location, stage.Id, source, what, hint));
                }
            }
        }
    }

    /// <summary>
    /// Takes away stages that need nothing that is left (Kahn), which leaves circles and what depends on them; then walks along needs
    /// until a stage comes again. Each circle is told once, beginning with its stage that stands first in the file.
    /// </summary>
    private static void ReportCycles(IReadOnlyList<StageDocument> stages, Findings findings)
    {
        var left = Unordered(stages);
        if (left.Count == 0)
        {
            return;
        }

        var position = stages.Select((stage, i) => (stage.Id, i)).ToDictionary(p => p.Id, p => p.i, StringComparer.Ordinal);
        var done = new HashSet<string>(StringComparer.Ordinal);
        foreach (var start in stages.Where(s => left.ContainsKey(s.Id)))
        {
            var path = new List<StageDocument>();
            var onPath = new Dictionary<string, int>(StringComparer.Ordinal);
            var stage = start;
            while (done.Add(stage.Id))
            {
                onPath[stage.Id] = path.Count;
                path.Add(stage);
                stage = left[stage.Needs.First(n => left.ContainsKey(n.Source) && n.Source != stage.Id).Source];
            }

            if (onPath.TryGetValue(stage.Id, out int begin))
            {
                Report(path[begin..], position, findings);
            }
        }
    }

    private static void Report(List<StageDocument> circle, Dictionary<string, int> position, Findings findings)
    {
        var first = circle.MinBy(s => position[s.Id])!;
        int turn = circle.IndexOf(first);
        string[] ids = [.. circle[turn..].Concat(circle[..turn]).Select(s => s.Id)];
        findings.Add(PipelineDiagnostics.Cycle(first.Needs.First(n => n.Source == ids[1]).Location, ids));
    }

    private static Dictionary<string, StageDocument> Unordered(IReadOnlyList<StageDocument> stages)
    {
        var left = stages.ToDictionary(s => s.Id, StringComparer.Ordinal);
        var waiting = new Dictionary<string, int>(StringComparer.Ordinal);
        var dependents = new Dictionary<string, List<string>>(StringComparer.Ordinal);
        var ready = new Queue<string>();
        foreach (var stage in stages)
        {
            string[] needed = [.. stage.Needs.Where(n => n.Source != stage.Id && left.ContainsKey(n.Source)).Select(n => n.Source).Distinct()];
            waiting[stage.Id] = needed.Length;
            if (needed.Length == 0)
            {
                ready.Enqueue(stage.Id);
            }

            foreach (string source in needed)
            {
                (dependents.TryGetValue(source, out var list) ? list : dependents[source] = []).Add(stage.Id);
            }
        }

        while (ready.TryDequeue(out string? id))
        {
            left.Remove(id);
            foreach (string dependent in dependents.GetValueOrDefault(id) ?? [])
            {
                if (--waiting[dependent] == 0)
                {
                    ready.Enqueue(dependent);
                }
            }
        }

        return left;
    }
}
