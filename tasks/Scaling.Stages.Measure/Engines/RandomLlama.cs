// A LLaMA-like decoder with random weights as a GGUF file that llama.cpp loads.
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>
/// Names and dimensions are those of llama.cpp's architecture <c>llama</c>. It has no tokenizer (<c>no_vocab</c>, of which llama.cpp takes the number of tokens from
/// <c>llama.vocab_size</c>, as its own tests/test-llama-archs.cpp does): benchmarks draw tokens by number.
/// </summary>
internal static class RandomLlama
{
    /// <summary>Weights are drawn from ±this, which has the standard deviation of 0.02 that untrained models have: large enough that nothing underflows, and no sum overflows.</summary>
    private const float Range = 0.02f * 1.7320508f;

    /// <summary>Bytes that are drawn; tensors repeat them. Speed does not depend on the values, and drawing billions would take longer than measuring.</summary>
    private const int Block = 1 << 22;

    /// <summary>Writes the file; the same shape gives the same bytes.</summary>
    /// <param name="path">Overwritten.</param>
    /// <param name="shape">The shape.</param>
    /// <param name="type">Type of the matrices; norms are always float32, as llama.cpp wants them.</param>
    /// <param name="context">The longest sequence, tokens.</param>
    public static void Write(string path, DecoderShape shape, GgufType type, int context)
    {
        byte[] weights = Weights(type);
        byte[] ones = new byte[4 * shape.Hidden];
        for (int i = 0; i < shape.Hidden; i++)
        {
            BitConverter.TryWriteBytes(ones.AsSpan(4 * i), 1f);
        }

        using var stream = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, 1 << 16);
        GgufFile.Write(stream, Metadata(shape, type, context), Tensors(shape, type), (tensor, data) => Fill(data, tensor.Dimensions.Count == 1 ? ones : weights, tensor.Bytes));
    }

    private static List<(string Key, object Value)> Metadata(DecoderShape shape, GgufType type, int context) =>
    [
        ("general.architecture", "llama"),
        ("general.name", shape.Id),
        ("general.file_type", type switch { GgufType.F32 => 0u, GgufType.F16 => 1u, _ => 32u }), // llama.cpp's LLAMA_FTYPE_…
        ("general.alignment", (uint)GgufFile.Alignment),
        ("llama.vocab_size", (uint)shape.Vocabulary),
        ("llama.context_length", (uint)context),
        ("llama.embedding_length", (uint)shape.Hidden),
        ("llama.block_count", (uint)shape.Layers),
        ("llama.feed_forward_length", (uint)shape.Intermediate),
        ("llama.attention.head_count", (uint)shape.Heads),
        ("llama.attention.head_count_kv", (uint)shape.KvHeads),
        ("llama.attention.key_length", (uint)shape.HeadSize), // Otherwise llama.cpp takes hidden over heads, which is another number where queries are not square.
        ("llama.attention.value_length", (uint)shape.HeadSize),
        ("llama.rope.dimension_count", (uint)shape.HeadSize),
        ("llama.rope.freq_base", 10_000f),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5f),
        ("tokenizer.ggml.model", "no_vocab"),
    ];

    private static List<GgufTensor> Tensors(DecoderShape shape, GgufType type)
    {
        long d = shape.Hidden, f = shape.Intermediate, q = shape.QueryWidth, kv = shape.KvWidth;
        GgufTensor Matrix(string name, long inputs, long outputs) => new(name, [inputs, outputs], type);
        GgufTensor Norm(string name) => new(name, [d], GgufType.F32);

        var tensors = new List<GgufTensor> { Matrix("token_embd.weight", d, shape.Vocabulary) };
        for (int layer = 0; layer < shape.Layers; layer++)
        {
            string block = $"blk.{layer}.";
            tensors.AddRange(
            [
                Norm(block + "attn_norm.weight"), Matrix(block + "attn_q.weight", d, q), Matrix(block + "attn_k.weight", d, kv), Matrix(block + "attn_v.weight", d, kv),
                Matrix(block + "attn_output.weight", q, d), Norm(block + "ffn_norm.weight"), Matrix(block + "ffn_gate.weight", d, f), Matrix(block + "ffn_up.weight", d, f),
                Matrix(block + "ffn_down.weight", f, d),
            ]);
        }

        tensors.Add(Norm("output_norm.weight"));
        if (!shape.Tied)
        {
            tensors.Add(Matrix("output.weight", d, shape.Vocabulary)); // Where it is absent, llama.cpp takes the embedding.
        }

        return tensors;
    }

    private static byte[] Weights(GgufType type)
    {
        var random = new Random(1);
        byte[] block = new byte[Block];
        int size = type == GgufType.F32 ? 4 : 2;
        for (int at = 0; at < block.Length; at += size)
        {
            float weight = (2 * random.NextSingle() - 1) * Range;
            var place = block.AsSpan(at);
            _ = type switch
            {
                GgufType.F32 => BitConverter.TryWriteBytes(place, weight),
                GgufType.F16 => BitConverter.TryWriteBytes(place, (Half)weight),
                _ => BitConverter.TryWriteBytes(place, (ushort)(BitConverter.SingleToUInt32Bits(weight) >> 16)),
            };
        }

        return block;
    }

    private static void Fill(Stream stream, byte[] block, long bytes)
    {
        for (long left = bytes; left > 0; left -= block.Length)
        {
            stream.Write(block, 0, (int)Math.Min(left, block.Length));
        }
    }
}
