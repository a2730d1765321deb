// Which single run a law leans on most: each left out in turn.
namespace Scaling.Laws;

/// <summary>Leave-one-run-out. A run is all its checkpoints.</summary>
internal static class InfluentialRuns
{
    /// <summary>With more runs no single one matters.</summary>
    private const int MostRuns = 1000;

    public static IReadOnlyList<Influence> Of(LawFitter fitter, LawSolution solution)
    {
        var design = fitter.Design;
        var runs = design.Runs.GroupBy(r => r.Run is null ? (object)r.Row : r.Run).Select(g => g.ToArray()).ToList();
        int least = Math.Max(LawFit.LeastRows, fitter.Freedom + 1);
        if (runs.Count > MostRuns || runs.Count < 3 || design.Runs.Count - runs.Max(r => r.Length) < least)
        {
            return [];
        }

        var form = solution.Shape?.Form ?? LawForm.None;
        var refits = new LawSolution[runs.Count];
        Parallel.For(0, runs.Count, k =>
        {
            var left = Design.Of([.. design.Runs.Except(runs[k])], design.Options);
            var again = LawFitter.Of(left, form);
            refits[k] = again.Freedom == fitter.Freedom && again is ChinchillaFitter ? again.Refit(Near(again, solution), left.Loss, 1e-10) : again.Solve();
        });

        double largest = 4 * design.Parameters.Max(), tokens = largest * design.TokensPerParameter;
        var quantities = new (string Name, Func<LawSolution, double?> Of)[]
        {
            ("alpha", s => design.BaseTerms[1] ? s.Law.Alpha : null),
            ("beta", s => design.BaseTerms[2] ? s.Law.Beta : null),
            ("x_star", s => s.Shape?.XStar),
            ("r_star", s => s.Shape?.RStar),
            ("prediction", s => s.Law.Predict(largest, tokens)),
        };
        return
        [
            .. from quantity in quantities
               let value = quantity.Of(solution)
               where value is not null
               let moved = Enumerable.Range(0, runs.Count).MaxBy(k => quantity.Of(refits[k]) is { } v ? Math.Abs(Math.Log(v / value.Value)) : double.PositiveInfinity)
               select new Influence(quantity.Name, runs[moved].Min(r => r.Row), value.Value, quantity.Of(refits[moved])),
        ];
    }

    /// <summary>The same law in the parameters of another design, whose means differ.</summary>
    private static LawSolution Near(LawFitter again, LawSolution solution)
    {
        var law = solution.Law;
        var objective = again.Design.Objective(again.Design.Loss);
        return solution with { Point = objective.Point(law) };
    }
}
