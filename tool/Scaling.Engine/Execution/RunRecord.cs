// What the last run of a pipeline was made of: `why` compares with it, and results that it wrote are known as ours.
using System.Text.Json;
using Scaling.Engine.Store;

namespace Scaling.Engine.Execution;

/// <summary>An action of the last run.</summary>
/// <param name="Point">The row's name; null without fan-out.</param>
/// <param name="Key">Its key; its entries stand in the manifest of that key.</param>
public sealed record RecordedAction(string? Point, string Key);

/// <summary>A stage of the last run.</summary>
/// <param name="Id">As YAML named it.</param>
/// <param name="Type">Its type.</param>
/// <param name="Actions">All of them, executed or cached.</param>
/// <param name="Executed">How many were executed.</param>
/// <param name="Reasons">Why those were, in words; empty where none was.</param>
public sealed record RecordedStage(string Id, string Type, IReadOnlyList<RecordedAction> Actions, int Executed, IReadOnlyList<string> Reasons);

/// <summary>A result file that the last run wrote.</summary>
/// <param name="Path">Relative to the results folder.</param>
/// <param name="Sha256">Of its content.</param>
public sealed record RecordedResult(string Path, string Sha256);

/// <summary>The last run of a pipeline file.</summary>
/// <param name="Pipeline">Its name.</param>
/// <param name="Ended">When.</param>
/// <param name="Stages">In the pipeline's order; those that could not be planned are missing.</param>
/// <param name="ResultsFolder">Where results were written.</param>
/// <param name="Results">What was written there.</param>
public sealed record RunRecord(
    string Pipeline, DateTimeOffset Ended, IReadOnlyList<RecordedStage> Stages, string ResultsFolder, IReadOnlyList<RecordedResult> Results)
{
    /// <summary>The record of a pipeline file; null where it never ran, or where the record is damaged.</summary>
    /// <param name="store">Holds it.</param>
    /// <param name="pipelinePath">Absolute path of the pipeline file.</param>
    public static RunRecord? Read(ContentStore store, string pipelinePath) =>
        Sealed.Read(store.RunPath(pipelinePath), out _) is { } json ? JsonSerializer.Deserialize(json, EngineJson.Default.RunRecord) : null;

    /// <summary>Keeps the record.</summary>
    /// <param name="store">Holds it.</param>
    /// <param name="pipelinePath">Absolute path of the pipeline file.</param>
    public void Write(ContentStore store, string pipelinePath) =>
        Sealed.Write(store.RunPath(pipelinePath), JsonSerializer.SerializeToUtf8Bytes(this, EngineJson.Default.RunRecord));
}
