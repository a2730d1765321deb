// Reads a table as `fit` does and hands over the runs, before any law is fitted to them.
using System.Text.Json.Nodes;
using Scaling.Laws;
using Scaling.Sdk;
using Scaling.Stages.Fit;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

/// <summary>What was read and said.</summary>
internal sealed record ReadRuns(RunTable Table, IReadOnlyList<string> Warnings)
{
    public IReadOnlyList<TrainingRun> Runs => Table.Runs;
}

internal static class RunFiles
{
    /// <summary>Writes a table into the folder and reads it.</summary>
    /// <param name="folder">Of the test.</param>
    /// <param name="text">Content.</param>
    /// <param name="settings">Of <c>fit</c>, as JSON without <c>table</c>.</param>
    public static ReadRuns Read(TemporaryFolder folder, string text, string settings = "{}") => ReadFile(folder.Write("runs.csv", text), settings);

    /// <summary>Reads a file.</summary>
    public static ReadRuns ReadFile(string path, string settings = "{}")
    {
        var given = JsonNode.Parse(settings)!.AsObject();
        given["table"] = new JsonObject { ["text"] = Path.GetFileName(path), ["scheme"] = "", ["paths"] = new JsonArray(path) };
        var warnings = new List<string>();
        var context = new StageContext<FitSettings>(new ActionContext
        {
            Settings = given,
            OutputFolder = "",
            WorkFolder = "",
            CacheFolder = "",
            Progress = _ => { },
            Report = d => warnings.Add($"{d.Code} {d.Message}"),
            Publish = () => { },
        });
        return new ReadRuns(RunSource.Of(context).Read(), warnings);
    }

    /// <summary>What is said of a file that is refused, as people see it.</summary>
    public static string[] Refused(Action read) => [.. Assert.Throws<StageFailedException>(read).Diagnostics.Select(d => d.ToString())];
}
