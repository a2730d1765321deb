// Text files to tokens to learn from and tokens to be judged on: no line in both.
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Torch;

/// <summary>Files of text.</summary>
/// <param name="Paths">In this order.</param>
/// <param name="Format">What they hold.</param>
public sealed record TextFiles(IReadOnlyList<string> Paths, CorpusFormat Format);

/// <summary>
/// Text in two parts. White space within a line collapses to one space, empty lines go, and of equal lines the first one stays: documentation repeats itself (half of the .NET
/// reference's bytes are repeated lines), and a line in both parts would be learnt by heart. Where nothing else is held out, every 20th block of 8192 bytes is, each
/// cut moved to the next character's beginning; the parts are the same for every tokenizer.
/// </summary>
public static class Corpus
{
    private const int Block = 8192;
    private const int HeldOutEvery = 20;

    /// <summary>Bytes, or tokens of shards, from which on something is held out.</summary>
    public const int Smallest = Block * (HeldOutEvery - 1) + 1;

    /// <summary>Whether a byte of the text, or a token of shards, is held out where nothing else is.</summary>
    /// <param name="at">Its place, from 0.</param>
    public static bool IsHeldOut(long at) => at / Block % HeldOutEvery == HeldOutEvery - 1;

    /// <summary>Writes the two parts as UTF-8.</summary>
    /// <param name="corpus">To learn.</param>
    /// <param name="judged">To be held out, none of whose lines is then learnt; null for blocks of <paramref name="corpus"/>.</param>
    /// <param name="training">Overwritten.</param>
    /// <param name="heldOut">Overwritten.</param>
    /// <param name="read">Told each file once it is read, and whether it held nothing.</param>
    /// <exception cref="UnusableInputException">SCAL8307: a file is not UTF-8.</exception>
    public static void Split(TextFiles corpus, TextFiles? judged, string training, string heldOut, Action<string, bool> read)
    {
        // 128 bits of a digest stand for a line: the lines of a large corpus need not stay in memory.
        var seen = new HashSet<UInt128>();
        using var trainingPart = File.Create(training);
        using var heldOutPart = File.Create(heldOut);
        long at = 0;
        foreach (byte[] line in judged is null ? [] : Unique(judged))
        {
            heldOutPart.Write(line);
        }

        foreach (byte[] line in Unique(corpus))
        {
            if (judged is not null)
            {
                trainingPart.Write(line);
                continue;
            }

            for (int start = 0, end; start < line.Length; at += end - start, start = end)
            {
                end = (int)Math.Min(line.Length, start + Block - at % Block);
                while (end < line.Length && (line[end] & 0xC0) == 0x80)
                {
                    end++;
                }

                (IsHeldOut(at) ? heldOutPart : trainingPart).Write(line, start, end - start);
            }
        }

        IEnumerable<byte[]> Unique(TextFiles files)
        {
            foreach (string path in files.Paths)
            {
                bool empty = true;
                foreach (string line in TextLines.Collapsed(path, files.Format))
                {
                    empty = false;
                    byte[] bytes = Encoding.UTF8.GetBytes(line + "\n");
                    if (seen.Add(BitConverter.ToUInt128(SHA256.HashData(bytes))))
                    {
                        yield return bytes;
                    }
                }

                read(path, empty);
            }
        }
    }

    /// <summary>Writes the tokens of a text, encoded line by line.</summary>
    /// <param name="text">A part, as <see cref="Split"/> leaves it.</param>
    /// <param name="tokenizer">How it becomes tokens.</param>
    /// <param name="shard">Takes them.</param>
    /// <param name="progress">Told the tokens written, now and then.</param>
    public static void Tokenize(string text, TextTokenizer tokenizer, TokenShardWriter shard, Action<long> progress)
    {
        long told = 0;
        foreach (string line in TextLines.Raw(text))
        {
            foreach (int token in tokenizer.Encode(line))
            {
                shard.Append(token);
            }

            if (shard.Count - told > 1 << 20)
            {
                progress(told = shard.Count);
            }
        }
    }

    /// <summary>Copies tokens of shards: the training and the held-out part, or all of them.</summary>
    /// <param name="tokens">As they stand in shards.</param>
    /// <param name="training">Takes what is not held out.</param>
    /// <param name="heldOut">Takes every 20th block of 8192 tokens; null for none.</param>
    /// <param name="progress">Told the tokens read, now and then.</param>
    /// <exception cref="UnusableInputException">SCAL8310: a token is larger than any vocabulary.</exception>
    public static void Copy(TokenSequence tokens, TokenShardWriter training, TokenShardWriter? heldOut, Action<long> progress)
    {
        long[] block = new long[Block];
        for (long at = 0; at < tokens.Length; at += Block)
        {
            var window = block.AsSpan(0, (int)Math.Min(Block, tokens.Length - at));
            tokens.CopyTo(at, window);
            var part = heldOut is not null && IsHeldOut(at) ? heldOut : training;
            foreach (long token in window)
            {
                part.Append(token < TokenShard.MostTokens ? token : throw new UnusableInputException(
                    "SCAL8310", $"The shards hold the token {token}, {at} to {at + Block} tokens from their beginning: expected tokens below {TokenShard.MostTokens}.",
                    "Their tokens are perhaps of another width than their magic says: write them again."));
            }

            if (at % (128 * Block) == 0)
            {
                progress(at);
            }
        }
    }
}
