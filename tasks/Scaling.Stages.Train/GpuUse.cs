// What a run makes of the GPU: its memory, and the peak that its speed is compared with.
using Scaling.Architectures;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>Looks at the GPU's memory from time to time. libtorch keeps what it has once taken, so that looking seldom misses little.</summary>
internal sealed class GpuUse
{
    private readonly CudaDevice _device = CudaDevice.First();

    /// <summary>Most bytes that were in use, by all processes; null where the driver never told.</summary>
    public long? PeakMemory { get; private set; }

    /// <summary>The GPU's dense bf16 peak, FLOP/s; null where <see cref="Device.All"/> lacks it.</summary>
    public double? FlopsPerSecond => Device.CalledByDriver(_device.Name)?.FlopsPerSecond;

    /// <summary>Of the device; null for a processor.</summary>
    public static GpuUse? Of(ComputeDevice device) => device == ComputeDevice.Cuda ? new GpuUse() : null;

    /// <summary>Looks now.</summary>
    public void Look() => PeakMemory = _device.MemoryInUse() is { } bytes ? Math.Max(bytes, PeakMemory ?? 0) : PeakMemory;
}
