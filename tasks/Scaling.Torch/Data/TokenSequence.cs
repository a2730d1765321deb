// Tokens in files or in memory, read window by window.
using System.IO.MemoryMappedFiles;

namespace Scaling.Torch;

/// <summary>
/// A sequence of tokens. Shards are mapped, so that many processes on one machine share one copy of them in memory and none waits for a whole file to be read.
/// </summary>
public sealed class TokenSequence : IDisposable
{
    private readonly Part[] _parts;

    private TokenSequence(Part[] parts) => (_parts, Length) = (parts, parts.Sum(p => p.Count));

    /// <summary>Tokens.</summary>
    public long Length { get; }

    /// <summary>Whether a token may be 2¹⁶ or more.</summary>
    public bool Wide => _parts.Any(p => p.Wide);

    /// <summary>Maps shards as one sequence.</summary>
    /// <param name="paths">In this order; at least one.</param>
    /// <exception cref="UnusableInputException">As <see cref="TokenShard.ReadHeader"/>; SCAL8306: the shards' tokens are not of one width.</exception>
    public static TokenSequence Open(params IReadOnlyList<string> paths)
    {
        TokenShard[] shards = [.. paths.Select(TokenShard.ReadHeader)];
        return Array.FindIndex(shards, s => s.Wide != shards[0].Wide) is > 0 and int other
            ? throw new UnusableInputException(
                "SCAL8306", $"{paths[0]} holds {8 * shards[0].Width}-bit tokens and {paths[other]} {8 * shards[other].Width}-bit ones: they cannot come from one tokenizer.",
                "Name shards of one tokenizer.")
            : new TokenSequence([.. paths.Zip(shards, Part.Map)]);
    }

    /// <summary>Tokens in memory.</summary>
    /// <param name="tokens">Not changed afterwards.</param>
    public static implicit operator TokenSequence(ushort[] tokens) => new([new Part(tokens.Length, Wide: false, null, tokens)]);

    /// <summary>Copies a window.</summary>
    /// <param name="start">Its first token, from 0.</param>
    /// <param name="window">Filled; it ends within the sequence.</param>
    public void CopyTo(long start, Span<long> window)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(start + window.Length, Length);
        foreach (var part in _parts)
        {
            if (start < part.Count)
            {
                int here = (int)Math.Min(window.Length, part.Count - start);
                part.CopyTo(start, window[..here]);
                window = window[here..];
                start = part.Count;
            }

            start -= part.Count;
        }
    }

    /// <inheritdoc/>
    public void Dispose() => Array.ForEach(_parts, p => p.Mapped?.Dispose());

    /// <summary>A shard, or tokens in memory.</summary>
    private sealed record Part(long Count, bool Wide, MemoryMappedViewAccessor? Mapped, ushort[] Tokens)
    {
        public static Part Map(string path, TokenShard shard)
        {
            using var file = MemoryMappedFile.CreateFromFile(path, FileMode.Open, mapName: null, capacity: 0, MemoryMappedFileAccess.Read);
            return new Part(shard.Count, shard.Wide, file.CreateViewAccessor(0, 0, MemoryMappedFileAccess.Read), []);
        }

        public void CopyTo(long start, Span<long> window)
        {
            Span<uint> wide = stackalloc uint[256];
            Span<ushort> narrow = stackalloc ushort[256];
            for (int at = 0; at < window.Length; at += 256)
            {
                var piece = window[at..Math.Min(window.Length, at + 256)];
                if (Mapped is null)
                {
                    Widen<ushort>(Tokens.AsSpan((int)start + at), piece);
                }
                else if (Wide)
                {
                    Mapped.SafeMemoryMappedViewHandle.ReadSpan((ulong)(TokenShard.HeaderBytes + (start + at) * sizeof(uint)), wide[..piece.Length]);
                    Widen<uint>(wide, piece);
                }
                else
                {
                    Mapped.SafeMemoryMappedViewHandle.ReadSpan((ulong)(TokenShard.HeaderBytes + (start + at) * sizeof(ushort)), narrow[..piece.Length]);
                    Widen<ushort>(narrow, piece);
                }
            }
        }

        private static void Widen<T>(ReadOnlySpan<T> from, Span<long> to)
            where T : unmanaged, System.Numerics.IBinaryInteger<T>
        {
            for (int i = 0; i < to.Length; i++)
            {
                to[i] = long.CreateTruncating(from[i]);
            }
        }
    }
}
