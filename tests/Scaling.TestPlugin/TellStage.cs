// tell: writes a report that says what it is told, and sums up what it is told to have found.
using System.ComponentModel;
using System.Globalization;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>tell</c>.</summary>
public sealed record TellSettings
{
    /// <summary>What the report says.</summary>
    [Description("What the report says.")]
    public string Text { get; init; } = "# A report\n";

    /// <summary>What the summary says; none is written where there is nothing.</summary>
    [Description("Lines of the summary; none is written where there are none.")]
    public IReadOnlyList<string> Found { get; init; } = [];

    /// <summary>Quantities of the summary.</summary>
    [Description("Quantities of the summary, each as name=value and its unit, or name=words.")]
    public IReadOnlyList<string> Quantities { get; init; } = [];
}

/// <summary>Writes <c>report.md</c>, and <c>summary.json</c> where it found something.</summary>
public sealed class TellStage : Stage<TellSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "tell",
        Summary = "Writes a report.",
        Inputs = [new InputRole("after", "done-rows", Cardinality.Optional)],
        Outputs = [new OutputFile("report.md", "told"), StageSummary.Output with { Optional = true }],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<TellSettings> context)
    {
        File.WriteAllText(context.Output("report.md"), context.Settings.Text);
        if (context.Settings.Found is ["{}"])
        {
            File.WriteAllText(context.Output(StageSummary.FileName), "{}"); // As a stage does that writes it by itself.
        }
        else if (context.Settings.Found.Count > 0)
        {
            new StageSummary("what was found", context.Settings.Found, [.. context.Settings.Quantities.Select(Quantity)]).Write(context.Output(StageSummary.FileName));
        }
    }

    private static SummaryQuantity Quantity(string told)
    {
        string[] parts = told.Split('=', 2);
        string[] words = parts[1].Split(' ', 2);
        return double.TryParse(words[0], NumberStyles.Float, CultureInfo.InvariantCulture, out double value)
            ? new SummaryQuantity(parts[0], parts[0].Replace('.', ' '), value, words.Length > 1 ? words[1] : "", words[0])
            : new SummaryQuantity(parts[0], parts[0].Replace('.', ' '), null, "", parts[1]);
    }
}
