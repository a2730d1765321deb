// square: an action a row and factor, with a table, a file of the row's own, and a volatile table.
using System.ComponentModel;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>square</c>.</summary>
public sealed record SquareSettings
{
    /// <summary>Appended to the text.</summary>
    [Description("What is appended to the text.")]
    public string Suffix { get; init; } = "";

    /// <summary>Each multiplies the rows.</summary>
    [Description("What the length is multiplied by; each element is an action of its own.")]
    [Unit("1")]
    public IReadOnlyList<double> Factors { get; init; } = [1];
}

/// <summary>Measures the length of each row's text.</summary>
public sealed class SquareStage : Stage<SquareSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "square",
        Summary = "Measures the length of each row's text.",
        Inputs = [Tables.EchoRows],
        Outputs =
        [
            new OutputFile("squares.csv", "squares") { Columns = Tables.Squares },
            new OutputFile("note.txt", "notes"),
            new OutputFile("times.csv", "times") { Columns = Tables.Times, Volatile = true },
        ],
        FanOut = Tables.PerEchoRow with { Across = "factors" },
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<SquareSettings> context)
    {
        Journal.Note("square", context.Point);
        long start = context.Time.GetTimestamp();
        string point = context.Row.Text("point");
        string text = context.Row.Text("text") + context.Settings.Suffix;
        double factor = context.Settings.Factors.Single();

        var squares = new TableBuilder(Tables.Squares);
        squares.Add(point, text, text.Length * factor, factor);
        squares.Build().Write(context.Output("squares.csv"));
        File.WriteAllText(context.Output("note.txt"), $"{context.Point}: {text}\n");

        var times = new TableBuilder(Tables.Times);
        times.Add(point, factor, context.Time.GetElapsedTime(start).TotalSeconds);
        times.Build().Write(context.Output("times.csv"));
    }
}
