// What a sweep with a design writes: the runs listed so far, what is known in each round, what more would tell, and the summary.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class DesignOutputs
{
    /// <summary>Chooses the next runs and writes all tables but the rejected shapes.</summary>
    /// <param name="context">Of the stage.</param>
    /// <param name="design">The study.</param>
    /// <param name="baselines">Listed first, with all their seeds.</param>
    /// <exception cref="StageFailedException">SCAL7421 to SCAL7423, SCAL7426, and what a table lacks.</exception>
    public static void Write(StageContext<SweepSettings> context, StudyDesign design, IReadOnlyList<(Baseline Baseline, int Seeds)> baselines)
    {
        var settings = context.Settings;
        var history = DesignHistory.Of(context, design.Candidates);
        DesignFailures.Refuse(history);
        var round = DesignRound.Of(design, history, whole: settings.Design!.Round is null);
        double? threshold = settings.Design.Stop?.Regret;
        DesignFailures.Warn(context, history, round);
        WarnOfThreshold(context, round, threshold);
        SweepStage.Shapes(settings, baselines,
        [
            .. from baseline in baselines
               from seed in Enumerable.Range(1, baseline.Seeds)
               select new SweptRun(baseline.Baseline.Shape, seed, baseline.Baseline.Size),
            .. from run in round.Listed
               let candidate = design.Candidates[run.Candidate]
               select new SweptRun(candidate.Shape, run.Seed, candidate.Size) { TokensShare = candidate.Share },
        ]).Write(context.Output("shapes.csv"));
        Runs(design, round).Write(context.Output("design.csv"));
        Rounds(design, round, history).Write(context.Output("rounds.csv"));
        Forecasts(round).Write(context.Output("forecast.csv"));
        DesignSummary.Of(design, round, history, threshold).Write(context.Output(StageSummary.FileName));
    }

    /// <summary>Said before the first run, and when no further one can be bought: in between the summary tells.</summary>
    private static void WarnOfThreshold(StageContext<SweepSettings> context, DesignRound round, double? threshold)
    {
        if (threshold is not { } low)
        {
            return;
        }

        string? what = round.State.Verdict switch
        {
            StudyVerdict.BudgetSpent => "The budget is spent, and the expected regret is",
            StudyVerdict.NothingLeft => "No candidate is left to run, and the expected regret is",
            StudyVerdict.GoesOn when round.Number == 1 => "The expected regret will not come under the threshold within the budget: it is expected to end at",
            _ => null,
        };
        double end = round.GoesOn ? round.AtEnd.Regret : round.Regret;
        if (what is not null && end > low)
        {
            context.Warn(
                "SCAL7420", FormattableString.Invariant($"{what} {end:G2} nats a token, above 'design.stop.regret' of {low:G2}."),
                round.BuysAll
                    ? "The budget buys every candidate as often as 'replicates' allows: raise that, give 'sizes', 'x' or 'ratio' more values, or raise the threshold."
                    : FormattableString.Invariant($"Twice the budget is expected to give {round.Forecast("double").Regret:G2}; raise 'design.budget' or the threshold."));
        }
    }

    private static Table Runs(StudyDesign design, DesignRound round)
    {
        var table = new TableBuilder(SweepTables.Design);
        foreach (var run in round.Listed)
        {
            var (shape, size, share, flops, _) = design.Candidates[run.Candidate];
            table.Add(run.Round, shape.Id, run.Seed, size, share, shape.X, shape.Ratio, flops);
        }

        return table.Build();
    }

    private static Table Rounds(StudyDesign design, DesignRound round, DesignHistory history)
    {
        var table = new TableBuilder(SweepTables.Rounds);
        foreach (string[] earlier in history.Rounds)
        {
            table.Add([.. earlier]);
        }

        var belief = round.State.Belief;
        var optimum = belief.OptimumAt(design.Goal.Target);
        table.Add(
        [
            round.Number, history.Results.Count, history.Failed, round.Spent, belief.NoiseAt(design.Goal.Target) * belief.Prior.Level, optimum.X, optimum.XError, optimum.Ratio, optimum.RatioError, round.Regret,
            round.State.Odds.Count(o => o.InConfidenceSet), DesignSummary.Word(round.State.Verdict), .. design.Shapes[round.State.Pick].Cells(),
        ]);
        return table.Build();
    }

    private static Table Forecasts(DesignRound round)
    {
        var table = new TableBuilder(SweepTables.Forecast);
        foreach (var (plan, budget, told) in round.Forecasts)
        {
            table.Add(plan, budget, told.Budget, told.Runs, told.XError, told.RatioError, told.Regret);
        }

        return table.Build();
    }
}
