// Text to tokens: one abstraction over bytes, byte pairs and SentencePiece.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Torch;

/// <summary>How text becomes tokens. Encoding depends on nothing but the text; no marks of beginning or end are added.</summary>
public abstract class TextTokenizer
{
    /// <summary>A token is a byte of UTF-8.</summary>
    public static TextTokenizer Bytes { get; } = new ByteTokenizer();

    /// <summary>Different tokens: they are from 0 to below it.</summary>
    public abstract int Vocabulary { get; }

    /// <summary>Short and the same wherever the same text gives the same tokens: <c>bytes</c>, or kind, vocabulary and 8 hex digits of content, as <c>bpe-1024-3f9a1c07</c>.</summary>
    public abstract string Id { get; }

    /// <summary>The tokens of a text. SentencePiece may put a space before it, so a corpus is encoded line by line.</summary>
    /// <param name="text">Any.</param>
    public abstract IReadOnlyList<int> Encode(string text);

    /// <summary>The bytes of UTF-8 that a token stands for: none for marks and unknown tokens, possibly a part of a character.</summary>
    /// <param name="token">Any number.</param>
    public abstract ReadOnlyMemory<byte> BytesOf(int token);

    /// <summary>Byte pairs by rank.</summary>
    /// <param name="path">A .tiktoken file.</param>
    /// <param name="pattern">How text is cut into pieces before pairs are merged; the file does not say it.</param>
    /// <param name="kind">First word of the <see cref="Id"/>.</param>
    /// <exception cref="UnusableInputException">SCAL8302: the file is none.</exception>
    public static TextTokenizer OfRanks(string path, PiecePattern pattern, string kind = "tiktoken") => new RankTokenizer(path, pattern, kind);

    /// <summary>A SentencePiece model, unigram or BPE.</summary>
    /// <param name="path">A .model file.</param>
    /// <exception cref="UnusableInputException">SCAL8302: the file is none.</exception>
    public static TextTokenizer OfSentencePiece(string path) => new SentencePieceText(path);

    /// <summary>Learns byte pairs (arXiv 1508.07909) and writes them as a .tiktoken file, which <see cref="OfRanks"/> reads.</summary>
    /// <param name="text">A file of UTF-8.</param>
    /// <param name="pattern">How text is cut into pieces; pairs are of one piece.</param>
    /// <param name="vocabulary">Tokens, at least the 256 bytes.</param>
    /// <param name="path">Overwritten.</param>
    /// <param name="progress">Told the tokens made, now and then.</param>
    /// <exception cref="UnusableInputException">SCAL8311: the text has too few repeated pairs.</exception>
    public static void LearnRanks(string text, PiecePattern pattern, int vocabulary, string path, Action<int> progress) =>
        RankFile.Write(path, BytePairTraining.Learn(TextLines.Raw(text), pattern, vocabulary, progress));

    private protected static string IdOf(string kind, int vocabulary, ReadOnlySpan<byte> content) =>
        $"{kind}-{vocabulary}-{Convert.ToHexStringLower(SHA256.HashData(content))[..8]}";

    private sealed class ByteTokenizer : TextTokenizer
    {
        public override int Vocabulary => 256;

        public override string Id => "bytes";

        public override IReadOnlyList<int> Encode(string text) => [.. Encoding.UTF8.GetBytes(text)];

        public override ReadOnlyMemory<byte> BytesOf(int token) => token is >= 0 and < 256 ? new[] { (byte)token } : default;
    }
}
