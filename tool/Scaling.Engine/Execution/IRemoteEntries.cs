// Published actions that lie elsewhere: asked before anything is executed, told of what was.
namespace Scaling.Engine.Execution;

/// <summary>A remote cache as a run sees it. It decides nothing: what it brings is in the store, proved, and the store alone says what is a hit.</summary>
public interface IRemoteEntries
{
    /// <summary>Takes what there is of these keys into the store, each entry whole or not at all. Never fails: what cannot be had is a miss, and what is wrong is told.</summary>
    /// <param name="keys">Of entries that the store lacks.</param>
    /// <param name="cancel">Stops bringing; what came is kept.</param>
    Task Bring(IReadOnlyCollection<string> keys, CancellationToken cancel);

    /// <summary>Gives an entry that was just published, in the background; nothing where nothing may be written.</summary>
    /// <param name="key">Of an entry of the store.</param>
    void Give(string key);
}
