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
        new("run", "text", "what checkpoints of one training run share; empty where each row is a run"),
        new("group", "text", "hyper-parameter group; empty where the runs have none"),
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
            table.Add([.. RunRecord.Values(run), predicted, run.Loss - predicted]);
        }

        return table.Build();
    }
}
