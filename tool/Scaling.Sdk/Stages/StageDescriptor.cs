// A stage's declaration as data: what a worker's `describe` prints and the tool plans with.
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;

namespace Scaling.Sdk;

/// <summary>A stage's declaration with the JSON schema of its settings. The tool plans from it and never loads the plugin.</summary>
/// <param name="Declaration">What the stage declares.</param>
/// <param name="Settings">JSON schema of <c>with:</c>.</param>
/// <param name="ContractRevision">The <see cref="Contract.Revision"/> that the stage was loaded with.</param>
public sealed record StageDescriptor(StageDeclaration Declaration, JsonObject Settings, int ContractRevision)
{
    /// <summary>How descriptors are written: snake case, enums as words.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Describes a stage.</summary>
    /// <param name="stage">Freshly made.</param>
    public static StageDescriptor Of(IStage stage) => new(stage.Declaration, stage.SettingsSchema, Contract.Revision);
}
