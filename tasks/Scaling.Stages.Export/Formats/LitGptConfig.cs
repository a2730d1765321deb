// model_config.yaml of LitGPT (0.5.13): the fields of its Config that make a LLaMA-like decoder, in alphabetical order as it writes them.
using System.Globalization;
using System.Text;
using Scaling.Architectures;

namespace Scaling.Stages.Export;

/// <summary>Fields that are absent keep their defaults, which are those of such a decoder. Tied embeddings are an argument of its training and stand in a comment.</summary>
internal static class LitGptConfig
{
    public static string Of(DecoderShape shape, ExportSettings settings)
    {
        var text = new StringBuilder();
        void Field(string name, string value) => text.Append(name).Append(": ").Append(value).Append('\n');
        void Count(string name, long value) => Field(name, value.ToString(CultureInfo.InvariantCulture));

        if (shape.Tied)
        {
            text.Append("# Embeddings are tied: litgpt pretrain --train.tie_embeddings true\n");
        }

        Field("bias", "false");
        Count("block_size", settings.MaxPositionEmbeddings);
        Count("head_size", shape.HeadSize);
        Count("intermediate_size", shape.Intermediate);
        Field("mlp_class_name", "LLaMAMLP");
        Count("n_embd", shape.Hidden);
        Count("n_head", shape.Heads);
        Count("n_layer", shape.Layers);
        Count("n_query_groups", shape.KvHeads);

        // With letters before it, or an id such as 12345678 or 1e234567 would be a number.
        Field("name", $"shape-{shape.Id}");
        Field("norm_class_name", "RMSNorm");
        Field("norm_eps", Real(settings.RmsNormEps));
        Count("padded_vocab_size", shape.Vocabulary);
        Field("parallel_residual", "false");
        Count("rope_base", (long)settings.RopeTheta);
        Field("rotary_percentage", "1.0");
        Count("vocab_size", shape.Vocabulary);
        return text.ToString();
    }

    /// <summary>A number that YAML 1.1 reads as one: 1.0e-05, for PyYAML takes 1e-05 for text.</summary>
    private static string Real(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture).ToLowerInvariant();
        int exponent = text.IndexOf('e', StringComparison.Ordinal);
        string mantissa = exponent < 0 ? text : text[..exponent];
        return (mantissa.Contains('.', StringComparison.Ordinal) ? mantissa : mantissa + ".0") + (exponent < 0 ? "" : text[exponent..]);
    }
}
