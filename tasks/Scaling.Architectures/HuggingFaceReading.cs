// The shape that a Hugging Face config.json describes, where it is a LLaMA-like decoder.
using System.Text.Json;

namespace Scaling.Architectures;

/// <summary>A shape, or why the file gives none.</summary>
/// <param name="Shape">Null where there are flaws.</param>
/// <param name="Flaws">What is wrong, each as a sentence without its stop; empty for a shape.</param>
public sealed record HuggingFaceReading(DecoderShape? Shape, IReadOnlyList<string> Flaws)
{
    /// <summary>Counts that must stand in the file.</summary>
    private static readonly string[] Required = ["hidden_size", "intermediate_size", "num_hidden_layers", "num_attention_heads", "vocab_size"];

    /// <summary>
    /// Reads a configuration of transformers 4 or 5. As there, <c>num_key_value_heads</c> is the number of heads, <c>head_dim</c> is <c>hidden_size</c> over heads and
    /// <c>tie_word_embeddings</c> false where they are absent or null. Every flaw is told, not only the first.
    /// </summary>
    /// <param name="text">The file's text.</param>
    public static HuggingFaceReading Of(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? Of(document.RootElement) : new(null, ["it is no JSON object"]);
        }
        catch (JsonException e)
        {
            return new(null, [$"it is no JSON: {e.Message.TrimEnd('.')}"]);
        }
    }

    private static HuggingFaceReading Of(JsonElement config)
    {
        var flaws = new List<string>();
        if (Text(config, "model_type") is not "llama" and var type)
        {
            flaws.Add($"its model_type is {(type is null ? "absent" : $"'{type}'")}, where 'llama' was expected");
        }

        if (Text(config, "hidden_act") is { } act and not ("silu" or "swish"))
        {
            flaws.Add($"its hidden_act is '{act}', where 'silu' was expected");
        }

        foreach (string bias in (string[])["attention_bias", "mlp_bias"])
        {
            if (Of(config, bias) is { ValueKind: JsonValueKind.True })
            {
                flaws.Add($"its {bias} is true, and these decoders have no biases");
            }
        }

        var counts = new Dictionary<string, int>();
        foreach (string key in (string[])[.. Required, "num_key_value_heads", "head_dim"])
        {
            var value = Of(config, key);
            if (value is null)
            {
                if (Required.Contains(key))
                {
                    flaws.Add($"it has no {key}");
                }
            }
            else if (value is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int count) && count >= 1)
            {
                counts[key] = count;
            }
            else
            {
                flaws.Add($"its {key} is {value}, where a whole number from 1 was expected");
            }
        }

        return flaws.Count > 0 ? new(null, flaws) : Of(config, counts);
    }

    private static HuggingFaceReading Of(JsonElement config, Dictionary<string, int> counts)
    {
        int heads = counts["num_attention_heads"], hidden = counts["hidden_size"];
        if (!counts.ContainsKey("head_dim") && hidden % heads != 0)
        {
            return new(null, [$"it has no head_dim, and its hidden_size {hidden} is no multiple of {heads} heads"]);
        }

        var shape = new DecoderShape(
            counts["num_hidden_layers"], hidden, counts["intermediate_size"], heads, counts.GetValueOrDefault("num_key_value_heads", heads),
            counts.GetValueOrDefault("head_dim", hidden / heads), counts["vocab_size"], Of(config, "tie_word_embeddings") is { ValueKind: JsonValueKind.True });
        return shape.Flaw is { } flaw ? new(null, [flaw]) : new(shape, []);
    }

    /// <summary>A value; null where it is absent or null.</summary>
    private static JsonElement? Of(JsonElement config, string key) =>
        config.TryGetProperty(key, out var value) && value.ValueKind != JsonValueKind.Null ? value : null;

    private static string? Text(JsonElement config, string key) => Of(config, key)?.ToString();
}
