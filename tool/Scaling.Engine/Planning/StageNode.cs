// A pipeline whose words have been given meaning: types, settings, inputs.
using System.Text.Json.Nodes;
using Scaling.Engine.Executors;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Plugins;
using Scaling.Sdk;

namespace Scaling.Engine.Planning;

/// <summary>A pipeline that can be planned.</summary>
/// <param name="Name">Folder of its results.</param>
/// <param name="Path">Absolute path of its file.</param>
/// <param name="Seed">Default 0.</param>
/// <param name="Stages">In an order in which each stage stands after what it needs, and those of a circle of feedback stand together, its lister first.</param>
public sealed record Pipeline(string Name, string Path, long Seed, IReadOnlyList<StageNode> Stages)
{
    /// <summary>What <c>--set</c> changed of the file, as typed. Default: nothing.</summary>
    public IReadOnlyList<string> Overrides { get; init; } = [];

    /// <summary>What is odd in it and hinders no run, each with its place. Default: nothing.</summary>
    public IReadOnlyList<Diagnostic> Warnings { get; init; } = [];

    /// <summary>The circles that run in rounds. No stage is in two of them.</summary>
    public IReadOnlyList<FeedbackCircle> Circles =>
        FeedbackCircle.In([.. Stages.Select(s => (s.Id, s.Needs.Select(n => n.Id), s.Feedback.Select(f => f.Stage).Where(id => id != s.Id)))]);
}

/// <summary>A stage with its type, settings and inputs.</summary>
public sealed record StageNode
{
    /// <summary>As YAML names it.</summary>
    public required string Id { get; init; }

    /// <summary>Where it stands.</summary>
    public required SourceLocation Location { get; init; }

    /// <summary>The code behind <c>uses:</c>.</summary>
    public required StageType Type { get; init; }

    /// <summary>Canonical: every default filled in.</summary>
    public required JsonObject Settings { get; init; }

    /// <summary>Where each given setting stands, by dotted path.</summary>
    public required IReadOnlyDictionary<string, SourceLocation> SettingLocations { get; init; }

    /// <summary>Settings that name files.</summary>
    public required IReadOnlyList<ResolvedFiles> Files { get; init; }

    /// <summary>Inputs, in the order of the type's roles, several of one role in the order of <c>needs</c>.</summary>
    public required IReadOnlyList<Binding> Inputs { get; init; }

    /// <summary>What comes back to it from the round before, in the order of the type's roles. Default: nothing.</summary>
    public IReadOnlyList<FeedbackBinding> Feedback { get; init; } = [];

    /// <summary>Longest silence of an action.</summary>
    public required TimeSpan Patience { get; init; }

    /// <summary>The class of the machines that it runs on; null for this one.</summary>
    public string? DeviceClass { get; init; }

    /// <summary>Where its actions run. It enters no key.</summary>
    public ExecutorKind Executor { get; init; } = ExecutorKind.Local;

    /// <summary>What its own <c>executor:</c> says, which <c>--executor slurm</c> does not outdo; null where it says nothing.</summary>
    public ExecutorKind? OwnExecutor { get; init; }

    /// <summary>What its actions ask of a cluster: its own over the pipeline's over the profile's, key by key. They enter no key. Default: nothing.</summary>
    public Resources Resources { get; init; } = Resources.None;

    /// <summary>Whether its keys hold a kind of machine that nobody knows yet: a node tells it when the stage runs first.</summary>
    public bool AwaitsNode => Executor == ExecutorKind.Slurm && Declaration.Exclusive && DeviceClass is null;

    /// <summary>What the type declares.</summary>
    public StageDeclaration Declaration => Type.Declaration;

    /// <summary>The native packages that its settings ask for, in ordinal order of their ids.</summary>
    public IReadOnlyList<NativePackage> Natives => [.. Type.Natives.Where(n => n.IsFor(Settings))];

    /// <summary>Stages that must be done first.</summary>
    public IEnumerable<StageNode> Needs => Inputs.Select(i => i.Source).OfType<StageNode>().DistinctBy(n => n.Id);
}

/// <summary>What a role is bound to: a stage's outputs of the role's kind, or a file of the user.</summary>
/// <param name="Role">The role.</param>
/// <param name="Source">The stage; null for a file.</param>
/// <param name="File">Absolute path; null for a stage.</param>
public sealed record Binding(InputRole Role, StageNode? Source, string? File);

/// <summary>What a feedback role is bound to. By its id: the stage stands further down, and needs the one whose role it is.</summary>
/// <param name="Role">The role.</param>
/// <param name="Stage">Whose outputs of the round before it takes; the stage itself where it takes its own.</param>
public sealed record FeedbackBinding(InputRole Role, string Stage);
