// A machine as it was measured: what each kind of work in a pass costs, prefill and decode apart.
namespace Scaling.Architectures;

/// <summary>Kinds of work that a calibrated pass pays for, in a fixed order. B batch, S prompt, c context, n query heads, L layers.</summary>
public enum PassWork
{
    /// <summary>FLOPs of products with weights in the layers.</summary>
    ProjectionFlops,

    /// <summary>FLOPs of scores and weighted values.</summary>
    AttentionFlops,

    /// <summary>FLOPs of the product with the output embeddings.</summary>
    HeadFlops,

    /// <summary>Bytes of weights in the layers.</summary>
    WeightBytes,

    /// <summary>Bytes of the output embeddings.</summary>
    HeadBytes,

    /// <summary>Bytes of cached keys and values.</summary>
    KvBytes,

    /// <summary>Bytes of those three that come from memory, because together they are more than the processor's cache keeps.</summary>
    MissedBytes,

    /// <summary>Elements that layers hand to each other and within themselves.</summary>
    Activations,

    /// <summary>Elements of the softmax.</summary>
    Scores,

    /// <summary>Those of heads of fewer than 16 features, which fill no vector register: on an AVX-512 processor a score of 8 features took longer than one of 16.</summary>
    NarrowScores,

    /// <summary>Elements among which the next token is chosen.</summary>
    Logits,

    /// <summary>Key/value heads of all sequences: each is a small product of its own.</summary>
    SequenceHeads,

    /// <summary>Those of them that several query heads share: a product of matrices where one query head alone is a product with a vector.</summary>
    SharedHeads,

    /// <summary>Layers: what starting their operators takes.</summary>
    Layers,

    /// <summary>One a pass.</summary>
    Passes,
}

/// <summary>
/// Costs fitted to measured times: a pass takes Σ cost · amount. Work that does not overlap adds up, as on a processor that runs one operator after the other;
/// with data that outgrow the cache come further seconds a byte.
/// </summary>
/// <param name="Prefill">Seconds of each <see cref="PassWork"/>, by name in snake case; absent ones cost nothing.</param>
/// <param name="Decode">The same for a decode step.</param>
/// <param name="CacheBytes">What the processor keeps of weights, keys and values from one pass to the next; infinite is written as null.</param>
public sealed record CalibratedCosts(IReadOnlyDictionary<string, double> Prefill, IReadOnlyDictionary<string, double> Decode, double? CacheBytes) : ISpeedModel
{
    /// <summary>Float32 numbers of a 512-bit register.</summary>
    private const int VectorWidth = 16;

    /// <summary>Names in the order of <see cref="PassWork"/>.</summary>
    public static IReadOnlyList<string> Names { get; } = [.. Enum.GetNames<PassWork>().Select(System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName)];

    /// <inheritdoc/>
    public double PrefillSeconds(DecoderShape shape, Workload workload) => Sum(Prefill, OfPrefill(shape, workload, CacheBytes));

    /// <inheritdoc/>
    public double DecodeStepSeconds(DecoderShape shape, Workload workload, double context) => Sum(Decode, OfDecodeStep(shape, workload, context, CacheBytes));

    /// <summary>Amounts of work in a prefill, in the order of <see cref="PassWork"/>.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What it serves.</param>
    /// <param name="cacheBytes">As <see cref="CacheBytes"/>.</param>
    public static double[] OfPrefill(DecoderShape shape, Workload workload, double? cacheBytes) =>
        Of(shape, workload, DecoderOperators.Prefill(shape, workload), (double)workload.Batch * workload.Prompt, workload.Prompt, cacheBytes);

    /// <summary>Amounts of work in a decode step, in the order of <see cref="PassWork"/>.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What it serves.</param>
    /// <param name="context">c.</param>
    /// <param name="cacheBytes">As <see cref="CacheBytes"/>.</param>
    public static double[] OfDecodeStep(DecoderShape shape, Workload workload, double context, double? cacheBytes) =>
        Of(shape, workload, DecoderOperators.DecodeStep(shape, workload, context), workload.Batch, context, cacheBytes);

    private static double[] Of(DecoderShape shape, Workload workload, IReadOnlyList<OperatorCost> pass, double tokens, double context, double? cacheBytes)
    {
        double Sum(OperatorKind kind, Func<OperatorCost, double> value) => pass.Where(o => o.Kind == kind).Sum(o => o.Times * value(o));
        double weights = Sum(OperatorKind.Projection, o => o.Bytes), head = Sum(OperatorKind.Head, o => o.Bytes), cached = Sum(OperatorKind.Attention, o => o.Bytes);
        double heads = (double)shape.Heads / workload.TensorParallel, kvHeads = DecoderOperators.KvHeadsOnDevice(shape, workload.TensorParallel);
        double[] work = new double[Names.Count];
        work[(int)PassWork.ProjectionFlops] = Sum(OperatorKind.Projection, o => o.Flops);
        work[(int)PassWork.AttentionFlops] = Sum(OperatorKind.Attention, o => o.Flops);
        work[(int)PassWork.HeadFlops] = Sum(OperatorKind.Head, o => o.Flops);
        work[(int)PassWork.WeightBytes] = weights;
        work[(int)PassWork.HeadBytes] = head;
        work[(int)PassWork.KvBytes] = cached;
        work[(int)PassWork.MissedBytes] = Missed(weights + head + cached, cacheBytes);
        // Norms and residuals twice, q and k before and after rotation, v and the heads' output, gate, up and their product.
        work[(int)PassWork.Activations] = shape.Layers * tokens * (8.0 * shape.Hidden + (6 * heads + 8 * kvHeads) * shape.HeadSize + 4.0 * shape.Intermediate / workload.TensorParallel);
        work[(int)PassWork.Scores] = shape.Layers * heads * tokens * context;
        work[(int)PassWork.NarrowScores] = shape.HeadSize < VectorWidth ? work[(int)PassWork.Scores] : 0;
        work[(int)PassWork.Logits] = (double)workload.Batch * shape.Vocabulary;
        work[(int)PassWork.SequenceHeads] = shape.Layers * kvHeads * workload.Batch;
        work[(int)PassWork.SharedHeads] = shape.Heads > shape.KvHeads ? work[(int)PassWork.SequenceHeads] : 0;
        work[(int)PassWork.Layers] = shape.Layers;
        work[(int)PassWork.Passes] = 1;
        return work;
    }

    /// <summary>
    /// A cache that keeps what was used last loses everything to data of twice its size that are read in turn, and nothing to data that fit; between the two the share is taken as linear.
    /// </summary>
    private static double Missed(double bytes, double? cacheBytes) => cacheBytes is { } cache ? bytes * Math.Clamp(bytes / cache - 1, 0, 1) : 0;

    private static double Sum(IReadOnlyDictionary<string, double> costs, double[] work)
    {
        double seconds = 0;
        for (int i = 0; i < work.Length; i++)
        {
            seconds += work[i] * costs.GetValueOrDefault(Names[i]);
        }

        return seconds;
    }
}
