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
        new("parameters", "parameters", "N as the table counts it"),
        new("tokens", "tokens", "trained on"),
        new("x", "1", "hidden size over the square root of N; empty where the runs have none"),
        new("ratio", "1", "MLP parameters over attention parameters; empty where the runs have none"),
        new("loss", "nats a token", "measured"),
        new("predicted", "nats a token", "by the law"),
        new("residual", "nats a token", "measured less predicted"),
    ];

    public static Table ResidualsOf(FittedLaw law)
    {
        var table = new TableBuilder(Residuals);
        foreach (var run in law.Runs)
        {
            double predicted = law.Document.Predict(run.Parameters, run.Tokens, run.X, run.Ratio);
            table.Add(run.Row, run.Shape, run.Parameters, run.Tokens, run.X, run.Ratio, run.Loss, predicted, run.Loss - predicted);
        }

        return table.Build();
    }
}
