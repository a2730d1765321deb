// What a build has to do for each of its pipelines, decided without starting anything.
using Microsoft.Build.Framework;
using Microsoft.Build.Utilities;

namespace Scaling.Build;

/// <summary>
/// Makes a step of each <c>ScalingPipeline</c>: its settings checked, its places in the intermediate folder named. Where anything that the step's outcome depends on differs from what
/// the last build saw, be it older or newer, the step's stamp is deleted, so that the target with the stamp among its outputs runs.
/// </summary>
public sealed class ExaminePipelines : Task
{
    private static readonly string[] Modes = ["Restore", "Verify", "Run"];
    private static readonly string[] Uses = ["None", "Content", "EmbeddedResource", "AdditionalFiles"];
    private int found;

    /// <summary>The project's <c>ScalingPipeline</c> items.</summary>
    [Required]
    public ITaskItem[] Pipelines { get; set; } = [];

    /// <summary>The project file, at which mistakes in items are reported.</summary>
    [Required]
    public string ProjectFile { get; set; } = "";

    /// <summary>Where restored files, lists and stamps go: a folder of this configuration and framework alone.</summary>
    [Required]
    public string IntermediateFolder { get; set; } = "";

    /// <summary>The tool's <c>dotnet-scaling.dll</c>. Its path names the package's version, so that another version is noticed.</summary>
    [Required]
    public string ToolFile { get; set; } = "";

    /// <summary>The project's language, such as <c>C#</c>.</summary>
    public string Language { get; set; } = "C#";

    /// <summary><c>.NETCoreApp</c>, for example.</summary>
    public string TargetFrameworkIdentifier { get; set; } = "";

    /// <summary><c>v10.0</c>, for example.</summary>
    public string TargetFrameworkVersion { get; set; } = "";

    /// <summary>Whether this is a look at the project and no build: mistakes are left for the build to tell, and stamps stay. Default: false.</summary>
    public bool LookOnly { get; set; }

    /// <summary>
    /// A step a pipeline, with the pipeline's metadata and <c>Name</c>, <c>Folder</c>, <c>Stamp</c>, <c>StateFile</c>, <c>InputsFile</c>, <c>RecordFile</c>, <c>RunFolder</c>, <c>ResultsFolder</c>, <c>StageList</c>.
    /// </summary>
    [Output]
    public ITaskItem[] Steps { get; private set; } = [];

    /// <summary>The files that are there and that a step's outcome depends on, each with the <c>Stamp</c> of its step.</summary>
    [Output]
    public ITaskItem[] Sources { get; private set; } = [];

    /// <inheritdoc/>
    public override bool Execute()
    {
        var steps = new List<ITaskItem>();
        var all = new List<ITaskItem>();
        var sources = new List<ITaskItem>();
        foreach (var pipeline in Pipelines)
        {
            var step = ToStep(pipeline);
            bool right = LookOnly || IsRight(pipeline, step, all);
            all.Add(step);
            if (!right)
            {
                continue;
            }

            steps.Add(step);
            var state = StepState.Read(step);
            if (!LookOnly && !state.Holds(step, ToolFile) && File.Exists(step.GetMetadata("Stamp")))
            {
                File.Delete(step.GetMetadata("Stamp"));
            }

            sources.AddRange(state.Sources.Where(File.Exists).Select(path => new TaskItem(PathText.Escaped(path), new Dictionary<string, string> { ["Stamp"] = PathText.Escaped(step.GetMetadata("Stamp")) })));
        }

        Steps = [.. steps];
        Sources = [.. sources];
        return !Log.HasLoggedErrors;
    }

    private TaskItem ToStep(ITaskItem pipeline)
    {
        string path = pipeline.GetMetadata("FullPath");
        var step = new TaskItem(PathText.Escaped(path));
        pipeline.CopyMetadataTo(step);
        string name = pipeline.GetMetadata("Name").Length > 0 ? pipeline.GetMetadata("Name") : Path.GetFileNameWithoutExtension(path);
        string beginning = Path.GetFullPath(Path.Combine(IntermediateFolder, name));
        string projectFolder = Path.GetDirectoryName(Path.GetFullPath(ProjectFile))!;
        string results = pipeline.GetMetadata("Results");
        string mode = Canonical(pipeline.GetMetadata("Mode"), Modes, "Restore");
        void Set(string metadata, string value) => step.SetMetadata(metadata, PathText.Escaped(value));
        Set("Name", name);
        Set("Mode", mode);
        Set("As", Canonical(pipeline.GetMetadata("As"), Uses, "None"));
        Set("Folder", beginning);
        Set("Stamp", beginning + ".stamp");
        Set("StateFile", beginning + ".state");
        Set("InputsFile", beginning + ".inputs");
        Set("RecordFile", beginning + ".g.cs");
        Set("RunFolder", results.Length == 0 ? Path.Combine(Path.GetDirectoryName(path)!, "results") : Path.GetDirectoryName(Path.GetFullPath(Path.Combine(projectFolder, results)).TrimEnd('/', '\\'))!);
        Set("StageList", string.Join(",", pipeline.GetMetadata("Stages").Split([';', ','], StringSplitOptions.RemoveEmptyEntries).Select(s => s.Trim())));
        Set("ResultsFolder", results.Length == 0 ? "" : Path.GetFullPath(Path.Combine(projectFolder, results)));
        return step;
    }

    private bool IsRight(ITaskItem pipeline, TaskItem step, List<ITaskItem> others)
    {
        string item = pipeline.ItemSpec;
        string mode = step.GetMetadata("Mode");
        string use = step.GetMetadata("As");
        string record = step.GetMetadata("Record");
        int before = found;
        if (!File.Exists(step.ItemSpec))
        {
            Error("SCAL9101", pipeline, $"There is no pipeline file '{step.ItemSpec}'. Expected in Include a path from the project's folder to a YAML file.");
        }

        if (!Modes.Contains(mode))
        {
            Error("SCAL9102", pipeline, $"'{item}' has the Mode '{mode}'. Expected {Listed(Modes)}: Restore takes results that are there, Verify checks them alone, Run executes what is missing.");
        }

        if (!Uses.Contains(use))
        {
            Error("SCAL9103", pipeline, $"'{item}' has As '{use}'. Expected {Listed(Uses)}.");
        }

        if (others.FirstOrDefault(o => string.Equals(o.GetMetadata("Name"), step.GetMetadata("Name"), StringComparison.OrdinalIgnoreCase)) is { } same)
        {
            Error("SCAL9104", pipeline, $"'{same.ItemSpec}' and '{step.ItemSpec}' are both named '{step.GetMetadata("Name")}'. Give one another Name: it names their folder and their resources.");
        }

        if (mode == "Verify" && (use != "None" || record.Length > 0))
        {
            Error("SCAL9105", pipeline, $"'{item}' has Mode 'Verify', which writes nothing, and {(record.Length > 0 ? "Record" : "As")}, which needs restored files. Set Mode to Restore, which verifies too.");
        }

        if (record.Length > 0 && Language != "C#")
        {
            Error("SCAL9106", pipeline, $"'{item}' has Record, which is generated in C#; this project is {Language}. Refer to a C# project that has it, or read the result: As=\"EmbeddedResource\".");
        }
        else if (record.Length > 0 && !HasRequiredMembers)
        {
            Error("SCAL9106", pipeline, $"'{item}' has Record, which needs .NET 7 or later; this is {TargetFrameworkIdentifier} {TargetFrameworkVersion}. Give the item a Condition on TargetFramework, or read the result: As=\"EmbeddedResource\".");
        }
        else if (record.Length > 0 && !PathText.IsTypeName(record))
        {
            Error("SCAL9107", pipeline, $"'{item}' has the Record '{record}'. Expected the full name of the type to be generated, such as My.Models.Architecture.");
        }

        if (pipeline.GetMetadata("Name") is { Length: > 0 } name && (name.IndexOfAny(['/', '\\']) >= 0 || name is "." or ".."))
        {
            Error("SCAL9112", pipeline, $"'{item}' has the Name '{name}'. Expected a file's name: what is restored goes to a folder of that name below the intermediate output.");
        }

        return found == before;
    }

    private bool HasRequiredMembers =>
        TargetFrameworkIdentifier.Length == 0 || (TargetFrameworkIdentifier == ".NETCoreApp" && Version.TryParse(TargetFrameworkVersion.TrimStart('v', 'V'), out var version) && version.Major >= 7);

    /// <summary>At the file that has the item: the project, or one that it imports.</summary>
    private void Error(string code, ITaskItem pipeline, string text)
    {
        found++;
        string file = pipeline.GetMetadata("DefiningProjectFullPath");
        Log.LogError(null, code, null, null, file.Length > 0 ? file : ProjectFile, 0, 0, 0, 0, "{0}", text);
    }

    private static string Canonical(string value, string[] known, string absent) =>
        value.Length == 0 ? absent : known.FirstOrDefault(k => string.Equals(k, value, StringComparison.OrdinalIgnoreCase)) ?? value;

    private static string Listed(string[] words) => string.Join(", ", words.Take(words.Length - 1)) + " or " + words[words.Length - 1];
}
