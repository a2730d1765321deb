// The report of a study of two thousand runs, beside that of forty: how long `export` takes for it and how large its page is.
using System.Globalization;
using Scaling.Sdk;

namespace Scaling.Benchmarks;

/// <summary>Each timing is a run of the built tool in which everything but the export is cached: its title is another each time.</summary>
internal static class ReportSpeed
{
    private const int Repetitions = 5;
    private const int Many = 2000;
    private const int Few = 40;
    private const double MostSeconds = 1;
    private const double MostMegabytes = 2;

    /// <summary>Runs it.</summary>
    /// <param name="output">Takes the table.</param>
    /// <returns>0.</returns>
    public static int Run(TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("report-bench").FullName;
        try
        {
            var timings = new[] { Few, Many }.ToDictionary(runs => runs, _ => new List<double>());
            foreach (int runs in timings.Keys)
            {
                WriteStudy(folder, runs);
                Export(folder, runs, -1);
            }

            for (int i = 0; i < Repetitions; i++)
            {
                foreach (int runs in timings.Keys)
                {
                    timings[runs].Add(Export(folder, runs, i));
                }
            }

            double Median(int runs) => timings[runs].Order().ElementAt(Repetitions / 2);
            double megabytes = new FileInfo(Path.Combine(folder, "results", $"study-{Many}", "config", "report.html")).Length / 1e6;
            TargetLine.Write(
                [
                    TargetLine.AtMost(string.Create(CultureInfo.InvariantCulture, $"a whole run whose export has {Many} runs, s (with {Few} runs: {Median(Few):0.00})"), 2 * MostSeconds, Median(Many)),
                    TargetLine.AtMost($"what {Many - Few} runs add to the export, s", MostSeconds, Median(Many) - Median(Few)),
                    TargetLine.AtMost($"the page of {Many} runs, MB", MostMegabytes, megabytes),
                ],
                output);
            return 0;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static double Export(string folder, int runs, int repetition)
    {
        string pipeline = Path.Combine(folder, $"study-{runs}.yaml");
        File.WriteAllText(pipeline, Pipeline(runs, repetition));
        return TimedProcess.Run(folder, BuiltTool.Program, "run", pipeline, "--quiet").Seconds;
    }

    private static string Pipeline(int runs, int repetition) => $$"""
        name: study-{{runs}}
        stages:
          law: { uses: fit, needs: { runs: runs-{{runs}}.csv }, with: { resamples: 100 } }
          best:
            uses: search
            needs: law
            with: { size: 1B, tokens_per_parameter: 100, layers: [16], head_size: [64], gqa: [4], multiple_of: 256, vocabulary: 128256, tied: true, device: h200, workload: { prompt: 4096, output: 1024, batch: 64 }, baseline: { hidden: 2048, ratio: 4.8, gqa: 4 } }
          config: { uses: export, needs: { best: best, candidates: best, front: best, law: law, residuals: law, runs: runs-{{runs}}.csv }, with: { title: Report {{repetition}} } }

        """;

    private static void WriteStudy(string folder, int runs)
    {
        var world = SyntheticWorld.Draw(new WorldDesign("report", "four sizes") { ShapesPerSize = runs / 4 }, seed: 1, world: 1);
        new Table(
            ["shape", "parameters", "tokens", "x", "ratio", "seed", "loss"],
            [.. world.Runs.Select((run, i) => new object?[] { string.Create(CultureInfo.InvariantCulture, $"{(uint)(i * 2654435761):x8}"), run.Parameters, run.Tokens, run.X, run.Ratio, 1, run.Loss }.Select(Table.Cell).ToArray())])
            .Write(Path.Combine(folder, $"runs-{runs}.csv"));
    }
}
