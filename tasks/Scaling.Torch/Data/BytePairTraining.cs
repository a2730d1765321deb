// Byte-pair encoding learnt from text: the most frequent pair of neighbours becomes a token, again and again.
using System.Runtime.InteropServices;
using System.Text;

namespace Scaling.Torch;

/// <summary>
/// Byte-level BPE (Sennrich, Haddow and Birch, arXiv 1508.07909; on bytes as GPT-2's). It starts from the 256 bytes; each step makes the pair of neighbouring tokens that is most
/// frequent within pieces one token, of equally frequent pairs the one of the lowest ranks. Counts of pairs are kept up to date where a step changed a piece, so a step costs what it changes.
/// "aaabdaaabac" gives "aa", then "ab", then "aaab".
/// <para>
/// The ranks alone tell the encoding, as .tiktoken files want it. Merging step by step from left to right is merging by lowest rank; whether bytes become one token depends on those bytes
/// alone as long as nothing is merged across their ends. So no two neighbours have the bytes of an older token, and no token is made twice.
/// </para>
/// </summary>
internal sealed class BytePairTraining
{
    private readonly List<byte[]> _tokens = [.. Enumerable.Range(0, 256).Select(b => new[] { (byte)b })];
    private readonly List<Piece> _pieces = [];
    private readonly Dictionary<long, Pair> _pairs = [];
    private readonly HashSet<long> _raised = [];
    private readonly PriorityQueue<long, (long Count, long Key)> _queue = new();

    private BytePairTraining(Dictionary<string, long> pieces)
    {
        foreach (var (text, count) in pieces)
        {
            var piece = new Piece([.. Encoding.UTF8.GetBytes(text)], count);
            for (int i = 0; i + 1 < piece.Length; i++)
            {
                Count(piece, i, _pieces.Count);
            }

            _pieces.Add(piece);
        }

        Enqueue();
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

        return training._tokens;
    }

    /// <summary>Makes one token; false where no pair comes twice.</summary>
    private bool Step()
    {
        while (_queue.TryDequeue(out long key, out var told))
        {
            long count = _pairs[key].Count;
            if (count > 1 && count == -told.Count)
            {
                Merge(key);
                return true;
            }

            if (count > 1 && count < -told.Count)
            {
                _queue.Enqueue(key, (-count, key)); // The pair came more often when it was told.
            }
        }

        return false;
    }

    private void Merge(long key)
    {
        var (left, right) = ((int)(key >> 32), (int)key);
        int token = _tokens.Count;
        _tokens.Add([.. _tokens[left], .. _tokens[right]]);
        foreach (int holder in _pairs[key].Holders)
        {
            var piece = _pieces[holder];
            for (int i = 0; i + 1 < piece.Length; i++)
            {
                if (piece.Tokens[i] == left && piece.Tokens[i + 1] == right)
                {
                    MergeAt(piece, i, token, holder);
                }
            }
        }

        _pairs[key].Holders.Clear();
        Enqueue();
    }

    /// <summary>Puts a token for two.</summary>
    private void MergeAt(Piece piece, int at, int token, int holder)
    {
        for (int i = Math.Max(0, at - 1); i < Math.Min(at + 2, piece.Length - 1); i++)
        {
            _pairs[Key(piece, i)].Count -= piece.Count;
        }

        piece.Tokens[at] = token;
        piece.Tokens.AsSpan(at + 2, piece.Length - at - 2).CopyTo(piece.Tokens.AsSpan(at + 1));
        piece.Length--;
        for (int i = Math.Max(0, at - 1); i < Math.Min(at + 1, piece.Length - 1); i++)
        {
            Count(piece, i, holder);
        }
    }

    private void Count(Piece piece, int at, int holder)
    {
        long key = Key(piece, at);
        ref var pair = ref CollectionsMarshal.GetValueRefOrAddDefault(_pairs, key, out _);
        pair ??= new Pair();
        pair.Count += piece.Count;
        pair.Holders.Add(holder);
        _raised.Add(key);
    }

    private void Enqueue()
    {
        foreach (long key in _raised)
        {
            _queue.Enqueue(key, (-_pairs[key].Count, key));
        }

        _raised.Clear();
    }

    private static long Key(Piece piece, int at) => ((long)piece.Tokens[at] << 32) | (uint)piece.Tokens[at + 1];

    /// <summary>Two neighbours: how often they come, and the pieces that hold them or once did.</summary>
    private sealed class Pair
    {
        public long Count;
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
