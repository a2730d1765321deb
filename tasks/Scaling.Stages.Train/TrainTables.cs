// The columns of what `train` reads and writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Train;

internal static class TrainTables
{
    public const string Size = "size";

    /// <summary>What a row must tell: the shape and the seed of its initialisation.</summary>
    public static readonly IReadOnlyList<string> Reads = [.. Vocabulary.ShapeIdentity.Select(t => t.Name), Vocabulary.Seed.Name];

    /// <summary>What a row may tell besides: the factor on its learning rate, the share of the tokens that it is trained on, the size that its budget is meant for where the shape's own differs by rounding, and whether it is a baseline.</summary>
    public static readonly IReadOnlyDictionary<string, string> MayRead = new Dictionary<string, string>
    {
        [Vocabulary.LearningRateFactor.Name] = "1", [Vocabulary.TokensShare.Name] = "1", [Size] = "", [Vocabulary.Baseline.Name] = "false", [Vocabulary.BaselineLoss.Name] = "",
    };

    public static readonly IReadOnlyList<Column> Runs =
    [
        .. Vocabulary.ShapeTerms.Select(Documented), Documented(Vocabulary.Seed),
        new("tokens_per_parameter", "tokens a parameter", "training tokens a non-embedding parameter of the asked size, as asked"),
        Documented(Vocabulary.Tokens), Documented(Vocabulary.Loss),
        new("loss_standard_error", "nats a token", "standard error of the loss over the windows of the held-out slice"),
        new("training_run", "text", "name of the training run; rows of one run are points of it"),
        new("annealed", "truth", "whether the schedule had ended; what a run passes on the way is no trained model of fewer tokens and is not fitted"),
        new("diverged_at", "steps", "step at which the run ceased to learn; empty where it did not; such a row has no loss and is not fitted"),
        new("steps", "steps", "optimiser steps behind the loss"),
        new("batch", "sequences", "sequences a step"),
        new("context", "tokens", "length of a sequence"),
        new("learning_rate", "1", "peak learning rate, the factor included"),
        Documented(Vocabulary.LearningRateFactor), Documented(Vocabulary.Baseline), Documented(Vocabulary.BaselineLoss),
        new("schedule", "text", "shape of the learning rate over the steps"),
        new("recipe", "text", "optimiser, clipping, decay, z-loss and initialisation"),
        new("precision", "text", "numbers of products and attention, 'fp32' or 'bf16'; weights, moments and the evaluation are fp32"),
        new("tokenizer", "text", "how text became tokens: 'bytes', or kind, vocabulary and 8 hex digits of its content's SHA-256; 'unknown' for token shards without"),
        new("bytes_per_token", "bytes a token", "bytes of UTF-8 a held-out token: loss over it is nats a byte; empty where the tokenizer is unknown"),
        new("evaluation_tokens", "tokens", "held-out tokens that the loss is the mean of"),
        new("unique_tokens", "tokens", "tokens of the corpus's training part; more tokens than that repeat it"),
        new("corpus", "text", "first 16 hex digits of the SHA-256 of the training tokens, little endian"),
        new("held_out", "text", "first 16 hex digits of the SHA-256 of the held-out tokens, little endian"),
        new("token_order", "text", "first 16 hex digits of the SHA-256 of the order of training windows"),
        new("accuracy", "1", "share of the multiple-choice questions answered rightly at the end of the run; empty at points before it, and where none were asked"),
        new("accuracy_standard_error", "1", "standard error of the accuracy over the questions"),
        new("questions", "questions", "multiple-choice questions answered"),
    ];

    public static readonly IReadOnlyList<Column> Timings =
    [
        Documented(Vocabulary.Shape), Documented(Vocabulary.Seed),
        new("tokens_per_parameter", "tokens a parameter", "training tokens a non-embedding parameter, as asked"),
        new("seconds", "seconds", "time of all training steps"),
        new("tokens_per_second", "tokens a second", "training tokens over seconds"),
        new("flops_per_second", "FLOP/s", "6·(N + V·d) + 6·L·n·h·T floating-point operations a token, over seconds"),
        new("peak_memory_bytes", "bytes", "most memory that the process held, what ran before in it included"),
        new("peak_gpu_memory_bytes", "bytes", "most of the GPU's memory that was in use, by all processes, when progress was told; empty on a processor"),
        new("mfu", "1", "flops_per_second over the GPU's dense bf16 peak; empty on a processor, and on a GPU whose peak is not listed"),
    ];

    private static Column Documented(Term term) => new(term.Name, term.Unit, term.Meaning);
}
