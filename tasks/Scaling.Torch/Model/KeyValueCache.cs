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

    /// <summary>An empty cache in memory of its own.</summary>
    /// <param name="shape">The decoder's.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="positions">The most that will be kept of each sequence.</param>
    /// <param name="type">Of the numbers kept: float32, or bfloat16 where the decoder multiplies in it.</param>
    public KeyValueCache(DecoderShape shape, int batch, int positions, ScalarType type = ScalarType.Float32)
    {
        using var room_P = zeros(NumbersOf(shape, batch, positions), type).DetachFromDisposeScope();
        (_keys_BKSH, _values_BKSH) = Divide(shape, batch, positions, room_P);
    }

    /// <summary>An empty cache in memory that others use before and after.</summary>
    /// <param name="shape">The decoder's.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="positions">The most that will be kept of each sequence.</param>
    /// <param name="room_P">At least <see cref="NumbersOf"/>.</param>
    public KeyValueCache(DecoderShape shape, int batch, int positions, Tensor room_P) => (_keys_BKSH, _values_BKSH) = Divide(shape, batch, positions, room_P);

    /// <summary>Numbers that a full cache holds.</summary>
    /// <param name="shape">The decoder's.</param>
    /// <param name="batch">Sequences.</param>
    /// <param name="positions">Of each sequence.</param>
    public static long NumbersOf(DecoderShape shape, int batch, int positions) => shape.KvElementsPerToken * batch * positions;

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

    private static (Tensor[] Keys_BKSH, Tensor[] Values_BKSH) Divide(DecoderShape shape, int batch, int positions, Tensor room_P)
    {
        using var scope = NewDisposeScope();
        long part = shape.KvWidth * batch * positions;
        Tensor Part(int i) => room_P.narrow(0, i * part, part).view(batch, shape.KvHeads, positions, shape.HeadSize).DetachFromDisposeScope();
        return ([.. Enumerable.Range(0, shape.Layers).Select(i => Part(2 * i))], [.. Enumerable.Range(0, shape.Layers).Select(i => Part(2 * i + 1))]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var tensor in _keys_BKSH.Concat(_values_BKSH))
        {
            tensor.Dispose();
        }
    }
}
