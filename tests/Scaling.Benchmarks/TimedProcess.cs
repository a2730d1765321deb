// One process from start to end: how long, and, where somebody watches, how much memory it and its workers took.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>How a process went.</summary>
/// <param name="Seconds">From start to end.</param>
internal sealed record TimedProcess(double Seconds)
{
    /// <summary>Runs a program to its end and does nothing else meanwhile.</summary>
    /// <param name="folder">Working folder; the tool's store lies in it.</param>
    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidDataException">It failed.</exception>
    /// <exception cref="System.ComponentModel.Win32Exception">There is no such program.</exception>
    public static TimedProcess Run(string folder, string program, params string[] arguments) => Run(folder, program, arguments, _ => Timeout.InfiniteTimeSpan);

    /// <summary>Runs a program to its end, and looks at it and at the workers that it starts.</summary>
    /// <param name="folder">Working folder; the tool's store lies in it.</param>
    /// <param name="program">Name or path.</param>
    /// <param name="arguments">Its arguments.</param>
    /// <exception cref="InvalidDataException">It failed.</exception>
    public static WatchedProcess Watch(string folder, string program, params string[] arguments)
    {
        var peaks = new ProcessPeaks();
        var timed = Run(folder, program, arguments, id =>
        {
            peaks.Look(id);
            return TimeSpan.FromMilliseconds(5);
        });
        return new WatchedProcess(timed.Seconds, peaks);
    }

    private static TimedProcess Run(string folder, string program, string[] arguments, Func<int, TimeSpan> look)
    {
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true };
        start.Environment["SCALING_CACHE"] = Path.Combine(folder, "store");
        long began = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync();
        var error = process.StandardError.ReadToEndAsync();
        while (!process.WaitForExit(look(process.Id)))
        {
        }

        double seconds = Stopwatch.GetElapsedTime(began).TotalSeconds;
        return process.ExitCode == 0 ? new TimedProcess(seconds) : throw new InvalidDataException(string.Create(CultureInfo.InvariantCulture, $"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}:\n{output.Result}{error.Result}"));
    }
}

/// <summary>How a watched process went.</summary>
/// <param name="Seconds">From start to end.</param>
/// <param name="Peaks">Its memory, and its workers'.</param>
internal sealed record WatchedProcess(double Seconds, ProcessPeaks Peaks);
