// The shape that all speeds are told against: the same in every batch, whatever else is measured.
using Scaling.Architectures;
using Scaling.Torch;

namespace Scaling.Stages.Measure;

/// <summary>
/// The anchor is timed in every round between the rows. It follows from the settings alone, so rows that were measured in two batches, of which the later had only what was missing, are told against the
/// same shape. It need not be of the rows' size: on two shared cores, batch 8 with 128 in and 64 out, ratios to <see cref="OnProcessor"/> scattered from round to round by 3.5 to 7.7 % for shapes of 15k
/// to 17M parameters, and to anchors of .1 or 10 times its size by no less.
/// </summary>
internal static class AnchorShape
{
    /// <summary>172,032 parameters over bytes.</summary>
    public static readonly DecoderShape OnProcessor = new(4, 64, 160, 8, 4, 8, 256, Tied: true);

    /// <summary>LLaMA-3.2-1B.</summary>
    public static readonly DecoderShape OnGpu = new(16, 2048, 8192, 32, 8, 64, 128_256, Tied: true);

    /// <summary>The anchor of a device.</summary>
    /// <param name="device">Where the shapes are timed.</param>
    /// <param name="fits">Whether memory holds a shape with the workload; a GPU that holds the rows and not <see cref="OnGpu"/> has the processor's.</param>
    public static DecoderShape Of(ComputeDevice device, Func<DecoderShape, bool> fits) => device == ComputeDevice.Cuda && fits(OnGpu) ? OnGpu : OnProcessor;
}
