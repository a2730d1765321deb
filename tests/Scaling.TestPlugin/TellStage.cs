// tell: writes a report that says what it is told.
using System.ComponentModel;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>tell</c>.</summary>
public sealed record TellSettings
{
    /// <summary>What the report says.</summary>
    [Description("What the report says.")]
    public string Text { get; init; } = "# A report\n";
}

/// <summary>Writes <c>report.md</c>.</summary>
public sealed class TellStage : Stage<TellSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "tell",
        Summary = "Writes a report.",
        Outputs = [new OutputFile("report.md", "told")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<TellSettings> context) => File.WriteAllText(context.Output("report.md"), context.Settings.Text);
}
