// What other multiples of the hidden and intermediate sizes would have chosen.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

internal static class Sensitivity
{
    /// <summary>As quarters of the multiple that is searched.</summary>
    private static readonly int[] Quarters = [1, 2, 4, 8, 16];

    /// <summary>The picks of every multiple that is whole and has shapes, and not too many; by rising multiple.</summary>
    /// <param name="space">That is searched.</param>
    /// <param name="scoring">The same for all.</param>
    /// <param name="candidates">Those of the space itself, ranked.</param>
    public static Table Of(ShapeSpace space, Scoring scoring, IReadOnlyList<Candidate> candidates)
    {
        var picks =
            from quarters in Quarters
            where space.MultipleOf * quarters % 4 == 0
            let multiple = space.MultipleOf * quarters / 4
            let shapes = multiple == space.MultipleOf ? [] : (space with { MultipleOf = multiple }).Shapes().Take(SearchSpace.MostCandidates + 1).ToList()
            let count = multiple == space.MultipleOf ? candidates.Count : shapes.Count
            where count is > 0 and <= SearchSpace.MostCandidates
            let best = multiple == space.MultipleOf ? (Accurate: ArchitectureSearch.MostAccurate(candidates), Efficient: ArchitectureSearch.MostEfficient(candidates)) : scoring.Picks(shapes)
            from pick in new[] { (Name: "accurate", Candidate: best.Accurate), (Name: "efficient", Candidate: best.Efficient) }
            where pick.Candidate is not null
            select (multiple, count, pick.Name, Candidate: pick.Candidate!);
        var found = picks.ToList();
        double least = found.Select(p => p.Candidate.Predicted).DefaultIfEmpty().Min();
        var table = new TableBuilder(SearchTables.Sensitivity);
        foreach (var (multiple, count, name, c) in found)
        {
            table.Add([multiple, count, name, .. c.Shape.Cells(), c.Predicted, c.Predicted - least, c.Serving.Speed.TokensPerSecond]);
        }

        return table.Build();
    }
}
