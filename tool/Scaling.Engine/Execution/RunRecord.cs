// What a run of a pipeline was made of: `why` compares with it, `cache gc` keeps what it names, and results that it wrote are known as ours.
using System.Text.Json;
using System.Text.Json.Serialization;
using Scaling.Engine.Store;

namespace Scaling.Engine.Execution;

/// <summary>An action of a run.</summary>
/// <param name="Point">The row's name; null without fan-out.</param>
/// <param name="Key">Its key; its entries stand in the manifest of that key.</param>
public sealed record RecordedAction(string? Point, string Key)
{
    /// <summary>Code of its first finding where it failed in that run; else null, also in records of earlier versions.</summary>
    public string? FailedWith { get; init; }
}

/// <summary>A stage of a run.</summary>
/// <param name="Id">As YAML named it.</param>
/// <param name="Type">Its type.</param>
/// <param name="Actions">All of them: executed, cached, failed or stopped.</param>
/// <param name="Executed">How many were executed.</param>
/// <param name="Reasons">Why those were, in words; empty where none was.</param>
public sealed record RecordedStage(string Id, string Type, IReadOnlyList<RecordedAction> Actions, int Executed, IReadOnlyList<string> Reasons)
{
    /// <summary>Key of what its rows share; null for none.</summary>
    public string? Prepare { get; init; }

    /// <summary>Key of the collection of its rows; null without fan-out, or where it was not collected.</summary>
    public string? Collection { get; init; }

    /// <summary>Keys of earlier rounds of its circle that the last has no more, in their order: the next run looks for them on its way. Default: none.</summary>
    public IReadOnlyList<string> Earlier { get; init; } = [];

    /// <summary>How many were found in the store.</summary>
    public int Cached { get; init; }

    /// <summary>How many failed.</summary>
    public int Failed { get; init; }

    /// <summary>Why it was not done; null where it was.</summary>
    public string? NotDone { get; init; }

    internal bool Repeats(RecordedStage other) =>
        Executed == 0 && Id == other.Id && Type == other.Type && Prepare == other.Prepare && Collection == other.Collection && Failed == other.Failed && NotDone == other.NotDone && Actions.SequenceEqual(other.Actions) && Earlier.SequenceEqual(other.Earlier);

    /// <summary>Every key that it names.</summary>
    [JsonIgnore]
    public IEnumerable<string> Keys => [.. LastKeys, .. Earlier];

    /// <summary>Those of its only, or its last, round.</summary>
    [JsonIgnore]
    internal IEnumerable<string> LastKeys => [.. Actions.Select(a => a.Key), .. new[] { Prepare, Collection }.OfType<string>()];
}

/// <summary>A result file that a run wrote.</summary>
/// <param name="Path">Relative to the results folder.</param>
/// <param name="Sha256">Of its content.</param>
public sealed record RecordedResult(string Path, string Sha256);

/// <summary>A run of a pipeline file.</summary>
/// <param name="Pipeline">Its name.</param>
/// <param name="Path">Absolute path of its file.</param>
/// <param name="Started">When it began.</param>
/// <param name="Ended">When it ended.</param>
/// <param name="ExitCode">See <see cref="Execution.ExitCode"/>.</param>
/// <param name="Stages">In the pipeline's order; those that could not be planned are missing.</param>
/// <param name="ResultsFolder">Where results were written.</param>
/// <param name="Results">What was written there.</param>
public sealed record RunRecord(
    string Pipeline, string Path, DateTimeOffset Started, DateTimeOffset Ended, int ExitCode, IReadOnlyList<RecordedStage> Stages, string ResultsFolder, IReadOnlyList<RecordedResult> Results)
{
    /// <summary>Its place among the runs of the pipeline file, from 1; 0 before it is kept.</summary>
    public int Number { get; init; }

    /// <summary>What <c>--set</c> said, as typed. Default: nothing.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>Whether every part of it is there, and its results lie in their folder: a record may be of another version of the tool, or of another writer.</summary>
    internal bool IsSound =>
        Pipeline is not null && Path is not null && ResultsFolder is not null && Overrides is not null && Overrides.All(o => o is not null)
        && Stages is not null && Stages.All(s => s is { Id: not null, Type: not null, Actions: not null, Reasons: not null, Earlier: not null } && s.Earlier.All(k => k is not null) && s.Actions.All(a => a?.Key is not null) && s.Reasons.All(r => r is not null))
        && Results is not null && Results.All(r => r?.Sha256 is not null && StoredFile.StaysInside(r.Path));

    /// <summary>Reads what was written of a run.</summary>
    /// <param name="json">UTF-8.</param>
    /// <exception cref="JsonException">It is no record.</exception>
    internal static RunRecord Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var of = document.RootElement;
        return new RunRecord(
            of.Text("pipeline"), of.Text("path"), of.Time("started"), of.Time("ended"), (int)of.Whole("exit_code"), of.List("stages", ReadStage), of.Text("results_folder"),
            of.List("results", r => new RecordedResult(r.Text("path"), r.Text("sha256"))))
        {
            Number = (int)of.Whole("number"), Overrides = of.List("overrides", JsonFields.Word),
        };
    }

    private static RecordedStage ReadStage(JsonElement of) => new(
        of.Text("id"), of.Text("type"), of.List("actions", a => new RecordedAction(a.TextOrNone("point"), a.Text("key")) { FailedWith = a.TextOrNone("failed_with") }), (int)of.Whole("executed"), of.List("reasons", JsonFields.Word))
    {
        Prepare = of.TextOrNone("prepare"), Collection = of.TextOrNone("collection"), Earlier = of.List("earlier", JsonFields.Word), Cached = (int)of.Whole("cached"), Failed = (int)of.Whole("failed"), NotDone = of.TextOrNone("not_done"),
    };

    /// <summary>Whether a run gave the same as another: same actions, nothing executed, same results.</summary>
    /// <param name="other">An earlier one.</param>
    internal bool Repeats(RunRecord other) =>
        ExitCode == other.ExitCode && ResultsFolder == other.ResultsFolder && Overrides.SequenceEqual(other.Overrides) && Results.SequenceEqual(other.Results)
        && Stages.Count == other.Stages.Count && Stages.All(s => other.Stages.Any(s.Repeats));
}
