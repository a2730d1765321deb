// A file of tokens in the layout of llm.c: 256 int32 of header (magic, version, count), then uint16.
using System.Buffers.Binary;
using System.Runtime.InteropServices;

namespace Scaling.Torch;

/// <summary>Reads and writes token shards, little endian, as https://github.com/karpathy/llm.c does.</summary>
public static class TokenShard
{
    private const int Magic = 20240520;
    private const int Version = 1;
    private const int HeaderBytes = 256 * sizeof(int);

    /// <summary>Writes a shard.</summary>
    /// <param name="path">Overwritten.</param>
    /// <param name="tokens">Any number.</param>
    public static void Write(string path, ReadOnlySpan<ushort> tokens)
    {
        Span<byte> header = new byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, Magic);
        BinaryPrimitives.WriteInt32LittleEndian(header[4..], Version);
        BinaryPrimitives.WriteInt32LittleEndian(header[8..], tokens.Length);
        using var stream = File.Create(path);
        stream.Write(header);
        stream.Write(MemoryMarshal.AsBytes(tokens));
    }

    /// <summary>Reads a shard.</summary>
    /// <param name="path">As <see cref="Write"/> leaves it.</param>
    /// <exception cref="FormatException">The file is none, or cut short.</exception>
    public static ushort[] Read(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        if (file.Length < HeaderBytes || BinaryPrimitives.ReadInt32LittleEndian(file) != Magic || BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(4)) != Version)
        {
            throw new FormatException($"{path} is no token shard: expected magic {Magic} and version {Version}");
        }

        int count = BinaryPrimitives.ReadInt32LittleEndian(file.AsSpan(8));
        if (file.Length - HeaderBytes != (long)count * sizeof(ushort))
        {
            throw new FormatException($"{path} is cut short: its header promises {count} tokens");
        }

        return MemoryMarshal.Cast<byte, ushort>(file.AsSpan(HeaderBytes)).ToArray();
    }
}
