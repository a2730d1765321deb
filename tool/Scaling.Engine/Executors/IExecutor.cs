// Where the actions of a stage run.
using Scaling.Engine.Planning;
using Scaling.Engine.Plugins;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Executors;

/// <summary>Runs actions somewhere. What an action gave is in the store; what an executor tells only explains.</summary>
public interface IExecutor
{
    /// <summary>The stage as it is planned for where it runs: with the class of the machines there, where its keys hold one.</summary>
    /// <param name="stage">Any.</param>
    /// <param name="halt">Stops asking.</param>
    /// <exception cref="StageFailedException">Nobody can tell.</exception>
    Task<StageNode> Placed(StageNode stage, CancellationToken halt);

    /// <summary>A stage's native packages, with what its keys need of them.</summary>
    /// <param name="stage">Any.</param>
    /// <param name="halt">Stops fetching.</param>
    /// <exception cref="StageFailedException">A package cannot be had.</exception>
    Task<IReadOnlyList<NativePackage>> Natives(StageNode stage, CancellationToken halt);

    /// <summary>Executes actions until each has ended.</summary>
    /// <param name="stage">Whose actions they are.</param>
    /// <param name="groups">Each is executed by one worker together: one action, or a batch.</param>
    /// <param name="ended">Takes how each action ended, none of them busy, as soon as it has; from any thread.</param>
    /// <param name="halt">Asks to stop: what runs ends gracefully, what waits is not begun.</param>
    /// <exception cref="StageFailedException">None of them can be begun.</exception>
    /// <exception cref="InfrastructureException">Nor by anybody.</exception>
    Task Execute(StageNode stage, IReadOnlyList<IReadOnlyList<ActionSpec>> groups, Action<ActionSpec, ActionResult> ended, CancellationToken halt);
}
