// The corpus, the order of its windows, and token shards.
using Scaling.TestKit;

namespace Scaling.Torch.Tests;

public sealed class DataTests
{
    [Fact]
    public void Documentation_loses_tags_entities_extra_spaces_and_repeated_lines()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("a.xml", "<doc>\n  <summary>Compares  <see\n cref=\"T:A\" /> &lt; 3 &amp; more.</summary>\n\n<b>Same.</b>\n<c>Same.</c>\n</doc>\n");
        string other = folder.Write("b.xml", "<doc>Same.\nNew — ü.</doc>");

        var corpus = Corpus.Read([path, other], CorpusFormat.XmlDocumentation);

        Assert.Equal("Compares < 3 & more.\nSame.\nNew — ü.\n", Text(corpus.Training));
        Assert.Empty(corpus.HeldOut);
    }

    [Fact]
    public void No_line_stands_in_both_parts_and_every_twentieth_block_is_held_out()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("a.txt", string.Concat(Enumerable.Range(0, 100_000).Select(i => $"line {i % 50_000} is like {i % 50_000 * 7}\n")));

        var corpus = Corpus.Read([path], CorpusFormat.Text);

        // A line that a block's end cuts in two has a piece in each part; whole lines are in one.
        var training = Lines(corpus.Training);
        Assert.Equal(corpus.HeldOut.Length, (corpus.Training.Length + corpus.HeldOut.Length) / (20 * 8192) * 8192);
        Assert.DoesNotContain(Lines(corpus.HeldOut).Skip(1), l => l.Contains(" is like ") && l.Length > 24 && training.Contains(l));
        Assert.InRange(corpus.UnigramEntropy, 2, 3.5);

        static HashSet<string> Lines(ushort[] tokens) => [.. Text(tokens).Split('\n')];
    }

    [Fact]
    public void Uniform_bytes_have_the_entropy_of_their_number()
    {
        using var folder = new TemporaryFolder();
        string path = folder.Write("a.txt", "abc"); // and the line's end: four different bytes, once each

        Assert.Equal(Math.Log(4), Corpus.Read([path], CorpusFormat.Text).UnigramEntropy, 12);
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
    public void A_shard_comes_back_and_a_cut_one_is_refused()
    {
        using var folder = new TemporaryFolder();
        ushort[] tokens = [0, 1, 255, 65535];
        TokenShard.Write(folder["a.bin"], tokens);

        Assert.Equal(tokens, TokenShard.Read(folder["a.bin"]));

        byte[] bytes = File.ReadAllBytes(folder["a.bin"]);
        Assert.Equal(1024 + 8, bytes.Length);
        Assert.Equal([20240520, 1, 4], new[] { BitConverter.ToInt32(bytes, 0), BitConverter.ToInt32(bytes, 4), BitConverter.ToInt32(bytes, 8) });
        File.WriteAllBytes(folder["cut.bin"], bytes[..^1]);
        Assert.Contains("cut short", Assert.Throws<FormatException>(() => TokenShard.Read(folder["cut.bin"])).Message);
        File.WriteAllText(folder["text.bin"], "no shard");
        Assert.Contains("no token shard", Assert.Throws<FormatException>(() => TokenShard.Read(folder["text.bin"])).Message);
    }

    private static string Text(ushort[] tokens) => System.Text.Encoding.UTF8.GetString([.. tokens.Select(t => (byte)t)]);
}
