// The files of finished steps as items of the build.
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Scaling.Build;

/// <summary>Reads what steps restored, in this build or an earlier one.</summary>
public sealed class CollectResults : Task
{
    /// <summary>The steps, of <see cref="ExaminePipelines"/>.</summary>
    [Required]
    public ITaskItem[] Steps { get; set; } = [];

    /// <summary>
    /// The restored files that are there, with <c>Pipeline</c> (its name), <c>Stage</c>, <c>As</c>, <c>CopyToOutputDirectory</c>, <c>Link</c> and <c>LogicalName</c>:
    /// <c>BASE/STAGE/FILE</c>, where BASE is the pipeline's <c>LinkBase</c>, by default its name.
    /// </summary>
    [Output]
    public ITaskItem[] Results { get; private set; } = [];

    /// <summary>The generated C# files that are there.</summary>
    [Output]
    public ITaskItem[] Records { get; private set; } = [];

    /// <summary>Everything that the steps left in the intermediate folder, for clean.</summary>
    [Output]
    public ITaskItem[] Written { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var results = new List<ITaskItem>();
        var records = new List<ITaskItem>();
        var written = new List<ITaskItem>();
        foreach (var step in Steps)
        {
            string folder = step.GetMetadata("Folder");
            string[] files = [.. StepState.Read(step).Results.Where(File.Exists)];
            string[] restored = [.. files.Where(f => f.StartsWith(folder + Path.DirectorySeparatorChar, StringComparison.Ordinal))];
            results.AddRange(restored.Select(file => ToResult(step, file, file.Substring(folder.Length + 1).Replace('\\', '/'))));
            records.AddRange(files.Except(restored).Select(ToItem));
            written.AddRange(files.Concat(new[] { "Stamp", "StateFile", "InputsFile" }.Select(step.GetMetadata)).Append(Path.Combine(folder, ".restored")).Where(File.Exists).Select(ToItem));
        }

        Results = [.. results];
        Records = [.. records];
        Written = [.. written];
        return true;
    }

    private static TaskItem ToItem(string path) => new(PathText.Escaped(path));

    private static TaskItem ToResult(ITaskItem step, string path, string name)
    {
        string linkBase = step.GetMetadata("LinkBase").Trim('/', '\\');
        string link = (linkBase.Length > 0 ? linkBase : step.GetMetadata("Name")) + "/" + name;
        var item = ToItem(path);
        void Set(string metadata, string value) => item.SetMetadata(metadata, PathText.Escaped(value));
        Set("Pipeline", step.GetMetadata("Name"));
        Set("Stage", name.Split('/')[0]);
        Set("As", step.GetMetadata("As"));
        Set("Link", link);
        Set("LogicalName", link);
        Set("CopyToOutputDirectory", step.GetMetadata("CopyToOutputDirectory"));
        return item;
    }
}
