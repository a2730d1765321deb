// The machine that measures: its name, its memory, and its peak rates.
using System.Globalization;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Measure;

/// <summary>What rows tell of the machine, and what measured speeds are held against.</summary>
/// <param name="Device"><c>cpu</c>; a GPU's name of <see cref="Architectures.Device"/>, else <c>cuda</c>.</param>
/// <param name="Processor">As the kernel or the driver calls it.</param>
/// <param name="Peak">FLOP/s and bytes a second at best; null where an engine computes on a GPU that no data sheet here knows.</param>
/// <param name="PeakSource"><c>data sheet</c> or <c>measured</c>; null without a peak.</param>
internal sealed record Machine(string Device, string Processor, PeakRates? Peak, string? PeakSource)
{
    private const string Memory = "/proc/meminfo", Processors = "/proc/cpuinfo";

    /// <summary>The roofline of the peaks; null without them.</summary>
    public Roofline? Roofline => Peak is null ? null : new(1 / Peak.FlopsPerSecond, 1 / Peak.BytesPerSecond, 0);

    /// <summary>Looks, and measures what no data sheet tells. libtorch is loaded and has its threads.</summary>
    /// <param name="device">Where the shapes will run.</param>
    /// <param name="type">Their numbers.</param>
    /// <param name="available">Of <see cref="AvailableMemory"/>.</param>
    public static Machine Of(ComputeDevice device, DataType type, long available)
    {
        if (device == ComputeDevice.Cpu)
        {
            return new Machine("cpu", $"{ProcessorName()}, {Environment.ProcessorCount} cores", PeakRates.Measure(device, type, available), "measured");
        }

        string name = CudaDevice.First().Name;
        var known = Architectures.Device.CalledByDriver(name);
        // A data sheet's FLOP/s are bfloat16's.
        return known is not null && type == DataType.Bfloat16
            ? new Machine(known.Name, name, new PeakRates(known.FlopsPerSecond, known.BytesPerSecond), "data sheet")
            : new Machine(known?.Name ?? "cuda", name, PeakRates.Measure(device, type, available), "measured");
    }

    /// <summary>
    /// What rows of an engine tell. A GPU is left to the engine: libtorch would hold memory of it while the engine is timed, so nothing is measured there. A processor is measured as for ours.
    /// </summary>
    /// <param name="device">Where the engine computes.</param>
    /// <param name="type">Of the weights.</param>
    /// <exception cref="UnusableInputException">SCAL8207, 8208: there is no such GPU.</exception>
    public static Machine OfEngine(ComputeDevice device, DataType type)
    {
        if (device == ComputeDevice.Cpu)
        {
            return Of(device, DataType.Float32, AvailableMemory(device));
        }

        string name = CudaDevice.First().Name;
        var known = Architectures.Device.CalledByDriver(name);
        return known is not null && type == DataType.Bfloat16
            ? new Machine(known.Name, name, new PeakRates(known.FlopsPerSecond, known.BytesPerSecond), "data sheet")
            : new Machine(known?.Name ?? "cuda", name, null, null);
    }

    /// <summary>Bytes that a workload may ask for; the most there are where nobody says.</summary>
    /// <param name="device">Of the processor what the kernel calls available, of a GPU what its driver calls free.</param>
    public static long AvailableMemory(ComputeDevice device)
    {
        if (device == ComputeDevice.Cuda)
        {
            return CudaDevice.First().Memory()?.Free ?? long.MaxValue;
        }

        string? line = LineOf(Memory, "MemAvailable:");
        long kernel = line is null ? long.MaxValue : 1024 * long.Parse(line.Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
        return Math.Min(kernel, GC.GetGCMemoryInfo().TotalAvailableMemoryBytes); // A container's limit is the runtime's to know.
    }

    /// <summary>Refuses what does not fit, before anything is built.</summary>
    /// <param name="shapes">The rows'.</param>
    /// <param name="workload">What they shall do.</param>
    /// <param name="device">Named in the message.</param>
    /// <param name="available">Bytes.</param>
    /// <exception cref="StageFailedException">SCAL8104, one for each shape that does not fit.</exception>
    public static void DemandMemory(IEnumerable<DecoderShape> shapes, Workload workload, ComputeDevice device, long available)
    {
        Diagnostic[] findings = [.. shapes.Distinct().Where(s => !Fits(s, workload, available)).Select(shape =>
        {
            int largest = ServingMemory.LargestBatch(shape, workload, available);
            return new Diagnostic(
                "SCAL8104",
                string.Create(CultureInfo.InvariantCulture, $"Shape {shape.Id} needs {Gigabytes(ServingMemory.WeightBytes(shape, workload))} for its weights and {Gigabytes(workload.Batch * ServingMemory.SequenceBytes(shape, workload))} for the keys and values of {workload.Batch} sequences of {workload.Prompt} + {workload.Output} tokens; {(device == ComputeDevice.Cuda ? "the GPU" : "this machine")} has {Gigabytes(available)} free, of which {ServingMemory.Share:0.0} may be filled."))
            {
                Hint = largest > 0
                    ? $"A batch of {largest} fits; or set a shorter prompt or output in 'workload'."
                    : ServingMemory.WeightBytes(shape, workload) > ServingMemory.Share * available ? "The weights alone do not fit: leave the shape out, or take a larger machine." : "Not even one sequence fits: set a shorter prompt or output in 'workload'.",
            };
        })];
        if (findings.Length > 0)
        {
            throw new StageFailedException(findings);
        }
    }

    /// <summary>Whether weights and cache leave room for what lies between layers.</summary>
    public static bool Fits(DecoderShape shape, Workload workload, long available) => ServingMemory.Bytes(shape, workload) <= ServingMemory.Share * available;

    private static string Gigabytes(double bytes) => string.Create(CultureInfo.InvariantCulture, $"{bytes / 1e9:0.0##} GB");

    private static string ProcessorName() => LineOf(Processors, "model name")?.TrimStart(' ', '\t', ':') ?? "unknown processor";

    private static string? LineOf(string file, string name) =>
        File.Exists(file) ? File.ReadLines(file).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal))?[name.Length..].Trim() : null;
}
