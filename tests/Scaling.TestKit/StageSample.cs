// A small action of a stage, on which the conformance suite tries it.
using System.Text;
using System.Text.Json.Nodes;

namespace Scaling.TestKit;

/// <summary>A file of a sample.</summary>
/// <param name="Name">File name, for example <c>shapes.csv</c>.</param>
/// <param name="Content">Its bytes.</param>
public sealed record SampleFile(string Name, byte[] Content)
{
    /// <summary>A text file in UTF-8.</summary>
    /// <param name="name">File name.</param>
    /// <param name="text">Its text.</param>
    public SampleFile(string name, string text)
        : this(name, Encoding.UTF8.GetBytes(text))
    {
    }

    /// <summary>The row that the file belongs to, for files that a fanned-out stage writes one a row; null for none. Default: null.</summary>
    public string? Point { get; init; }

    /// <summary>A copy of a file, under its own name.</summary>
    /// <param name="path">Where it lies.</param>
    /// <returns>Its name and bytes.</returns>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static SampleFile Of(string path) => new(Path.GetFileName(path), File.ReadAllBytes(path));
}

/// <summary>
/// Settings and inputs on which a stage does its work in a second or so. The suite runs it a few dozen times, also with one setting or one input at a time made wrong.
/// </summary>
public sealed record StageSample
{
    /// <summary>
    /// As YAML would give them under <c>with:</c>, quantities as numbers; what is absent has its default. A setting that names files names those of <see cref="Files"/>. Default: empty.
    /// </summary>
    public JsonObject Settings { get; init; } = [];

    /// <summary>Files by role; of a fanned-out stage, the table whose rows become actions too. Default: none.</summary>
    public IDictionary<string, IReadOnlyList<SampleFile>> Inputs { get; init; } = new Dictionary<string, IReadOnlyList<SampleFile>>();

    /// <summary>Files that settings name, by name or by a pattern with <c>*</c>: <c>corpus: "text:*.txt"</c>. Default: none.</summary>
    public IReadOnlyList<SampleFile> Files { get; init; } = [];

    /// <summary>Settings that replace those of <see cref="Settings"/> to make an action long, so that a stop in its middle can be tried. Null: the action is stopped before it begins. Default: null.</summary>
    public JsonObject? LongSettings { get; init; }

    /// <summary>How soon a stopped action has to end. Default: ten seconds.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The pipeline's seed, for a stage that uses it. Default: 1.</summary>
    public long PipelineSeed { get; init; } = 1;

    /// <summary>Folders of native packages, for a stage that loads any. Default: none.</summary>
    public IReadOnlyList<string> NativeFolders { get; init; } = [];
}
