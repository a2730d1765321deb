// What a command says on standard error while it works: text for people, or events for programs.
using Scaling.Engine.Execution;
using Scaling.Engine.Planning;
using Scaling.Plugins;
using Scaling.Remote;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>A run that begins.</summary>
/// <param name="Pipeline">Its name.</param>
/// <param name="Path">Absolute path of its file.</param>
/// <param name="Jobs">Actions side by side.</param>
/// <param name="Store">The store's folder.</param>
/// <param name="ResultsFolder">Where results go.</param>
/// <param name="Stages">In their order.</param>
internal sealed record RunStart(string Pipeline, string Path, int Jobs, string Store, string ResultsFolder, IReadOnlyList<StageNode> Stages);

/// <summary>Takes everything that a command says beside its data. Calls come from any thread.</summary>
internal interface ICommandConsole : IRunObserver
{
    /// <summary>Takes downloads of packages.</summary>
    IPackageObserver Packages { get; }

    /// <summary>Takes transfers from and to a remote cache.</summary>
    IRemoteObserver Remotes { get; }

    /// <summary>A run begins: its pipeline is linked.</summary>
    /// <param name="run">Which.</param>
    void Begin(RunStart run);

    /// <summary>A finding that is about no stage.</summary>
    /// <param name="finding">What.</param>
    void Found(Diagnostic finding);

    /// <summary>A line that stays.</summary>
    /// <param name="text">Without a line end.</param>
    void Say(string text);

    /// <summary>How far something is that takes long: a line that moves on a terminal, and comes now and then elsewhere.</summary>
    /// <param name="text">Without a line end.</param>
    void Moving(string text);

    /// <summary>The user has asked to stop.</summary>
    void Stopping();

    /// <summary>The last words of a run.</summary>
    /// <param name="end">How it ended.</param>
    void Conclude(RunEnd end);
}
