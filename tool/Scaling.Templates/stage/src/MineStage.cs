// mine-type: the mean loss of runs that differ in their seed alone.
using Scaling.Sdk;

namespace Acme.Mine;

/// <summary>Reads a table of runs and writes <c>means.csv</c>, a row for each shape and number of tokens.</summary>
public sealed class MineStage : Stage<MineSettings>
{
    private static readonly Column[] Columns =
    [
        new("shape", "text", "id of the shape"),
        new("tokens", "tokens", "training tokens"),
        new("runs", "runs", "how many the mean is of"),
        new("loss", "nats a token", "mean loss"),
    ];

    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "mine-type",
        Summary = "Gives the mean loss of runs that differ in their seed alone.",
        Inputs = [new InputRole("runs", "runs")],
        Outputs = [new OutputFile("means.csv", "means") { Columns = Columns }],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<MineSettings> context)
    {
        var means = new TableBuilder(Columns);
        var points = context.InputTable("runs").Each().GroupBy(run => (Shape: run.Text("shape"), Tokens: run.Number("tokens")));
        int left = 0;
        foreach (var point in points.OrderBy(p => p.Key.Shape, StringComparer.Ordinal).ThenBy(p => p.Key.Tokens))
        {
            context.Stop.ThrowIfCancellationRequested();
            if (point.Count() < context.Settings.LeastRuns)
            {
                left++;
                continue;
            }

            means.Add(point.Key.Shape, point.Key.Tokens, point.Count(), point.Average(run => run.Number("loss")));
        }

        if (left > 0)
        {
            context.Warn("MINE0001", $"{left} points have fewer than {context.Settings.LeastRuns} runs and were left out.", "Lower `least_runs`, or train more seeds.");
        }

        means.Build().Write(context.Output("means.csv"));
    }
}
