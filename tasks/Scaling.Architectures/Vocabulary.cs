// The study's words: one name, unit and meaning for each quantity, in tables, YAML and JSON alike.
namespace Scaling.Architectures;

/// <summary>A word of the study.</summary>
/// <param name="Name">Snake case; a column's name.</param>
/// <param name="Unit"><c>1</c> for a pure number.</param>
/// <param name="Meaning">One sentence.</param>
public sealed record Term(string Name, string Unit, string Meaning);

/// <summary>The columns that tables share. <c>tasks/TABLES.md</c> lists the tables.</summary>
public static class Vocabulary
{
    public static readonly Term Shape = new("shape", "text", "content id of the eight columns that follow");
    public static readonly Term Layers = new("layers", "layers", "decoder blocks");
    public static readonly Term Hidden = new("hidden", "features", "width of the residual stream");
    public static readonly Term Intermediate = new("intermediate", "features", "width of the SwiGLU MLP");
    public static readonly Term Heads = new("heads", "heads", "query heads");
    public static readonly Term KvHeads = new("kv_heads", "heads", "key/value heads");
    public static readonly Term HeadSize = new("head_size", "features", "features a head");
    public static readonly Term VocabularySize = new("vocabulary", "tokens", "different tokens");
    public static readonly Term Tied = new("tied", "truth", "input and output embeddings are one matrix");
    public static readonly Term Parameters = new("parameters", "parameters", "non-embedding parameters N, norms ignored");
    public static readonly Term ParametersTotal = new("parameters_total", "parameters", "all parameters, embeddings and norms included");
    public static readonly Term X = new("x", "1", "hidden size over the square root of the non-embedding parameters");
    public static readonly Term Ratio = new("ratio", "1", "MLP parameters over attention parameters");
    public static readonly Term Gqa = new("gqa", "1", "query heads a key/value head");
    public static readonly Term Seed = new("seed", "1", "row seed: initialisation");
    public static readonly Term LearningRateFactor = new("learning_rate_factor", "1", "factor on the learning rate; other than 1 the run checks the learning-rate rule and is not fitted");
    public static readonly Term TokensShare = new("tokens_share", "1", "share of the asked tokens that the row is trained on, with a schedule of its own: 1, or less of a short run");
    public static readonly Term Baseline = new("baseline", "truth", "a shape that the others are held against");
    public static readonly Term BaselineLoss = new("baseline_loss", "nats a token", "the baseline's loss as its user knows it; empty where unknown");
    public static readonly Term Tokens = new("tokens", "tokens", "tokens trained on");
    public static readonly Term Loss = new("loss", "nats a token", "mean cross-entropy on the held-out slice");

    /// <summary>What identifies a shape: all that a stage must read to build it.</summary>
    public static readonly IReadOnlyList<Term> ShapeIdentity =
        [Shape, Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, VocabularySize, Tied];

    /// <summary>A shape with what follows from it, in the order of <see cref="DecoderShape.Cells"/>.</summary>
    public static readonly IReadOnlyList<Term> ShapeTerms = [.. ShapeIdentity, Parameters, ParametersTotal, X, Ratio, Gqa];
}
