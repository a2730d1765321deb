// Byte pairs by rank, encoded by Microsoft.ML.Tokenizers.
using System.Text;
using Microsoft.ML.Tokenizers;

namespace Scaling.Torch;

/// <summary>A piece that is a token stays one; in any other the pair whose bytes have the lowest rank is merged, the first of equal ones, until none has a rank.</summary>
internal sealed class RankTokenizer : TextTokenizer
{
    private readonly byte[]?[] _tokens;
    private readonly TiktokenTokenizer _encoder;

    public RankTokenizer(string path, PiecePattern pattern, string kind)
    {
        _tokens = RankFile.Read(path);
        byte[] file = File.ReadAllBytes(path);
        _encoder = TiktokenTokenizer.Create(new MemoryStream(file), new RegexPreTokenizer(pattern.Regex(), null), normalizer: null);
        Id = IdOf(kind, Vocabulary, [.. Encoding.ASCII.GetBytes(pattern.ToString()), .. file]);
    }

    public override int Vocabulary => _tokens.Length;

    public override string Id { get; }

    public override IReadOnlyList<int> Encode(string text) => _encoder.EncodeToIds(text);

    public override ReadOnlyMemory<byte> BytesOf(int token) => (uint)token < _tokens.Length ? _tokens[token] : default;
}
