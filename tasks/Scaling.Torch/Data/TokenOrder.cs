// The order in which training windows are seen: a shuffle of the whole corpus, the same for every shape.
using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Scaling.Torch;

/// <summary>
/// The corpus is cut into windows of <c>context</c> tokens (and the token after them as last target), and each pass visits them in an order of its own. The order depends
/// on the pipeline's seed and nothing else, so runs that differ in shape or length see the same tokens from the start.
/// </summary>
public sealed class TokenOrder
{
    private readonly long _seed;
    private int[] _order;
    private long _pass;

    /// <summary>The order of a corpus's windows.</summary>
    /// <param name="tokens">Tokens of the training part, more than <paramref name="context"/> and fewer than 2³¹ windows of it.</param>
    /// <param name="context">Tokens a window.</param>
    /// <param name="seed">The pipeline's seed.</param>
    public TokenOrder(long tokens, int context, long seed)
    {
        Windows = checked((int)((tokens - 1) / context));
        _seed = seed;
        _order = Shuffled(0);
        Id = Convert.ToHexStringLower(SHA256.HashData(MemoryMarshal.AsBytes(_order.AsSpan())))[..16];
    }

    /// <summary>Windows of one pass.</summary>
    public int Windows { get; }

    /// <summary>The first 16 hex digits of the SHA-256 of the first pass (int32, little endian).</summary>
    public string Id { get; }

    /// <summary>The window that is seen at a position.</summary>
    /// <param name="position">From 0; beyond <see cref="Windows"/> further passes follow.</param>
    public int this[long position]
    {
        get
        {
            var (pass, at) = Math.DivRem(position, Windows);
            if (pass != _pass)
            {
                _order = Shuffled(pass);
                _pass = pass;
            }

            return _order[at];
        }
    }

    /// <summary>Fisher and Yates's shuffle on SplitMix64 (Steele, Lea, Flood 2014): an order that no library's version changes.</summary>
    private int[] Shuffled(long pass)
    {
        int[] order = [.. Enumerable.Range(0, Windows)];
        ulong state = unchecked((ulong)_seed * 0x9E3779B97F4A7C15 + (ulong)pass);
        for (int i = order.Length - 1; i > 0; i--)
        {
            // The high half of a 64 × 32-bit product: uniform up to a bias of 2^-32.
            int j = (int)(UInt128.CreateTruncating(Next(ref state)) * (uint)(i + 1) >> 64);
            (order[i], order[j]) = (order[j], order[i]);
        }

        return order;
    }

    private static ulong Next(ref ulong state)
    {
        unchecked
        {
            ulong z = state += 0x9E3779B97F4A7C15;
            z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
            z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
            return z ^ (z >> 31);
        }
    }
}
