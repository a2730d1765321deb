// Stages that are right but for one thing each: what the conformance suite has to find.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Scaling.Sdk.Tests;

/// <summary>How a stage is wrong.</summary>
public enum Fault
{
    None,
    TwoOutputsOfOneName,
    TypeInCapitals,
    SummaryOfOneWord,
    ColumnWithoutUnit,
    WritesTooLittle,
    WritesUndeclared,
    WritesBesideItsFolder,
    WritesIntoTheCurrentDirectory,
    ChangesItsInput,
    OtherColumns,
    RandomNumbers,
    TheTime,
    ItsFolder,
    NumbersOfTheCulture,
    IgnoresStop,
    ThrowsWhenStopped,
    ThrowsOnTheLeast,
    ThrowsOnAnEmptyTable,
}

/// <summary>Settings without a mistake.</summary>
public sealed record SoundSettings
{
    [Description("What is added.")]
    [Unit("points")]
    [Range(0, 100)]
    public double Add { get; init; } = 1.5;

    [Description("How long it takes.")]
    [Unit("ms")]
    [Range(0, 600_000)]
    public int Milliseconds { get; init; }
}

/// <summary>Adds to every value of a table; wrong as <typeparamref name="TFault"/> says, by its name, since the suite makes stages without arguments.</summary>
public sealed class FaultyStage<TFault> : Stage<SoundSettings>
    where TFault : IFault
{
    private static readonly Fault Fault = TFault.Fault;
    private static readonly Column[] Columns = [new("value", Fault == Fault.ColumnWithoutUnit ? "" : "points", "what was given, and more")];

    public override StageDeclaration Declaration { get; } = new()
    {
        Type = Fault == Fault.TypeInCapitals ? "FaultyStage" : "faulty",
        Summary = Fault == Fault.SummaryOfOneWord ? "Adds" : "Adds to every value.",
        Inputs = [new InputRole("values", "values")],
        Outputs = [new OutputFile("sums.csv", "sums") { Columns = Columns }, .. Fault == Fault.TwoOutputsOfOneName ? [new OutputFile("sums.csv", "more")] : Array.Empty<OutputFile>()],
    };

    protected override void Run(StageContext<SoundSettings> context)
    {
        double add = context.Settings.Add;
        string input = context.Input("values");
        if (new FileInfo(input).Length == 0 && Fault == Fault.ThrowsOnAnEmptyTable || add == 0 && Fault == Fault.ThrowsOnTheLeast)
        {
            throw new InvalidOperationException("not thought of");
        }

        for (int i = 0; i < context.Settings.Milliseconds; i += 10)
        {
            Thread.Sleep(10);
            if (context.Stop.IsCancellationRequested && Fault != Fault.IgnoresStop)
            {
                throw Fault == Fault.ThrowsWhenStopped ? new IOException("interrupted") : new OperationCanceledException();
            }
        }

        var sums = new TableBuilder(Fault == Fault.OtherColumns ? [Columns[0] with { Name = "wert" }] : Columns);
        foreach (var row in Table.Read(input).Each())
        {
            double sum = row.Number("value") + add + (Fault == Fault.RandomNumbers ? Random.Shared.NextDouble() : 0);
            sums.Add(Fault switch
            {
                Fault.TheTime => context.Time.GetUtcNow().Year.ToString(CultureInfo.InvariantCulture),
                Fault.ItsFolder => input,
                Fault.NumbersOfTheCulture => $"{sum}",
                _ => sum,
            });
        }

        if (Fault != Fault.WritesTooLittle)
        {
            sums.Build().Write(context.Output("sums.csv"));
        }

        string? stray = Fault switch
        {
            Fault.WritesUndeclared => Path.Combine(Path.GetDirectoryName(context.Output("sums.csv"))!, "notes.txt"),
            Fault.WritesBesideItsFolder => Path.Combine(Path.GetDirectoryName(context.Output("sums.csv"))!, "..", "notes.txt"),
            Fault.WritesIntoTheCurrentDirectory => "notes.txt",
            Fault.ChangesItsInput => input,
            _ => null,
        };
        if (stray is not null)
        {
            File.AppendAllText(stray, "7\n");
        }
    }
}

/// <summary>Gives a fault as a type.</summary>
public interface IFault
{
    static abstract Fault Fault { get; }
}

/// <summary>Settings with every kind of mistake.</summary>
public sealed record MistakenSettings
{
    public string Word { get; init; } = "";

    [Description("A number.")]
    public int Count { get; init; } = 1;

    [Description("Out of its range.")]
    [Unit("1")]
    [Range(1, 10)]
    public int Wide { get; init; } = 11;

    [Description("Computed, so that YAML cannot set it.")]
    [Unit("1")]
    public int Twice => 2 * Wide;
}

/// <summary>Has <see cref="MistakenSettings"/>, and writes nothing because it declares nothing.</summary>
public sealed class MistakenSettingsStage : Stage<MistakenSettings>
{
    public override StageDeclaration Declaration { get; } = new() { Type = "mistaken", Summary = "Has wrong settings.", Outputs = [] };

    protected override void Run(StageContext<MistakenSettings> context)
    {
    }
}

/// <summary>How a batch goes wrong.</summary>
public sealed record BatchSettings;

/// <summary>Takes rows as a batch; of its rows one is not published, one too early, one changed afterwards.</summary>
public sealed class FaultyBatchStage : Stage<BatchSettings>
{
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "faulty-batch",
        Summary = "Takes rows as a batch.",
        Inputs = [new InputRole("rows", "rows")],
        Outputs = [new OutputFile("row.txt", "row")],
        FanOut = new FanOut("rows", ["id"], ["id"]) { Mode = FanOutMode.Batch },
    };

    protected override void RunBatch(IReadOnlyList<StageContext<BatchSettings>> rows)
    {
        _ = rows[0].Point;
        foreach (var row in rows)
        {
            if (row.Point == "early")
            {
                row.Publish();
            }

            File.WriteAllText(row.Output("row.txt"), row.Point);
            if (row.Point is "late" or "sound")
            {
                row.Publish();
            }

            if (row.Point == "late")
            {
                File.WriteAllText(row.Output("row.txt"), "changed");
            }
        }
    }
}

/// <summary>Declares something else each time that one is made.</summary>
public sealed class ChangingStage : Stage<BatchSettings>
{
    private static int _made;

    public override StageDeclaration Declaration { get; } = new() { Type = "changing", Summary = $"Is number {++_made}.", Outputs = [] };
}
