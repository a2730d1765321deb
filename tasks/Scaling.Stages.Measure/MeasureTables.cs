// The columns of what `measure` reads and writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Measure;

internal static class MeasureTables
{
    /// <summary>The shape without a seed: what a token costs does not depend on what the weights say.</summary>
    public static readonly IReadOnlyList<string> Reads = [.. Vocabulary.ShapeIdentity.Select(t => t.Name)];

    /// <summary>What a row may tell besides: whether it is a baseline.</summary>
    public static readonly IReadOnlyDictionary<string, string> MayRead = new Dictionary<string, string> { [Vocabulary.Baseline.Name] = "false" };

    public static readonly IReadOnlyList<Column> Speed =
    [
        .. Vocabulary.ShapeTerms.Select(t => new Column(t.Name, t.Unit, t.Meaning)),
        new("prompt", "tokens", "tokens read, a sequence"),
        new("output", "tokens", "tokens written, a sequence"),
        new("batch", "sequences", "sequences at once"),
        new("threads", "threads", "threads of one operation"),
        new("data_type", "text", "in what numbers the decoder computed"),
        new("device", "text", "where it computed"),
        new("time_to_first_token", "seconds", "median time of the prompt and the choice of the first token"),
        new("time_per_output_token", "seconds", "median time of a decode step, one token a sequence"),
        new("tokens_per_second", "tokens a second", "median of the batch's output tokens over prefill and decode"),
        new("tokens_per_second_low", "tokens a second", "lower end of the 95 % bootstrap interval of that median"),
        new("tokens_per_second_high", "tokens a second", "upper end of the 95 % bootstrap interval of that median"),
        new("kv_bytes_per_token", "bytes", "keys and values that a token leaves in the cache"),
        new("weight_bytes", "bytes", "all weights, embeddings and norms included"),
        new("repeats", "runs", "timed runs"),
        new("source", "text", "'measured'"),
        new(Vocabulary.Baseline.Name, Vocabulary.Baseline.Unit, Vocabulary.Baseline.Meaning),
    ];
}
