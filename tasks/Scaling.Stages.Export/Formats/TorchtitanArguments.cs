// The fields of torchtitan's TransformerModelArgs (Llama 3, release 0.2.2) as JSON.
using System.Text;
using System.Text.Json;
using Scaling.Architectures;

namespace Scaling.Stages.Export;

/// <summary>
/// The head size is <c>dim / n_heads</c> there and embeddings are never tied: the rules of the consumer <c>torchtitan</c> hold for what is written. Rotary positions are always
/// stretched by <c>rope_scaling_args</c>, 8 times by default; a factor of 1 leaves them as they are.
/// </summary>
internal static class TorchtitanArguments
{
    /// <summary>The default of <c>multiple_of</c>, beyond which it serves nothing here.</summary>
    private const int GreatestMultiple = 256;

    public static string Of(DecoderShape shape, ExportSettings settings)
    {
        var (multipleOf, multiplier) = WidthArguments(shape.Hidden, shape.Intermediate);
        using var stream = new MemoryStream();
        using (var json = new Utf8JsonWriter(stream, new JsonWriterOptions { Indented = true, NewLine = "\n" }))
        {
            json.WriteStartObject();
            json.WriteNumber("dim", shape.Hidden);
            json.WriteNumber("n_layers", shape.Layers);
            json.WriteNumber("n_heads", shape.Heads);
            json.WriteNumber("n_kv_heads", shape.KvHeads);
            json.WriteNumber("vocab_size", shape.Vocabulary);
            json.WriteNumber("multiple_of", multipleOf);
            if (multiplier is { } factor)
            {
                json.WriteNumber("ffn_dim_multiplier", factor);
            }
            else
            {
                json.WriteNull("ffn_dim_multiplier");
            }

            json.WriteNumber("norm_eps", settings.RmsNormEps);
            json.WriteNumber("rope_theta", settings.RopeTheta);
            json.WriteStartObject("rope_scaling_args");
            json.WriteNumber("scaling_factor", 1.0);
            json.WriteEndObject();
            json.WriteNumber("max_seq_len", settings.MaxPositionEmbeddings);
            if (settings.EosTokenId is { } end)
            {
                json.WriteNumber("eos_id", end);
            }

            json.WriteEndObject();
        }

        return Encoding.UTF8.GetString(stream.ToArray()) + "\n";
    }

    /// <summary>
    /// Arguments from which torchtitan derives f: <c>multiple_of · ⌈⌊multiplier · ⌊8d/3⌋⌋ / multiple_of⌉</c>. The multiple is the greatest power of two up to 256 that divides f, and the
    /// factor the shortest decimal that gives f, none where it does without.
    /// </summary>
    /// <remarks>Worked: d 4096 and f 14336 give 256 and 1.3, as its Llama 3 8B has it.</remarks>
    /// <param name="hidden">d.</param>
    /// <param name="intermediate">f.</param>
    public static (int MultipleOf, decimal? Multiplier) WidthArguments(int hidden, int intermediate)
    {
        int multipleOf = Math.Min(GreatestMultiple, intermediate & -intermediate);
        long unscaled = 8L * hidden / 3;
        if (RoundUp(unscaled, multipleOf) == intermediate)
        {
            return (multipleOf, null);
        }

        // The middle of the factors that give f: whole numbers above f − multiple and up to f round up to it.
        double middle = (intermediate - (multipleOf - 1) / 2.0 + 0.5) / unscaled;
        for (int digits = 1; ; digits++)
        {
            decimal factor = Math.Round((decimal)middle, digits);
            if (RoundUp((long)((double)factor * unscaled), multipleOf) == intermediate)
            {
                return (multipleOf, factor);
            }
        }
    }

    private static long RoundUp(long width, int multiple) => (width + multiple - 1) / multiple * multiple;
}
