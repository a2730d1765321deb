// Where training computes and in what numbers.
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Where it computes.</summary>
public enum ComputeDevice
{
    /// <summary>This machine's processor.</summary>
    Cpu,

    /// <summary>The first NVIDIA GPU that the process sees.</summary>
    Cuda,
}

/// <summary>In what numbers matrix products and attention are computed; all else is float32.</summary>
public enum Precision
{
    /// <summary>float32: <c>fp32</c>.</summary>
    Full,

    /// <summary>bfloat16, of copies made in the graph, so that gradients reach the float32 weights: <c>bf16</c>. A processor does about 1 GFLOP/s in it.</summary>
    Mixed,
}

/// <summary>How a run is computed. A checkpoint does not depend on it.</summary>
/// <param name="Device">Holds weights and moments, in float32.</param>
/// <param name="Precision">Of products and attention.</param>
/// <param name="StepsAhead">Steps, at least 1, that are handed to the device before their losses are waited for. No result depends on it.</param>
public sealed record Compute(ComputeDevice Device, Precision Precision, int StepsAhead)
{
    /// <summary>A processor: float32, and every loss at once.</summary>
    public static Compute Cpu { get; } = new(ComputeDevice.Cpu, Precision.Full, 1);

    /// <summary>A GPU: bfloat16, and losses every 64 steps, since waiting for each would leave it idle between steps.</summary>
    public static Compute Cuda { get; } = new(ComputeDevice.Cuda, Precision.Mixed, 64);

    /// <summary>As usual on a device.</summary>
    /// <param name="device">Where.</param>
    public static Compute On(ComputeDevice device) => device == ComputeDevice.Cuda ? Cuda : Cpu;

    /// <summary><c>fp32</c> or <c>bf16</c>.</summary>
    public string PrecisionName => Precision == Precision.Mixed ? "bf16" : "fp32";

    internal Device TorchDevice => Device == ComputeDevice.Cuda ? CUDA : CPU;
}
