// The corpus, the order of its windows, and token shards.
using System.Security.Cryptography;
using System.Text;
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class DataTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Documentation_loses_tags_entities_extra_spaces_and_repeated_lines()
    {
        string path = _folder.Write("a.xml", "\ufeff<doc>\r\n  <summary>Compares  <see\n cref=\"T:A\" /> &lt; 3 &amp; more.</summary>\n\n<b>Same.</b>\n<c>Same.</c>\n</doc>\n");
        string other = _folder.Write("b.xml", "<doc>Same.\nNew — ü.</doc>");

        var (training, heldOut) = Split(new TextFiles([path, other], CorpusFormat.XmlDocumentation));

        Assert.Equal("Compares < 3 & more.\nSame.\nNew — ü.\n", training);
        Assert.Empty(heldOut);
    }

    [Fact]
    public void No_line_stands_in_both_parts_and_every_twentieth_block_is_held_out()
    {
        string path = _folder.Write("a.txt", string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i % 50_000} is like {i % 50_000 * 7}\n")));

        var (training, heldOut) = Split(new TextFiles([path], CorpusFormat.Text));

        // A line that a block's end cuts in two has a piece in each part; whole lines are in one.
        HashSet<string> lines = [.. training.Split('\n')];
        Assert.Equal(heldOut.Length, (training.Length + heldOut.Length) / (20 * 8192) * 8192);
        Assert.Equal(File.ReadAllText(path)[..(19 * 8192)], training[..(19 * 8192)]);
        Assert.DoesNotContain(heldOut.Split('\n').Skip(1), l => l.Contains(" is like ") && l.Length > 24 && lines.Contains(l));
    }

    [Fact]
    public void A_character_is_never_cut_between_the_parts()
    {
        string path = _folder.Write("a.txt", string.Concat(Enumerable.Range(0, 60_000).Select(i => $"{i}日本\n")));

        var (training, heldOut) = Split(new TextFiles([path], CorpusFormat.Text));

        Assert.NotEmpty(heldOut);
        Assert.DoesNotContain('\ufffd', training + heldOut);
        Assert.Equal(new FileInfo(path).Length, Encoding.UTF8.GetByteCount(training) + Encoding.UTF8.GetByteCount(heldOut));
    }

    [Fact]
    public void What_is_held_out_by_name_is_not_learnt_and_nothing_else_is_held_out()
    {
        string corpus = _folder.Write("a.txt", "one\ntwo\n two \nthree"), judged = _folder.Write("b.txt", "two\nfour\nfour\n");

        Assert.Equal(("one\nthree\n", "two\nfour\n"), Split(new TextFiles([corpus], CorpusFormat.Text), new TextFiles([judged], CorpusFormat.Text)));
    }

    [Fact]
    public void Lines_longer_than_any_buffer_stay_whole()
    {
        string line = new string('x', 300_000) + "\u00fc";

        Assert.Equal([line + "\n", "y"], TextLines.Raw(_folder.Write("a.txt", line + "\ny")));
    }

    [Fact]
    public void Text_that_is_not_UTF_8_is_refused_with_its_line()
    {
        File.WriteAllBytes(_folder["a.txt"], [.. "fine\ncaf"u8, 0xE9, .. " au lait\n"u8]);

        var refused = Assert.Throws<UnusableInputException>(() => Split(new TextFiles([_folder["a.txt"]], CorpusFormat.Text)));

        Assert.Equal("SCAL8307", refused.Code);
        Assert.Equal($"{_folder["a.txt"]}(2): the line is not UTF-8: 0xE9 at byte 4 of it is no character.", refused.Message);
    }

    [Fact]
    public void Uniform_tokens_have_the_entropy_of_their_number()
    {
        using var shard = new TokenShardWriter(_folder["a.bin"], wide: false);
        foreach (byte token in "abcd"u8)
        {
            shard.Append(token);
        }

        Assert.Equal(Math.Log(4), shard.UnigramEntropy, 12);
    }

    [Fact]
    public void Each_pass_visits_every_window_once_and_in_another_order()
    {
        var order = new TokenOrder(tokens: 1001, context: 10, seed: 3);
        int[] first = [.. Enumerable.Range(0, 100).Select(i => order[i])];
        int[] second = [.. Enumerable.Range(100, 100).Select(i => order[i])];

        Assert.Equal(Enumerable.Range(0, 100), first.Order());
        Assert.Equal(Enumerable.Range(0, 100), second.Order());
        Assert.NotEqual(first, second);
        Assert.Equal(first[5], order[5]);
        Assert.Equal(order.Id, new TokenOrder(1001, 10, 3).Id);
        Assert.NotEqual(order.Id, new TokenOrder(1001, 10, 4).Id);
    }

    [Fact]
    public void A_corpus_of_more_tokens_than_an_int_counts_has_an_order()
    {
        var order = new TokenOrder(tokens: 3_000_000_001, context: 1_000_000, seed: 3);

        Assert.Equal(3000, order.Windows);
        Assert.Equal(Enumerable.Range(0, 3000), Enumerable.Range(0, 3000).Select(i => order[i]).Order());
    }

    [Theory]
    [InlineData(false, 20240520, 1, new[] { 0, 1, 255, 65_535 })]
    [InlineData(true, 20240801, 7, new[] { 0, 65_536, 128_255 })]
    public void A_shard_has_the_bytes_of_llm_c_and_comes_back(bool wide, int magic, int version, int[] tokens)
    {
        string digest = Shard("a.bin", wide, tokens);

        // numpy: header = np.zeros(256, np.int32); header[:3] = magic, version, len(tokens); then tokens as uint16 or uint32
        byte[] expected = [.. new[] { magic, version, tokens.Length }.Concat(new int[253]).SelectMany(BitConverter.GetBytes), .. tokens.SelectMany(t => wide ? BitConverter.GetBytes((uint)t) : BitConverter.GetBytes((ushort)t))];
        Assert.Equal(expected, File.ReadAllBytes(_folder["a.bin"]));
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(expected[1024..]))[..16], digest);
        using var sequence = TokenSequence.Open(_folder["a.bin"]);
        Assert.Equal(tokens.Select(t => (long)t), Window(sequence, 0, tokens.Length));
    }

    [Fact]
    public void Shards_are_one_sequence_whose_windows_reach_over_their_ends()
    {
        int[] tokens = [.. Enumerable.Range(0, 3000).Select(i => i * 7 % 65_536)];
        Shard("a.bin", false, tokens[..1000]);
        Shard("b.bin", false, tokens[1000..1001]);
        Shard("c.bin", false, tokens[1001..]);

        using var sequence = TokenSequence.Open(_folder["a.bin"], _folder["b.bin"], _folder["c.bin"]);

        Assert.Equal(3000, sequence.Length);
        foreach (var (start, length) in new[] { (0, 3000), (999, 3), (1000, 1), (1001, 700), (2990, 10), (3000, 0) })
        {
            Assert.Equal(tokens[start..(start + length)].Select(t => (long)t), Window(sequence, start, length));
        }

        Assert.Throws<ArgumentOutOfRangeException>(() => Window(sequence, 2991, 10));
    }

    [Fact]
    public void Tokens_of_shards_are_held_out_by_blocks()
    {
        int[] tokens = [.. Enumerable.Range(0, 41 * 8192).Select(i => i % 60_000)];
        Shard("a.bin", false, tokens);
        using var sequence = TokenSequence.Open(_folder["a.bin"]);
        using (TokenShardWriter training = new(_folder["t.bin"], false), heldOut = new(_folder["h.bin"], false))
        {
            Corpus.Copy(sequence, training, heldOut, _ => { });
            training.Complete();
            heldOut.Complete();
        }

        using TokenSequence learnt = TokenSequence.Open(_folder["t.bin"]), judged = TokenSequence.Open(_folder["h.bin"]);
        int[] blocks = [.. Enumerable.Range(0, 41)];
        Assert.Equal(Blocks(blocks.Where(b => b % 20 != 19)), Window(learnt, 0, (int)learnt.Length));
        Assert.Equal(Blocks([19, 39]), Window(judged, 0, (int)judged.Length));

        IEnumerable<long> Blocks(IEnumerable<int> which) => which.SelectMany(b => tokens[(b * 8192)..((b + 1) * 8192)]).Select(t => (long)t);
    }

    [Fact]
    public void A_shard_of_many_gigabytes_is_read_where_it_is_asked_and_never_whole()
    {
        // A sparse file of 3 × 10⁹ tokens: nothing is written but the header and the last token.
        const long Count = 3_000_000_000;
        using (var file = File.Create(_folder["large.bin"]))
        {
            file.Write(new TokenShard(Wide: false, Count).Header());
            file.SetLength(1024 + 2 * Count);
            file.Position = 1024 + 2 * (Count - 1);
            file.Write([7, 1]);
        }

        long before = GC.GetTotalAllocatedBytes(precise: true);
        using var sequence = TokenSequence.Open(_folder["large.bin"]);
        Assert.Equal([0, 263], Window(sequence, Count - 2, 2));

        Assert.Equal(Count, sequence.Length);
        Assert.True(GC.GetTotalAllocatedBytes(precise: true) - before < 1_000_000);
    }

    [Fact]
    public void A_file_that_is_no_whole_shard_is_refused_with_what_was_found()
    {
        Shard("good.bin", false, [1, 2, 3]);
        Shard("wide.bin", true, [1, 2, 3]);
        byte[] good = File.ReadAllBytes(_folder["good.bin"]);
        Refused("SCAL8304", "promises 3 tokens, 6 bytes; after the header of 1024 bytes there are 5", good[..^1]);
        Refused("SCAL8304", "there are 8", [.. good, 0, 0]);
        Refused("SCAL8304", "there are 0", good[..500]);
        Refused("SCAL8303", "found 20240522 and 1", [.. BitConverter.GetBytes(20240522), .. good[4..]]);
        Refused("SCAL8303", "found 20240520 and 7", [.. good[..4], 7, .. good[5..]]);
        Refused("SCAL8303", "no token shard", "text"u8.ToArray());
        Refused("SCAL8305", "is empty", []);
        Refused("SCAL8305", "holds no tokens", [.. good[..8], 0, .. good[9..1024]]);
        var mixed = Assert.Throws<UnusableInputException>(() => TokenSequence.Open(_folder["good.bin"], _folder["wide.bin"]));
        Assert.Equal("SCAL8306", mixed.Code);
        Assert.Contains("good.bin holds 16-bit tokens and ", mixed.Message);
        Assert.EndsWith("wide.bin 32-bit ones: they cannot come from one tokenizer.", mixed.Message);

        void Refused(string code, string message, byte[] content)
        {
            File.WriteAllBytes(_folder["bad.bin"], content);
            var refused = Assert.Throws<UnusableInputException>(() => TokenSequence.Open(_folder["bad.bin"]));
            Assert.Equal(code, refused.Code);
            Assert.StartsWith(_folder["bad.bin"], refused.Message);
            Assert.Contains(message, refused.Message);
            Assert.NotNull(refused.Hint);
        }
    }

    [Fact]
    public void A_token_beyond_every_vocabulary_is_refused()
    {
        File.WriteAllBytes(_folder["a.bin"], [.. new TokenShard(Wide: true, 2).Header(), 1, 0, 0, 0, 1, 0, 1, 0x40]);
        using var sequence = TokenSequence.Open(_folder["a.bin"]);
        using var copy = new TokenShardWriter(_folder["b.bin"], wide: true);

        Assert.Equal("SCAL8310", Assert.Throws<UnusableInputException>(() => Corpus.Copy(sequence, copy, null, _ => { })).Code);
    }

    private (string Training, string HeldOut) Split(TextFiles corpus, TextFiles? judged = null)
    {
        Corpus.Split(corpus, judged, _folder["training"], _folder["held out"], (_, _) => { });
        return (File.ReadAllText(_folder["training"]), File.ReadAllText(_folder["held out"]));
    }

    private string Shard(string name, bool wide, int[] tokens)
    {
        using var shard = new TokenShardWriter(_folder[name], wide);
        Array.ForEach(tokens, t => shard.Append(t));
        return shard.Complete();
    }

    private static long[] Window(TokenSequence sequence, long start, int length)
    {
        long[] window = new long[length];
        sequence.CopyTo(start, window);
        return window;
    }
}
