// misbehave and misbehave-row: do what they should not, when asked.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>misbehave</c>.</summary>
public sealed record MisbehaveSettings
{
    /// <summary>What to do.</summary>
    [Description("How to misbehave.")]
    public How How { get; init; } = How.Well;

    /// <summary>How long <see cref="How.Slow"/> takes.</summary>
    [Description("How long `slow` takes.")]
    [Unit("ms")]
    [Range(0, 600_000)]
    public int Milliseconds { get; init; } = 200;
}

/// <summary>Misbehaves as its setting says.</summary>
public sealed class MisbehaveStage : Stage<MisbehaveSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "misbehave",
        Summary = "Does what a stage should not.",
        Outputs = [new OutputFile("done.txt", "done")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<MisbehaveSettings> context)
    {
        Journal.Note("misbehave", "all");
        if (Misbehaviour.Act(context.Settings.How, context.Settings.Milliseconds, context))
        {
            File.WriteAllText(context.Output("done.txt"), context.Settings.How == How.Random ? $"{Guid.NewGuid()}\n" : "done\n");
        }
    }
}

/// <summary>Settings of <c>misbehave-row</c>.</summary>
public sealed record MisbehaveRowSettings
{
    /// <summary>How long <see cref="How.Slow"/> takes.</summary>
    [Description("How long a row that says `slow` takes.")]
    [Unit("ms")]
    [Range(0, 600_000)]
    public int Milliseconds { get; init; } = 200;
}

/// <summary>Misbehaves in the rows whose text names a way to; the others are copied.</summary>
public sealed class MisbehaveRowStage : Stage<MisbehaveRowSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "misbehave-row",
        Summary = "Does what a stage should not in the rows that say so.",
        Inputs = [Tables.EchoRows],
        Outputs = [new OutputFile("rows.csv", "done-rows") { Columns = Tables.Echo }],
        FanOut = Tables.PerEchoRow,
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<MisbehaveRowSettings> context)
    {
        Journal.Note("misbehave-row", context.Point);
        string text = context.Row.Text("text");
        if (Misbehaviour.Act(Misbehaviour.Named(text), context.Settings.Milliseconds, context))
        {
            context.WriteEcho("rows.csv", text);
            if (Misbehaviour.Named(text) == How.Ragged)
            {
                File.AppendAllText(context.Output("rows.csv"), "one,two,three\n");
            }
        }
    }
}
