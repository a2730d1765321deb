// Curves for TensorBoard: TFRecord frames around Event messages of protobuf.
using System.Buffers.Binary;
using System.Numerics;
using System.Text;

namespace Scaling.Torch;

/// <summary>A number at a step.</summary>
/// <param name="Step">Optimiser steps done, from 0.</param>
/// <param name="Tag">Its curve's name; what stands before a slash gathers curves, as in <c>loss/training</c>.</param>
/// <param name="Value">Kept as float32.</param>
public sealed record EventScalar(long Step, string Tag, double Value);

/// <summary>
/// Writes event files as TensorFlow's record_writer.h, event.proto and summary.proto lay them out. The few fields that are used have not changed since they were
/// introduced, so the dozen lines below stand for a protobuf library. The same scalars give the same bytes.
/// </summary>
public static class EventFile
{
    /// <summary>TensorBoard takes every file whose name has <c>tfevents</c> in it and calls the run by the file's folder.</summary>
    public const string Name = "events.out.tfevents";

    private const string Version = "brain.Event:2";
    private const int FileVersion = 3;
    private const int SummaryField = 5;

    /// <summary>What TFRecord adds to a rotated checksum, so that checksums of data that holds checksums stay good (record_writer.h's mask).</summary>
    private const uint MaskDelta = 0xa282ead8;

    /// <summary>
    /// Writes one event a scalar, by rising step. <c>wall_time</c> holds the step, as seconds since 1970, and no clock: a run that is repeated must give the same file, and
    /// TensorBoard's axes "Relative" and "Wall" then count steps.
    /// </summary>
    /// <param name="path">Overwritten.</param>
    /// <param name="scalars">In any order; those of one step stay in theirs.</param>
    public static void Write(string path, IEnumerable<EventScalar> scalars)
    {
        using var stream = File.Create(path);
        stream.Write(Record(Event(0, FileVersion, Encoding.UTF8.GetBytes(Version))));
        foreach (var scalar in scalars.OrderBy(s => s.Step))
        {
            stream.Write(Record(Event(scalar.Step, SummaryField, Summary(scalar))));
        }
    }

    /// <summary>uint64 length, masked CRC-32C of the length, data, masked CRC-32C of the data; all little endian.</summary>
    private static byte[] Record(ReadOnlySpan<byte> data)
    {
        byte[] record = new byte[data.Length + 16];
        BinaryPrimitives.WriteInt64LittleEndian(record, data.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(8), MaskedCrc(record.AsSpan(0, 8)));
        data.CopyTo(record.AsSpan(12));
        BinaryPrimitives.WriteUInt32LittleEndian(record.AsSpan(12 + data.Length), MaskedCrc(data));
        return record;
    }

    private static uint MaskedCrc(ReadOnlySpan<byte> data)
    {
        uint crc = uint.MaxValue;
        foreach (byte b in data)
        {
            crc = BitOperations.Crc32C(crc, b);
        }

        return unchecked(BitOperations.RotateRight(~crc, 15) + MaskDelta);
    }

    /// <summary>Event { double wall_time = 1; int64 step = 2; oneof { string file_version = 3; Summary summary = 5; } }.</summary>
    private static byte[] Event(long step, int field, byte[] content)
    {
        using var message = new MemoryStream();
        Span<byte> wallTime = stackalloc byte[8];
        BinaryPrimitives.WriteDoubleLittleEndian(wallTime, step);
        WriteKey(message, 1, WireType.Fixed64);
        message.Write(wallTime);
        WriteKey(message, 2, WireType.Varint);
        WriteVarint(message, (ulong)step);
        WriteBytes(message, field, content);
        return message.ToArray();
    }

    /// <summary>Summary { repeated Value value = 1; }, Value { string tag = 1; float simple_value = 2; }.</summary>
    private static byte[] Summary(EventScalar scalar)
    {
        using var value = new MemoryStream();
        WriteBytes(value, 1, Encoding.UTF8.GetBytes(scalar.Tag));
        Span<byte> number = stackalloc byte[4];
        BinaryPrimitives.WriteSingleLittleEndian(number, (float)scalar.Value);
        WriteKey(value, 2, WireType.Fixed32);
        value.Write(number);

        using var summary = new MemoryStream();
        WriteBytes(summary, 1, value.ToArray());
        return summary.ToArray();
    }

    private enum WireType
    {
        Varint = 0,
        Fixed64 = 1,
        Bytes = 2,
        Fixed32 = 5,
    }

    private static void WriteKey(MemoryStream message, int field, WireType type) => WriteVarint(message, (ulong)(field << 3 | (int)type));

    private static void WriteBytes(MemoryStream message, int field, byte[] bytes)
    {
        WriteKey(message, field, WireType.Bytes);
        WriteVarint(message, (ulong)bytes.Length);
        message.Write(bytes);
    }

    /// <summary>Seven bits a byte, the lowest first; the top bit says that more follow.</summary>
    private static void WriteVarint(MemoryStream message, ulong value)
    {
        for (; value > 0x7f; value >>= 7)
        {
            message.WriteByte((byte)(value | 0x80));
        }

        message.WriteByte((byte)value);
    }
}
