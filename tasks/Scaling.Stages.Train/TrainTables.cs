// The columns of what `train` reads and writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Train;

internal static class TrainTables
{
    /// <summary>What a row must tell: the shape and the seed of its initialisation.</summary>
    public static readonly IReadOnlyList<string> Reads = [.. Vocabulary.ShapeIdentity.Select(t => t.Name), Vocabulary.Seed.Name];

    public static readonly IReadOnlyList<Column> Runs =
    [
        .. Vocabulary.ShapeTerms.Select(Documented), Documented(Vocabulary.Seed),
        new("tokens_per_parameter", "tokens a parameter", "training tokens a non-embedding parameter, as asked"),
        Documented(Vocabulary.Tokens), Documented(Vocabulary.Loss),
        new("loss_standard_error", "nats a token", "standard error of the loss over the windows of the held-out slice"),
        new("steps", "steps", "optimiser steps"),
        new("batch", "sequences", "sequences a step"),
        new("context", "tokens", "length of a sequence"),
        new("learning_rate", "1", "peak learning rate"),
        new("schedule", "text", "shape of the learning rate over the steps"),
        new("precision", "text", "numbers of products and attention, 'fp32' or 'bf16'; weights, moments and the evaluation are fp32"),
        new("tokenizer", "text", "how text became tokens"),
        new("evaluation_tokens", "tokens", "held-out tokens that the loss is the mean of"),
        new("unique_tokens", "tokens", "tokens of the corpus's training part; more tokens than that repeat it"),
        new("token_order", "text", "first 16 hex digits of the SHA-256 of the order of training windows"),
    ];

    public static readonly IReadOnlyList<Column> Timings =
    [
        Documented(Vocabulary.Shape), Documented(Vocabulary.Seed),
        new("tokens_per_parameter", "tokens a parameter", "training tokens a non-embedding parameter, as asked"),
        new("seconds", "seconds", "time of all training steps"),
        new("tokens_per_second", "tokens a second", "training tokens over seconds"),
        new("flops_per_second", "FLOP/s", "6·(N + V·d) + 6·L·n·h·T floating-point operations a token, over seconds"),
        new("peak_memory_bytes", "bytes", "most memory that the process held, what ran before in it included"),
        new("peak_gpu_memory_bytes", "bytes", "most of the GPU's memory that was in use, by all processes, when progress was told; absent on a processor"),
        new("mfu", "1", "flops_per_second over the GPU's dense bf16 peak; absent on a processor and on a GPU that is not listed"),
    ];

    private static Column Documented(Term term) => new(term.Name, term.Unit, term.Meaning);
}
