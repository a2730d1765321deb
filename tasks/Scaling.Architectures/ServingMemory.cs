// What a served shape keeps in memory, and how many sequences therefore fit.
namespace Scaling.Architectures;

/// <summary>
/// Weights and the keys and values of full sequences, on one of t devices: query heads, MLP and vocabulary are divided, key/value heads as far as there are enough of them, norms are copied.
/// </summary>
public static class ServingMemory
{
    /// <summary>The share of a device's memory that weights and cache may fill: vLLM's default for <c>--gpu-memory-utilization</c>. The rest is for activations.</summary>
    public const double Share = 0.9;

    /// <summary>Weights on one device, embeddings and norms included.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">Format of the weights, and t.</param>
    /// <returns>Bytes.</returns>
    public static double WeightBytes(DecoderShape shape, Workload workload)
    {
        double t = workload.TensorParallel, d = shape.Hidden;
        double attention = 2 * d * (shape.Heads / t + DecoderOperators.KvHeadsOnDevice(shape, workload.TensorParallel)) * shape.HeadSize;
        double layers = shape.Layers * (attention + shape.MlpParametersPerLayer / t);
        double embeddings = (shape.Tied ? 1 : 2) * (double)shape.Vocabulary * d / t;
        double norms = (2 * shape.Layers + 1) * d;
        return (layers + embeddings + norms) * workload.Weights.Bytes();
    }

    /// <summary>Keys and values of one sequence at its end, S + T tokens, on one device.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">S, T, the cache's format, and t.</param>
    /// <returns>Bytes.</returns>
    public static double SequenceBytes(DecoderShape shape, Workload workload) =>
        2.0 * shape.Layers * DecoderOperators.KvHeadsOnDevice(shape, workload.TensorParallel) * shape.HeadSize * workload.KvCache.Bytes() * ((double)workload.Prompt + workload.Output);

    /// <summary>Weights and the cache of the whole batch, on one device.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">B and the rest.</param>
    /// <returns>Bytes.</returns>
    public static double Bytes(DecoderShape shape, Workload workload) => WeightBytes(shape, workload) + workload.Batch * SequenceBytes(shape, workload);

    /// <summary>The most sequences that fit beside the weights, at most <see cref="Workload.Batch"/>; 0 where not even one does.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What is asked.</param>
    /// <param name="memoryBytes">Of one device; <see cref="Share"/> of it is used. Null: no limit.</param>
    public static int LargestBatch(DecoderShape shape, Workload workload, double? memoryBytes) => memoryBytes is { } memory
        ? (int)Math.Clamp(Math.Floor((memory * Share - WeightBytes(shape, workload)) / SequenceBytes(shape, workload)), 0, workload.Batch)
        : workload.Batch;
}
