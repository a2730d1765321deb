// config.json: what is written is read back, published files are read, and what is no LLaMA-like decoder is told.
using System.Text.Json.Nodes;

namespace Scaling.Architectures.Tests;

public class HuggingFaceTests
{
    /// <summary>Values of the config.json that Meta published with LLaMA-3.2-1B.</summary>
    private const string Llama1B = """
        {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "head_dim": 64, "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 8192,
         "mlp_bias": false, "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16, "num_key_value_heads": 8, "tie_word_embeddings": true, "vocab_size": 128256}
        """;

    [Fact]
    public void A_published_configuration_gives_its_shape() =>
        Assert.Equal(new DecoderShape(16, 2048, 8192, 32, 8, 64, 128_256, Tied: true), HuggingFaceReading.Of(Llama1B).Shape);

    [Fact]
    public void What_is_written_is_read_back()
    {
        var shape = new DecoderShape(2, 60, 44, 16, 4, 8, 256, Tied: false);

        var read = HuggingFaceReading.Of(HuggingFaceConfig.Of(shape, new HuggingFaceOptions { MaxPositionEmbeddings = 64, DataType = "float32" }));

        Assert.Equal(shape, read.Shape);
        Assert.Empty(read.Flaws);
    }

    [Fact]
    public void Absent_keys_mean_what_they_mean_to_transformers()
    {
        var config = JsonNode.Parse(Llama1B)!.AsObject();
        foreach (string key in (string[])["num_key_value_heads", "head_dim", "tie_word_embeddings"])
        {
            config.Remove(key);
        }

        Assert.Equal(new DecoderShape(16, 2048, 8192, 32, 32, 64, 128_256, Tied: false), HuggingFaceReading.Of(config.ToJsonString()).Shape);
    }

    [Theory]
    [InlineData("", "it is no JSON")]
    [InlineData("[]", "it is no JSON object")]
    [InlineData("model_type=gpt2", "model_type is 'gpt2'")]
    [InlineData("hidden_act=gelu", "hidden_act is 'gelu'")]
    [InlineData("mlp_bias=true", "mlp_bias is true")]
    [InlineData("hidden_size=", "it has no hidden_size")]
    [InlineData("hidden_size=2048.5", "hidden_size is 2048.5")]
    [InlineData("vocab_size=0", "vocab_size is 0")]
    [InlineData("num_key_value_heads=5", "cannot share 5")]
    [InlineData("head_dim=65", "a head size of 65 is odd")]
    public void What_is_no_such_decoder_is_told(string change, string flaw)
    {
        var reading = HuggingFaceReading.Of(change.Contains('=', StringComparison.Ordinal) ? With(change.Split('=')) : change);

        Assert.Null(reading.Shape);
        Assert.Contains(flaw, Assert.Single(reading.Flaws), StringComparison.Ordinal);
    }

    private static string With(string[] change)
    {
        var config = JsonNode.Parse(Llama1B)!.AsObject();
        config[change[0]] = change[1] is "" ? null : char.IsAsciiLetter(change[1][0]) && change[1] != "true" ? change[1] : JsonNode.Parse(change[1]);
        return config.ToJsonString();
    }
}
