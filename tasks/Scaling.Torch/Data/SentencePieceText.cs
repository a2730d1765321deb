// SentencePiece models, encoded by Microsoft.ML.Tokenizers.
using System.Globalization;
using System.Text;
using Google.Protobuf;
using Microsoft.ML.Tokenizers;

namespace Scaling.Torch;

/// <summary>
/// A model trained by https://github.com/google/sentencepiece. The space before a word is a part of it. A model with byte fallback encodes any text; with any other each unknown character
/// is one unknown token, where spm_encode makes one of several in a row.
/// </summary>
internal sealed class SentencePieceText : TextTokenizer
{
    private const char Space = '▁';
    private readonly SentencePieceTokenizer _encoder;
    private readonly byte[]?[] _tokens;

    public SentencePieceText(string path)
    {
        byte[] file = File.ReadAllBytes(path);
        try
        {
            _encoder = SentencePieceTokenizer.Create(new MemoryStream(file), addBeginningOfSentence: false, addEndOfSentence: false);
        }
        // An empty file is a null reference there.
        catch (Exception e) when (e is InvalidProtocolBufferException or NullReferenceException or ArgumentException or InvalidOperationException or NotSupportedException)
        {
            throw new UnusableInputException("SCAL8302", $"{path} is no SentencePiece model that can be read: {e.Message}", "Name a .model file that spm_train wrote, of the type unigram or bpe.");
        }

        _tokens = new byte[]?[_encoder.Vocabulary.Values.Max() + 1];
        foreach (var (piece, token) in _encoder.Vocabulary)
        {
            _tokens[token] = BytesOf(piece);
        }

        Id = IdOf("sentencepiece", Vocabulary, file);
    }

    public override int Vocabulary => _tokens.Length;

    public override string Id { get; }

    public override IReadOnlyList<int> Encode(string text) => _encoder.EncodeToIds(text);

    public override ReadOnlyMemory<byte> BytesOf(int token) => (uint)token < _tokens.Length ? _tokens[token] : default;

    /// <summary><c>&lt;0x0A&gt;</c> is a byte, other pieces in angle brackets are marks.</summary>
    private static byte[] BytesOf(string piece) => piece switch
    {
        ['<', '0', 'x', _, _, '>'] => [byte.Parse(piece.AsSpan(3, 2), NumberStyles.HexNumber, CultureInfo.InvariantCulture)],
        ['<', .., '>'] => [],
        _ => Encoding.UTF8.GetBytes(piece.Replace(Space, ' ')),
    };
}
