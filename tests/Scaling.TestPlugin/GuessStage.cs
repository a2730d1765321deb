// guess: an enumerating stage that takes feedback; lists `each` rows more a round until what came back is enough.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>guess</c>.</summary>
public sealed record GuessSettings
{
    /// <summary>What every row says; where it holds commas, the rows say the parts in turn.</summary>
    [Description("What the rows say; parts between commas go to the rows in turn.")]
    public string Text { get; init; } = "hello";

    /// <summary>Rows that are new in a round.</summary>
    [Description("How many rows a round has more than the one before.")]
    [Unit("rows")]
    [Range(0, 1000)]
    public int Each { get; init; } = 2;

    /// <summary>When it lists nothing more.</summary>
    [Description("The lengths that came back, and the rows done, that are enough together.")]
    [Unit("1")]
    public double Until { get; init; } = 10;

    /// <summary>A mistake that such a stage can make.</summary>
    [Description("Lists only what is new, and the first rows again after that: the rounds never end.")]
    public bool Forgets { get; init; }
}

/// <summary>Writes rows p1 to pN, with a larger N each round.</summary>
public sealed class GuessStage : Stage<GuessSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "guess",
        Summary = "Lists rows, and more of them until what came back of those is enough.",
        Inputs =
        [
            new InputRole("start", "echo", Cardinality.Many),
            new InputRole("squares", "squares", Cardinality.Optional) { Feedback = true },
            new InputRole("done", "done-rows", Cardinality.Many) { Feedback = true },
            new InputRole("before", "echo", Cardinality.Optional) { Feedback = true },
        ],
        Outputs = [new OutputFile("echo.csv", "echo") { Columns = Tables.Echo }],
        Enumerating = true,
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<GuessSettings> context)
    {
        Journal.Note("guess", "all");
        string[] texts = context.Settings.Text.Split(',');
        double enough = context.Inputs("squares").Sum(f => Table.Read(f.Path).Each().Sum(row => row.Number("length"))) + context.Inputs("done").Sum(f => Table.Read(f.Path).Rows.Count);
        Row[] before = [.. context.Inputs("before").SelectMany(f => Table.Read(f.Path).Each()).Where(row => !row.Text("point").StartsWith("start-", StringComparison.Ordinal))];
        int from = 0, to = before.Length + (enough < context.Settings.Until ? context.Settings.Each : 0);
        if (context.Settings.Forgets)
        {
            from = before is [var first, ..] && first.Text("point") == "p1" ? before.Length : 0;
            to = from + context.Settings.Each;
        }

        var rows = new TableBuilder(Tables.Echo);
        foreach (var row in context.Inputs("start").SelectMany(f => Table.Read(f.Path).Each()))
        {
            rows.Add($"start-{row.Text("point")}", row.Text("text"));
        }

        for (int i = from; i < to; i++)
        {
            rows.Add($"p{i + 1}", texts[i % texts.Length]);
        }

        rows.Build().Write(context.Output("echo.csv"));
    }
}
