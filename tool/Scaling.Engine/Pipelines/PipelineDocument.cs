// A pipeline file as it was written: stages, what they use and need, and where each word stands.
using Scaling.Engine.Executors;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>A pipeline file, checked for itself; whether its stage types, roles and settings exist is not known yet.</summary>
public sealed record PipelineDocument
{
    /// <summary>Path as the user gave it.</summary>
    public required string File { get; init; }

    /// <summary>Absolute folder of the file; relative paths in the pipeline begin here.</summary>
    public string Folder => Path.GetDirectoryName(Path.GetFullPath(File))!;

    /// <summary>A folder's name: letters, digits, <c>. _ -</c>, at most 100. Default: the file's name without extension.</summary>
    public required string Name { get; init; }

    /// <summary>Default: 0.</summary>
    public long Seed { get; init; }

    /// <summary>Plugins beside those that the tool brings. Default: none.</summary>
    public IReadOnlyList<PluginReference> Plugins { get; init; } = [];

    /// <summary>Where actions run, for stages that say nothing themselves. Default: nothing is said.</summary>
    public Placement Placement { get; init; } = Placement.None;

    /// <summary>In file order, at least one.</summary>
    public required IReadOnlyList<StageDocument> Stages { get; init; }

    /// <summary>What <see cref="SettingOverrides"/> changed, as typed. Default: nothing.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];
}

/// <summary>A plugin that the pipeline names: an assembly here, or a package.</summary>
/// <param name="Name">Path of the assembly as written, relative to <see cref="PipelineDocument.Folder"/>; or the package's id.</param>
/// <param name="Version">The package's version as written; null for an assembly.</param>
/// <param name="Location">Where the name stands.</param>
public sealed record PluginReference(string Name, string? Version, SourceLocation Location)
{
    /// <summary>Where the version stands; the name's place for an assembly.</summary>
    public SourceLocation VersionLocation { get; init; } = Location;
}

/// <summary>A stage as it was written.</summary>
public sealed record StageDocument
{
    /// <summary>A letter, then letters, digits, <c>_ -</c>; at most 100.</summary>
    public required string Id { get; init; }

    /// <summary>Where the id stands.</summary>
    public required SourceLocation Location { get; init; }

    /// <summary>The stage type.</summary>
    public required string Uses { get; init; }

    /// <summary>Where the stage type stands.</summary>
    public required SourceLocation UsesLocation { get; init; }

    /// <summary>In file order. Default: none.</summary>
    public IReadOnlyList<Need> Needs { get; init; } = [];

    /// <summary>The stages whose outputs of the round before it takes, in file order, each without a role. Default: none.</summary>
    public IReadOnlyList<Need> Feedback { get; init; } = [];

    /// <summary>The settings; null where none are given. <see cref="SettingsBinder"/> reads them against the stage type's schema.</summary>
    public YamlNode? With { get; init; }

    /// <summary>The longest an action may go without progress; null for the stage type's own.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>Where its actions run. Default: nothing is said.</summary>
    public Placement Placement { get; init; } = Placement.None;
}

/// <summary>One thing that a stage needs, or takes feedback from.</summary>
/// <param name="Role">The role it is for; null where it binds by kind.</param>
/// <param name="Source">A stage's id, or a file of the user as written, relative to <see cref="PipelineDocument.Folder"/>.</param>
/// <param name="IsFile">Whether <paramref name="Source"/> is a file: it holds a dot or a slash, which no id does.</param>
/// <param name="Location">Where the source stands.</param>
public sealed record Need(string? Role, string Source, bool IsFile, SourceLocation Location);
