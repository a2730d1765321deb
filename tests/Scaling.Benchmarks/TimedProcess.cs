// One process from start to end: how long, and how much memory.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>How a process went.</summary>
/// <param name="Seconds">From start to end.</param>
/// <param name="PeakMegabytes">Its largest resident set, of itself alone; 10⁶ bytes.</param>
internal sealed record TimedProcess(double Seconds, double PeakMegabytes)
{
    /// <summary>Runs a program to its end.</summary>
    /// <param name="folder">Working folder.</param>
    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidDataException">It failed.</exception>
    public static TimedProcess Run(string folder, string program, params string[] arguments)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SCALING_CACHE"] = Path.Combine(folder, "store");
        long began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        double peak = 0;
        do
        {
            peak = Math.Max(peak, Peak(process.Id));
        }
        while (!process.WaitForExit(10));

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0 ? new TimedProcess(seconds, peak) : throw new InvalidDataException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output.Result}{error.Result}");
    }

    private static double Peak(int process)
    {
        try
        {
            string? line = File.ReadLines($"/proc/{process}/status").FirstOrDefault(l => l.StartsWith("VmHWM:", StringComparison.Ordinal));
            return line is null ? 0 : double.Parse(line["VmHWM:".Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture) * 1024 / 1e6;
        }
        catch (IOException)
        {
            return 0; // It has ended.
        }
    }
}
