// What a run found, in the words of its last stages.
using System.Text.Json.Nodes;
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>The summary that a stage gave.</summary>
/// <param name="Stage">Id of the stage.</param>
/// <param name="Summary">What it says.</param>
internal sealed record FoundSummary(string Stage, StageSummary Summary)
{
    /// <summary>Summaries of the stages that are done, without those that another stage with a summary builds on.</summary>
    /// <param name="pipeline">That ran.</param>
    /// <param name="run">How.</param>
    /// <param name="store">Holds the files.</param>
    /// <param name="tell">Takes a file that is no summary.</param>
    public static IReadOnlyList<FoundSummary> Of(Pipeline pipeline, RunSummary run, ContentStore store, Action<Diagnostic> tell)
    {
        var found = pipeline.Stages.Select(s => run.Results.TryGetValue(s.Id, out var result) ? Of(s, result, store, tell) : null).OfType<FoundSummary>().ToArray();
        var earlier = new HashSet<string>();
        foreach (var stage in pipeline.Stages.Reverse())
        {
            if (earlier.Contains(stage.Id) || found.Any(f => f.Stage == stage.Id))
            {
                earlier.UnionWith(stage.Needs.Select(n => n.Id));
            }
        }

        return [.. found.Where(f => !earlier.Contains(f.Stage))];
    }

    /// <summary>For programs.</summary>
    public JsonObject ToJson() => new()
    {
        ["stage"] = Stage,
        ["title"] = Summary.Title,
        ["lines"] = JsonText.Of(Summary.Lines),
        ["quantities"] = new JsonArray([.. Summary.Quantities.Select(q => new JsonObject { ["name"] = q.Name, ["label"] = q.Label, ["value"] = q.Value, ["unit"] = q.Unit, ["text"] = q.Text })]),
    };

    private static FoundSummary? Of(StageNode stage, StageResult result, ContentStore store, Action<Diagnostic> tell) =>
        result.OfKind(StageSummary.Kind).FirstOrDefault(f => f is { Point: null, Name: StageSummary.FileName }) is { } file ? Read(stage.Id, file, store, finding => tell(finding with { Location = stage.Location })) : null;

    /// <summary>The summary of an entry of the store; null where it has none.</summary>
    /// <param name="stage">Id of the stage.</param>
    /// <param name="key">Of its action.</param>
    /// <param name="store">Holds it.</param>
    /// <param name="tell">Takes what is wrong with it.</param>
    public static FoundSummary? OfEntry(string stage, string key, ContentStore store, Action<Diagnostic> tell) =>
        store.Read(key)?.Files.FirstOrDefault(f => f is { Kind: StageSummary.Kind, Name: StageSummary.FileName }) is { } file ? Read(stage, file, store, tell) : null;

    /// <summary>A file of the store; null where it is no summary.</summary>
    /// <param name="stage">Id of the stage.</param>
    /// <param name="file">Its file.</param>
    /// <param name="store">Holds it.</param>
    /// <param name="tell">Takes what is wrong with it.</param>
    public static FoundSummary? Read(string stage, StoredFile file, ContentStore store, Action<Diagnostic> tell)
    {
        try
        {
            return new FoundSummary(stage, StageSummary.Parse(file.Inline ?? File.ReadAllBytes(store.ContentPath(file)!)));
        }
        catch (Exception e) when (e is FormatException or IOException or UnauthorizedAccessException)
        {
            tell(new Diagnostic("SCAL1065", $"The {StageSummary.FileName} of '{stage}' cannot be shown: {e.Message.TrimEnd('.')}.") { Severity = Severity.Warning, Hint = "Its stage writes it with StageSummary of Scaling.Sdk; all other results are whole." });
            return null;
        }
    }
}
