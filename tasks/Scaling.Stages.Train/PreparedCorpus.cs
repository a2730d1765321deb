// What `train` keeps of the corpus for all its rows: two token shards, the tokenizer that it learnt, and a few facts.
using System.Globalization;
using System.Text.Json;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>The facts beside the shards.</summary>
/// <param name="TrainingTokens">Tokens to learn from.</param>
/// <param name="HeldOutTokens">Tokens to be judged on.</param>
/// <param name="UnigramEntropy">Of the training part, nats a token; the loss of who knows the tokens' frequencies alone.</param>
/// <param name="Tokenizer">How text became tokens; <c>unknown</c> for shards of which no tokenizer was named.</param>
/// <param name="Vocabulary">What a shape's vocabulary must be at least.</param>
/// <param name="Corpus">First 16 hex digits of the SHA-256 of the training tokens as they stand in their shard.</param>
/// <param name="HeldOut">The same of the held-out ones.</param>
/// <param name="BytesPerToken">Of the held-out part, bytes of UTF-8; null where the tokenizer is unknown.</param>
internal sealed record CorpusFacts(
    long TrainingTokens, long HeldOutTokens, double UnigramEntropy, string Tokenizer, int Vocabulary, string Corpus, string HeldOut, double? BytesPerToken);

/// <summary>The shards of a row, mapped, and their facts.</summary>
internal sealed class PreparedCorpus : IDisposable
{
    public const string TrainingFile = "training.bin";
    public const string HeldOutFile = "held_out.bin";
    public const string TokenizerFile = "tokenizer.tiktoken";
    public const string FactsFile = "corpus.json";

    /// <summary>The largest share of held-out tokens that may lie beyond the vocabulary of the tokenizer that is said to have made them.</summary>
    private const double MostMarks = 0.01;

    private PreparedCorpus(CorpusFacts facts, TokenSequence training, TokenSequence heldOut) => (Facts, Training, HeldOut) = (facts, training, heldOut);

    public CorpusFacts Facts { get; }

    public TokenSequence Training { get; }

    public TokenSequence HeldOut { get; }

    /// <summary>Reads the user's files and writes the shards, which are copies: a link would let the user's file change beneath the store, and every token is looked at anyway.</summary>
    /// <exception cref="StageFailedException">SCAL8001: there are no files; SCAL8002: they hold too little; SCAL8309: the settings do not go together; SCAL8312: the tokenizer cannot have made the tokens; SCAL84xx: the questions are none, or cannot be encoded.</exception>
    /// <exception cref="UnusableInputException">SCAL83xx: a file is not what its setting says.</exception>
    public static void Write(StageContext<TrainSettings> context)
    {
        CheckFiles(context);
        var questions = context.Settings.MultipleChoice is { } asked ? QuestionFile.Read(asked) : [];
        var facts = context.Settings.Corpus.Scheme == "tokens" ? Shards(context, questions) : Text(context, questions);
        File.WriteAllText(context.Output(FactsFile), JsonSerializer.Serialize(facts, StageDescriptor.Json) + "\n");
    }

    /// <summary>Maps what <see cref="Write"/> has written.</summary>
    /// <exception cref="StageFailedException">SCAL8003: a training sequence is longer than the corpus.</exception>
    public static PreparedCorpus Read(StageContext<TrainSettings> context)
    {
        var facts = ReadFacts(context);
        long shorter = Math.Min(facts.TrainingTokens, facts.HeldOutTokens);
        return context.Settings.Context < shorter
            ? new PreparedCorpus(facts, TokenSequence.Open(context.Prepared(TrainingFile)), TokenSequence.Open(context.Prepared(HeldOutFile)))
            : throw new StageFailedException(
                "SCAL8003", $"context: a sequence of {context.Settings.Context} tokens does not fit the corpus, whose shorter part has {shorter} (held out: {facts.HeldOutTokens}).",
                "Shorten context, or name more files in corpus.");
    }

    /// <summary>The facts alone.</summary>
    public static CorpusFacts ReadFacts(StageContext<TrainSettings> context) =>
        JsonSerializer.Deserialize<CorpusFacts>(File.ReadAllText(context.Prepared(FactsFile)), StageDescriptor.Json)!;

    public void Dispose()
    {
        Training.Dispose();
        HeldOut.Dispose();
    }

    private static void CheckFiles(StageContext<TrainSettings> context)
    {
        var (corpus, heldOut, tokenizer) = (context.Settings.Corpus, context.Settings.HeldOut, context.Settings.Tokenizer);
        foreach (var (setting, files) in new[] { ("corpus", corpus), ("held_out", heldOut) })
        {
            if (files?.Paths.Count == 0)
            {
                throw new StageFailedException(
                    "SCAL8001", $"{setting}: '{files.Text}' names no files.",
                    "Write 'dotnet-docs' for the documentation of an installed .NET SDK, 'text:folder/*.txt' for files of yours, or 'tokens:folder/*.bin' for token shards.");
            }
        }

        if (heldOut is not null && (heldOut.Scheme == "tokens") != (corpus.Scheme == "tokens"))
        {
            throw new StageFailedException(
                "SCAL8309", $"held_out: '{heldOut.Text}' and corpus '{corpus.Text}' are not of a kind: expected text for both, or token shards for both.",
                "Name held-out data of corpus's kind, or leave held_out away.");
        }

        if (corpus.Scheme == "tokens" && tokenizer?.Scheme == "bpe")
        {
            throw new StageFailedException(
                "SCAL8309", $"tokenizer: 'bpe' learns from text, and corpus '{corpus.Text}' holds tokens.",
                "Name the tokenizer that made them ('tiktoken:FILE', 'sentencepiece:FILE'), or leave tokenizer away.");
        }
    }

    /// <summary>Text to shards.</summary>
    private static CorpusFacts Text(StageContext<TrainSettings> context, IReadOnlyList<Question> questions)
    {
        var (corpus, heldOut) = (context.Settings.Corpus, context.Settings.HeldOut);
        string trainingText = Path.Combine(context.WorkFolder, "training.txt"), heldOutText = Path.Combine(context.WorkFolder, "held_out.txt");
        int done = 0, files = corpus.Paths.Count + (heldOut?.Paths.Count ?? 0);
        var empty = new List<string>();
        Corpus.Split(TextOf(corpus), heldOut is null ? null : TextOf(heldOut), trainingText, heldOutText, (path, isEmpty) =>
        {
            context.Progress(++done, files, "files");
            if (isEmpty)
            {
                empty.Add(path);
            }
        });
        if (empty.Count > 0)
        {
            context.Warn("SCAL8308", $"{empty.Count} of {files} files hold no text: {string.Join(", ", empty.Take(3))}{(empty.Count > 3 ? ", …" : "")}.", "Nothing need be done if they are meant to be empty.");
        }

        var (trainingBytes, heldOutBytes) = (new FileInfo(trainingText).Length, new FileInfo(heldOutText).Length);
        CheckSize(context, trainingBytes, heldOutBytes, "bytes after repeated lines are taken once");
        var tokenizer = TokenizerOf(context, trainingText);
        PreparedQuestions.Write(context, questions, tokenizer);
        using var trainingShard = Shard(TrainingFile);
        using var heldOutShard = Shard(HeldOutFile);
        Corpus.Tokenize(trainingText, tokenizer, trainingShard, done => context.Progress(done, 0, "tokens"));
        Corpus.Tokenize(heldOutText, tokenizer, heldOutShard, done => context.Progress(done, 0, "tokens"));
        return new CorpusFacts(
            trainingShard.Count, heldOutShard.Count, trainingShard.UnigramEntropy, tokenizer.Id, tokenizer.Vocabulary, trainingShard.Complete(), heldOutShard.Complete(),
            (double)heldOutBytes / heldOutShard.Count);

        TokenShardWriter Shard(string name) => new(context.Output(name), wide: tokenizer.Vocabulary > 1 << 16);

        static TextFiles TextOf(FileSet files) => new(files.Paths, files.Scheme == "dotnet-docs" ? CorpusFormat.XmlDocumentation : CorpusFormat.Text);
    }

    /// <summary>Shards of the user to shards.</summary>
    private static CorpusFacts Shards(StageContext<TrainSettings> context, IReadOnlyList<Question> questions)
    {
        var (corpus, heldOut) = (context.Settings.Corpus, context.Settings.HeldOut);
        var tokenizer = context.Settings.Tokenizer is null ? null : TokenizerOf(context, text: null);
        File.WriteAllText(context.Output(TokenizerFile), "");
        int asked = PreparedQuestions.Write(context, questions, tokenizer);
        using var tokens = TokenSequence.Open([.. corpus.Paths, .. heldOut?.Paths ?? []]);
        using var trainingShard = new TokenShardWriter(context.Output(TrainingFile), tokens.Wide);
        using var heldOutShard = new TokenShardWriter(context.Output(HeldOutFile), tokens.Wide);
        using var learnt = TokenSequence.Open(corpus.Paths);
        Corpus.Copy(learnt, trainingShard, heldOut is null ? heldOutShard : null, done => context.Progress(done, tokens.Length, "tokens"));
        if (heldOut is not null)
        {
            using var judged = TokenSequence.Open(heldOut.Paths);
            Corpus.Copy(judged, heldOutShard, null, done => context.Progress(learnt.Length + done, tokens.Length, "tokens"));
        }

        CheckSize(context, trainingShard.Count, heldOutShard.Count, "tokens");
        int told = Math.Max(trainingShard.Frequencies.Length, heldOutShard.Frequencies.Length);
        CheckTokenizer(context, tokenizer, heldOutShard, largest: told - 1);
        int vocabulary = Math.Max(asked, told);
        return new CorpusFacts(
            trainingShard.Count, heldOutShard.Count, trainingShard.UnigramEntropy, tokenizer?.Id ?? "unknown", vocabulary, trainingShard.Complete(), heldOutShard.Complete(),
            tokenizer is null ? null : Bytes(heldOutShard.Frequencies, tokenizer) / heldOutShard.Count);
    }

    /// <summary>A few tokens beyond the vocabulary are marks, as those between documents; many are another tokenizer's.</summary>
    private static void CheckTokenizer(StageContext<TrainSettings> context, TextTokenizer? tokenizer, TokenShardWriter heldOut, int largest)
    {
        if (tokenizer is null || heldOut.Frequencies.Length <= tokenizer.Vocabulary)
        {
            return;
        }

        long beyond = 0;
        foreach (long frequency in heldOut.Frequencies[tokenizer.Vocabulary..])
        {
            beyond += frequency;
        }

        double share = (double)beyond / heldOut.Count;
        if (share > MostMarks)
        {
            string percent = (100 * share).ToString("0.#", CultureInfo.InvariantCulture);
            throw new StageFailedException(
                "SCAL8312", $"tokenizer: '{context.Settings.Tokenizer!.Text}' has a vocabulary of {tokenizer.Vocabulary}, and corpus '{context.Settings.Corpus.Text}' tokens up to {largest}: {percent} % of the held-out tokens are none of it.",
                "Name the tokenizer that made them, or leave tokenizer away.");
        }
    }

    /// <summary>Bytes of UTF-8 that tokens stand for; marks, as those between documents, stand for none.</summary>
    private static double Bytes(ReadOnlySpan<long> frequencies, TextTokenizer tokenizer)
    {
        double bytes = 0;
        for (int token = 0; token < frequencies.Length; token++)
        {
            bytes += (double)frequencies[token] * tokenizer.BytesOf(token).Length;
        }

        return bytes;
    }

    private static void CheckSize(StageContext<TrainSettings> context, long training, long heldOut, string unit)
    {
        var settings = context.Settings;
        if (settings.HeldOut is null && heldOut == 0)
        {
            throw new StageFailedException(
                "SCAL8002", $"corpus: '{settings.Corpus.Text}' holds {training} {unit}. Expected at least {Corpus.Smallest}, of which a part is held out.",
                "Name more files, or name others in held_out.");
        }

        if (training == 0 || heldOut == 0)
        {
            throw new StageFailedException(
                "SCAL8002", $"corpus '{settings.Corpus.Text}' holds {training} {unit} and held_out '{settings.HeldOut!.Text}' {heldOut}; what is held out is not learnt.", "Name more files.");
        }
    }

    /// <summary>The tokenizer that the settings name; 'bpe' is learnt from the text.</summary>
    private static TextTokenizer TokenizerOf(StageContext<TrainSettings> context, string? text)
    {
        var settings = context.Settings;
        string learnt = context.Output(TokenizerFile);
        if (settings.Tokenizer is { Scheme: "bpe" })
        {
            TextTokenizer.LearnRanks(text!, settings.TokenizerPattern, settings.TokenizerVocabulary, learnt, done => context.Progress(done, settings.TokenizerVocabulary, "tokens of the vocabulary"));
            return TextTokenizer.OfRanks(learnt, settings.TokenizerPattern, "bpe");
        }

        File.WriteAllText(learnt, "");
        return settings.Tokenizer switch
        {
            null or { Scheme: "bytes" } => TextTokenizer.Bytes,
            { Scheme: "tiktoken", Paths: [var ranks] } => TextTokenizer.OfRanks(ranks, settings.TokenizerPattern),
            { Scheme: "sentencepiece", Paths: [var model] } => TextTokenizer.OfSentencePiece(model),
            { Scheme: "" } bare => throw new StageFailedException(
                "SCAL8301", $"tokenizer: '{bare.Text}' does not say of which kind the file is.", $"Write 'tiktoken:{bare.Text}' for ranks of byte pairs, or 'sentencepiece:{bare.Text}' for a SentencePiece model."),
            var several => throw new StageFailedException("SCAL8301", $"tokenizer: '{several.Text}' names {several.Paths.Count} files; expected one.", "Name one file."),
        };
    }
}
