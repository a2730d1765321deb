// The safetensors format: 8 bytes of header length, a JSON header of types, shapes and offsets, then raw little-endian data.
using System.Buffers.Binary;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Writes and reads tensors of float32 and int64 as https://github.com/huggingface/safetensors describes. The same tensors give the same bytes.</summary>
public static class Safetensors
{
    private const int MaximalHeader = 100_000_000; // as the reference implementation limits it

    /// <summary>Writes tensors in the given order, whole or not at all.</summary>
    /// <param name="path">Overwritten.</param>
    /// <param name="tensors">Names, each once, and dense tensors, which are copied to the CPU one by one; views are written as what they show.</param>
    /// <param name="metadata">Text beside the tensors; Hugging Face expects <c>format: pt</c>.</param>
    public static void Write(string path, IReadOnlyList<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        byte[] header = Header(tensors, metadata);
        WholeFile.Write(path, stream =>
        {
            Span<byte> length = stackalloc byte[8];
            BinaryPrimitives.WriteInt64LittleEndian(length, header.Length);
            stream.Write(length);
            stream.Write(header);
            foreach (var (_, tensor) in tensors)
            {
                using var scope = NewDisposeScope();
                stream.Write(tensor.detach().cpu().contiguous().bytes);
            }
        });
    }

    /// <summary>Reads every tensor. The caller owns them.</summary>
    /// <param name="path">A safetensors file.</param>
    /// <exception cref="FormatException">The file is none, or cut short, or holds a type other than F32 and I64.</exception>
    public static (IReadOnlyDictionary<string, Tensor> Tensors, IReadOnlyDictionary<string, string> Metadata) Read(string path)
    {
        using var file = File.OpenRead(path);
        var header = ReadHeader(file);
        long data = file.Position;
        var tensors = new Dictionary<string, Tensor>();
        var metadata = new Dictionary<string, string>();
        try
        {
            foreach (var (name, node) in header)
            {
                if (name == "__metadata__")
                {
                    metadata = node.Deserialize<Dictionary<string, string>>() ?? [];
                }
                else
                {
                    tensors[name] = ReadTensor(node, file, data);
                }
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            throw new FormatException("this is no safetensors file: its header is not what the format describes", e);
        }

        return (tensors, metadata);
    }

    private static byte[] Header(IReadOnlyList<(string Name, Tensor Tensor)> tensors, IReadOnlyDictionary<string, string> metadata)
    {
        var header = new JsonObject { ["__metadata__"] = JsonSerializer.SerializeToNode(metadata) };
        long at = 0;
        foreach (var (name, tensor) in tensors)
        {
            long end = at + tensor.NumberOfElements * tensor.ElementSize;
            header.Add(name, new JsonObject
            {
                ["dtype"] = TypeName(tensor.dtype),
                ["shape"] = new JsonArray([.. tensor.shape.Select(n => (JsonNode)n)]),
                ["data_offsets"] = new JsonArray(at, end),
            });
            at = end;
        }

        // Spaces round the header up to 8 bytes, so that the data is aligned.
        string text = header.ToJsonString();
        return Encoding.UTF8.GetBytes(text.PadRight(text.Length + (-Encoding.UTF8.GetByteCount(text) & 7)));
    }

    private static JsonObject ReadHeader(FileStream file)
    {
        byte[] start = new byte[8];
        long length = file.ReadAtLeast(start, 8, throwOnEndOfStream: false) < 8 ? -1 : BinaryPrimitives.ReadInt64LittleEndian(start);
        if (length < 2 || length > Math.Min(MaximalHeader, file.Length - 8))
        {
            throw new FormatException("this is no safetensors file: its first 8 bytes are not the length of its header");
        }

        byte[] header = new byte[length];
        file.ReadExactly(header);
        try
        {
            return JsonNode.Parse(header)!.AsObject();
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException("this is no safetensors file: its header is no JSON object", e);
        }
    }

    private static Tensor ReadTensor(JsonNode? entry, FileStream file, long data)
    {
        var (type, size) = entry?["dtype"]?.GetValue<string>() switch
        {
            "F32" => (ScalarType.Float32, sizeof(float)),
            "I64" => (ScalarType.Int64, sizeof(long)),
            var other => throw new FormatException($"tensors of type {other} are not read; expected F32 or I64"),
        };
        long[]? shape = entry["shape"].Deserialize<long[]>();
        if (entry["data_offsets"].Deserialize<long[]>() is not [>= 0 and var start, var end] || end > file.Length - data
            || shape is null || shape.Any(n => n < 0) || shape.Aggregate((double)size, (bytes, n) => bytes * n) != end - start)
        {
            throw new FormatException("a tensor's offsets do not fit its shape and the file");
        }

        var tensor = empty(shape, type);
        file.Position = data + start;
        file.ReadExactly(tensor.bytes);
        return tensor;
    }

    private static string TypeName(ScalarType type) => type switch
    {
        ScalarType.Float32 => "F32",
        ScalarType.Int64 => "I64",
        _ => throw new ArgumentException($"tensors of type {type} are not written"),
    };
}
