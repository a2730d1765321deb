// What serving a shape costs in closed form: FLOPs and bytes of a prefill and of a decode step.
namespace Scaling.Architectures;

/// <summary>How many FLOPs attention counts for each query feature and each position that it looks at.</summary>
public enum AttentionCounting
{
    /// <summary>4: a multiplication and an addition for the scores, and again for the weighted values. The default.</summary>
    ScoresAndValues = 4,

    /// <summary>2: as arXiv 2510.18245 prints it. For comparison with its figures only.</summary>
    HalfAsPrinted = 2,
}

/// <summary>
/// Costs of one pass over a batch. Symbols: N non-embedding parameters, L layers, n·h query width, k·h key/value width, d hidden, V vocabulary,
/// B batch, S prompt, c context, w bytes a weight. A matrix product counts two FLOPs a weight; norms, rotary positions and the softmax count nothing.
/// </summary>
public static class InferenceCost
{
    /// <summary>Keys and values that one token leaves in the cache: 2·L·k·h·bytes. LLaMA-3.2-1B in bf16: 32,768 bytes.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="bytesPerElement">2 for bf16.</param>
    /// <returns>Bytes.</returns>
    public static double KvBytesPerToken(DecoderShape shape, double bytesPerElement) => shape.KvElementsPerToken * bytesPerElement;

    /// <summary>
    /// Causal prefill: 2·N·B·S + (a/2)·L·n·h·B·S·(S + 1) with a = 4 or 2 by <paramref name="counting"/>. The output head runs for the
    /// last position alone and is not counted.
    /// </summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">S and B.</param>
    /// <param name="counting">See <see cref="AttentionCounting"/>.</param>
    /// <returns>FLOPs.</returns>
    public static double PrefillFlops(DecoderShape shape, Workload workload, AttentionCounting counting = AttentionCounting.ScoresAndValues)
    {
        double s = workload.Prompt, b = workload.Batch;
        return 2.0 * shape.Parameters * b * s + (int)counting / 2.0 * shape.Layers * shape.QueryWidth * b * s * (s + 1);
    }

    /// <summary>One decode step: B·(2·(N + V·d) + a·L·n·h·c) with a = 4 or 2 by <paramref name="counting"/>.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">B.</param>
    /// <param name="context">c, positions that the new token looks at.</param>
    /// <param name="counting">See <see cref="AttentionCounting"/>.</param>
    /// <returns>FLOPs.</returns>
    public static double DecodeFlops(
        DecoderShape shape, Workload workload, double context, AttentionCounting counting = AttentionCounting.ScoresAndValues) =>
        workload.Batch * (2.0 * (shape.Parameters + HeadParameters(shape)) + (int)counting * (double)shape.Layers * shape.QueryWidth * context);

    /// <summary>Bytes of weights that every pass reads: (N + V·d)·w. The output head is among them, tied or not; input embeddings are looked up.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">w.</param>
    /// <returns>Bytes.</returns>
    public static double WeightBytes(DecoderShape shape, Workload workload) =>
        (shape.Parameters + HeadParameters(shape)) * workload.Weights.Bytes();

    /// <summary>One decode step: the weights once and B caches of c tokens.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">B and the bytes.</param>
    /// <param name="context">c.</param>
    /// <returns>Bytes.</returns>
    public static double DecodeBytes(DecoderShape shape, Workload workload, double context) =>
        WeightBytes(shape, workload) + workload.Batch * context * KvBytesPerToken(shape, workload.KvCache.Bytes());

    private static double HeadParameters(DecoderShape shape) => (double)shape.Vocabulary * shape.Hidden;
}
