// What is said of a remote cache: the first few of a kind in full, then how many more there were.
using System.Collections.Concurrent;
using Scaling.Sdk;

namespace Scaling.Remote;

/// <summary>Keeps a sweep of ten thousand rows from saying the same ten thousand times.</summary>
/// <param name="observer">Takes what is said.</param>
internal sealed class RemoteTelling(IRemoteObserver observer)
{
    private const int InFull = 3;
    private readonly ConcurrentDictionary<string, int> _said = new(StringComparer.Ordinal);

    public void Warn(string code, string message, string? hint = null)
    {
        if (_said.AddOrUpdate(code, 1, (_, count) => count + 1) <= InFull)
        {
            observer.Warned(new Diagnostic(code, message) { Severity = Severity.Warning, Hint = hint });
        }
    }

    public void Once(string code, string message, string? hint = null)
    {
        if (_said.TryAdd(code, InFull))
        {
            observer.Warned(new Diagnostic(code, message) { Severity = Severity.Warning, Hint = hint });
        }
    }

    /// <summary>How many more there were of each kind.</summary>
    public void Conclude()
    {
        foreach (var (code, count) in _said.Where(s => s.Value > InFull).OrderBy(s => s.Key, StringComparer.Ordinal))
        {
            observer.Warned(new Diagnostic(code, $"And {count - InFull} more as before.") { Severity = Severity.Warning });
        }

        _said.Clear();
    }
}
