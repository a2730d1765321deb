// A tokenizer in Hugging Face's format whose words are the tokens' numbers: benchmarks that make their prompts of text get exactly as many tokens as asked.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.Stages.Measure;

/// <summary><c>tokenizer.json</c> as https://github.com/huggingface/tokenizers reads it, a word a token: text that is decoded and encoded again is the same tokens.</summary>
internal static class WordTokenizer
{
    /// <summary>Writes <c>tokenizer.json</c> and <c>tokenizer_config.json</c>.</summary>
    /// <param name="folder">Beside the model's <c>config.json</c>.</param>
    /// <param name="vocabulary">V, tokens.</param>
    /// <param name="context">The longest text, tokens.</param>
    public static void Write(string folder, int vocabulary, int context)
    {
        using (var stream = File.Create(Path.Combine(folder, "tokenizer.json")))
        using (var json = new Utf8JsonWriter(stream))
        {
            json.WriteStartObject();
            json.WriteString("version", "1.0");
            json.WriteNull("truncation");
            json.WriteNull("padding");
            json.WriteStartArray("added_tokens");
            json.WriteEndArray();
            json.WriteNull("normalizer");
            json.WriteStartObject("pre_tokenizer");
            json.WriteString("type", "WhitespaceSplit");
            json.WriteEndObject();
            json.WriteNull("post_processor");
            json.WriteNull("decoder");
            json.WriteStartObject("model");
            json.WriteString("type", "WordLevel");
            json.WriteStartObject("vocab");
            for (int token = 0; token < vocabulary; token++)
            {
                json.WriteNumber($"t{token}", token);
            }

            json.WriteEndObject();
            json.WriteString("unk_token", "t0");
            json.WriteEndObject();
            json.WriteEndObject();
        }

        var settings = new JsonObject { ["tokenizer_class"] = "PreTrainedTokenizerFast", ["model_max_length"] = context, ["unk_token"] = "t0", ["clean_up_tokenization_spaces"] = false };
        File.WriteAllText(Path.Combine(folder, "tokenizer_config.json"), settings.ToJsonString() + "\n", new UTF8Encoding(false));
    }
}
