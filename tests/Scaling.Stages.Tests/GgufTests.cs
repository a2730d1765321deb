// The GGUF file that llama.cpp is given, read by a reader of the published format (ggml's docs/gguf.md) that shares nothing with the writer.
using System.Text;
using Scaling.Architectures;
using Scaling.Stages.Measure;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class GgufTests : IDisposable
{
    /// <summary>Queries are wider (48) than the hidden size (32) and odd sizes are no multiple of the alignment.</summary>
    private static readonly DecoderShape NonSquare = new(3, 32, 50, 6, 2, 8, 101, Tied: false);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Metadata_says_the_shape_in_llama_cpps_words()
    {
        var (metadata, _, _) = Written(NonSquare, GgufType.Bf16);

        Assert.Equal("llama", metadata["general.architecture"]);
        Assert.Equal((3u, 32u, 50u, 4096u), (metadata["llama.block_count"], metadata["llama.embedding_length"], metadata["llama.feed_forward_length"], metadata["llama.context_length"]));
        Assert.Equal((6u, 2u), (metadata["llama.attention.head_count"], metadata["llama.attention.head_count_kv"]));
        Assert.Equal((8u, 8u, 8u), (metadata["llama.attention.key_length"], metadata["llama.attention.value_length"], metadata["llama.rope.dimension_count"]));
        Assert.Equal((10_000f, 1e-5f), (metadata["llama.rope.freq_base"], metadata["llama.attention.layer_norm_rms_epsilon"]));
        Assert.Equal((101u, "no_vocab"), (metadata["llama.vocab_size"], metadata["tokenizer.ggml.model"]));
    }

    [Theory]
    [InlineData("F32", 0, 4, 0)]
    [InlineData("F16", 1, 2, 1)]
    [InlineData("Bf16", 30, 2, 32)]
    public void Tensors_have_llama_cpps_names_and_dimensions_and_lie_aligned_one_after_the_other(string type, int number, int size, int fileType)
    {
        var (metadata, tensors, length) = Written(NonSquare, Enum.Parse<GgufType>(type));

        Assert.Equal((uint)fileType, metadata["general.file_type"]);
        Assert.Equal(2 + 9 * 3 + 1, tensors.Count);
        var dimensions = tensors.ToDictionary(t => t.Name, t => string.Join('x', t.Dimensions));
        Assert.Equal(("32x101", "32x101", "32"), (dimensions["token_embd.weight"], dimensions["output.weight"], dimensions["output_norm.weight"]));
        for (int i = 0; i < 3; i++)
        {
            Assert.Equal(("32x48", "32x16", "32x16", "48x32"), (dimensions[$"blk.{i}.attn_q.weight"], dimensions[$"blk.{i}.attn_k.weight"], dimensions[$"blk.{i}.attn_v.weight"], dimensions[$"blk.{i}.attn_output.weight"]));
            Assert.Equal(("32x50", "32x50", "50x32"), (dimensions[$"blk.{i}.ffn_gate.weight"], dimensions[$"blk.{i}.ffn_up.weight"], dimensions[$"blk.{i}.ffn_down.weight"]));
            Assert.Equal(("32", "32"), (dimensions[$"blk.{i}.attn_norm.weight"], dimensions[$"blk.{i}.ffn_norm.weight"]));
        }

        long next = 0;
        foreach (var tensor in tensors)
        {
            Assert.Equal(tensor.Dimensions.Count == 1 ? 0u : (uint)number, tensor.Type);
            Assert.Equal(next, tensor.Offset);
            next = (tensor.Offset + tensor.Dimensions.Aggregate(1L, (p, d) => p * d) * (tensor.Dimensions.Count == 1 ? 4 : size) + 31) / 32 * 32;
        }

        Assert.Equal(0, tensors[0].DataStart % 32);
        Assert.Equal(length, tensors[0].DataStart + next);
        Assert.Equal(NonSquare.ParametersTotal, tensors.Sum(t => t.Dimensions.Aggregate(1L, (p, d) => p * d)));
    }

    [Fact]
    public void Weights_are_small_random_numbers_and_norms_are_ones()
    {
        var (_, tensors, _) = Written(NonSquare, GgufType.F32);
        byte[] bytes = File.ReadAllBytes(_folder["model.gguf"]);
        float[] Values(string name)
        {
            var tensor = tensors.Single(t => t.Name == name);
            long count = tensor.Dimensions.Aggregate(1L, (p, d) => p * d);
            return [.. Enumerable.Range(0, (int)count).Select(i => BitConverter.ToSingle(bytes, (int)(tensor.DataStart + tensor.Offset) + 4 * i))];
        }

        float[] q = Values("blk.1.attn_q.weight");
        Assert.InRange(Math.Sqrt(q.Average(w => w * w)), 0.018, 0.022); // 1536 draws: their deviation is within 3 % of 0.02
        Assert.InRange(q.Average(), -0.002, 0.002);
        Assert.All(Values("output_norm.weight"), w => Assert.Equal(1f, w));
        Assert.All(Values("blk.2.ffn_norm.weight"), w => Assert.Equal(1f, w));
    }

    [Fact]
    public void A_tied_head_is_no_tensor_of_its_own()
    {
        var tied = NonSquare with { Tied = true };
        var (_, tensors, _) = Written(tied, GgufType.Bf16);

        Assert.DoesNotContain(tensors, t => t.Name == "output.weight");
        Assert.Equal(tied.ParametersTotal, tensors.Sum(t => t.Dimensions.Aggregate(1L, (p, d) => p * d)));
    }

    [Fact]
    public void The_same_shape_gives_the_same_bytes()
    {
        RandomLlama.Write(_folder["a.gguf"], NonSquare, GgufType.Bf16, 64);
        RandomLlama.Write(_folder["b.gguf"], NonSquare, GgufType.Bf16, 64);

        Assert.Equal(File.ReadAllBytes(_folder["a.gguf"]), File.ReadAllBytes(_folder["b.gguf"]));
    }

    private (IReadOnlyDictionary<string, object> Metadata, IReadOnlyList<ReadTensor> Tensors, long Length) Written(DecoderShape shape, GgufType type)
    {
        RandomLlama.Write(_folder["model.gguf"], shape, type, 4096);
        using var stream = File.OpenRead(_folder["model.gguf"]);
        using var reader = new BinaryReader(stream);
        string Text() => Encoding.UTF8.GetString(reader.ReadBytes((int)reader.ReadUInt64()));

        Assert.Equal("GGUF"u8.ToArray(), reader.ReadBytes(4));
        Assert.Equal(3u, reader.ReadUInt32());
        ulong tensors = reader.ReadUInt64(), pairs = reader.ReadUInt64();
        var metadata = new Dictionary<string, object>();
        for (ulong i = 0; i < pairs; i++)
        {
            string key = Text();
            metadata.Add(key, reader.ReadUInt32() switch
            {
                4 => reader.ReadUInt32(),
                6 => reader.ReadSingle(),
                8 => Text(),
                var other => throw new InvalidDataException($"value type {other} of {key}"),
            });
        }

        var read = new List<(string Name, List<long> Dimensions, uint Type, long Offset)>();
        for (ulong i = 0; i < tensors; i++)
        {
            string name = Text();
            var dimensions = Enumerable.Range(0, (int)reader.ReadUInt32()).Select(_ => (long)reader.ReadUInt64()).ToList();
            read.Add((name, dimensions, reader.ReadUInt32(), (long)reader.ReadUInt64()));
        }

        long start = (stream.Position + 31) / 32 * 32;
        return (metadata, [.. read.Select(t => new ReadTensor(t.Name, t.Dimensions, t.Type, t.Offset, start))], stream.Length);
    }

    private sealed record ReadTensor(string Name, IReadOnlyList<long> Dimensions, uint Type, long Offset, long DataStart);
}
