// What follows from a shape's columns: N by either rule, x, the ratio, GQA, width over depth.
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>What a row tells of its shape; NaN where it does not.</summary>
internal readonly record struct RunShape(
    double Layers, double Hidden, double Intermediate, double Heads, double KvHeads, double HeadSize, double Vocabulary, double Tied, double Gqa)
{
    /// <summary>Widest n·h, so that no count of parameters overflows.</summary>
    private const double WidestQuery = 1e7;

    /// <summary>h: the row's, else d/n where that is whole.</summary>
    public double FeaturesAHead => !double.IsNaN(HeadSize) ? HeadSize : Hidden % Heads == 0 ? Hidden / Heads : double.NaN;

    /// <summary>n/k: the row's, else by its heads.</summary>
    public double Sharing => !double.IsNaN(Gqa) ? Gqa : Heads / KvHeads;

    /// <summary>r = 3f / (2·n·h·(1 + k/n)).</summary>
    public double Ratio => 3 * Intermediate / (2 * Heads * FeaturesAHead * (1 + 1 / Sharing));

    /// <summary>d/L.</summary>
    public double WidthOverDepth => Hidden / Layers;

    /// <summary>N without embeddings, by <see cref="DecoderShape.Parameters"/>.</summary>
    public double NonEmbedding =>
        KeyValueHeads is var k && double.IsNaN(Layers + Hidden + Intermediate + Heads + k + FeaturesAHead)
            ? double.NaN
            : new DecoderShape((int)Layers, (int)Hidden, (int)Intermediate, (int)Heads, (int)k, (int)FeaturesAHead, 1, true).Parameters;

    /// <summary>Parameters of embeddings and norms: those of a decoder whose blocks hold nothing else. Unknown layers count none.</summary>
    public double Overhead => double.IsNaN(Hidden + Vocabulary + Tied)
        ? double.NaN
        : new DecoderShape(double.IsNaN(Layers) ? 0 : (int)Layers, (int)Hidden, 0, 0, 0, 0, (int)Vocabulary, Tied == 1).ParametersTotal;

    /// <summary>What no decoder can have, in words; null where nothing is wrong.</summary>
    public string? Flaw =>
        KvHeads > Heads ? $"{KvHeads} key/value heads are more than {Heads} heads"
        : Heads * FeaturesAHead > WidestQuery ? $"{Heads} heads of {FeaturesAHead} features are wider than {WidestQuery:G3} features"
        : null;

    private double KeyValueHeads => !double.IsNaN(KvHeads) ? KvHeads : Heads % Gqa == 0 ? Heads / Gqa : double.NaN;
}
