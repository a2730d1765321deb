// What `train` keeps of the corpus for all its rows: two token shards and a few facts.
using System.Text.Json;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>The facts beside the shards.</summary>
/// <param name="TrainingTokens">Tokens to learn from.</param>
/// <param name="HeldOutTokens">Tokens to be judged on.</param>
/// <param name="UnigramEntropy">Nats a token; the loss of who knows the tokens' frequencies alone.</param>
internal sealed record CorpusFacts(int TrainingTokens, int HeldOutTokens, double UnigramEntropy);

internal static class PreparedCorpus
{
    public const string Training = "training.bin";
    public const string HeldOut = "held_out.bin";
    public const string Facts = "corpus.json";

    /// <summary>Reads the user's files and writes the shards.</summary>
    /// <exception cref="StageFailedException">SCAL8001: there are no files; SCAL8002: they hold too little.</exception>
    public static void Write(StageContext<TrainSettings> context)
    {
        var files = context.Settings.Corpus;
        if (files.Paths.Count == 0)
        {
            throw new StageFailedException(
                "SCAL8001", $"corpus: '{files.Text}' names no files.",
                "Write 'dotnet-docs' for the documentation of an installed .NET SDK, or 'text:folder/*.txt' for files of yours.");
        }

        var corpus = Corpus.Read(files.Paths, files.Scheme == "dotnet-docs" ? CorpusFormat.XmlDocumentation : CorpusFormat.Text);
        if (corpus.HeldOut.Length == 0)
        {
            throw new StageFailedException(
                "SCAL8002", $"corpus: '{files.Text}' holds {corpus.Training.Length} bytes after repeated lines are taken once. Expected at least {Corpus.SmallestBytes}, of which a part is held out.",
                "Name more files.");
        }

        TokenShard.Write(context.Output(Training), corpus.Training);
        TokenShard.Write(context.Output(HeldOut), corpus.HeldOut);
        var facts = new CorpusFacts(corpus.Training.Length, corpus.HeldOut.Length, corpus.UnigramEntropy);
        File.WriteAllText(context.Output(Facts), JsonSerializer.Serialize(facts, StageDescriptor.Json) + "\n");
    }

    /// <summary>Reads what <see cref="Write"/> has written.</summary>
    /// <exception cref="StageFailedException">SCAL8003: a training sequence is longer than the corpus.</exception>
    public static Corpus Read(StageContext<TrainSettings> context)
    {
        var facts = JsonSerializer.Deserialize<CorpusFacts>(File.ReadAllText(context.Prepared(Facts)), StageDescriptor.Json)!;
        var corpus = new Corpus(TokenShard.Read(context.Prepared(Training)), TokenShard.Read(context.Prepared(HeldOut)), facts.UnigramEntropy);
        int shorter = Math.Min(corpus.Training.Length, corpus.HeldOut.Length);
        return context.Settings.Context < shorter
            ? corpus
            : throw new StageFailedException(
                "SCAL8003", $"context: a sequence of {context.Settings.Context} tokens does not fit the corpus, whose shorter part has {shorter} (held out: {corpus.HeldOut.Length}).",
                "Shorten context, or name more files in corpus.");
    }
}
