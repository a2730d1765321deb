// A file of tokens in the layout of llm.c: 256 int32 of header (magic, version, count), then uint16 or uint32, little endian.
using System.Buffers.Binary;

namespace Scaling.Torch;

/// <summary>
/// What the header of a token shard tells, as https://github.com/karpathy/llm.c writes it (dev/data/data_common.py): magic 20240520 and version 1 for uint16, 20240801 and
/// version 7 for uint32. The count is read and written as an int64 over ints 2 and 3, of which llm.c leaves the second zero, so that a file may hold more than 2³¹ tokens.
/// </summary>
/// <param name="Wide">uint32 instead of uint16.</param>
/// <param name="Count">Tokens.</param>
public readonly record struct TokenShard(bool Wide, long Count)
{
    /// <summary>Tokens are below it: what a shape's vocabulary can be.</summary>
    public const int MostTokens = 1 << 24;

    internal const int HeaderBytes = 256 * sizeof(int);

    private const string Hint = "Write shards as llm.c's dev/data scripts do, or name text files with 'text:'.";

    /// <summary>Bytes a token.</summary>
    public int Width => Wide ? sizeof(uint) : sizeof(ushort);

    /// <summary>Reads and checks a header against its file's length.</summary>
    /// <param name="path">A shard.</param>
    /// <exception cref="UnusableInputException">SCAL8303: no shard; SCAL8304: it is cut short, or longer than it says; SCAL8305: it holds nothing.</exception>
    public static TokenShard ReadHeader(string path)
    {
        Span<byte> header = stackalloc byte[HeaderBytes];
        using var stream = File.OpenRead(path);
        int read = stream.ReadAtLeast(header, HeaderBytes, throwOnEndOfStream: false);
        var (magic, version) = read < 8 ? (0, 0) : (BinaryPrimitives.ReadInt32LittleEndian(header), BinaryPrimitives.ReadInt32LittleEndian(header[4..]));
        if (read == 0)
        {
            throw new UnusableInputException("SCAL8305", $"{path} is empty: expected a token shard.", "Write it again, or leave it out.");
        }

        if ((magic, version) is not ((20240520, 1) or (20240801, 7)))
        {
            throw new UnusableInputException(
                "SCAL8303", $"{path} is no token shard: expected magic 20240520 with version 1 or magic 20240801 with version 7; found {magic} and {version}.", Hint);
        }

        var shard = new TokenShard(magic == 20240801, BinaryPrimitives.ReadInt64LittleEndian(header[8..]));
        long there = stream.Length - HeaderBytes;
        return there != shard.Count * shard.Width
            ? throw new UnusableInputException(
                "SCAL8304", $"{path}: its header promises {shard.Count} tokens, {shard.Count * shard.Width} bytes; after the header of {HeaderBytes} bytes there are {Math.Max(0, there)}.",
                "The file was cut short or is of another writer: copy or write it again.")
            : shard.Count > 0 ? shard : throw new UnusableInputException("SCAL8305", $"{path} holds no tokens.", "Write it again, or leave it out.");
    }

    internal byte[] Header()
    {
        byte[] header = new byte[HeaderBytes];
        BinaryPrimitives.WriteInt32LittleEndian(header, Wide ? 20240801 : 20240520);
        BinaryPrimitives.WriteInt32LittleEndian(header.AsSpan(4), Wide ? 7 : 1);
        BinaryPrimitives.WriteInt64LittleEndian(header.AsSpan(8), Count);
        return header;
    }
}
