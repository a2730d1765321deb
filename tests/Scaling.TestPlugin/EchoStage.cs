// echo: an enumerating stage without inputs; gives `count` rows that say `text`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>echo</c>.</summary>
public sealed record EchoSettings
{
    /// <summary>What every row says; where it holds commas, the rows say the parts in turn.</summary>
    [Description("What the rows say; parts between commas go to the rows in turn.")]
    public string Text { get; init; } = "hello";

    /// <summary>Rows.</summary>
    [Description("How many rows.")]
    [Unit("rows")]
    [Range(0, 1_000_000)]
    public int Count { get; init; } = 1;
}

/// <summary>Writes rows p1 to pN.</summary>
public sealed class EchoStage : Stage<EchoSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "echo",
        Summary = "Writes rows that say a text.",
        Outputs = [new OutputFile("echo.csv", "echo") { Columns = Tables.Echo }],
        Enumerating = true,
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<EchoSettings> context)
    {
        Journal.Note("echo", "all");
        string[] texts = context.Settings.Text.Split(',');
        var rows = new TableBuilder(Tables.Echo);
        for (int i = 0; i < context.Settings.Count; i++)
        {
            rows.Add($"p{i + 1}", texts[i % texts.Length]);
        }

        rows.Build().Write(context.Output("echo.csv"));
    }
}
