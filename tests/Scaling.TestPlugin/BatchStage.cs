// batch: an exclusive stage that takes all missing rows at once and publishes each; a row's text may say how it misbehaves.
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary><c>batch</c> has no settings.</summary>
public sealed record BatchSettings;

/// <summary>Copies its rows, one published after the other.</summary>
public sealed class BatchStage : Stage<BatchSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "batch",
        Summary = "Copies rows, all in one batch.",
        Inputs = [Tables.EchoRows],
        Outputs = [new OutputFile("batch.csv", "batched") { Columns = Tables.Echo }],
        FanOut = Tables.PerEchoRow with { Mode = FanOutMode.Batch },
        Determinism = Determinism.Statistical,
        Exclusive = true,
    };

    /// <inheritdoc/>
    protected override void RunBatch(IReadOnlyList<StageContext<BatchSettings>> rows)
    {
        foreach (var row in rows)
        {
            row.Stop.ThrowIfCancellationRequested();
            Journal.Note("batch", row.Point);
            string text = row.Row.Text("text");
            if (Misbehaviour.Act(Misbehaviour.Named(text), milliseconds: 200, row))
            {
                row.WriteEcho("batch.csv", Misbehaviour.Named(text) == How.Random ? $"{Random.Shared.NextDouble()}" : text);
            }

            row.Publish();
        }
    }
}
