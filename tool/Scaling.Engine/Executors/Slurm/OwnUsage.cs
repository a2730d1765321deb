// What this process and those it started have used, as the kernel counts it.
using System.Globalization;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>Processor time and memory.</summary>
/// <param name="ProcessorSeconds">Of this process, its children, and all that these have waited for.</param>
/// <param name="PeakBytes">Largest resident memory of this process or one of its living children.</param>
internal sealed record OwnUsage(double ProcessorSeconds, long PeakBytes)
{
    private const double TicksPerSecond = 100; // Of the kernel's interface, whatever its own clock.
    private const int Parent = 1, UserTicks = 11, LastTicks = 14;

    /// <summary>Now; zero where the system does not tell.</summary>
    public static OwnUsage Now()
    {
        string me = Environment.ProcessId.ToString(CultureInfo.InvariantCulture);
        double seconds = 0;
        long peak = 0;
        foreach (string process in Directory.Exists("/proc") ? Directory.EnumerateDirectories("/proc") : [])
        {
            string id = Path.GetFileName(process);
            if (char.IsAsciiDigit(id[0]) && Fields(process) is { } fields && (id == me || fields[Parent] == me))
            {
                seconds += fields[UserTicks..(LastTicks + 1)].Sum(f => double.Parse(f, CultureInfo.InvariantCulture)) / TicksPerSecond;
                peak = Math.Max(peak, Peak(process));
            }
        }

        return new OwnUsage(seconds, peak);
    }

    /// <summary>What stands after the name in <c>stat</c>; null where the process has gone.</summary>
    private static string[]? Fields(string process)
    {
        try
        {
            string stat = File.ReadAllText(Path.Combine(process, "stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static long Peak(string process)
    {
        try
        {
            string? line = File.ReadLines(Path.Combine(process, "status")).FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : long.Parse(line.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) * 1024;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
