// Weights, keys and values of decoders that take turns: the largest of them decides how much memory is taken, not their sum.
//
// Axes: P numbers in a row.
using Scaling.Architectures;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Random numbers that decoders have as weights, one after the other, and room for their caches. What a token costs does not depend on what the weights say.</summary>
public sealed class WorkloadMemory : IDisposable
{
    private const double Spread = 0.02;

    /// <summary>Takes the memory.</summary>
    /// <param name="shapes">The decoders, at least one.</param>
    /// <param name="workload">What they will do, in which numbers: all float32 or all bfloat16.</param>
    /// <param name="device">Where; libtorch is loaded for it.</param>
    /// <exception cref="UnusableInputException">SCAL8104, or SCAL8209 on a GPU: there is not so much.</exception>
    public WorkloadMemory(IReadOnlyCollection<DecoderShape> shapes, Workload workload, ComputeDevice device)
    {
        if (workload.Weights != workload.KvCache || workload.Weights == DataType.Fp8)
        {
            throw new ArgumentException("weights and cache are both float32 or both bfloat16", nameof(workload));
        }

        Workload = workload;
        Device = device;
        var where = device == ComputeDevice.Cuda ? CUDA : CPU;
        var type = workload.Weights == DataType.Bfloat16 ? ScalarType.BFloat16 : ScalarType.Float32;
        long numbers = shapes.Max(DecoderWeights.NumbersOf), room = shapes.Max(s => KeyValueCache.NumbersOf(s, workload.Batch, workload.Prompt + workload.Output));
        (Numbers_P, Room_P) = DeviceMemory.Demand("the largest shape's weights and the keys and values of a full batch", () =>
        {
            using var scope = NewDisposeScope();
            return (randn([numbers], dtype: type, device: where).mul_(Spread).MoveToOuterDisposeScope(), zeros([room], dtype: type, device: where).MoveToOuterDisposeScope());
        });
        Gpu = device == ComputeDevice.Cuda ? CudaDevice.First() : null;
        InUseBefore = Gpu?.MemoryInUse();
    }

    /// <summary>What the decoders do.</summary>
    public Workload Workload { get; }

    /// <summary>Where they do it.</summary>
    public ComputeDevice Device { get; }

    internal Tensor Numbers_P { get; }

    internal Tensor Room_P { get; }

    internal CudaDevice? Gpu { get; }

    /// <summary>Bytes of the GPU in use before any decoder has run; null on a processor.</summary>
    internal long? InUseBefore { get; }

    /// <summary>Waits until the device has done what it was told, so that a clock can be read.</summary>
    internal void Settle()
    {
        if (Device == ComputeDevice.Cuda)
        {
            cuda.synchronize();
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Numbers_P.Dispose();
        Room_P.Dispose();
    }
}
