// Keys and values of the positions seen so far, in memory that is taken once.
//
// Axes: B batch, K key/value heads, S positions, H head size.
using Scaling.Architectures;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Preallocated keys and values of every layer.</summary>
public sealed class KeyValueCache : IDisposable
{
    private readonly Tensor[] _keys_BKSH;
    private readonly Tensor[] _values_BKSH;

    /// <summary>An empty cache.</summary>
    /// <param name="shape">The decoder's.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="positions">The most that will be kept of each sequence.</param>
    public KeyValueCache(DecoderShape shape, int batch, int positions)
    {
        long[] size = [batch, shape.KvHeads, positions, shape.HeadSize];
        Tensor Empty(int _) => zeros(size).DetachFromDisposeScope();
        _keys_BKSH = [.. Enumerable.Range(0, shape.Layers).Select(Empty)];
        _values_BKSH = [.. Enumerable.Range(0, shape.Layers).Select(Empty)];
    }

    /// <summary>Positions kept.</summary>
    public int Length { get; private set; }

    /// <summary>Forgets every position and keeps the memory.</summary>
    public void Clear() => Length = 0;

    /// <summary>Keeps a layer's keys and values after those it has and gives back all of them.</summary>
    internal (Tensor Keys_BKSH, Tensor Values_BKSH) Append(int layer, Tensor keys_BKTH, Tensor values_BKTH)
    {
        long added = keys_BKTH.shape[2];
        _keys_BKSH[layer].narrow(2, Length, added).copy_(keys_BKTH);
        _values_BKSH[layer].narrow(2, Length, added).copy_(values_BKTH);
        return (_keys_BKSH[layer].narrow(2, 0, Length + added), _values_BKSH[layer].narrow(2, 0, Length + added));
    }

    /// <summary>Counts positions that every layer has appended.</summary>
    internal void Advance(int positions) => Length += positions;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys_BKSH.Concat(_values_BKSH))
        {
            tensor.Dispose();
        }
    }
}
