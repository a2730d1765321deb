// Tells which lives of a store are gone: at once on this kernel, by their silence elsewhere.
namespace Scaling.Engine.Store;

/// <summary>Looks at lives again and again, and counts how long each has not been renewed, by this process's own monotonic clock: clocks of two hosts are never compared.</summary>
/// <param name="folder">The folder of lives.</param>
/// <param name="time">Its time stamps are used.</param>
public sealed class LifeWatch(string folder, TimeProvider time)
{
    /// <summary>Three renewals that did not come. With what looks cost it keeps the delay below ten seconds.</summary>
    public static readonly TimeSpan LongestSilence = TimeSpan.FromSeconds(7);

    /// <summary>Between two looks counts no more than this: who slept, or whose file server did, has not heard silence.</summary>
    private static readonly TimeSpan LongestBetweenLooks = TimeSpan.FromSeconds(2);

    private readonly Dictionary<string, (LifeSight Sight, long At, TimeSpan Silent)> _seen = [];

    /// <summary>Whether a life is gone.</summary>
    /// <param name="token">Its name.</param>
    public bool IsGone(string token)
    {
        var sight = LifeSight.Of(Path.Combine(folder, token));
        long now = time.GetTimestamp();
        var silent = TimeSpan.Zero;
        if (_seen.TryGetValue(token, out var before) && before.Sight.Stamp == sight.Stamp)
        {
            var between = time.GetElapsedTime(before.At, now);
            silent = before.Silent + (between < LongestBetweenLooks ? between : LongestBetweenLooks);
        }

        _seen[token] = (sight, now, silent);
        return sight.IsDead || silent >= LongestSilence;
    }

    /// <summary>Who it is, as last seen.</summary>
    /// <param name="token">Its name.</param>
    public string Holder(string token) => _seen.TryGetValue(token, out var seen) ? seen.Sight.Holder : "another process";
}
