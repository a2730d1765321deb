// Peak figures of machines that serve models, from their vendors' data sheets.
namespace Scaling.Architectures;

/// <summary>A device's peak figures. Dense arithmetic only: data sheets also print twice that for 2:4 sparsity, which no decoder here reaches.</summary>
/// <param name="Name">Lower case, as a pipeline names it.</param>
/// <param name="FlopsPerSecond">F, dense peak in the type that models are served in: bfloat16 on a GPU, float32 on a CPU.</param>
/// <param name="BytesPerSecond">BW, peak memory bandwidth.</param>
/// <param name="Source">Where the figures stand.</param>
public sealed record Device(string Name, double FlopsPerSecond, double BytesPerSecond, string Source)
{
    /// <summary>Dense peak in fp8; null where there is none: fp8 weights are then widened and multiplied at <see cref="FlopsPerSecond"/>.</summary>
    public double? Fp8FlopsPerSecond { get; init; }

    /// <summary>Memory, bytes; null where it depends on how the machine was bought, and then nothing is too large for it.</summary>
    public double? MemoryBytes { get; init; }

    /// <summary>What a device sends to its peers at most, bytes a second in one direction; null where devices are not linked for tensor parallelism.</summary>
    public double? LinkBytesPerSecond { get; init; }

    /// <summary>What NVIDIA's driver calls it. Slices of it (MIG) and kin with other peaks (the H100's PCIe and NVL) have other names.</summary>
    public IReadOnlyList<string> DriverNames { get; init; } = [];

    /// <summary>NVIDIA A100 40 GB.</summary>
    public static Device A100With40GB { get; } = new("a100-40", 312e12, 1.555e12, "NVIDIA A100 data sheet: BF16 dense, HBM2, NVLink 600 GB/s both ways")
    {
        MemoryBytes = 40e9,
        LinkBytesPerSecond = 300e9,
        DriverNames = ["NVIDIA A100-SXM4-40GB"],
    };

    /// <summary>NVIDIA A100 80 GB (SXM).</summary>
    public static Device A100With80GB { get; } = new("a100-80", 312e12, 2.04e12, "NVIDIA A100 80GB data sheet: BF16 dense, HBM2e, NVLink 600 GB/s both ways")
    {
        MemoryBytes = 80e9,
        LinkBytesPerSecond = 300e9,
        DriverNames = ["NVIDIA A100-SXM4-80GB"],
    };

    /// <summary>NVIDIA H100 (SXM).</summary>
    public static Device H100Sxm { get; } = new("h100-sxm", 989e12, 3.35e12, "NVIDIA H100 data sheet, SXM: BF16 and FP8 dense, HBM3, NVLink 900 GB/s both ways")
    {
        Fp8FlopsPerSecond = 1979e12,
        MemoryBytes = 80e9,
        LinkBytesPerSecond = 450e9,
        DriverNames = ["NVIDIA H100 80GB HBM3"],
    };

    /// <summary>NVIDIA H200 (SXM).</summary>
    public static Device H200 { get; } = new("h200", 989e12, 4.8e12, "NVIDIA H200 data sheet, SXM: BF16 and FP8 dense, HBM3e, NVLink 900 GB/s both ways")
    {
        Fp8FlopsPerSecond = 1979e12,
        MemoryBytes = 141e9,
        LinkBytesPerSecond = 450e9,
        DriverNames = ["NVIDIA H200"],
    };

    /// <summary>
    /// AMD EPYC 9654, one socket: 96 cores at the all-core boost of 3.55 GHz with 32 float32 FLOPs a cycle (two 256-bit fused
    /// multiply-adds), 12 channels of DDR5-4800.
    /// </summary>
    public static Device Epyc9654 { get; } = new("epyc-9654", 96 * 3.55e9 * 32, 460.8e9, "AMD EPYC 9654 product page; Zen 4 optimization guide: float32");

    /// <summary>Every device that a pipeline can name.</summary>
    public static IReadOnlyList<Device> All { get; } = [A100With40GB, A100With80GB, H100Sxm, H200, Epyc9654];

    /// <summary>The device of that name; null where none is.</summary>
    /// <param name="name">As in <see cref="Name"/>.</param>
    public static Device? Named(string name) => All.FirstOrDefault(d => d.Name == name);

    /// <summary>The device that NVIDIA's driver calls so; null where none of these is.</summary>
    /// <param name="driverName">As <c>nvidia-smi -L</c> prints it.</param>
    public static Device? CalledByDriver(string driverName) => All.FirstOrDefault(d => d.DriverNames.Contains(driverName));
}
