// A pass through a decoder, operator by operator: what each multiplies, reads and sends on one device.
namespace Scaling.Architectures;

/// <summary>How an operator behaves.</summary>
public enum OperatorKind
{
    /// <summary>A product with weights in every layer.</summary>
    Projection,

    /// <summary>Scores and weighted values over the cached positions.</summary>
    Attention,

    /// <summary>The product with the output embeddings, once a pass, for one position a sequence.</summary>
    Head,

    /// <summary>The sum over devices after attention and after the MLP (tensor parallelism).</summary>
    AllReduce,
}

/// <summary>One operator of a pass, on one of the devices.</summary>
/// <param name="Name">For example <c>gate_up</c>.</param>
/// <param name="Kind">How it behaves.</param>
/// <param name="Times">How often it occurs in a pass: L, or 1 for the head.</param>
/// <param name="Flops">Of one occurrence; a matrix product counts two a weight and token.</param>
/// <param name="Bytes">Read by one occurrence: weights, or keys and values. Activations stay in caches and registers and count nothing.</param>
/// <param name="SentBytes">Sent to peers by one occurrence.</param>
public sealed record OperatorCost(string Name, OperatorKind Kind, int Times, double Flops, double Bytes, double SentBytes = 0);

/// <summary>
/// The operators of a prefill and of a decode step. Symbols: d hidden, f intermediate, n query and k key/value heads of h features, V vocabulary, L layers,
/// B batch, S prompt, c context, t tensor-parallel degree.
/// </summary>
/// <remarks>
/// With t devices each holds n/t query heads, max(1, k/t) key/value heads (fewer heads than devices are copied, as in vLLM and Megatron), f/t features of the MLP and
/// V/t rows of the embeddings. Norms, rotary positions, the softmax and looking up embeddings count nothing. With t = 1 the sums are those of <see cref="InferenceCost"/>, but for the head of a prefill, which is counted here alone.
/// </remarks>
public static class DecoderOperators
{
    /// <summary>Bytes of an activation that is summed over devices: bfloat16.</summary>
    private const int SentBytesPerElement = 2;

    /// <summary>The prompt: M = B·S tokens through the layers, causal attention over S·(S + 1)/2 pairs a sequence, B positions through the head.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">S, B, t and the formats.</param>
    public static IReadOnlyList<OperatorCost> Prefill(DecoderShape shape, Workload workload)
    {
        double s = workload.Prompt;
        return Pass(shape, workload, workload.Batch * s, workload.Batch * s * (s + 1) / 2, workload.Batch * s);
    }

    /// <summary>One token a sequence that looks at c positions.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">B, t and the formats.</param>
    /// <param name="context">c.</param>
    public static IReadOnlyList<OperatorCost> DecodeStep(DecoderShape shape, Workload workload, double context) =>
        Pass(shape, workload, workload.Batch, workload.Batch * context, workload.Batch * context);

    /// <summary>Key/value heads on one device.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="tensorParallel">t.</param>
    public static double KvHeadsOnDevice(DecoderShape shape, int tensorParallel) => Math.Max(1, (double)shape.KvHeads / tensorParallel);

    private static OperatorCost[] Pass(DecoderShape shape, Workload workload, double tokens, double pairs, double cached)
    {
        double d = shape.Hidden, h = shape.HeadSize, t = workload.TensorParallel;
        double heads = shape.Heads / t, kvHeads = KvHeadsOnDevice(shape, workload.TensorParallel), width = shape.Intermediate / t;
        int weight = workload.Weights.Bytes(), element = workload.KvCache.Bytes();
        OperatorCost Product(string name, double inputs, double outputs) =>
            new(name, OperatorKind.Projection, shape.Layers, 2 * tokens * inputs * outputs, inputs * outputs * weight);

        double headRows = shape.Vocabulary / t;
        List<OperatorCost> pass =
        [
            Product("qkv", d, (heads + 2 * kvHeads) * h),
            new("attention", OperatorKind.Attention, shape.Layers, 4 * heads * h * pairs, 2 * kvHeads * h * cached * element),
            Product("output", heads * h, d),
            Product("gate_up", d, 2 * width),
            Product("down", width, d),
            new("head", OperatorKind.Head, 1, 2 * workload.Batch * headRows * d, headRows * d * weight),
        ];
        if (workload.TensorParallel > 1)
        {
            // A ring sends each element 2·(t − 1)/t times, after attention and after the MLP.
            pass.Add(new OperatorCost("all_reduce", OperatorKind.AllReduce, 2 * shape.Layers, 0, 0, 2 * (t - 1) / t * tokens * d * SentBytesPerElement));
        }

        return [.. pass];
    }
}
