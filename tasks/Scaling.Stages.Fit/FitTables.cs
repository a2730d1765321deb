// The columns of what `fit` writes.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

internal static class FitTables
{
    public static readonly IReadOnlyList<Column> Residuals =
    [
        new("row", "1", "position in the table of runs, from 1"),
        new("shape", "text", "content id of the shape; empty where the runs have none"),
        new("seed", "text", "seed of the initialisation; empty where the runs have none"),
        new("run", "text", "what checkpoints of one training run share; empty where each row is a run"),
        new("group", "text", "hyper-parameter group; empty where the runs have none"),
        new("baseline", "truth", "a shape that the others are held against"),
        new("weight", "1", "of its penalty in the objective"),
        new("parameters", "parameters", "N as the table counts it"),
        new("other_parameters", "parameters", "N by the other counting rule; empty where the table does not tell"),
        new("tokens", "tokens", "trained on"),
        new("x", "1", "hidden size over the square root of the non-embedding parameters; empty where the runs have none"),
        new("ratio", "1", "MLP parameters over attention parameters; empty where the runs have none"),
        new("gqa", "1", "query heads a key/value head; empty where the runs have none"),
        new("width_over_depth", "features a layer", "hidden size over layers; empty where the runs have none"),
        new("covariates", "text", "values of the covariates in the order of law.json's options, separated by spaces"),
        new("loss", "nats a token", "measured"),
        new("predicted", "nats a token", "by the law"),
        new("residual", "nats a token", "measured less predicted"),
    ];

    public static Table ResidualsOf(FittedLaw law)
    {
        var table = new TableBuilder(Residuals);
        foreach (var run in law.Runs)
        {
            double predicted = law.Document.Predict(LawPoint.Of(run));
            table.Add([.. FittedRun.Values(run), predicted, run.Loss - predicted]);
        }

        return table.Build();
    }

    public static readonly IReadOnlyList<Column> Decision =
    [
        new("x", "1", "hidden size over the square root of the non-embedding parameters; empty where the runs have none"),
        new("ratio", "1", "MLP parameters over attention parameters; empty where the runs have none"),
        new("gqa", "1", "query heads a key/value head; empty where the runs have none"),
        new("baseline", "truth", "a shape that the others are held against"),
        new("predicted", "nats a token", "by the law, at the largest size and the middle of the runs' tokens per parameter"),
        new("loss_difference", "nats a token", "predicted less the least predicted of the candidates"),
        new("expected_regret", "nats a token", "mean over the resampled laws of its loss less the least"),
        new("probability_best", "1", "share of the resampled laws by which it is the best candidate; depends on how finely candidates are spaced"),
        new("probability_within", "1", "share by which it is within epsilon of the best"),
        new("in_confidence_set", "truth", "among the shapes of least expected regret that hold the best with the asked probability"),
    ];

    /// <summary>The shapes that were trained, by rising expected regret; empty where the law does not tell shapes apart.</summary>
    public static Table DecisionOf(FittedLaw law, FitSettings settings)
    {
        var table = new TableBuilder(Decision);
        double size = law.Document.Ranges.Sizes[^1];
        double[] budgets = [.. law.Runs.Select(r => r.Tokens / r.Parameters).Order()];
        foreach (var (candidate, baseline, of) in ShapeDecision.OfRuns(law.Document, size, size * budgets[budgets.Length / 2], law.Runs, settings.Epsilon, settings.Confidence))
        {
            table.Add(
                candidate.X, candidate.Ratio, candidate.Gqa, baseline, of.Predicted, of.LossDifference, of.ExpectedRegret, of.ProbabilityBest, of.ProbabilityWithin, of.InConfidenceSet);
        }

        return table.Build();
    }
}
