// Where a pipeline, a stage or the user's profile says that actions run, and which of them wins.
using Scaling.Sdk;

namespace Scaling.Engine.Executors;

/// <summary>What one place says of where actions run.</summary>
/// <param name="Executor">What <c>executor:</c> says; null where it is not there.</param>
/// <param name="Resources">What <c>resources:</c> says; <see cref="Resources.None"/> where it is not there.</param>
public sealed record Placement(ExecutorKind? Executor, Resources Resources)
{
    /// <summary>Nothing is said.</summary>
    public static Placement None { get; } = new(null, Resources.None);

    /// <summary>Executors by the word that <c>executor:</c> and <c>--executor</c> take.</summary>
    public static IReadOnlyDictionary<string, ExecutorKind> Executors { get; } = new OrderedDictionary<string, ExecutorKind> { ["local"] = ExecutorKind.Local, ["slurm"] = ExecutorKind.Slurm };
}

/// <summary>What is said outside the pipeline file of where actions run, held against what the file says.</summary>
/// <param name="Asked">What <c>--executor</c> says; null where it is not given.</param>
/// <param name="Profile">What the user's profile says.</param>
public sealed record ExecutorChoice(ExecutorKind? Asked, Placement Profile)
{
    /// <summary>Nothing is said outside the pipeline file.</summary>
    public static ExecutorChoice None { get; } = new(null, Placement.None);

    /// <summary>
    /// The executor of a stage: <c>--executor local</c> sends everything here; else the stage's own word, <c>--executor slurm</c>, the pipeline's, the profile's, and at last local.
    /// A stage that enumerates rows is always local: planning waits for it, and it takes milliseconds.
    /// </summary>
    /// <param name="declaration">Of the stage's type.</param>
    /// <param name="stage">What the stage says itself.</param>
    /// <param name="pipeline">What the pipeline says for all stages.</param>
    public ExecutorKind Of(StageDeclaration declaration, ExecutorKind? stage, ExecutorKind? pipeline) =>
        Asked == ExecutorKind.Local || declaration.Enumerating ? ExecutorKind.Local : stage ?? Asked ?? pipeline ?? Profile.Executor ?? ExecutorKind.Local;
}
