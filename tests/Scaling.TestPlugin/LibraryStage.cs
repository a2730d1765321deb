// library: says which version of a library it got, one that the tool itself uses in another.
using Scaling.Sdk;

namespace Scaling.TestPlugin;

/// <summary>No settings.</summary>
public sealed record LibrarySettings;

/// <summary>Writes the version of the YamlDotNet that it was given.</summary>
public sealed class LibraryStage : Stage<LibrarySettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "library",
        Summary = "Says which version of YamlDotNet it got.",
        Outputs = [new OutputFile("version.txt", "version")],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<LibrarySettings> context) =>
        File.WriteAllText(context.Output("version.txt"), $"{typeof(YamlDotNet.Core.Parser).Assembly.GetName().Version}\n");
}
