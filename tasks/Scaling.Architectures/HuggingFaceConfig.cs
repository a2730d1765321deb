// config.json of a Hugging Face LlamaForCausalLM, as both transformers 4 and 5 read it.
using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Scaling.Architectures;

/// <summary>What a configuration says beyond the shape.</summary>
public sealed record HuggingFaceOptions
{
    /// <summary>The longest sequence that the model is to see, tokens.</summary>
    public required int MaxPositionEmbeddings { get; init; }

    /// <summary>Base of the rotary positions' wavelengths. Default: 10,000.</summary>
    public double RopeTheta { get; init; } = 10_000;

    /// <summary>What RMSNorm adds to the mean square. Default: 1e-5.</summary>
    public double RmsNormEps { get; init; } = 1e-5;

    /// <summary>Standard deviation of the initial weights. Default: 0.02.</summary>
    public double InitializerRange { get; init; } = 0.02;

    /// <summary>Token that begins a text; null: none.</summary>
    public int? BosTokenId { get; init; }

    /// <summary>Token that ends a text; null: none.</summary>
    public int? EosTokenId { get; init; }

    /// <summary><c>float32</c>, <c>bfloat16</c> or <c>float16</c>.</summary>
    public required string DataType { get; init; }
}

/// <summary>Version 4 reads <c>rope_theta</c> and <c>torch_dtype</c>, version 5 <c>rope_parameters</c> and <c>dtype</c>: all are written, and the head size always.</summary>
public static class HuggingFaceConfig
{
    /// <summary>The file's text, keys in alphabetical order as transformers itself writes them.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="options">What the shape does not say.</param>
    public static string Of(DecoderShape shape, HuggingFaceOptions options)
    {
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteStartArray("architectures");
            json.WriteStringValue("LlamaForCausalLM");
            json.WriteEndArray();
            json.WriteBoolean("attention_bias", false);
            Real(json, "attention_dropout", 0);
            Token(json, "bos_token_id", options.BosTokenId);
            json.WriteString("dtype", options.DataType);
            Token(json, "eos_token_id", options.EosTokenId);
            json.WriteNumber("head_dim", shape.HeadSize);
            json.WriteString("hidden_act", "silu");
            json.WriteNumber("hidden_size", shape.Hidden);
            Real(json, "initializer_range", options.InitializerRange);
            json.WriteNumber("intermediate_size", shape.Intermediate);
            json.WriteNumber("max_position_embeddings", options.MaxPositionEmbeddings);
            json.WriteBoolean("mlp_bias", false);
            json.WriteString("model_type", "llama");
            json.WriteNumber("num_attention_heads", shape.Heads);
            json.WriteNumber("num_hidden_layers", shape.Layers);
            json.WriteNumber("num_key_value_heads", shape.KvHeads);
            Real(json, "rms_norm_eps", options.RmsNormEps);
            json.WriteStartObject("rope_parameters");
            Real(json, "rope_theta", options.RopeTheta);
            json.WriteString("rope_type", "default");
            json.WriteEndObject();
            Real(json, "rope_theta", options.RopeTheta);
            json.WriteBoolean("tie_word_embeddings", shape.Tied);
            json.WriteString("torch_dtype", options.DataType);
            json.WriteBoolean("use_cache", true);
            json.WriteNumber("vocab_size", shape.Vocabulary);
            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>A floating-point number that Python reads as one: 10000.0, not 10000, which version 5 refuses as an integer.</summary>
    private static void Real(Utf8JsonWriter json, string name, double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        json.WritePropertyName(name);
        json.WriteRawValue(text.AsSpan().IndexOfAny(".e") < 0 ? text + ".0" : text);
    }

    private static void Token(Utf8JsonWriter json, string name, int? id)
    {
        if (id is { } number)
        {
            json.WriteNumber(name, number);
        }
        else
        {
            json.WriteNull(name);
        }
    }
}
