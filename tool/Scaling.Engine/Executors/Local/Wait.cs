// Waiting for what others execute: looking at their leases, with no worker at hand, until one is free or its holder is gone.
using Scaling.Engine.Files;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;

namespace Scaling.Engine.Executors.Local;

/// <summary>The waits of one call of the executor.</summary>
/// <param name="store">Holds the leases.</param>
/// <param name="alone">Whether the actions want the machine for themselves.</param>
/// <param name="tell">Takes for whom it waits, once a holder.</param>
internal sealed class Wait(ContentStore store, bool alone, Action<string> tell)
{
    private static readonly TimeSpan First = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(1);
    private readonly LifeWatch _watch = store.Watch();
    private readonly HashSet<string> _told = [];
    private readonly Dictionary<string, string> _silent = [];
    private TimeSpan _pause = First;

    /// <summary>The action, with the lease that it may supersede.</summary>
    public ActionSpec WithSilent(ActionSpec action) => _silent.TryGetValue(action.Key, out string? lease) ? action with { Supersedes = lease } : action;

    /// <summary>Waits until some of the actions may be executed, as far as can be seen.</summary>
    /// <param name="busy">Keys with the leases they are under; null for one that waits for the machine.</param>
    /// <param name="stop">Ends the wait.</param>
    public async Task UntilSomeAreFree(IReadOnlyDictionary<string, string?> busy, CancellationToken stop)
    {
        do
        {
            await Task.Delay(_pause, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            _pause = _pause * 2 < Longest ? _pause * 2 : Longest;
        }
        while (!stop.IsCancellationRequested && !IsAnyFree(busy));
    }

    private bool IsAnyFree(IReadOnlyDictionary<string, string?> busy)
    {
        bool free = false;
        var gone = new Dictionary<string, bool>();
        foreach (string key in busy.Keys)
        {
            free |= busy[key] is null ? IsMachineFree() : IsFree(key, gone);
        }

        return free;
    }

    private bool IsFree(string key, Dictionary<string, bool> gone)
    {
        if (store.Leases.Of(key) is not { } lease)
        {
            return true;
        }

        string life = Leases.LifeOf(lease);
        if (!gone.TryGetValue(life, out bool isGone))
        {
            gone[life] = isGone = _watch.IsGone(life); // Once a look: a batch has hundreds of leases of one life.
        }

        if (_told.Add(life))
        {
            tell($"Waiting for {_watch.Holder(life)}, which executes the same action.");
        }

        if (isGone)
        {
            _silent[key] = lease;
            if (_told.Add($"{life} gone"))
            {
                tell($"{_watch.Holder(life)} is gone; its work is taken over.");
            }
        }

        return isGone;
    }

    private bool IsMachineFree()
    {
        if (_told.Add("machine"))
        {
            tell($"Waiting for {(alone ? "other actions on this machine" : "an action that has the machine for itself")}.");
        }

        using var probe = FileLock.TryTakeLasting(store.MachineLockPath, alone);
        return probe is not null;
    }
}
