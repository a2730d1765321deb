// collect: reads a collected table.
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary><c>collect</c> has no settings.</summary>
public sealed record CollectSettings;

/// <summary>Adds up the lengths of a table of squares.</summary>
public sealed class CollectStage : Stage<CollectSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "collect",
        Summary = "Adds up the lengths of all rows.",
        Inputs = [new InputRole("squares", "squares")],
        Outputs = [new OutputFile("total.json", "total")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<CollectSettings> context)
    {
        Journal.Note("collect", "all");
        var squares = context.InputTable("squares");
        double total = squares.Each().Sum(row => row.Number("length"));
        File.WriteAllText(context.Output("total.json"), $$"""{"rows":{{squares.Rows.Count}},"length":{{Table.Cell(total)}}}""" + "\n");
    }
}
