// The columns of what `extrapolate` writes.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

internal static class ExtrapolateTables
{
    public static readonly IReadOnlyList<Column> Predictions =
    [
        new("purpose", "text", "held_out or target"),
        new("size", "parameters", "the asked size; of held-out rows the mean of their size class"),
        new("shape", "text", "content id of a held-out row's shape; empty for targets"),
        new("parameters", "parameters", "N"),
        new("tokens", "tokens", "D"),
        new("x", "1", "of targets x*; empty where there is none"),
        new("ratio", "1", "of targets r*; empty where there is none"),
        new("loss", "nats a token", "measured; empty for targets"),
        new("predicted", "nats a token", "by the law; of held-out rows by its refit without their size; empty for targets that the runs say nothing of"),
        new("confidence_low", "nats a token", "lower end of the 95 % interval of the law's loss; empty without resamples, and where the runs say nothing"),
        new("confidence_high", "nats a token", "upper end"),
        new("predicted_low", "nats a token", "lower end of the 95 % interval of a new run's loss; empty likewise"),
        new("predicted_high", "nats a token", "upper end"),
        new("residual", "nats a token", "measured less predicted; empty for targets"),
        new("baseline", "truth", "a shape that the others are held against; empty for targets"),
    ];

    public static readonly IReadOnlyList<Column> Decision =
    [
        new("size", "parameters", "the size decided for: N of all its candidates"),
        new("tokens", "tokens", "D"),
        new("x", "1", "hidden size over the square root of N; empty where the runs have none"),
        new("ratio", "1", "MLP parameters over attention parameters; empty where the runs have none"),
        new("gqa", "1", "query heads a key/value head; empty where the runs have none"),
        new("baseline", "truth", "a shape that the others are held against"),
        new("predicted", "nats a token", "by the law"),
        new("loss_difference", "nats a token", "predicted less the least predicted of the candidates"),
        new("expected_regret", "nats a token", "mean over the resampled laws of its loss less the least"),
        new("probability_best", "1", "share of the resampled laws by which it is the best candidate; depends on how finely candidates are spaced"),
        new("probability_within", "1", "share by which it is within epsilon of the best"),
        new("in_confidence_set", "truth", "among the shapes of least expected regret that hold the best with the asked probability"),
    ];

    /// <summary>The shapes that were trained, as candidates at each size and budget asked for; without these at the runs' largest.</summary>
    public static Table DecisionOf(LawDocument law, IReadOnlyList<TrainingRun> runs, ExtrapolateSettings settings, IReadOnlyList<double> budgets)
    {
        var table = new TableBuilder(Decision);
        foreach (double size in settings.Sizes.Count > 0 ? settings.Sizes : law.Ranges.Sizes.TakeLast(1))
        {
            foreach (double budget in budgets)
            {
                foreach (var (candidate, baseline, of) in ShapeDecision.OfRuns(law, size, size * budget, runs, settings.Epsilon, settings.Confidence))
                {
                    table.Add(
                        size, size * budget, candidate.X, candidate.Ratio, candidate.Gqa, baseline, of.Predicted, of.LossDifference, of.ExpectedRegret, of.ProbabilityBest,
                        of.ProbabilityWithin, of.InConfidenceSet);
                }
            }
        }

        return table.Build();
    }
}
