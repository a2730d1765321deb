// No garbage collection while native code runs: TorchSharp does not keep the scalars of a call alive through it.
using System.Runtime;

namespace Scaling.Torch;

/// <summary>
/// Keeps collections out of native calls. An eager operation such as <c>x + 1e-5</c>, or <c>a + b</c> with its hidden factor 1, makes a
/// <c>TorchSharp.Scalar</c> and hands native code its bare pointer; a collection during the call finds the scalar unreachable, and its finaliser frees
/// what native code is reading. Seen once in some hundred thousand steps on a loaded machine as "Expected false to be true" from
/// <c>Scalar.h</c>; a wrong number would not be seen at all. So, while a pause is held, collections happen only in <see cref="Rest"/>, between operations.
/// </summary>
public sealed class CollectionPause : IDisposable
{
    /// <summary>What may be allocated without a collection, bytes. A step of training allocates about 0.1 MB.</summary>
    private const long Budget = 64L << 20;

    private static readonly Lock Gate = new();
    private static int _holders;
    private static long _begun;
    private bool _held = true;

    /// <summary>Begins a pause; pauses of one process may overlap.</summary>
    public CollectionPause()
    {
        lock (Gate)
        {
            if (_holders++ == 0)
            {
                Begin();
            }
        }
    }

    /// <summary>Collects, where half of the budget is used. Call it between operations, as often as once a step.</summary>
    public void Rest()
    {
        ObjectDisposedException.ThrowIf(!_held, this);
        if (GC.GetTotalAllocatedBytes() - Interlocked.Read(ref _begun) < Budget / 2)
        {
            return;
        }

        lock (Gate)
        {
            End();
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Begin();
        }
    }

    /// <summary>Ends the pause.</summary>
    public void Dispose()
    {
        lock (Gate)
        {
            if (_held && --_holders == 0)
            {
                End();
            }

            _held = false;
        }
    }

    private static void Begin()
    {
        Interlocked.Exchange(ref _begun, GC.GetTotalAllocatedBytes());

        // False where memory is too tight to promise it: then TorchSharp is no worse off than without us.
        _ = GC.TryStartNoGCRegion(Budget);
    }

    private static void End()
    {
        // A region whose budget was overrun has ended by itself.
        if (GCSettings.LatencyMode == GCLatencyMode.NoGCRegion)
        {
            GC.EndNoGCRegion();
        }
    }
}
