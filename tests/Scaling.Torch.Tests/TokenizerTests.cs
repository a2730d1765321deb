// Tokenizers against what others compute: a naive learner and encoder, Microsoft.ML.Tokenizers, js-tiktoken and spm_encode.
using System.Diagnostics;
using System.Text;
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class TokenizerTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Bytes_are_those_of_UTF_8()
    {
        Assert.Equal([110, 195, 175, 10], TextTokenizer.Bytes.Encode("nï\n"));
        Assert.Equal((256, "bytes"), (TextTokenizer.Bytes.Vocabulary, TextTokenizer.Bytes.Id));
        Assert.Equal("nï\n", Decoded(TextTokenizer.Bytes, "nï\n"));
    }

    [Fact]
    public void Byte_pairs_are_learnt_by_frequency_and_equals_by_the_lowest_ranks()
    {
        // By hand: "aa" comes 4 times, overlaps counted; then "a" "b" and "aa" "a" twice each, and "a" has the lower rank.
        Assert.Equal(["aa", "ab", "aaab"], Learnt("aaabdaaabac\n", 259));
        Assert.Equal(["ab", "cd"], Learnt("cd ab cd ab".Replace(" ", "\n") + "\n", 258));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void The_fast_learner_makes_the_tokens_of_the_naive_one(int seed)
    {
        // Few letters make runs and overlaps, where counting is delicate, and tokens that two pairs can make.
        var random = new Random(seed);
        string text = string.Concat(Enumerable.Range(0, 400).Select(_ => new string([.. Enumerable.Range(0, random.Next(1, 12)).Select(_ => "aabc"[random.Next(4)])]) + (random.Next(5) == 0 ? "\n" : " ")));

        Assert.Equal(NaivelyLearnt(text, 330), Learnt(text, 330));
    }

    [Theory]
    [InlineData(PiecePattern.Cl100k)]
    [InlineData(PiecePattern.Gpt2)]
    [InlineData(PiecePattern.O200k)]
    public void What_was_learnt_is_read_back_and_encodes_as_the_merging_by_ranks_that_tiktoken_documents(PiecePattern pattern)
    {
        string text = Words(4000, seed: 1);
        TextTokenizer.LearnRanks(_folder.Write("a.txt", text), pattern, 700, _folder["a.tiktoken"], _ => { });
        var ranks = File.ReadAllLines(_folder["a.tiktoken"]).Select(l => l.Split(' ')).ToDictionary(l => Encoding.Latin1.GetString(Convert.FromBase64String(l[0])), l => int.Parse(l[1]));
        var tokenizer = TextTokenizer.OfRanks(_folder["a.tiktoken"], pattern, "bpe");

        Assert.Equal(700, tokenizer.Vocabulary);
        Assert.Equal(700, ranks.Count);
        Assert.StartsWith("bpe-700-", tokenizer.Id);
        foreach (string line in text.Split('\n').Concat(Words(200, seed: 2).Split('\n')).Append("naïve 日本 🙂 don't 12345 \t x\r\n"))
        {
            var expected = pattern.Regex().Matches(line).SelectMany(m => Merged(Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(m.Value)), ranks));
            Assert.Equal(expected, tokenizer.Encode(line));
            Assert.Equal(line, Decoded(tokenizer, line));
        }
    }

    [Fact]
    public void Patterns_cut_text_as_js_tiktoken_does()
    {
        // js-tiktoken 1.0.21 with its patterns of cl100k_base, gpt2 and o200k_base.
        const string Text = "It's HTTPServer 12345x  =  we'LL\n";

        Assert.Equal(["It", "'s", " HTTPServer", " ", "123", "45", "x", " ", " =", " ", " we", "'LL", "\n"], Pieces(PiecePattern.Cl100k));
        Assert.Equal(["It", "'s", " HTTPServer", " 12345", "x", " ", " =", " ", " we", "'", "LL", "\n"], Pieces(PiecePattern.Gpt2));
        Assert.Equal(["It's", " HTTPServer", " ", "123", "45", "x", " ", " =", " ", " we'LL", "\n"], Pieces(PiecePattern.O200k));

        static string[] Pieces(PiecePattern pattern) => [.. pattern.Regex().Matches(Text).Select(m => m.Value)];
    }

    [Fact]
    public void The_same_text_gives_the_same_file_and_the_pattern_belongs_to_the_id()
    {
        string text = _folder.Write("a.txt", Words(3000, seed: 1));
        TextTokenizer.LearnRanks(text, PiecePattern.Cl100k, 600, _folder["1.tiktoken"], _ => { });
        TextTokenizer.LearnRanks(text, PiecePattern.Cl100k, 600, _folder["2.tiktoken"], _ => { });

        Assert.Equal(File.ReadAllBytes(_folder["1.tiktoken"]), File.ReadAllBytes(_folder["2.tiktoken"]));
        Assert.NotEqual(TextTokenizer.OfRanks(_folder["1.tiktoken"], PiecePattern.Gpt2).Id, TextTokenizer.OfRanks(_folder["1.tiktoken"], PiecePattern.Cl100k).Id);
    }

    [Fact]
    public void Ten_megabytes_and_four_thousand_tokens_take_seconds()
    {
        string text = _folder.Write("a.txt", Words(1_500_000, seed: 1));
        var elapsed = Stopwatch.StartNew();

        TextTokenizer.LearnRanks(text, PiecePattern.Cl100k, 4096, _folder["a.tiktoken"], _ => { });

        Assert.True(new FileInfo(text).Length > 9_000_000);
        Assert.True(elapsed.Elapsed < TimeSpan.FromSeconds(30), $"it took {elapsed.Elapsed}; 2 s on an idle machine");
    }

    [Fact]
    public void Text_that_repeats_too_little_for_the_vocabulary_is_refused()
    {
        var refused = Assert.Throws<UnusableInputException>(() => Learnt("ab ab\n", 300));

        Assert.Equal("SCAL8311", refused.Code);
        Assert.Contains("for 257 tokens; expected 300", refused.Message);
    }

    [Theory]
    // spm_encode 0.1.97 on models that its spm_train made of this repository's documents.
    [InlineData("unigram", "The loss of a shape is 2.31 nats a token.", new[] { 159, 10, 120, 19, 12, 113, 40, 127, 9, 76, 42, 219, 12, 3, 155, 9 })]
    [InlineData("bpe", "The loss of a shape is 2.31 nats a token.", new[] { 516, 444, 281, 262, 432, 316, 410, 547, 580, 556, 280, 503, 262, 288, 314, 547 })]
    [InlineData("bpe", "naïve 日本 x", new[] { 280, 530, 198, 178, 355, 527, 233, 154, 168, 233, 159, 175, 467 })]
    public void SentencePiece_models_encode_as_spm_encode_does(string model, string text, int[] expected)
    {
        var tokenizer = TextTokenizer.OfSentencePiece(Model(model));

        Assert.Equal(expected, tokenizer.Encode(text));
        Assert.Equal(" " + text, Decoded(tokenizer, text));
        Assert.Equal(model == "bpe" ? 600 : 400, tokenizer.Vocabulary);
        Assert.Matches("^sentencepiece-[46]00-[0-9a-f]{8}$", tokenizer.Id);
    }

    [Fact]
    public void A_file_that_is_no_tokenizer_is_refused_with_its_place()
    {
        string good = string.Concat(Enumerable.Range(0, 256).Select(b => $"{Convert.ToBase64String([(byte)b])} {b}\n"));
        Assert.Equal(256, Ranks(good).Vocabulary);
        Assert.Equal(300, Ranks(good + "YWI= 299\n").Vocabulary);
        Refused(() => Ranks("{ \"model\": 1 }"), "(1): expected a token in base64");
        Refused(() => Ranks(good + "YWI= x\n"), "(257): expected");
        Refused(() => Ranks(good + "YWI 256\n"), "(257): expected");
        Refused(() => Ranks(good + "YWI= 3\n"), "(257): the rank 3 stands there a second time");
        Refused(() => Ranks(good + "AA== 256\n"), "(257): the token of rank 0 stands there a second time");
        Refused(() => Ranks(""), "found 0");
        Refused(() => Ranks(good[..^9]), "found 255");
        Refused(() => TextTokenizer.OfSentencePiece(_folder.Write("a.model", good)), "no SentencePiece model");
        Refused(() => TextTokenizer.OfSentencePiece(_folder.Write("a.model", "")), "no SentencePiece model");
        File.WriteAllBytes(_folder["cut.model"], File.ReadAllBytes(Model("bpe"))[..4000]);
        Refused(() => TextTokenizer.OfSentencePiece(_folder["cut.model"]), "no SentencePiece model");

        TextTokenizer Ranks(string content) => TextTokenizer.OfRanks(_folder.Write("a.tiktoken", content), PiecePattern.Cl100k);

        static void Refused(Func<TextTokenizer> read, string message)
        {
            var refused = Assert.Throws<UnusableInputException>(read);
            Assert.Equal("SCAL8302", refused.Code);
            Assert.Contains(message, refused.Message);
            Assert.NotNull(refused.Hint);
        }
    }

    private static string Model(string name) => Path.Combine(AppContext.BaseDirectory, "SentencePiece", name + ".model");

    private static string Decoded(TextTokenizer tokenizer, string text) => Encoding.UTF8.GetString([.. tokenizer.Encode(text).SelectMany(t => tokenizer.BytesOf(t).ToArray())]);

    private static string[] Learnt(string text, int vocabulary) =>
        [.. BytePairTraining.Learn(text.Split('\n').Select(l => l + "\n"), PiecePattern.Cl100k, vocabulary, _ => { }).Skip(256).Select(Encoding.Latin1.GetString)];

    /// <summary>Words of syllables, short ones more often, with some punctuation.</summary>
    private static string Words(int count, int seed)
    {
        var random = new Random(seed);
        string[] words = [.. Enumerable.Range(0, 20_000).Select(_ => string.Concat(Enumerable.Range(0, random.Next(1, 5)).Select(_ => $"{"bcdfghklmnprst"[random.Next(14)]}{"aeiouäé"[random.Next(7)]}")))];
        var text = new StringBuilder();
        for (int i = 0; i < count; i++)
        {
            text.Append(words[(int)(words.Length * Math.Pow(random.NextDouble(), 4))]).Append(random.Next(10) switch { 0 => ".\n", 1 => ", ", 2 => $" {random.Next(100)} ", _ => " " });
        }

        return text.ToString();
    }

    /// <summary>Every step encodes the whole text anew and counts all neighbours.</summary>
    private static string[] NaivelyLearnt(string text, int vocabulary)
    {
        string[] pieces = [.. text.Split('\n').SelectMany(l => PiecePattern.Cl100k.Regex().Matches(l + "\n").Select(m => m.Value))];
        var ranks = Enumerable.Range(0, 256).ToDictionary(b => $"{(char)b}", b => b);
        while (ranks.Count < vocabulary)
        {
            string[] tokens = [.. ranks.OrderBy(r => r.Value).Select(r => r.Key)];
            var best = pieces.Select(p => Merged(p, ranks)).SelectMany(p => p.Zip(p.Skip(1))).GroupBy(p => p)
                .OrderByDescending(g => g.Count()).ThenBy(g => g.Key.First).ThenBy(g => g.Key.Second).First().Key;
            ranks.Add(tokens[best.First] + tokens[best.Second], ranks.Count);
        }

        return [.. ranks.OrderBy(r => r.Value).Select(r => r.Key).Skip(256)];
    }

    /// <summary>The rule of tiktoken: of all neighbours that together are a token, merge those of the lowest rank, the first of equal ones, until there are none.</summary>
    private static List<int> Merged(string piece, Dictionary<string, int> ranks)
    {
        List<string> parts = [.. piece.Select(c => $"{c}")];
        while (true)
        {
            int[] mergeable = [.. Enumerable.Range(0, parts.Count - 1).Where(i => ranks.ContainsKey(parts[i] + parts[i + 1]))];
            if (mergeable.Length == 0)
            {
                return [.. parts.Select(p => ranks[p])];
            }

            int at = mergeable.MinBy(i => ranks[parts[i] + parts[i + 1]]);
            parts[at] += parts[at + 1];
            parts.RemoveAt(at + 1);
        }
    }
}
