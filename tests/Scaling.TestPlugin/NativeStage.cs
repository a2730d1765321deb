// native: tells what lies in the folders of its native packages; native.json beside a copy of the plugin names them.
using System.ComponentModel;
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>Settings of <c>native</c>.</summary>
public sealed record NativeSettings
{
    /// <summary>What <c>when</c> in native.json asks about.</summary>
    [Description("Which native packages it takes.")]
    public string Flavour { get; init; } = "plain";

    /// <summary>Whether the machine is said to have what the stage needs.</summary>
    [Description("poor: the machine lacks what the stage needs.")]
    public string Machine { get; init; } = "rich";
}

/// <summary>Writes a row a library.</summary>
public sealed class NativeStage : Stage<NativeSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "native",
        Summary = "Tells what lies in the folders of its native packages.",
        Outputs = [new OutputFile("native.csv", "echo") { Columns = Tables.Echo }],
    };

    /// <inheritdoc/>
    protected override void CheckMachine(StageContext<NativeSettings> context)
    {
        Journal.Note("check", context.Settings.Flavour);
        if (context.Settings.Machine == "poor")
        {
            throw new StageFailedException("TEST0001", "This machine is poor.", "Write 'machine: rich'.");
        }
    }

    /// <inheritdoc/>
    protected override void Run(StageContext<NativeSettings> context)
    {
        Journal.Note("native", $"{context.Settings.Flavour} {Environment.ProcessId}");
        var rows = new TableBuilder(Tables.Echo);
        foreach (string library in context.NativeFolders.SelectMany(f => Directory.EnumerateFiles(f, "*.so*", SearchOption.AllDirectories).Order(StringComparer.Ordinal)))
        {
            rows.Add(Path.GetFileName(library), File.ReadAllText(library));
        }

        rows.Build().Write(context.Output("native.csv"));
    }
}
