// What `train` can learn from and be judged on: text by every tokenizer, token shards, and what it says of wrong ones.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Train;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

[Collection("torch")]
public sealed class TrainDataTests : IDisposable
{
    private static readonly DecoderShape Wide = TorchStages.Small with { Vocabulary = 512 };
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Byte_pairs_are_learnt_written_and_compared_with_bytes_by_the_loss_a_byte()
    {
        var bytes = Trained(Settings(Text()), TorchStages.Small).Table("runs.csv")[0];
        var settings = Settings(Text());
        settings["tokenizer"] = Files("bpe", "bpe");
        settings["tokenizer_vocabulary"] = 500;
        var result = Trained(settings, Wide, "learnt");
        var pairs = result.Table("runs.csv")[0];

        string ranks = result.Text("tokenizer.tiktoken");
        Assert.Equal(500, ranks.Count(c => c == '\n'));
        Assert.Equal($"bpe-500-{Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes("Cl100k" + ranks)))[..8]}", pairs.Text("tokenizer"));
        Assert.Equal(("bytes", 1.0), (bytes.Text("tokenizer"), bytes.Number("bytes_per_token")));
        Assert.InRange(pairs.Number("bytes_per_token"), 2, 5);
        Assert.InRange(pairs.Number("unique_tokens") * pairs.Number("bytes_per_token") / bytes.Number("unique_tokens"), 0.9, 1.1);
        // Untrained, a token of V costs ln V; the same text is held out, so that a byte costs bytes_per_token times less.
        Assert.InRange(pairs.Number("loss") / pairs.Number("bytes_per_token"), 0.5, 4);
        Assert.NotEqual(bytes.Text("corpus"), pairs.Text("corpus"));
    }

    [Fact]
    public void The_digests_of_both_parts_are_those_of_their_tokens()
    {
        var settings = Settings(_folder.Write("learn.txt", Lines(0, 4000)));
        settings["held_out"] = Files("text:judge.txt", "text", _folder.Write("judge.txt", Lines(3990, 4100)));

        var run = Trained(settings, TorchStages.Small).Table("runs.csv")[0];

        Assert.Equal(Digest(Lines(0, 3990)), run.Text("corpus"));
        Assert.Equal(Digest(Lines(3990, 4100)), run.Text("held_out"));
        Assert.Equal(Lines(0, 3990).Length, run.Whole("unique_tokens"));

        static string Digest(string text) => Convert.ToHexStringLower(SHA256.HashData([.. Encoding.UTF8.GetBytes(text).SelectMany(b => new byte[] { b, 0 })]))[..16];
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Token_shards_are_one_sequence_and_their_tokenizer_may_be_told(bool wide)
    {
        int[] tokens = [.. Enumerable.Range(0, 30_000).Select(i => i * i % 257)];
        var settings = Shards(Shard("1.bin", wide, tokens[..20_000]), Shard("2.bin", wide, tokens[20_000..]));
        settings["held_out"] = Files("tokens:judge.bin", "tokens", Shard("judge.bin", wide, [.. tokens[..299], 511]));
        var unknown = Trained(settings, Wide).Table("runs.csv")[0];
        settings["tokenizer"] = Files("tiktoken:ranks.tiktoken", "tiktoken", Ranks("ab"));
        var known = Trained(settings, Wide, "known").Table("runs.csv")[0];

        byte[] bytes = [.. tokens.SelectMany(t => wide ? BitConverter.GetBytes((uint)t) : BitConverter.GetBytes((ushort)t))];
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(bytes))[..16], unknown.Text("corpus"));
        Assert.Equal((30_000, "unknown", ""), (unknown.Whole("unique_tokens"), unknown.Text("tokenizer"), unknown.Text("bytes_per_token")));
        Assert.StartsWith("tiktoken-257-", known.Text("tokenizer"));
        // 256 bytes and one token of two; other tokens are marks that stand for no text.
        Assert.Equal(tokens[..299].Sum(t => t < 256 ? 1 : t == 256 ? 2 : 0) / 300.0, known.Number("bytes_per_token"), 12);
        Assert.Equal(unknown.Text("loss"), known.Text("loss"));
    }

    [Fact]
    public void Shards_alone_hold_out_every_twentieth_block()
    {
        var run = Trained(Shards(Shard("1.bin", false, [.. Enumerable.Range(0, 21 * 8192).Select(i => i % 300)])), Wide).Table("runs.csv")[0];

        Assert.Equal(20 * 8192, run.Whole("unique_tokens"));
    }

    [Fact]
    public void Tokens_that_the_shape_has_no_place_for_are_refused()
    {
        var settings = Shards(Shard("1.bin", false, [.. Enumerable.Range(0, 200_000).Select(i => i % 513)]));

        Refused("SCAL8004", "a vocabulary of 512 where the tokenizer 'unknown' gives tokens up to 512", settings);
    }

    [Fact]
    public void Tokens_that_the_named_tokenizer_cannot_have_made_are_refused()
    {
        var settings = Shards(Shard("1.bin", false, [.. Enumerable.Range(0, 200_000).Select(i => i % 50 == 0 ? 300 : i % 256)]));
        settings["tokenizer"] = Files("tiktoken:ranks.tiktoken", "tiktoken", Ranks("ab"));

        Refused("SCAL8312", "has a vocabulary of 257, and corpus 'tokens:*.bin' tokens up to 300: 2 % of the held-out tokens", settings);
    }

    [Fact]
    public void Shards_that_are_none_that_are_cut_empty_or_mixed_are_refused()
    {
        string good = Shard("good.bin", false, new int[200_000]);
        byte[] bytes = File.ReadAllBytes(good);
        Refused("SCAL8303", "bad.bin is no token shard", Shards(Written(Encoding.UTF8.GetBytes(Lines(0, 100)))));
        Refused("SCAL8304", "bad.bin: its header promises 200000 tokens", Shards(good, Written(bytes[..^7])));
        Refused("SCAL8305", "bad.bin is empty", Shards(Written([])));
        Refused("SCAL8306", "16-bit tokens", Shards(good, Shard("wide.bin", true, [1, 2])));
        Refused("SCAL8310", "the token 16777216", Shards(Shard("huge.bin", true, [1, 16_777_216])));
        Refused("SCAL8002", "holds 3 tokens. Expected at least 155649", Shards(Shard("short.bin", false, [1, 2, 3])));

        string Written(byte[] content)
        {
            File.WriteAllBytes(_folder["bad.bin"], content);
            return _folder["bad.bin"];
        }
    }

    [Fact]
    public void Text_that_is_none_is_refused_and_empty_files_are_told()
    {
        File.WriteAllBytes(_folder["latin.txt"], [.. "caf"u8, 0xE9, .. "\n"u8]);
        Refused("SCAL8307", "latin.txt(1): the line is not UTF-8", Settings(_folder["latin.txt"]));
        Refused("SCAL8002", "holds 0 bytes", Settings(_folder.Write("empty.txt", " \n")));

        var settings = Settings(Text());
        settings["corpus"]!["paths"]!.AsArray().Add(_folder.Write("empty.txt", ""));
        Assert.Contains(Trained(settings, TorchStages.Small, "told").Warnings, w => w.Code == "SCAL8308" && w.Message.StartsWith("1 of 2 files hold no text: ", StringComparison.Ordinal));
    }

    [Fact]
    public void Held_out_data_that_is_missing_empty_or_of_another_kind_is_refused()
    {
        var settings = Settings(Text());
        settings["held_out"] = Files("text:none", "text");
        Refused("SCAL8001", "held_out: 'text:none' names no files", settings);
        settings["held_out"] = Files("text:empty.txt", "text", _folder.Write("empty.txt", "\n"));
        Refused("SCAL8002", "held_out 'text:empty.txt' 0", settings);
        settings["held_out"] = Files("text:all.txt", "text", Text());
        Refused("SCAL8002", "holds 0 bytes", settings);
        settings["held_out"] = Files("tokens:a.bin", "tokens", Shard("a.bin", false, [1]));
        Refused("SCAL8309", "are not of a kind", settings);
    }

    [Fact]
    public void A_tokenizer_that_cannot_be_had_is_refused()
    {
        With("SCAL8301", "'my.model' does not say of which kind the file is", Files("my.model", "", Ranks("ab")));
        With("SCAL8301", "names 2 files", Files("tiktoken:*", "tiktoken", Ranks("ab"), Ranks("ab")));
        With("SCAL8302", "text.tiktoken(1): expected a token in base64", Files("tiktoken:text.tiktoken", "tiktoken", _folder.Write("text.tiktoken", "no ranks at all\n")));
        With("SCAL8302", "is no SentencePiece model", Files("sentencepiece:my.model", "sentencepiece", Ranks("ab")));
        var settings = Settings(Text());
        settings["tokenizer"] = Files("bpe", "bpe");
        settings["tokenizer_vocabulary"] = 100_000;
        Refused("SCAL8311", "repeated pairs for", settings);
        settings = Shards(Shard("1.bin", false, [1, 2, 3]));
        settings["tokenizer"] = Files("bpe", "bpe");
        Refused("SCAL8309", "'bpe' learns from text", settings);

        void With(string code, string message, JsonObject tokenizer)
        {
            var settings = Settings(Text());
            settings["tokenizer"] = tokenizer;
            Refused(code, message, settings);
        }
    }

    private StageResult Trained(JsonObject settings, DecoderShape shape, string folder = "run")
    {
        var place = new TemporaryFolder();
        try
        {
            var result = new StageRunner(new TrainStage(), place) { NativeFolders = TorchStages.NativeFolders }.Run(settings, row: TorchStages.Row(shape, 1));
            string kept = _folder[folder];
            Directory.CreateDirectory(kept);
            foreach (string file in Directory.EnumerateFiles(result.Folder))
            {
                File.Copy(file, Path.Combine(kept, Path.GetFileName(file)));
            }

            return result with { Folder = kept };
        }
        finally
        {
            place.Dispose();
        }
    }

    private void Refused(string code, string message, JsonObject settings)
    {
        var failure = Assert.Throws<StageFailedException>(() => Trained(settings, Wide)).Diagnostics[0];

        Assert.Equal(code, failure.Code);
        Assert.Contains(message, failure.Message);
        Assert.NotNull(failure.Hint);
    }

    private static JsonObject Settings(string path) => Settings(Files("text:*.txt", "text", path));

    private static JsonObject Shards(params string[] paths) => Settings(Files("tokens:*.bin", "tokens", paths));

    private static JsonObject Settings(JsonObject corpus) => new() { ["corpus"] = corpus, ["tokens_per_parameter"] = new JsonArray(0.2), ["evaluation_tokens"] = 2048 };

    private static JsonObject Files(string text, string scheme, params string[] paths) =>
        new() { ["text"] = text, ["scheme"] = scheme, ["paths"] = new JsonArray([.. paths.Select(p => (JsonNode)p)]) };

    private string Text() => _folder.Write("corpus.txt", Lines(0, 6000));

    private static string Lines(int from, int to) =>
        string.Concat(Enumerable.Range(from, to - from).Select(i => $"The number {1000 + i * 37 % 90_000} comes next.\n"));

    /// <summary>The bytes and one pair.</summary>
    private string Ranks(string pair) => _folder.Write(
        "ranks.tiktoken", string.Concat(Enumerable.Range(0, 256).Select(b => new[] { (byte)b }).Append(Encoding.UTF8.GetBytes(pair)).Select((t, i) => $"{Convert.ToBase64String(t)} {i}\n")));

    /// <summary>As llm.c's dev/data/data_common.py writes it.</summary>
    private string Shard(string name, bool wide, int[] tokens)
    {
        using var writer = new BinaryWriter(File.Create(_folder[name]));
        int[] header = [wide ? 20240801 : 20240520, wide ? 7 : 1, tokens.Length, .. new int[253]];
        Array.ForEach(header, writer.Write);
        foreach (int token in tokens)
        {
            if (wide)
            {
                writer.Write((uint)token);
            }
            else
            {
                writer.Write((ushort)token);
            }
        }

        return _folder[name];
    }
}
