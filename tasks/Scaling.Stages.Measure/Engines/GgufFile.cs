// The GGUF format, version 3, as https://github.com/ggml-org/ggml/blob/master/docs/gguf.md describes it: metadata, the places of the tensors, then their data.
using System.Buffers.Binary;
using System.Text;

namespace Scaling.Stages.Measure;

/// <summary>Types of a tensor's elements; the numbers are the format's own (<c>ggml_type</c>).</summary>
internal enum GgufType
{
    /// <summary>Four bytes.</summary>
    F32 = 0,

    /// <summary>IEEE half precision, two bytes.</summary>
    F16 = 1,

    /// <summary>The upper half of a float32, two bytes.</summary>
    Bf16 = 30,
}

/// <summary>A tensor to be written.</summary>
/// <param name="Name">At most 64 bytes.</param>
/// <param name="Dimensions">The one whose elements lie next to each other first: a matrix of PyTorch's (out, in) is (in, out) here.</param>
/// <param name="Type">Of its elements.</param>
internal sealed record GgufTensor(string Name, IReadOnlyList<long> Dimensions, GgufType Type)
{
    /// <summary>Bytes of its data.</summary>
    public long Bytes => Dimensions.Aggregate(1L, (product, d) => product * d) * (Type == GgufType.F32 ? 4 : 2);
}

internal static class GgufFile
{
    /// <summary>Every tensor's data begins at a multiple of it, bytes; the format's default.</summary>
    public const int Alignment = 32;

    private const uint Magic = 0x46554747; // "GGUF"
    private const uint Version = 3;

    /// <summary>Writes a file. Data is streamed: no tensor is held in memory.</summary>
    /// <param name="stream">Written from where it stands, which must be the file's beginning.</param>
    /// <param name="metadata">Keys with values of <see cref="uint"/>, <see cref="float"/> or <see cref="string"/>.</param>
    /// <param name="tensors">In the order of their data.</param>
    /// <param name="data">Writes a tensor's data, exactly <see cref="GgufTensor.Bytes"/> of it.</param>
    public static void Write(Stream stream, IReadOnlyList<(string Key, object Value)> metadata, IReadOnlyList<GgufTensor> tensors, Action<GgufTensor, Stream> data)
    {
        using var header = new MemoryStream();
        UInt32(header, Magic);
        UInt32(header, Version);
        UInt64(header, tensors.Count);
        UInt64(header, metadata.Count);
        foreach (var (key, value) in metadata)
        {
            Text(header, key);
            Value(header, value);
        }

        long offset = 0;
        foreach (var tensor in tensors)
        {
            Text(header, tensor.Name);
            UInt32(header, (uint)tensor.Dimensions.Count);
            foreach (long dimension in tensor.Dimensions)
            {
                UInt64(header, dimension);
            }

            UInt32(header, (uint)tensor.Type);
            UInt64(header, offset);
            offset = Aligned(offset + tensor.Bytes);
        }

        Pad(header, header.Length);
        header.WriteTo(stream);
        foreach (var tensor in tensors)
        {
            data(tensor, stream);
            Pad(stream, tensor.Bytes);
        }
    }

    private static void Value(Stream stream, object value)
    {
        switch (value)
        {
            case uint number:
                UInt32(stream, 4);
                UInt32(stream, number);
                break;
            case float number:
                UInt32(stream, 6);
                UInt32(stream, BitConverter.SingleToUInt32Bits(number));
                break;
            case string text:
                UInt32(stream, 8);
                Text(stream, text);
                break;
            default:
                throw new ArgumentException($"metadata of {value.GetType()} is not written", nameof(value));
        }
    }

    private static void Text(Stream stream, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        UInt64(stream, bytes.Length);
        stream.Write(bytes);
    }

    private static void UInt32(Stream stream, uint value)
    {
        Span<byte> bytes = stackalloc byte[4];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void UInt64(Stream stream, long value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, value);
        stream.Write(bytes);
    }

    private static void Pad(Stream stream, long written) => stream.Write(new byte[Aligned(written) - written]);

    private static long Aligned(long offset) => (offset + Alignment - 1) / Alignment * Alignment;
}
