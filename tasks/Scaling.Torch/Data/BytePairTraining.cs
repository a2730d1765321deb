// Byte-pair encoding learnt from text: the most frequent pair of neighbours becomes a token, again and again.
using System.Runtime.InteropServices;
using System.Text;

namespace Scaling.Torch;

/// <summary>
/// Byte-level BPE (Sennrich, Haddow and Birch, arXiv 1508.07909; on bytes as GPT-2's). It starts from the 256 bytes; each step makes the pair of neighbouring tokens that is most
/// frequent within pieces one token, of equally frequent pairs the one of the lowest ranks. Counts of pairs are kept up to date where a step changed a piece, so a step costs what it changes.
/// <para>
/// At every moment the pieces are cut as an encoder by ranks cuts them with the tokens so far: neighbours whose bytes together are a token are merged, also where that token first came of
/// another pair. So no token has the bytes of another, and the ranks alone, without the pairs, tell the encoding. "aaabdaaabac" gives "aa", then "ab", then "aaab".
/// </para>
/// </summary>
internal sealed class BytePairTraining
{
    // A token's bytes as characters from 0 to 255, so that the dictionary takes spans.
    private readonly List<string> _tokens = [.. Enumerable.Range(0, 256).Select(b => $"{(char)b}")];
    private readonly Dictionary<string, int> _ranks;
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly PriorityQueue<long, (long Count, long Key)> _queue = new();
    private readonly HashSet<long> _raised = [];
    private readonly List<Piece> _pieces = [];

    private BytePairTraining(Dictionary<string, long> pieces)
    {
        _ranks = _tokens.Index().ToDictionary(t => t.Item, t => t.Index, StringComparer.Ordinal);
        foreach (var (text, count) in pieces)
        {
            var piece = new Piece([.. Encoding.UTF8.GetBytes(text)], count);
            _pieces.Add(piece);
            for (int i = 0; i + 1 < piece.Length; i++)
            {
                Found(_pieces.Count - 1, i);
            }
        }

        Tell();
    }

    /// <summary>The tokens by rank, the 256 bytes first.</summary>
    /// <param name="lines">The text.</param>
    /// <param name="pattern">How lines are cut into pieces.</param>
    /// <param name="vocabulary">Tokens to make, at least 256.</param>
    /// <param name="progress">Told the tokens made, now and then.</param>
    /// <exception cref="UnusableInputException">SCAL8311: the text has too few repeated pairs.</exception>
    public static IReadOnlyList<byte[]> Learn(IEnumerable<string> lines, PiecePattern pattern, int vocabulary, Action<int> progress)
    {
        var pieces = new Dictionary<string, long>(StringComparer.Ordinal);
        var bySpan = pieces.GetAlternateLookup<ReadOnlySpan<char>>();
        var regex = pattern.Regex();
        foreach (string line in lines)
        {
            foreach (var match in regex.EnumerateMatches(line))
            {
                CollectionsMarshal.GetValueRefOrAddDefault(bySpan, line.AsSpan(match.Index, match.Length), out _)++;
            }
        }

        var training = new BytePairTraining(pieces);
        while (training._tokens.Count < vocabulary)
        {
            if (!training.Step())
            {
                throw new UnusableInputException(
                    "SCAL8311", $"tokenizer_vocabulary: the training part has repeated pairs for {training._tokens.Count} tokens; expected {vocabulary}.",
                    "Lower tokenizer_vocabulary, or name more text in corpus.");
            }

            if (training._tokens.Count % 64 == 0)
            {
                progress(training._tokens.Count);
            }
        }

        return [.. training._tokens.Select(Encoding.Latin1.GetBytes)];
    }

    /// <summary>Makes one token; false where no pair comes twice.</summary>
    private bool Step()
    {
        while (_queue.TryDequeue(out long key, out var priority))
        {
            long count = _pairs[key].Count;
            if (count > 1 && count == -priority.Count)
            {
                Make(_tokens[(int)(key >> 32)] + _tokens[(int)key]);
                return true;
            }

            if (count > 1 && count < -priority.Count)
            {
                _queue.Enqueue(key, (-count, key)); // It was told when the pair came more often.
            }
        }

        return false;
    }

    /// <summary>Adds a token and merges it everywhere, whichever two tokens it is made of.</summary>
    private void Make(string bytes)
    {
        int token = _tokens.Count;
        _tokens.Add(bytes);
        _ranks.Add(bytes, token);
        Pair[] pairs =
        [
            .. Enumerable.Range(1, bytes.Length - 1)
                .Select(cut => _ranks.TryGetValue(bytes[..cut], out int left) && _ranks.TryGetValue(bytes[cut..], out int right) ? _pairs.GetValueOrDefault(Key(left, right)) : null)
                .OfType<Pair>(),
        ];
        Array.ForEach(pairs, p => p.Rank = token);
        foreach (var pair in pairs)
        {
            int[] holders = [.. pair.Holders];
            pair.Holders.Clear();
            Array.ForEach(holders, h => Merge(h, token));
        }

        Tell();
    }

    private void Tell()
    {
        foreach (long key in _raised)
        {
            _queue.Enqueue(key, (-_pairs[key].Count, key));
        }

        _raised.Clear();
    }

    /// <summary>Merges neighbours that are the new token, from left to right; should that bring up neighbours that are an older one, then the lowest rank first.</summary>
    private void Merge(int holder, int token)
    {
        var piece = _pieces[holder];
        bool older = false;
        for (int i = 0; i + 1 < piece.Length && !older; i++)
        {
            if (Rank(piece, i) == token)
            {
                older = MergeAt(holder, i, token);
            }
        }

        while (older)
        {
            int best = -1;
            for (int i = 0; i + 1 < piece.Length; i++)
            {
                best = Rank(piece, i) >= 0 && (best < 0 || Rank(piece, i) < Rank(piece, best)) ? i : best;
            }

            if (best < 0)
            {
                return;
            }

            MergeAt(holder, best, Rank(piece, best));
        }
    }

    /// <summary>Puts a token for two; true where it is itself a token with a neighbour.</summary>
    private bool MergeAt(int holder, int at, int token)
    {
        var piece = _pieces[holder];
        for (int i = Math.Max(0, at - 1); i < Math.Min(at + 2, piece.Length - 1); i++)
        {
            _pairs[Key(piece.Tokens[i], piece.Tokens[i + 1])].Count -= piece.Count;
        }

        piece.Tokens[at] = token;
        piece.Tokens.AsSpan(at + 2, piece.Length - at - 2).CopyTo(piece.Tokens.AsSpan(at + 1));
        piece.Length--;
        bool merges = false;
        for (int i = Math.Max(0, at - 1); i < Math.Min(at + 1, piece.Length - 1); i++)
        {
            merges |= Found(holder, i).Rank >= 0;
        }

        return merges;
    }

    /// <summary>Counts two neighbours.</summary>
    private Pair Found(int holder, int at)
    {
        var piece = _pieces[holder];
        var (left, right) = (piece.Tokens[at], piece.Tokens[at + 1]);
        if (!_pairs.TryGetValue(Key(left, right), out var pair))
        {
            pair = new Pair { Rank = _ranks.GetValueOrDefault(_tokens[left] + _tokens[right], -1) };
            _pairs.Add(Key(left, right), pair);
        }

        pair.Count += piece.Count;
        pair.Holders.Add(holder);
        _raised.Add(Key(left, right));
        return pair;
    }

    private int Rank(Piece piece, int at) => _pairs[Key(piece.Tokens[at], piece.Tokens[at + 1])].Rank;

    private static long Key(int left, int right) => ((long)left << 32) | (uint)right;

    /// <summary>Neighbours.</summary>
    private sealed class Pair
    {
        public long Count;

        /// <summary>Of the token that both together are; -1 for none.</summary>
        public int Rank;

        /// <summary>Pieces that hold it or once did.</summary>
        public readonly List<int> Holders = [];
    }

    /// <summary>A piece of text as tokens, and how often it comes.</summary>
    private sealed class Piece(int[] tokens, long count)
    {
        public readonly int[] Tokens = tokens;
        public readonly long Count = count;
        public int Length = tokens.Length;
    }
}
