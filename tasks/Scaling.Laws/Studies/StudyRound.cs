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

    /// <summary>Nothing that would tell more can be bought with what is left.</summary>
    BudgetSpent,
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

    /// <summary>The round after some results.</summary>
    /// <param name="goal">The study.</param>
    /// <param name="bought">How often each candidate was run or is to be run already, in their order.</param>
    /// <param name="results">What came of them; fewer where runs failed.</param>
    public static StudyRound Of(StudyGoal goal, IReadOnlyList<int> bought, IReadOnlyList<StudyResult> results)
    {
        var belief = StudyBelief.After(goal.Prior, results);
        double spent = goal.Candidates.Zip(bought, (c, n) => c.Cost * n).Sum(), left = goal.Budget - spent;
        var odds = belief.Judge(goal.Target, goal.Shapes, epsilon: goal.Epsilon, confidence: goal.Confidence);
        StudyCandidate[] open = [.. goal.Candidates.Zip(bought, (c, n) => c with { Most = Math.Max(0, c.Most - n) })];
        var plan = StudyPlan.Of(belief, goal.Target, open, Math.Max(0, left));
        bool decides = results.Count > 0;
        var verdict = decides && odds.Min(o => o.ExpectedRegret) <= goal.RegretToStop ? StudyVerdict.RegretReached
            : decides && goal.StopsAtOneShape && odds.Count(o => o.InConfidenceSet) == 1 ? StudyVerdict.OneShape
            : StudyVerdict.GoesOn;
        IReadOnlyList<int> next = verdict == StudyVerdict.GoesOn ? plan.Next(goal.RoundRuns, left) : [];
        return new StudyRound(belief, spent, verdict == StudyVerdict.GoesOn && next.Count == 0 ? StudyVerdict.BudgetSpent : verdict, next, plan, odds);
    }
}
