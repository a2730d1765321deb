// How long serving takes on a device: of each operator the slower of arithmetic and memory, what devices send to each other, and a fixed time a layer.
namespace Scaling.Architectures;

/// <summary>
/// The closed-form roofline (Williams, Waterman and Patterson 2009), operator by operator: an operator takes max(bytes · <paramref name="SecondsPerByte"/>, FLOPs · <paramref name="SecondsPerFlop"/>)
/// and what it sends · <see cref="SecondsPerSentByte"/>; a pass takes the sum over its operators and L · <paramref name="SecondsPerLayer"/>.
/// </summary>
/// <remarks>
/// With peak figures absolute speeds are 1.5 to 2.4 times too high (SGLang on one H200), ratios between shapes are not. Surefire-1B over LLaMA-3.2-1B on one H200, bfloat16, 4096 in and 1024 out,
/// batch 32, 64, 128: 1.358, 1.461, 1.534; measured 1.469 at a batch that is not published.
/// </remarks>
/// <param name="SecondsPerFlop">1/(e_f·F), not negative.</param>
/// <param name="SecondsPerByte">1/(e_bw·BW), not negative.</param>
/// <param name="SecondsPerLayer">t0, not negative.</param>
public sealed record Roofline(double SecondsPerFlop, double SecondsPerByte, double SecondsPerLayer) : ISpeedModel
{
    /// <summary>Of products with fp8 weights; null: <see cref="SecondsPerFlop"/>. Attention is computed in bfloat16 whatever the cache is kept in.</summary>
    public double? SecondsPerFp8Flop { get; init; }

    /// <summary>Of the sums over devices that tensor parallelism needs. Default 0; their latency is part of t0.</summary>
    public double SecondsPerSentByte { get; init; }

    /// <summary>A device's roofline.</summary>
    /// <param name="device">Peak figures.</param>
    /// <param name="bandwidthEfficiency">e_bw, share of the peak bandwidth that is reached, (0, 1]. Default 1.</param>
    /// <param name="flopEfficiency">e_f, share of the peak FLOP/s that is reached, (0, 1]. Default 1.</param>
    /// <param name="secondsPerLayer">t0. Default 0.</param>
    public static Roofline Of(Device device, double bandwidthEfficiency = 1, double flopEfficiency = 1, double secondsPerLayer = 0) =>
        new(1 / (flopEfficiency * device.FlopsPerSecond), 1 / (bandwidthEfficiency * device.BytesPerSecond), secondsPerLayer)
        {
            SecondsPerFp8Flop = device.Fp8FlopsPerSecond is { } flops ? 1 / (flopEfficiency * flops) : null,
            SecondsPerSentByte = device.LinkBytesPerSecond is { } bytes ? 1 / bytes : 0,
        };

    /// <inheritdoc/>
    public double PrefillSeconds(DecoderShape shape, Workload workload) => Seconds(DecoderOperators.Prefill(shape, workload), shape, workload);

    /// <inheritdoc/>
    public double DecodeStepSeconds(DecoderShape shape, Workload workload, double context) =>
        Seconds(DecoderOperators.DecodeStep(shape, workload, context), shape, workload);

    private double Seconds(IReadOnlyList<OperatorCost> pass, DecoderShape shape, Workload workload)
    {
        double seconds = shape.Layers * SecondsPerLayer;
        foreach (var o in pass)
        {
            double flop = workload.Weights == DataType.Fp8 && o.Kind != OperatorKind.Attention ? SecondsPerFp8Flop ?? SecondsPerFlop : SecondsPerFlop;
            seconds += o.Times * (Math.Max(o.Bytes * SecondsPerByte, o.Flops * flop) + o.SentBytes * SecondsPerSentByte);
        }

        return seconds;
    }
}
