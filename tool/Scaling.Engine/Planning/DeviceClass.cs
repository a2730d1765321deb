// What kind of machine measures speed.
namespace Scaling.Engine.Planning;

/// <summary>Names machines between which measured speeds may be exchanged.</summary>
public static class DeviceClass
{
    /// <summary>Processor model and count, then graphics processors, for example <c>AMD EPYC 7B13, 2 cores; NVIDIA H200</c>.</summary>
    public static string OfThisMachine { get; } = string.Join("; ", [Processor(), .. GraphicsProcessors()]);

    private static string Processor()
    {
        string model = System.Runtime.InteropServices.RuntimeInformation.OSArchitecture.ToString();
        if (File.Exists("/proc/cpuinfo"))
        {
            string? line = File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal));
            model = line?.Split(':', 2)[1].Trim() ?? model;
        }

        return $"{model}, {Environment.ProcessorCount} cores";
    }

    private static IEnumerable<string> GraphicsProcessors()
    {
        const string Driver = "/proc/driver/nvidia/gpus";
        return Directory.Exists(Driver)
            ? Directory.EnumerateDirectories(Driver).Order(StringComparer.Ordinal)
                .Select(gpu => File.ReadLines(Path.Combine(gpu, "information")).FirstOrDefault(l => l.StartsWith("Model:", StringComparison.Ordinal)))
                .OfType<string>().Select(l => l["Model:".Length..].Trim())
            : [];
    }
}
