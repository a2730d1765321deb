// How long serving takes on a device: the slower of arithmetic and memory, and a fixed time a layer.
namespace Scaling.Architectures;

/// <summary>What serving a workload takes.</summary>
/// <param name="TimeToFirstToken">Seconds of the prefill.</param>
/// <param name="TimePerOutputToken">Mean seconds of a decode step; of the first one where only one token is written.</param>
/// <param name="TokensPerSecond">B·T over prefill and T − 1 decode steps.</param>
/// <param name="KvBytesPerToken">Bytes.</param>
public sealed record Speed(double TimeToFirstToken, double TimePerOutputToken, double TokensPerSecond, double KvBytesPerToken);

/// <summary>
/// The closed-form roofline: a pass takes max(bytes · <paramref name="SecondsPerByte"/>, FLOPs · <paramref name="SecondsPerFlop"/>) +
/// L · <paramref name="SecondsPerLayer"/>. The prefill gives the first token; decode step t sees a context of S + t, t = 1 … T − 1.
/// </summary>
/// <remarks>With peak figures absolute speeds are 1.5 to 2.4 times too high (SGLang on one H200); <see cref="Calibration"/> mends that.</remarks>
/// <param name="SecondsPerFlop">1/(e_f·F), not negative.</param>
/// <param name="SecondsPerByte">1/(e_bw·BW), not negative.</param>
/// <param name="SecondsPerLayer">t0, not negative.</param>
public sealed record Roofline(double SecondsPerFlop, double SecondsPerByte, double SecondsPerLayer)
{
    /// <summary>A device's roofline.</summary>
    /// <param name="device">Peak figures.</param>
    /// <param name="bandwidthEfficiency">e_bw, share of the peak bandwidth that is reached, (0, 1]. Default 1.</param>
    /// <param name="flopEfficiency">e_f, share of the peak FLOP/s that is reached, (0, 1]. Default 1.</param>
    /// <param name="secondsPerLayer">t0. Default 0.</param>
    public static Roofline Of(Device device, double bandwidthEfficiency = 1, double flopEfficiency = 1, double secondsPerLayer = 0) =>
        new(1 / (flopEfficiency * device.FlopsPerSecond), 1 / (bandwidthEfficiency * device.BytesPerSecond), secondsPerLayer);

    /// <summary>The speed of a shape.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="workload">What it serves.</param>
    public Speed Predict(DecoderShape shape, Workload workload)
    {
        double prefill = PrefillSeconds(shape, workload);
        int steps = workload.Output - 1;
        double decode = DecodeSeconds(shape, workload, steps);
        double perToken = steps > 0 ? decode / steps : DecodeSeconds(shape, workload, 1);
        return new Speed(
            prefill, perToken, (double)workload.Batch * workload.Output / (prefill + decode),
            InferenceCost.KvBytesPerToken(shape, workload.BytesPerKvElement));
    }

    private double PrefillSeconds(DecoderShape shape, Workload workload) =>
        Math.Max(InferenceCost.WeightBytes(shape, workload) * SecondsPerByte, InferenceCost.PrefillFlops(shape, workload) * SecondsPerFlop)
        + shape.Layers * SecondsPerLayer;

    /// <summary>
    /// Σ over c = S + 1 … S + steps. Both lines are linear in c, so the greater one changes at most once: each side of the crossing is
    /// an arithmetic series, and the sum needs no loop.
    /// </summary>
    private double DecodeSeconds(DecoderShape shape, Workload workload, int steps)
    {
        double Memory(double c) => InferenceCost.DecodeBytes(shape, workload, c) * SecondsPerByte;
        double Arithmetic(double c) => InferenceCost.DecodeFlops(shape, workload, c) * SecondsPerFlop;
        double first = workload.Prompt + 1, last = workload.Prompt + steps;
        double atFirst = Memory(first) - Arithmetic(first), atLast = Memory(last) - Arithmetic(last);
        double fixedSeconds = steps * shape.Layers * SecondsPerLayer;
        if (steps <= 0 || atFirst * atLast >= 0)
        {
            return fixedSeconds + Math.Max(0, steps) * Math.Max(Memory((first + last) / 2), Arithmetic((first + last) / 2));
        }

        double crossing = first + Math.Floor((last - first) * atFirst / (atFirst - atLast));
        double before = crossing - first + 1, after = last - crossing;
        double middleBefore = (first + crossing) / 2, middleAfter = (crossing + 1 + last) / 2;
        return fixedSeconds
            + before * Math.Max(Memory(middleBefore), Arithmetic(middleBefore))
            + after * Math.Max(Memory(middleAfter), Arithmetic(middleAfter));
    }
}
