// The description at the end of a Parquet file, walked before the package reads it: of a damaged one it may read for ever.
using System.Buffers.Binary;

namespace Scaling.Stages.Fit;

/// <summary>
/// A Parquet file ends in a Thrift structure (compact protocol, github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md), its
/// length in 4 bytes, and PAR1. Walking it reads no meaning; it finds lengths and types that cannot be.
/// </summary>
internal ref struct ParquetFooter(ReadOnlySpan<byte> bytes)
{
    /// <summary>Structures within each other at most; Parquet's own have 5.</summary>
    private const int Deepest = 20;

    /// <summary>Largest number of a field; Parquet's own end at 20. All writers have them rise, as the protocol is shortest so.</summary>
    private const int Most = 100;

    private ReadOnlySpan<byte> _rest = bytes;

    /// <summary>Walks a file's description.</summary>
    /// <param name="path">The file.</param>
    /// <exception cref="InvalidDataException">It is damaged.</exception>
    public static void Check(string path)
    {
        using var file = File.OpenRead(path);
        Span<byte> end = stackalloc byte[8];
        file.Seek(-Math.Min(8, file.Length), SeekOrigin.End);
        int length = file.ReadAtLeast(end, 8, throwOnEndOfStream: false) == 8 && end[4..].SequenceEqual("PAR1"u8) ? BinaryPrimitives.ReadInt32LittleEndian(end) : 0;
        if (length <= 0 || length > file.Length - 12)
        {
            throw new InvalidDataException("it does not end as such a file does.");
        }

        byte[] footer = new byte[length];
        file.Seek(-8 - length, SeekOrigin.End);
        file.ReadExactly(footer);
        new ParquetFooter(footer).Structure(0);
    }

    private void Structure(int depth)
    {
        if (depth > Deepest)
        {
            throw Damaged();
        }

        long last = 0;
        for (byte header = Byte(); header != 0; header = Byte())
        {
            long field = header >> 4 == 0 ? Zigzag(Varint()) : last + (header >> 4);
            last = field > last && field <= Most ? field : throw Damaged();

            // A field that is true or false has its value in its type.
            if ((header & 15) is not (1 or 2))
            {
                Value(header & 15, depth);
            }
        }
    }

    private void Value(int type, int depth)
    {
        switch (type)
        {
            case 1 or 2 or 3:
                Byte();
                break;
            case 4 or 5 or 6:
                Varint();
                break;
            case 7:
                Skip(8);
                break;
            case 8:
                Skip(Varint());
                break;
            case 9 or 10:
                List(depth);
                break;
            case 12:
                Structure(depth + 1);
                break;
            default:
                // 11 is a map, which Parquet's description has none of.
                throw Damaged();
        }
    }

    private void List(int depth)
    {
        byte header = Byte();
        ulong count = header >> 4 == 15 ? Varint() : (ulong)(header >> 4);
        if (count > (ulong)_rest.Length || depth > Deepest)
        {
            throw Damaged();
        }

        for (; count > 0; count--)
        {
            Value(header & 15, depth + 1);
        }
    }

    private byte Byte()
    {
        byte first = _rest.IsEmpty ? throw Damaged() : _rest[0];
        _rest = _rest[1..];
        return first;
    }

    private ulong Varint()
    {
        ulong value = 0;
        for (int shift = 0; shift < 64; shift += 7)
        {
            byte part = Byte();
            value |= (ulong)(part & 127) << shift;
            if (part < 128)
            {
                return value;
            }
        }

        throw Damaged();
    }

    private static long Zigzag(ulong value) => (long)(value >> 1) ^ -(long)(value & 1);

    private void Skip(ulong length) => _rest = length <= (ulong)_rest.Length ? _rest[(int)length..] : throw Damaged();

    private static InvalidDataException Damaged() => new("the description at its end is damaged.");
}
