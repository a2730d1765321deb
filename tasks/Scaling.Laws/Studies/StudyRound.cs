// One round of a sequential study: what is known, what to run next, and whether to stop.
namespace Scaling.Laws;

/// <summary>What a study is for and what it may cost.</summary>
/// <param name="Prior">What is believed beforehand.</param>
/// <param name="Target">N at which a shape is to be picked.</param>
/// <param name="Shapes">The shapes of the target's size among which it is picked, x and ratio, at least one.</param>
/// <param name="Candidates">Every run that could be bought, with the most seeds of it.</param>
/// <param name="Budget">For all runs together, in the unit of <see cref="StudyCandidate.Cost"/>.</param>
public sealed record StudyGoal(StudyPrior Prior, double Target, IReadOnlyList<(double X, double Ratio)> Shapes, IReadOnlyList<StudyCandidate> Candidates, double Budget)
{
    /// <summary>Runs of a round. Default: 8.</summary>
    public int RoundRuns { get; init; } = 8;

    /// <summary>The study ends when the expected regret is at most this, nats a token. Default: null, never.</summary>
    public double? RegretToStop { get; init; }

    /// <summary>Whether it ends when the confidence set has one shape. Default: true.</summary>
    public bool StopsAtOneShape { get; init; } = true;

    /// <summary>Probability with which the confidence set holds the best shape. Default: 0.8.</summary>
    public double Confidence { get; init; } = 0.8;

    /// <summary>Losses this near to the best are as good, nats a token. Default: 0.001.</summary>
    public double Epsilon { get; init; } = 0.001;

    /// <summary>The candidates with the seeds that are left of them.</summary>
    /// <param name="bought">How often each was run or is to be run already, in their order.</param>
    public IReadOnlyList<StudyCandidate> Open(IReadOnlyList<int> bought) => [.. Candidates.Zip(bought, (c, n) => c with { Most = Math.Max(0, c.Most - n) })];
}

/// <summary>Why a study goes on or ends.</summary>
public enum StudyVerdict
{
    /// <summary>There are runs to buy.</summary>
    GoesOn,

    /// <summary>The expected regret is under the threshold.</summary>
    RegretReached,

    /// <summary>The confidence set holds one shape.</summary>
    OneShape,

    /// <summary>Runs are left, and what is left of the budget buys none that would tell more.</summary>
    BudgetSpent,

    /// <summary>Every candidate is bought as often as it may be, whatever is left of the budget.</summary>
    NothingLeft,
}

/// <summary>The state of a study before its next runs.</summary>
/// <param name="Belief">What is known.</param>
/// <param name="Spent">Of the budget.</param>
/// <param name="Verdict">Whether it goes on.</param>
/// <param name="Next">Candidates of the next round, one a run, as indexes; empty where it does not go on.</param>
/// <param name="Plan">For what is left of the budget.</param>
/// <param name="Odds">Of the goal's shapes, in their order.</param>
public sealed record StudyRound(StudyBelief Belief, double Spent, StudyVerdict Verdict, IReadOnlyList<int> Next, StudyPlan Plan, IReadOnlyList<ShapeOdds> Odds)
{
    /// <summary>The shape to pick now: the one of least expected regret.</summary>
    public int Pick => Enumerable.Range(0, Odds.Count).MinBy(i => (Odds[i].ExpectedRegret, Odds[i].Predicted));

    /// <summary>Runs that try a size: as many tell whether its noise is worth knowing better.</summary>
    private const int TrialRuns = 3;

    /// <summary>Share of the budget that a trial may cost.</summary>
    private const double TrialShare = 0.1;

    /// <summary>
    /// Half of a round at most, or three runs, tries sizes of which there is no run yet, where that costs little: what seeds do there, no prior and no other size tells, and without it the cheapest size would look best
    /// however much it scatters. The rest is the plan's.
    /// </summary>
    private static IReadOnlyList<int> Chosen(StudyGoal goal, IReadOnlyList<int> bought, StudyPlan plan, double left)
    {
        var trials = new List<int>();
        foreach (var size in Enumerable.Range(0, bought.Count).GroupBy(i => goal.Candidates[i].Point.Class).OrderBy(g => g.Min(i => goal.Candidates[i].Cost)))
        {
            int[] tried = size.Any(i => bought[i] > 0) ? [] : [.. Spread([.. size], goal.Candidates).Take(goal.RoundRuns)];
            double cost = tried.Sum(i => goal.Candidates[i].Cost);
            if (trials.Count + tried.Length <= Math.Max(tried.Length, goal.RoundRuns / 2) && cost <= Math.Min(left, TrialShare * goal.Budget))
            {
                trials.AddRange(tried);
                left -= cost;
            }
        }

        // The plan knows nothing of the trials: a candidate of both may have no seed left for the second.
        int[] times = [.. bought];
        return [.. trials.Concat(trials.Count < goal.RoundRuns ? plan.Next(goal.RoundRuns - trials.Count, left) : []).Where(i => ++times[i] <= goal.Candidates[i].Most)];
    }

    /// <summary>Three candidates apart in x and in the ratio.</summary>
    private static IEnumerable<int> Spread(int[] members, IReadOnlyList<StudyCandidate> candidates)
    {
        double[] widths = [.. members.Select(i => candidates[i].Point.X).Distinct().Order()], splits = [.. members.Select(i => candidates[i].Point.Ratio).Distinct().Order()];
        double At(double[] sorted, double share) => Math.Log(sorted[(int)(share * (sorted.Length - 1) + 0.5)]);
        double Apart(int i, double x, double ratio) => Math.Abs(Math.Log(candidates[i].Point.X) - x) + Math.Abs(Math.Log(candidates[i].Point.Ratio) - ratio);
        return new[] { (X: 0.2, Ratio: 0.5), (X: 0.5, Ratio: 0.8), (X: 0.8, Ratio: 0.2) }.Take(TrialRuns)
            .Select(place => members.MinBy(i => Apart(i, At(widths, place.X), At(splits, place.Ratio)))).Distinct();
    }

    /// <summary>The round after some results.</summary>
    /// <param name="goal">The study.</param>
    /// <param name="bought">How often each candidate was run or is to be run already, in their order.</param>
    /// <param name="results">What came of them; fewer where runs failed.</param>
    public static StudyRound Of(StudyGoal goal, IReadOnlyList<int> bought, IReadOnlyList<StudyResult> results)
    {
        var belief = StudyBelief.After(goal.Prior, results);
        double spent = goal.Candidates.Zip(bought, (c, n) => c.Cost * n).Sum(), left = goal.Budget - spent;
        var odds = belief.Judge(goal.Target, goal.Shapes, epsilon: goal.Epsilon, confidence: goal.Confidence);
        var plan = StudyPlan.Of(belief, goal.Target, goal.Open(bought), Math.Max(0, left));
        bool decides = results.Any(r => r.Point.BudgetShare == 1); // Short runs alone leave their bias open.
        var verdict = decides && odds.Min(o => o.ExpectedRegret) <= goal.RegretToStop ? StudyVerdict.RegretReached
            : decides && goal.StopsAtOneShape && odds.Count(o => o.InConfidenceSet) == 1 ? StudyVerdict.OneShape
            : StudyVerdict.GoesOn;
        IReadOnlyList<int> next = verdict == StudyVerdict.GoesOn ? Chosen(goal, bought, plan, left) : [];
        if (verdict == StudyVerdict.GoesOn && next.Count == 0)
        {
            verdict = goal.Open(bought).Any(c => c.Most > 0) ? StudyVerdict.BudgetSpent : StudyVerdict.NothingLeft;
        }

        return new StudyRound(belief, spent, verdict, next, plan, odds);
    }
}
