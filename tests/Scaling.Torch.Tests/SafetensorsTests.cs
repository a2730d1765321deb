// Weights as files that others read.
using System.Text.Json;
using Scaling.Architectures;
using Scaling.TestKit;
using static TorchSharp.torch;

namespace Scaling.Torch.Tests;

public sealed class SafetensorsTests
{
    public SafetensorsTests() => Libtorch.Load();

    [Fact]
    public void Tensors_come_back_bit_for_bit_with_their_names_shapes_and_metadata()
    {
        using var folder = new TemporaryFolder();
        using var scope = NewDisposeScope();
        var matrix = tensor(new[] { 1.5f, -0f, float.Epsilon, float.MaxValue, 3, 4 }, [2, 3]);
        var counts = tensor(new[] { long.MinValue, 7 });
        Safetensors.Write(folder["a"], [("matrix", matrix), ("column", matrix.narrow(1, 1, 1)), ("counts", counts)], new Dictionary<string, string> { ["step"] = "7" });

        var (tensors, metadata) = Safetensors.Read(folder["a"]);

        Assert.Equal(matrix.bytes.ToArray(), tensors["matrix"].bytes.ToArray());
        Assert.Equal([2L, 1], tensors["column"].shape);
        Assert.Equal([-0f, 3], tensors["column"].data<float>().ToArray());
        Assert.Equal(counts.bytes.ToArray(), tensors["counts"].bytes.ToArray());
        Assert.Equal("7", metadata["step"]);
    }

    [Fact]
    public void The_file_has_the_layout_and_the_names_that_Hugging_Face_expects()
    {
        using var folder = new TemporaryFolder();
        var shape = new DecoderShape(2, 8, 12, 4, 2, 4, 16, Tied: false);
        using var weights = new DecoderWeights(shape, 1);
        weights.Write(folder["w.safetensors"]);

        byte[] file = File.ReadAllBytes(folder["w.safetensors"]);
        int header = (int)BitConverter.ToInt64(file);
        using var json = JsonDocument.Parse(file.AsMemory(8, header));
        var entries = json.RootElement.EnumerateObject().Where(e => e.Name != "__metadata__").ToList();

        Assert.Equal(0, header % 8);
        Assert.Equal("pt", json.RootElement.GetProperty("__metadata__").GetProperty("format").GetString());
        Assert.Equal(2 * 9 + 3, entries.Count);
        Assert.Equal([16, 8], ShapeOf("model.layers.1.self_attn.q_proj.weight"));
        Assert.Equal([8, 8], ShapeOf("model.layers.1.self_attn.k_proj.weight"));
        Assert.Equal([8, 16], ShapeOf("model.layers.0.self_attn.o_proj.weight"));
        Assert.Equal([12, 8], ShapeOf("model.layers.0.mlp.gate_proj.weight"));
        Assert.Equal([16, 8], ShapeOf("lm_head.weight"));
        long at = 0;
        Assert.All(entries, e =>
        {
            Assert.Equal(at, e.Value.GetProperty("data_offsets")[0].GetInt64());
            at = e.Value.GetProperty("data_offsets")[1].GetInt64();
        });
        Assert.Equal(file.Length, 8 + header + at);

        int[] ShapeOf(string name) => json.RootElement.GetProperty(name).GetProperty("shape").Deserialize<int[]>()!;
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a tensor in sight")]
    [InlineData("\u0004\0\0\0\0\0\0\0[1, ")]
    public void A_file_that_is_no_safetensors_is_refused(string text)
    {
        using var folder = new TemporaryFolder();

        Assert.Contains("no safetensors file", Assert.Throws<FormatException>(() => Safetensors.Read(folder.Write("a", text))).Message);
    }
}
