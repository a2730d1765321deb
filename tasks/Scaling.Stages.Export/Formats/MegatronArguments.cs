// Flags of Megatron-LM's pretrain_gpt.py for a LLaMA-like decoder (names as of commit d98e8a64, August 2026).
using System.Globalization;
using System.Text;
using Scaling.Architectures;

namespace Scaling.Stages.Export;

/// <summary>A flag a line, with its value after a space: <c>pretrain_gpt.py $(cat megatron.args) …</c>. What is no part of the model (data, schedule, precision) is not among them.</summary>
internal static class MegatronArguments
{
    public static string Of(DecoderShape shape, ExportSettings settings)
    {
        var text = new StringBuilder();
        void Flag(string name, IFormattable? value = null) =>
            text.Append("--").Append(name).Append(value is null ? "" : " ").Append(value?.ToString(null, CultureInfo.InvariantCulture)).Append('\n');

        Flag("num-layers", shape.Layers);
        Flag("hidden-size", shape.Hidden);
        Flag("ffn-hidden-size", shape.Intermediate);
        Flag("num-attention-heads", shape.Heads);
        Flag("group-query-attention");
        Flag("num-query-groups", shape.KvHeads);
        Flag("kv-channels", shape.HeadSize);
        Flag("swiglu");
        text.Append("--normalization RMSNorm\n");
        Flag("norm-epsilon", settings.RmsNormEps);
        Flag("disable-bias-linear");
        text.Append("--position-embedding-type rope\n");
        Flag("rotary-base", (long)settings.RopeTheta);
        text.Append("--rotary-percent 1.0\n");
        Flag("max-position-embeddings", settings.MaxPositionEmbeddings);

        // Both are 0.1 by default.
        text.Append("--attention-dropout 0.0\n--hidden-dropout 0.0\n");
        Flag("init-method-std", settings.InitializerRange);
        Flag("vocab-size", shape.Vocabulary);

        // By default the embeddings are padded to multiples of 128 rows.
        Flag("make-vocab-size-divisible-by", 1);
        if (!shape.Tied)
        {
            Flag("untie-embeddings-and-output-weights");
        }

        return text.ToString();
    }
}
