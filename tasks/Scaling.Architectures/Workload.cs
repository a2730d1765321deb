// What a served model is asked to do: how long the prompts are, how much it writes, how many at once, in which bytes.
namespace Scaling.Architectures;

/// <summary>One kind of request, served in batches. Which of two shapes is faster depends on it.</summary>
/// <param name="Prompt">S, tokens read before the first is written; at least 1.</param>
/// <param name="Output">T, tokens written for each sequence; at least 1. The prefill gives the first, decode steps the others.</param>
/// <param name="Batch">B, sequences served together; at least 1.</param>
/// <param name="BytesPerWeight">w, 2 for bf16, 4 for float32. Default 2.</param>
/// <param name="BytesPerKvElement">Bytes of a cached key or value element. Default 2.</param>
public sealed record Workload(int Prompt, int Output, int Batch, double BytesPerWeight = 2, double BytesPerKvElement = 2);
