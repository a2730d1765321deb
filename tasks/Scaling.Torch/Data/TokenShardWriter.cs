// Writes a token shard as the tokens come, and keeps count of them.
using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Scaling.Torch;

/// <summary>Writes a token shard; any number of tokens, in constant memory.</summary>
public sealed class TokenShardWriter : IDisposable
{
    private readonly FileStream _stream;
    private readonly IncrementalHash _hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] _buffer = new byte[1 << 16];
    private readonly bool _wide;
    private int _filled;
    private long[] _frequencies = new long[256];

    /// <summary>Begins a shard.</summary>
    /// <param name="path">Overwritten.</param>
    /// <param name="wide">uint32 instead of uint16: for vocabularies above 65536.</param>
    public TokenShardWriter(string path, bool wide)
    {
        _wide = wide;
        _stream = File.Create(path);
        _stream.Write(new TokenShard(wide, 0).Header());
    }

    /// <summary>Tokens so far.</summary>
    public long Count { get; private set; }

    /// <summary>How often each token came, from 0 to the largest one.</summary>
    public ReadOnlySpan<long> Frequencies => _frequencies.AsSpan(0, Array.FindLastIndex(_frequencies, f => f > 0) + 1);

    /// <summary>Of the tokens' frequencies, nats a token: the loss of who knows them alone.</summary>
    public double UnigramEntropy => _frequencies.Where(f => f > 0).Sum(f => -(double)f / Count * Math.Log((double)f / Count));

    /// <summary>Adds a token.</summary>
    /// <param name="token">From 0 to below 2¹⁶, or <see cref="TokenShard.MostTokens"/> where wide.</param>
    public void Append(long token)
    {
        if (token >= _frequencies.Length)
        {
            Array.Resize(ref _frequencies, (int)Math.Max(token + 1, 2L * _frequencies.Length));
        }

        _frequencies[token]++;
        Count++;
        if (_wide)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(_buffer.AsSpan(_filled), (uint)token);
            _filled += sizeof(uint);
        }
        else
        {
            BinaryPrimitives.WriteUInt16LittleEndian(_buffer.AsSpan(_filled), checked((ushort)token));
            _filled += sizeof(ushort);
        }

        if (_filled == _buffer.Length)
        {
            Flush();
        }
    }

    /// <summary>Completes the shard.</summary>
    /// <returns>The first 16 hex digits of the SHA-256 of the tokens as they stand in the file.</returns>
    public string Complete()
    {
        Flush();
        _stream.Position = 0;
        _stream.Write(new TokenShard(_wide, Count).Header());
        _stream.Flush();
        return Convert.ToHexStringLower(_hash.GetHashAndReset())[..16];
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _stream.Dispose();
        _hash.Dispose();
    }

    private void Flush()
    {
        _stream.Write(_buffer, 0, _filled);
        _hash.AppendData(_buffer, 0, _filled);
        _filled = 0;
    }
}
