// shared: rows that read what one prepare action wrote.
using System.ComponentModel;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>shared</c>.</summary>
public sealed record SharedSettings
{
    /// <summary>What the prepare action reads.</summary>
    [Description("What is prepared, once for all rows.")]
    public string Word { get; init; } = "shared";

    /// <summary>What the rows read alone.</summary>
    [Description("What stands before each row; the prepare action does not read it.")]
    public string Prefix { get; init; } = "";
}

/// <summary>Appends a prepared word to each row's text.</summary>
public sealed class SharedStage : Stage<SharedSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "shared",
        Summary = "Appends a prepared word to each row's text.",
        Inputs = [Tables.EchoRows],
        Outputs = [new OutputFile("shared.csv", "shared") { Columns = Tables.Echo }],
        FanOut = Tables.PerEchoRow,
        Prepare = new PrepareAction(["word"], ["word.txt"]),
    };

    /// <inheritdoc/>
    protected override void Prepare(StageContext<SharedSettings> context)
    {
        Journal.Note("shared", "prepare");
        File.WriteAllText(context.Output("word.txt"), context.Settings.Word);
    }

    /// <inheritdoc/>
    protected override void Run(StageContext<SharedSettings> context)
    {
        Journal.Note("shared", context.Point);
        string word = File.ReadAllText(context.Prepared("word.txt"));
        context.WriteEcho("shared.csv", $"{context.Settings.Prefix}{context.Row.Text("text")} {word}");
    }
}
