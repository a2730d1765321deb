// Measurements one after the other: tells on the error stream which begins and how long all of it still takes.
using System.Diagnostics;
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>One of a benchmark's measurements.</summary>
/// <param name="What">For a person who waits.</param>
/// <param name="ExpectedSeconds">On an idle machine; how wrong that is shows as the schedule goes on.</param>
/// <param name="Take">Measures.</param>
internal sealed record Measurement(string What, double ExpectedSeconds, Action Take);

/// <summary>Takes measurements in turn.</summary>
internal static class MeasurementSchedule
{
    /// <summary>Takes them all.</summary>
    /// <param name="measurements">In their order.</param>
    /// <param name="progress">Takes a line as each begins, and one at the end.</param>
    public static void Run(IReadOnlyList<Measurement> measurements, TextWriter progress)
    {
        var clock = Stopwatch.StartNew();
        double passed = 0;
        for (int i = 0; i < measurements.Count; i++)
        {
            var next = measurements[i];

            // The first ones say little: what is expected counts as a minute of experience.
            double slowness = (clock.Elapsed.TotalSeconds + 60) / (passed + 60);
            progress.WriteLine($"{i + 1}/{measurements.Count} {Text(clock.Elapsed.TotalSeconds)} gone, about {Text(slowness * measurements.Skip(i).Sum(m => m.ExpectedSeconds))} left: {next.What}, about {Text(slowness * next.ExpectedSeconds)}");
            next.Take();
            passed += next.ExpectedSeconds;
        }

        progress.WriteLine($"Measured in {Text(clock.Elapsed.TotalSeconds)}.");
    }

    private static string Text(double seconds) => TimeSpan.FromSeconds(Math.Round(seconds)).ToString("mm\\:ss", CultureInfo.InvariantCulture);
}
