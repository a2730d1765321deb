// The shape of a LLaMA-like decoder and what follows from it in closed form.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Architectures;

/// <summary>A LLaMA-like decoder: RMSNorm, rotary positions, SwiGLU, grouped-query attention. The query projection may be wider or narrower than <paramref name="Hidden"/>.</summary>
/// <param name="Layers">L, decoder blocks.</param>
/// <param name="Hidden">d, width of the residual stream, features.</param>
/// <param name="Intermediate">f, width of the SwiGLU MLP, features.</param>
/// <param name="Heads">n, query heads.</param>
/// <param name="KvHeads">k, key/value heads; divides <paramref name="Heads"/>.</param>
/// <param name="HeadSize">h, features a head, even.</param>
/// <param name="Vocabulary">V, tokens.</param>
/// <param name="Tied">Input and output embeddings are one matrix.</param>
public sealed record DecoderShape(int Layers, int Hidden, int Intermediate, int Heads, int KvHeads, int HeadSize, int Vocabulary, bool Tied)
{
    /// <summary>d_q = n·h, features.</summary>
    public long QueryWidth => (long)Heads * HeadSize;

    /// <summary>k·h, features.</summary>
    public long KvWidth => (long)KvHeads * HeadSize;

    /// <summary>P_attn = 2·d·(n + k)·h, parameters of q, k, v and o in one layer.</summary>
    public long AttentionParametersPerLayer => 2L * Hidden * (QueryWidth + KvWidth);

    /// <summary>P_mlp = 3·d·f, parameters of gate, up and down in one layer.</summary>
    public long MlpParametersPerLayer => 3L * Hidden * Intermediate;

    /// <summary>N, non-embedding parameters, norms ignored.</summary>
    public long Parameters => Layers * (AttentionParametersPerLayer + MlpParametersPerLayer);

    /// <summary>Everything the built network holds: N, two norms a layer, the final norm, and one or two embeddings.</summary>
    public long ParametersTotal => Parameters + (2L * Layers + 1) * Hidden + (Tied ? 1 : 2) * (long)Vocabulary * Hidden;

    /// <summary>d/√N.</summary>
    public double X => Hidden / Math.Sqrt(Parameters);

    /// <summary>r = P_mlp / P_attn.</summary>
    public double Ratio => (double)MlpParametersPerLayer / AttentionParametersPerLayer;

    /// <summary>n/k, query heads that share a key/value head.</summary>
    public double Gqa => (double)Heads / KvHeads;

    /// <summary>Elements of keys and values that a token leaves in the cache: 2·L·k·h.</summary>
    public long KvElementsPerToken => 2 * Layers * KvWidth;

    /// <summary>Short content id: the first 8 hex digits of SHA-256 over the eight values joined by commas.</summary>
    public string Id => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(
        string.Join(',', Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, Vocabulary, Tied ? "true" : "false"))))[..8];

    /// <summary>Why no network can be built of these numbers, in words; null where one can.</summary>
    public string? Flaw =>
        new[] { Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, Vocabulary }.Min() < 1 ? "every count must be at least 1"
        : Heads % KvHeads != 0 ? $"{Heads} query heads cannot share {KvHeads} key/value heads evenly"
        : HeadSize % 2 != 0 ? $"a head size of {HeadSize} is odd, and rotary positions turn features in pairs"
        : null;

    /// <summary>Reads the shape's columns from a row. The numbers may be a user's: see <see cref="Flaw"/>.</summary>
    /// <param name="count">Gives the whole number in a column of <see cref="Architectures.Vocabulary"/>.</param>
    /// <param name="truth">Gives the truth value in a column.</param>
    public static DecoderShape FromCells(Func<string, int> count, Func<string, bool> truth) => new(
        count(Architectures.Vocabulary.Layers.Name), count(Architectures.Vocabulary.Hidden.Name), count(Architectures.Vocabulary.Intermediate.Name),
        count(Architectures.Vocabulary.Heads.Name), count(Architectures.Vocabulary.KvHeads.Name), count(Architectures.Vocabulary.HeadSize.Name),
        count(Architectures.Vocabulary.VocabularySize.Name), truth(Architectures.Vocabulary.Tied.Name));

    /// <summary>The values of <see cref="Architectures.Vocabulary.ShapeTerms"/>, in that order.</summary>
    public object[] Cells() =>
        [Id, Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, Vocabulary, Tied, Parameters, ParametersTotal, X, Ratio, Gqa];
}
