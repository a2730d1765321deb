// Leaves a stamp of a step that has succeeded, and what it depended on.
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Scaling.Build;

/// <summary>Writes a step's state and stamp. The stamp's time is that of the step's beginning: a file that was edited while the tool ran is newer, and the next build runs again.</summary>
public sealed class CompletePipeline : Task
{
    /// <summary>The step, of <see cref="ExaminePipelines"/>.</summary>
    [Required]
    public ITaskItem Step { get; set; } = new TaskItem();

    /// <summary>The tool that ran, as <see cref="ExaminePipelines.ToolFile"/>.</summary>
    [Required]
    public string ToolFile { get; set; } = "";

    /// <summary>When the step began: <c>DateTime.UtcNow.Ticks</c>.</summary>
    [Required]
    public long BegunTicks { get; set; }

    /// <summary>The restored files.</summary>
    public ITaskItem[] Files { get; set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        bool verifies = Step.GetMetadata("Mode") == "Verify";
        string record = Step.GetMetadata("RecordFile");
        string[] sources = File.Exists(Step.GetMetadata("InputsFile")) ? File.ReadAllLines(Step.GetMetadata("InputsFile")) : [];
        string[] results = verifies ? [] : [.. Files.Select(f => f.ItemSpec), .. Step.GetMetadata("Record").Length > 0 ? [record] : Array.Empty<string>()];
        string stamp = Step.GetMetadata("Stamp");
        StepState.Write(Step, ToolFile, sources.Where(path => path.Length > 0), results);
        File.WriteAllText(stamp, "");
        File.SetLastWriteTimeUtc(stamp, new DateTime(BegunTicks, DateTimeKind.Utc));
        return true;
    }
}
