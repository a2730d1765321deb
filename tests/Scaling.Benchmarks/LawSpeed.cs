// Times the laws with BenchmarkDotNet and says which targets are met.
using System.Diagnostics;
using BenchmarkDotNet.Columns;
using BenchmarkDotNet.Configs;
using BenchmarkDotNet.Engines;
using BenchmarkDotNet.Jobs;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using BenchmarkDotNet.Toolchains.InProcess.Emit;
using BenchmarkDotNet.Validators;

namespace Scaling.Benchmarks;

/// <summary>The <c>laws</c> command.</summary>
internal static class LawSpeed
{
    private const double FitSeconds = 0.1, ResampledSeconds = 3;

    /// <summary>Runs all benchmarks.</summary>
    /// <param name="output">Where the tables go; BenchmarkDotNet writes to the console.</param>
    /// <returns>1 where BenchmarkDotNet reports an error, else 0.</returns>
    public static int Run(TextWriter output)
    {
        var clock = Stopwatch.StartNew();
        Rival.OursOf(StudyTables.Of(Surface.Wide));
        double first = clock.Elapsed.TotalSeconds;

        // A short fit needs many calls before the runtime has compiled it for good; what follows finds it warm.
        Summary[] summaries =
        [
            BenchmarkRunner.Run<CertifiedFit>(Config(warmups: 20, iterations: 25)),
            BenchmarkRunner.Run<Rival>(Config(warmups: 5, iterations: 15)),
            BenchmarkRunner.Run<ResampledFit>(Config(warmups: 1, iterations: 5)),
        ];
        if (summaries.Any(s => s.HasCriticalValidationErrors || s.Reports.IsEmpty || s.Reports.Any(r => !r.Success)))
        {
            Console.Error.WriteLine("A benchmark failed; the log above says which.");
            return 1;
        }

        output.WriteLine();
        output.WriteLine($"Medians on {Environment.ProcessorCount} cores, {System.Runtime.InteropServices.RuntimeInformation.FrameworkDescription}; 240 rows. The first fit of the process took {first:0.00} s, compilation included.");
        output.WriteLine();
        WriteMedians([.. summaries[0].Reports, .. summaries[2].Reports], output);
        output.WriteLine();
        WriteRival(summaries[1], output);
        output.WriteLine();
        TargetLine.Write([.. Targets(summaries[0], "fit", FitSeconds), .. Targets(summaries[2], $"fit with {ResampledFit.Resamples} resamples", ResampledSeconds)], output);
        return 0;
    }

    /// <summary>
    /// In this process: what BenchmarkDotNet would build anew is what was built. Each iteration is one call, as calls take milliseconds and more.
    /// </summary>
    private static ManualConfig Config(int warmups, int iterations) => ManualConfig.CreateEmpty()
        .AddJob(Job.Default.WithToolchain(InProcessEmitToolchain.DontLogOutput).WithStrategy(RunStrategy.Monitoring).WithWarmupCount(warmups).WithIterationCount(iterations))
        .AddLogger(ConsoleLogger.Default)
        .AddColumnProvider(DefaultColumnProviders.Instance)
        .AddColumn(StatisticColumn.Median)
        .AddValidator(JitOptimizationsValidator.FailOnError, RunModeValidator.FailOnError, GenericBenchmarksValidator.DontFailOnError)
        .WithOptions(ConfigOptions.DisableLogFile);

    private static void WriteMedians(IEnumerable<BenchmarkReport> reports, TextWriter output)
    {
        output.WriteLine("| | law | objective | median, s | least, s | most, s |");
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (var report in reports.OrderBy(Name, StringComparer.Ordinal))
        {
            var s = report.ResultStatistics!;
            output.WriteLine($"| {Name(report)} | {Parameter(report, "Law")} | {Parameter(report, "Objective")} | {Seconds(s.Median)} | {Seconds(s.Min)} | {Seconds(s.Max)} |");
        }
    }

    private static void WriteRival(Summary summary, TextWriter output)
    {
        output.WriteLine("The same Chinchilla fit, log-Huber, by 300 starts of BFGS in all five parameters; times and objectives relative to ours.");
        output.WriteLine();
        output.WriteLine("| table | ours, s | multi-start, s | time, ours = 1 | objective, ours = 1 | starts that ended within 1e-3 of its best | line searches that gave up |");
        output.WriteLine("|---|---|---|---|---|---|---|");
        foreach (var table in Enum.GetValues<Surface>())
        {
            double Median(string method) => summary.Reports.Single(r => r.BenchmarkCase.Descriptor.WorkloadMethod.Name == method && Equals(r.BenchmarkCase.Parameters["Table"], table)).ResultStatistics!.Median;
            double ours = Median(nameof(Rival.Ours)), theirs = Median(nameof(Rival.MultiStart));
            var runs = StudyTables.Of(table);
            var end = MultiStartFit.Fit(runs);
            double objective = end.Objective / MultiStartFit.Objective(runs, Rival.OursOf(runs).Base);
            output.WriteLine(
                $"| {table} | {Seconds(ours)} | {Seconds(theirs)} | {theirs / ours:0.0} | 1 {(objective < 1 ? "−" : "+")} {Math.Abs(objective - 1):0.0E0} | {end.Agreeing} of {end.Starts} | {end.Broken} |");
        }
    }

    private static IEnumerable<TargetLine> Targets(Summary summary, string what, double seconds) =>
        from report in summary.Reports
        where report.BenchmarkCase.Descriptor.WorkloadMethod.Name == "Fit"
        select TargetLine.AtMost($"{what}, {Parameter(report, "Law")}, {Parameter(report, "Objective")}, s", seconds, report.ResultStatistics!.Median / 1e9);

    private static string Name(BenchmarkReport report) => report.BenchmarkCase.Descriptor switch
    {
        { WorkloadMethod.Name: nameof(ResampledFit.Rollout) } => "rollout",
        { Type.Name: nameof(ResampledFit) } => $"fit with {ResampledFit.Resamples} resamples",
        _ => "fit",
    };

    private static object Parameter(BenchmarkReport report, string name) => report.BenchmarkCase.Parameters[name];

    private static string Seconds(double nanoseconds) => $"{nanoseconds / 1e9:0.000}";
}
