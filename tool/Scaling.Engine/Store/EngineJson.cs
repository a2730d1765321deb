// How the engine's records are written: snake case, made at compile time so that starting is quick.
using System.Text.Json.Serialization;
using Scaling.Engine.Execution;
using Scaling.Engine.Executors.Slurm;
using Scaling.Engine.Planning;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Store;

[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingDefault,
    NumberHandling = JsonNumberHandling.AllowNamedFloatingPointLiterals,
    UseStringEnumConverter = true)]
[JsonSerializable(typeof(Manifest))]
[JsonSerializable(typeof(RunRecord))]
[JsonSerializable(typeof(ActionSpec))]
[JsonSerializable(typeof(Request))]
[JsonSerializable(typeof(Reply))]
[JsonSerializable(typeof(FrozenPlan))]
[JsonSerializable(typeof(FrozenStage))]
[JsonSerializable(typeof(FrozenAction))]
[JsonSerializable(typeof(JobRecord))]
[JsonSerializable(typeof(TaskBegin))]
[JsonSerializable(typeof(TaskEnd))]
[JsonSerializable(typeof(Decision.Again))]
[JsonSerializable(typeof(Dictionary<string, StageProgress>))]
internal sealed partial class EngineJson : JsonSerializerContext;
