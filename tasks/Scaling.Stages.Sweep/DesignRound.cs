// The next round of a design: the runs that it lists, and what the study is worth then and with other budgets.
using Scaling.Laws;

namespace Scaling.Stages.Sweep;

/// <summary>What some plan will tell.</summary>
/// <param name="Plan">A word of forecast.csv.</param>
/// <param name="Budget">FLOPs that it may cost from now on.</param>
/// <param name="Told">What is expected.</param>
internal sealed record PlanForecast(string Plan, double Budget, StudyForecast Told);

/// <summary>A round.</summary>
/// <param name="Number">From 1; of a study that has ended, one more than the last round with runs.</param>
/// <param name="State">What is known, and whether the study goes on.</param>
/// <param name="Listed">Every run, those of earlier rounds first.</param>
/// <param name="Spent">FLOPs of the runs of earlier rounds.</param>
/// <param name="Forecasts">Of nothing more, this round, half the budget, the budget, double the budget, each less what is spent, and the whole grid.</param>
internal sealed record DesignRound(int Number, StudyRound State, IReadOnlyList<ListedRun> Listed, double Spent, IReadOnlyList<PlanForecast> Forecasts)
{
    private const int MostRounds = 1000; // Of a circle of feedback.

    /// <summary>Whether there are runs to do.</summary>
    public bool GoesOn => State.Verdict == StudyVerdict.GoesOn;

    /// <summary>Expected regret of the pick, nats a token.</summary>
    public double Regret => State.Odds[State.Pick].ExpectedRegret;

    /// <summary>What is known when the budget is spent.</summary>
    public StudyForecast AtEnd => Forecast("budget");

    /// <summary>Whether the budget buys every seed of every candidate: more of it would buy no more.</summary>
    public bool BuysAll => Forecast("double").Budget <= AtEnd.Budget;

    /// <summary>One of the forecasts.</summary>
    /// <param name="plan">Its word.</param>
    public StudyForecast Forecast(string plan) => Forecasts.Single(f => f.Plan == plan).Told;

    /// <summary>The round after some others.</summary>
    /// <param name="design">The study.</param>
    /// <param name="history">The rounds before.</param>
    /// <param name="whole">Whether this round is to list all that the budget buys.</param>
    /// <exception cref="Sdk.StageFailedException">SCAL7421: the budget buys too many runs.</exception>
    public static DesignRound Of(StudyDesign design, DesignHistory history, bool whole)
    {
        var goal = design.Goal with { Prior = DesignPrior.Levelled(design.Goal.Prior, history.Results) };
        int[] bought = new int[design.Candidates.Count];
        foreach (var run in history.Listed)
        {
            bought[run.Candidate]++;
        }

        var state = StudyRound.Of(goal, bought, history.Results);
        RefuseTooMany(design, state, whole);
        double left = goal.Budget - state.Spent;
        int[] after = [.. bought];
        var next = new List<int>();
        for (var chosen = state.Next; chosen.Count > 0; chosen = whole ? StudyRound.Of(goal, after, history.Results).Next : [])
        {
            next.AddRange(chosen);
            foreach (int candidate in chosen)
            {
                after[candidate]++;
            }
        }

        // A shape's seeds are counted over all its numbers of tokens: a short and a long run of one seed begin alike, and their noise would be the same in part.
        var seeds = history.Listed.CountBy(run => design.Candidates[run.Candidate].Shape).ToDictionary();
        ListedRun[] listed = [.. history.Listed, .. next.Select(c => new ListedRun(history.Round, c, seeds[design.Candidates[c].Shape] = seeds.GetValueOrDefault(design.Candidates[c].Shape) + 1))];
        return new DesignRound(history.Round, state, listed, state.Spent, [.. Expected(goal, state, bought, [.. after.Zip(bought, (a, b) => (double)(a - b))], left)]);
    }

    private static IEnumerable<PlanForecast> Expected(StudyGoal goal, StudyRound state, int[] bought, double[] next, double left)
    {
        var open = goal.Open(bought);
        PlanForecast Of(string plan, double budget) => new(plan, budget, plan == "budget" ? state.Plan.Forecast : StudyPlan.Of(state.Belief, goal.Target, open, budget).Forecast);
        PlanForecast Runs(string plan, double[] runs) => new(plan, runs.Zip(goal.Candidates, (r, c) => r * c.Cost).Sum(), StudyPlan.Expect(state.Belief, goal.Target, goal.Candidates, runs));
        return
        [
            Of("known", 0), Runs("round", next), Of("half", Math.Max(0, left - goal.Budget / 2)), Of("budget", Math.Max(0, left)), Of("double", left + goal.Budget),
            Runs("grid", [.. goal.Candidates.Select(_ => 1.0)]),
        ];
    }

    private static void RefuseTooMany(StudyDesign design, StudyRound state, bool whole)
    {
        double runs = state.Plan.Runs.Sum(), rounds = runs / design.Goal.RoundRuns;
        if (whole ? runs > StudyDesign.MostRuns : rounds > MostRounds)
        {
            throw StudyDesign.TooMany(
                FormattableString.Invariant($"'design.budget' buys {runs:0} runs{(whole ? $", and {StudyDesign.MostRuns} are listed at most" : $" in {rounds:0} rounds, and there are {MostRounds} at most")}"),
                whole ? "Look at its unit; lower it, or 'replicates'." : "Look at its unit; lower it, or 'replicates', or raise 'design.round'.");
        }
    }
}
