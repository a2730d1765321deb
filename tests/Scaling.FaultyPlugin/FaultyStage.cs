// faulty: cannot be made.
using Scaling.Sdk;

namespace Scaling.FaultyPlugin;

/// <summary>No settings.</summary>
public sealed record FaultySettings;

/// <summary>Throws in its constructor.</summary>
public sealed class FaultyStage : Stage<FaultySettings>
{
    /// <summary>Never returns in order.</summary>
    public FaultyStage() => throw new InvalidOperationException("thrown while it was made");

    /// <inheritdoc/>
    public override StageDeclaration Declaration => new() { Type = "faulty", Summary = "Cannot be made.", Outputs = [] };

    /// <inheritdoc/>
    protected override void Run(StageContext<FaultySettings> context)
    {
    }
}
