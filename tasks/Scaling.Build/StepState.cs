// What a finished step depended on and what it gave, by path, time and length, so that the next build can tell in milliseconds whether any of it changed.
using System.Globalization;
using Microsoft.Build.Framework;

namespace Scaling.Build;

/// <summary>
/// MSBuild's comparison of times alone would miss a file that was replaced by an older one, a result that was deleted, one that was edited after it had been restored, and another
/// setting in the project. The file is text: a line <c>setting NAME VALUE</c>, <c>source TICKS LENGTH PATH</c> or <c>result TICKS LENGTH PATH</c> each.
/// </summary>
internal sealed class StepState
{
    private static readonly string[] Settings = ["Mode", "ResultsFolder", "StageList", "Record", "RecordFrom"];
    private readonly string text;

    private StepState(string text, IReadOnlyList<string> sources, IReadOnlyList<string> results)
    {
        this.text = text;
        Sources = sources;
        Results = results;
    }

    /// <summary>What the outcome depends on: the pipeline and its lock first, whether there or not.</summary>
    public IReadOnlyList<string> Sources { get; }

    /// <summary>What was restored, in the tool's order.</summary>
    public IReadOnlyList<string> Results { get; }

    /// <summary>The state that the last finished step left; without one, the pipeline and its lock are all that is known.</summary>
    public static StepState Read(ITaskItem step)
    {
        string file = step.GetMetadata("StateFile");
        string text = File.Exists(file) ? File.ReadAllText(file) : "";
        var lines = text.Split(['\n'], StringSplitOptions.RemoveEmptyEntries);
        return new StepState(text, [.. Always(step).Concat(Paths("source")).Distinct()], [.. Paths("result")]);

        IEnumerable<string> Paths(string kind) => lines.Select(l => l.Split([' '], 4)).Where(p => p.Length == 4 && p[0] == kind).Select(p => p[3]);
    }

    /// <summary>Whether everything is still as it was then.</summary>
    public bool Holds(ITaskItem step, string tool) => text.Length > 0 && text == TextOf(step, tool, Sources, Results);

    /// <summary>Leaves the state of a step that has just finished.</summary>
    /// <param name="step">The step.</param>
    /// <param name="tool">The tool that ran.</param>
    /// <param name="sources">What it says that it depended on.</param>
    /// <param name="results">What it restored.</param>
    public static void Write(ITaskItem step, string tool, IEnumerable<string> sources, IEnumerable<string> results) =>
        File.WriteAllText(step.GetMetadata("StateFile"), TextOf(step, tool, Always(step).Concat(sources).Distinct(), results));

    private static string[] Always(ITaskItem step) => [step.GetMetadata("FullPath"), Path.ChangeExtension(step.GetMetadata("FullPath"), ".lock.json")];

    private static string TextOf(ITaskItem step, string tool, IEnumerable<string> sources, IEnumerable<string> results) => string.Concat(
    [
        .. Settings.Select(name => $"setting {name} {step.GetMetadata(name)}\n"),
        $"setting Tool {tool}\n",
        .. sources.Select(path => $"source {Fact(path)}\n"),
        .. results.Select(path => $"result {Fact(path)}\n"),
    ]);

    private static string Fact(string path)
    {
        var file = new FileInfo(path);
        return file.Exists ? string.Format(CultureInfo.InvariantCulture, "{0} {1} {2}", file.LastWriteTimeUtc.Ticks, file.Length, path) : $"- - {path}";
    }
}
