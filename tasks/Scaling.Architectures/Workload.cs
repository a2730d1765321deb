// What a served model is asked to do: how long the prompts are, how much it writes, how many at once, in which numbers, on how many devices.
using System.Text.Json.Serialization;

namespace Scaling.Architectures;

/// <summary>One kind of request, served in batches. Which of two shapes is faster depends on it.</summary>
/// <param name="Prompt">S, tokens read before the first is written; at least 1.</param>
/// <param name="Output">T, tokens written for each sequence; at least 1. The prefill gives the first, decode steps the others.</param>
/// <param name="Batch">B, sequences served together; at least 1.</param>
public sealed record Workload(int Prompt, int Output, int Batch)
{
    /// <summary>Format of the weights. Default bfloat16.</summary>
    public DataType Weights { get; init; } = DataType.Bfloat16;

    /// <summary>Format of cached keys and values. Default bfloat16.</summary>
    public DataType KvCache { get; init; } = DataType.Bfloat16;

    /// <summary>t, devices that share every layer's heads and MLP; at least 1. Default 1.</summary>
    public int TensorParallel { get; init; } = 1;

    /// <summary>
    /// S + T/2, the mean number of positions that a decode step looks at. Step t = 1 … T − 1 sees S + t; where one token is written, the step that would follow is meant.
    /// </summary>
    [JsonIgnore]
    public double MeanContext => Output > 1 ? Prompt + Output / 2.0 : Prompt + 1;

    /// <summary>The same in another batch.</summary>
    /// <param name="batch">At least 1.</param>
    public Workload Of(int batch) => this with { Batch = batch };
}
