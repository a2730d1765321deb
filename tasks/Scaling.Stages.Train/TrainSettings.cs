// What a pipeline can say to `train`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>A program of the user that trains in the place of our trainer; TRAINER.md is its contract.</summary>
public sealed record TrainerSettings
{
    [Description("The program and its arguments, a list of words; no shell reads them. {config}, {request}, {result} and {work} stand for paths that the program is given, {files/NAME} for a file of 'files'.")]
    [MinLength(1)]
    public required IReadOnlyList<string> Command { get; init; }

    [Description("Files of the program whose change trains again, such as its scripts.")]
    public FileSet? Files { get; init; }
}

/// <summary>How the learning rate goes over the steps.</summary>
public enum ScheduleChoice
{
    /// <summary>Half a cosine to a tenth.</summary>
    Cosine,

    /// <summary>Held, then left on 1 − √.</summary>
    WarmupStableDecay,
}

/// <summary>On what, for how long and how every row is trained. Everything here is the same for all rows, so that their losses compare.</summary>
public sealed record TrainSettings
{
    private const string DotnetDocs = "{dotnet}/packs/Microsoft.NETCore.App.Ref/{latest}/ref/{latest}/*.xml";

    [Description("What to learn. 'dotnet-docs' is the XML documentation of the installed .NET SDK; 'text:data/*.txt' are files of yours, repeated lines taken once; 'tokens:data/*.bin' are token shards of llm.c's layout, one sequence in the order of their names.")]
    [NamedFiles("dotnet-docs", DotnetDocs), FileSchemes("text", "tokens")]
    public FileSet Corpus { get; init; } = new("dotnet-docs");

    [Description("What losses are measured on, of corpus's kind; its lines are not learnt. Absent: every 20th block of 8192 bytes, or tokens, of corpus.")]
    [NamedFiles("dotnet-docs", DotnetDocs), FileSchemes("text", "tokens")]
    public FileSet? HeldOut { get; init; }

    [Description("How text becomes tokens. 'bytes' of UTF-8; 'bpe', byte pairs learnt from the training part; 'tiktoken:FILE', ranks of byte pairs; 'sentencepiece:FILE', a model. Absent: bytes for text, and for token shards unknown.")]
    [NamedFiles("bytes", ""), NamedFiles("bpe", ""), FileSchemes("tiktoken", "sentencepiece")]
    public FileSet? Tokenizer { get; init; }

    [Description("Different tokens that 'bpe' learns, the 256 bytes among them.")]
    [Unit("tokens"), Range(257, 1_000_000)]
    public int TokenizerVocabulary { get; init; } = 1024;

    [Description("How text is cut into pieces, within which 'bpe' and 'tiktoken' merge.")]
    [Choice("cl100k", "as GPT-4 and Llama 3")]
    [Choice("gpt2", "as GPT-2")]
    [Choice("o200k", "as GPT-4o")]
    public PiecePattern TokenizerPattern { get; init; } = PiecePattern.Cl100k;

    [Description("Training tokens a non-embedding parameter; every shape is trained once for each.")]
    [Unit("tokens a parameter"), Range(1e-6, 1e9), MinLength(1)]
    public IReadOnlyList<double> TokensPerParameter { get; init; } = [20];

    [Description("Length of a training sequence.")]
    [Unit("tokens"), Range(2, 1_048_576)]
    public int Context { get; init; } = 64;

    [Description("Sequences a step. Absent: 1024 tokens at 25k parameters and as N^(2/3) elsewhere, the same for all shapes of a size.")]
    [Unit("sequences"), Range(1, 1_048_576)]
    public int? Batch { get; init; }

    [Description("Peak learning rate of AdamW. Absent: c/hidden·√(tokens a step/256), c = 0.3 for a cosine and 0.2 for a schedule that holds its peak. The sweep's learning_rate_bracket checks it.")]
    [Unit("1"), Range(1e-9, 10)]
    public double? LearningRate { get; init; }

    [Description("How the learning rate falls from its peak.")]
    [Choice("cosine", "half a cosine to a tenth")]
    [Choice("warmup-stable-decay", "held, then left on 1 − √ in a branch of its own for each of the points")]
    public ScheduleChoice Schedule { get; init; } = ScheduleChoice.Cosine;

    [Description("Shares of the budget at which the held-out loss is told too. Each is a trained model of fewer tokens with warmup-stable-decay; with cosine it is marked as not annealed and never fitted.")]
    [Unit("1"), Range(1e-6, 1)]
    public IReadOnlyList<double> Points { get; init; } = [];

    [Description("Share of the steps over which the learning rate rises.")]
    [Unit("1"), Range(0, 0.99)]
    public double Warmup { get; init; } = 0.05;

    [Description("Share of a point's steps over which a warmup-stable-decay branch leaves the peak.")]
    [Unit("1"), Range(0.01, 0.99)]
    public double Decay { get; init; } = 0.2;

    [Description("Where it computes.")]
    [Choice("cpu", "in float32")]
    [Choice("cuda", "on an NVIDIA GPU, with bfloat16 products")]
    public ComputeDevice Device { get; init; } = ComputeDevice.Cpu;

    [Description("AdamW's decay of the blocks' matrices; embeddings and norms do not decay.")]
    [Unit("1"), Range(0, 10)]
    public double WeightDecay { get; init; } = 0.1;

    [Description("Held-out tokens that a model is judged on, in windows at even distances over the held-out part.")]
    [Unit("tokens"), Range(1, 1e12)]
    public long EvaluationTokens { get; init; } = 131_072;

    [Description("Multiple-choice questions that a model answers at the end of its run, without examples: JSON Lines such as {\"context\": \"The sky is\", \"choices\": [\"blue\", \"green\"], \"answer\": 0}. The choice of the greatest log-likelihood a byte is its answer.")]
    public FileSet? MultipleChoice { get; init; }

    [Description("Trains with a program of yours, called once for each row: any trainer that reads a Hugging Face config.json. Absent: the trainer that is built in.")]
    public TrainerSettings? Trainer { get; init; }
}
