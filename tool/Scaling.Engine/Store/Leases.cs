// Who may execute an action now: one process of all that share the store, until it is done or gone. STORE.md says why.
using System.Text;
using System.Text.RegularExpressions;
using Scaling.Engine.Files;

namespace Scaling.Engine.Store;

/// <summary>
/// A lease is a symbolic link whose target is its name, <c>LIFE-NUMBER</c>: made by one of several that try, on every file system, and never half written. <c>leases/ab/KEY</c> is the first of a key;
/// <c>leases/ab/KEY.LEASE</c> supersedes the lease of that name. Whoever stands at the end of this chain holds the key.
/// </summary>
/// <param name="root">The store.</param>
/// <param name="damaged">Moves aside what is no lease.</param>
public sealed partial class Leases(string root, Action<string> damaged)
{
    /// <summary>Clocks of a node and of a file server differ by so much at most where anything is told from times.</summary>
    private static readonly TimeSpan ClockSkew = TimeSpan.FromSeconds(2);

    private readonly HashSet<string> _mine = [];

    /// <summary>The lease that a key is under; null where it is free.</summary>
    /// <param name="key">Of an action.</param>
    public string? Of(string key) => Chain(key) is [.., var last] ? last : null;

    /// <summary>Who holds a key, in words, and since when, by one look: a holder on another host that went seconds ago still counts. Null where nobody does.</summary>
    /// <param name="key">Of an action.</param>
    public (string Holder, DateTimeOffset Since)? Holder(string key)
    {
        var chain = Chain(key);
        if (chain is not [.., var lease] || LifeSight.Of(Path.Combine(root, "lives", LifeOf(lease))) is not { IsDead: false } sight)
        {
            return null;
        }

        return (sight.Holder, new FileInfo(PathOf(key, chain.Count > 1 ? chain[^2] : null)).LastWriteTimeUtc);
    }

    /// <summary>The life that a lease is of.</summary>
    /// <param name="lease">Its name.</param>
    public static string LifeOf(string lease) => lease.Split('-')[0];

    /// <summary>Takes a key, or tells whose it is.</summary>
    /// <param name="key">Of an action.</param>
    /// <param name="life">This process's.</param>
    /// <param name="silent">A lease whose holder has been silent so long that it may be superseded; null for none.</param>
    /// <param name="other">The lease of another that holds the key.</param>
    /// <returns>Null where another holds it.</returns>
    /// <exception cref="IOException">The store cannot be written.</exception>
    public Lease? TryTake(string key, Life life, string? silent, out string? other)
    {
        while (true)
        {
            var chain = Chain(key);
            other = chain is [.., var last] ? last : null;
            if (other is not null && other != silent && !IsOver(other, life))
            {
                return null;
            }

            string lease = life.NewLease();
            lock (_mine)
            {
                _mine.Add(lease);
            }

            if (TryLink(lease, PathOf(key, other)))
            {
                // What we saw may have been released in between, and taken by another from its beginning: then our link hangs on nothing.
                if (Of(key) == lease)
                {
                    return Begun(new Lease(this, key, lease, chain));
                }

                File.Delete(PathOf(key, other));
            }

            Forget(lease);
        }
    }

    /// <summary>The action's scratch while nobody executes it.</summary>
    /// <param name="key">Its key.</param>
    public string RestingWork(string key) => Path.Combine(root, "work", key);

    /// <summary>Whether an action has saved what it goes on from, whoever executes it now: a checkpoint of Scaling.Sdk, or files in the folder <c>work</c> that a trainer of the user has.</summary>
    /// <param name="key">Its key.</param>
    /// <param name="since">Only what was written since then counts: what was there before would be gone on from for ever.</param>
    public bool HasScratch(string key, DateTimeOffset since)
    {
        string work = RestingWork(key);
        string folder = Path.GetDirectoryName(work)!;
        return Directory.Exists(folder) && Directory.EnumerateDirectories(folder, key + "*").Select(w => Path.Combine(w, "scratch")).Where(Directory.Exists)
            .SelectMany(s => Directory.EnumerateFiles(s, "checkpoint.*").Concat(Directory.Exists(Path.Combine(s, "work")) ? Directory.EnumerateFiles(Path.Combine(s, "work"), "*", SearchOption.AllDirectories) : []))
            .Any(file => File.GetLastWriteTimeUtc(file) > since.UtcDateTime - ClockSkew);
    }

    internal string WorkOf(string key, string lease) => Path.Combine(root, "work", $"{key}.{lease}");

    /// <summary>Whether a lease is still the one that its key is under.</summary>
    /// <remarks>
    /// Where somebody removed every lease of the key, it is put back; but not where its scratch is gone too: then it was superseded, and by one that has ended since.
    /// </remarks>
    internal bool IsHeld(string key, string lease)
    {
        string? last = Of(key);
        return last == lease || (last is null && Directory.Exists(WorkOf(key, lease)) && TryLink(lease, PathOf(key, null)) && Of(key) == lease);
    }

    internal void Release(Lease lease)
    {
        try
        {
            Rest(WorkOf(lease.Key, lease.Name), RestingWork(lease.Key));
            if (Of(lease.Key) == lease.Name) // Superseded, it is not ours to free.
            {
                // The first goes first: from then on the key is free, and what hung on it hangs on nothing.
                File.Delete(PathOf(lease.Key, null));
                foreach (string before in lease.Superseded)
                {
                    File.Delete(PathOf(lease.Key, before));
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The store cannot be written now. The lease ends with this process at the latest, and in it at once.
        }
        finally
        {
            Forget(lease.Name);
        }
    }

    /// <summary>Every key that has leases.</summary>
    internal IEnumerable<string> Keys()
    {
        string folder = Path.Combine(root, "leases");
        return !Directory.Exists(folder) ? [] :
            Directory.EnumerateDirectories(folder).SelectMany(Directory.EnumerateFileSystemEntries).Select(f => Path.GetFileName(f).Split('.')[0]).Where(k => k.Length > 2).Distinct();
    }

    /// <summary>Removes links that hang on nothing: their holder died while it released them.</summary>
    internal void RemoveLoose(string key, Func<string, bool> isGone)
    {
        foreach (string link in Directory.EnumerateFileSystemEntries(Folder(key), key + ".*"))
        {
            if (Of(key) is null && Read(link) is { } lease && isGone(LifeOf(lease)))
            {
                File.Delete(link);
            }
        }
    }

    /// <summary>Certain that nobody works under it any more.</summary>
    private bool IsOver(string lease, Life life)
    {
        if (LifeOf(lease) != life.Token)
        {
            return LifeSight.Of(Path.Combine(root, "lives", LifeOf(lease))).IsDead;
        }

        lock (_mine)
        {
            return !_mine.Contains(lease); // It could not be released when the store was not writable.
        }
    }

    private void Forget(string lease)
    {
        lock (_mine)
        {
            _mine.Remove(lease);
        }
    }

    /// <summary>The leases of a key, each superseding the one before it.</summary>
    private List<string> Chain(string key)
    {
        var chain = new List<string>();
        while (Read(PathOf(key, chain.Count == 0 ? null : chain[^1])) is { } next && !chain.Contains(next))
        {
            chain.Add(next);
        }

        return chain;
    }

    private Lease Begun(Lease lease)
    {
        try
        {
            Inherit(lease.Key, lease.Superseded, lease.Work);
            return lease;
        }
        catch
        {
            lease.Dispose();
            throw;
        }
    }

    /// <summary>
    /// The scratch of the last that had any goes on under the new name: who only seemed dead finds its paths gone and cannot write into what is resumed from. From here on there is a scratch: that it is gone tells its holder
    /// that it was superseded, whatever became of the leases.
    /// </summary>
    private void Inherit(string key, IReadOnlyList<string> superseded, string mine)
    {
        foreach (string scratch in superseded.Reverse().Select(s => WorkOf(key, s)).Append(RestingWork(key)))
        {
            if (Directory.Exists(scratch))
            {
                Directory.Move(scratch, mine);
                return;
            }
        }

        Directory.CreateDirectory(mine);
    }

    private static void Rest(string scratch, string resting)
    {
        if (!Directory.Exists(scratch))
        {
            return;
        }

        if (!Directory.EnumerateFileSystemEntries(scratch).Any())
        {
            Directory.Delete(scratch);
            return;
        }

        if (Directory.Exists(resting))
        {
            Directory.Delete(resting, recursive: true); // Of an older time than what was just worked on.
        }

        Directory.Move(scratch, resting);
    }

    private string Folder(string key) => Path.Combine(root, "leases", key[..2]);

    private string PathOf(string key, string? superseded) => Path.Combine(Folder(key), superseded is null ? key : $"{key}.{superseded}");

    private static bool TryLink(string target, string path)
    {
        for (bool again = true; ; again = false)
        {
            if (LibC.Link(target, path) == 0)
            {
                return true;
            }

            switch (System.Runtime.InteropServices.Marshal.GetLastPInvokeError())
            {
                case LibC.Exists:
                    return false;
                case LibC.NoEntry when again:
                    Directory.CreateDirectory(Path.GetDirectoryName(path)!);
                    break;
                default:
                    throw FileFailure.Last($"cannot make the lease {path}");
            }
        }
    }

    private string? Read(string path)
    {
        byte[] target = new byte[128];
        nint length = LibC.ReadLink(path, target, target.Length);
        if (length >= 0)
        {
            string lease = Encoding.UTF8.GetString(target, 0, (int)length);
            if (Name().IsMatch(lease))
            {
                return lease;
            }
        }
        else if (System.Runtime.InteropServices.Marshal.GetLastPInvokeError() is not LibC.InvalidArgument and var error)
        {
            return error == LibC.NoEntry ? null : throw FileFailure.Last($"cannot read the lease {path}");
        }

        damaged(path);
        return null;
    }

    [GeneratedRegex("^[0-9a-f]{16}-[0-9]{1,10}$")]
    private static partial Regex Name();
}

/// <summary>A key that this process may execute.</summary>
public sealed class Lease : IDisposable
{
    private readonly Leases _leases;
    private bool _released;
    private volatile bool _lost;

    internal Lease(Leases leases, string key, string name, IReadOnlyList<string> superseded)
    {
        _leases = leases;
        Key = key;
        Name = name;
        Superseded = superseded;
    }

    /// <summary>Of the action.</summary>
    public string Key { get; }

    /// <summary>Its name.</summary>
    public string Name { get; }

    /// <summary>The action's scratch while the lease lasts; afterwards what is in it rests until the next.</summary>
    public string Work => _leases.WorkOf(Key, Name);

    /// <summary>
    /// Whether nobody has superseded it. Who was silent for long, paused or cut off from the file server, has to look before it publishes: its scratch is another's then. Publishing would do no harm, as equal keys have
    /// equal results, but what it would publish is not there any more.
    /// </summary>
    public bool IsHeld
    {
        get
        {
            _lost = _lost || !_leases.IsHeld(Key, Name); // For ever: a stage that goes on may make its folder again.
            return !_lost;
        }
    }

    internal IReadOnlyList<string> Superseded { get; }

    /// <summary>Gives the key back.</summary>
    public void Dispose()
    {
        if (!_released)
        {
            _released = true;
            _leases.Release(this);
        }
    }
}
