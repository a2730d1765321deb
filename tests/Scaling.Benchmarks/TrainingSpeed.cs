// Times training in one process and in one process a core, beside the matrix products of the same processes.
using System.Diagnostics;
using System.Text.Json;

namespace Scaling.Benchmarks;

/// <summary>The <c>training</c> command.</summary>
internal static class TrainingSpeed
{
    private const double Share = 0.65, Scaling = 0.9, Drift = 5;

    /// <summary>Measures all sizes, then memory.</summary>
    /// <param name="output">Where the tables go.</param>
    /// <returns>1 where a process failed, else 0.</returns>
    public static int Run(TextWriter output)
    {
        int cores = Environment.ProcessorCount;
        var rows = new List<(TrainingSize Size, TrainingRates Alone, TrainingRates[] Together)>();
        double[] megabytes;
        try
        {
            foreach (var size in TrainingSize.All)
            {
                Console.Error.WriteLine($"{size.Name}: alone, then {cores} processes");
                rows.Add((size, Rates(size, 1)[0], Rates(size, cores)));
            }

            Console.Error.WriteLine($"memory over {TrainingProcess.MemorySteps} steps");
            using var process = Start(TrainingProcess.MemoryCommand);
            megabytes = Result<double[]>(process);
        }
        catch (InvalidDataException e)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }

        output.WriteLine($"{Processor()}, {cores} cores; batch {TrainingSize.Batch} × {TrainingSize.Context} tokens, vocabulary 256, one thread a process.");
        output.WriteLine();
        output.WriteLine($"| | N | layers × hidden | tokens/s | 6N GFLOP/s | mm, GFLOP/s | oneDNN's product | 6N over mm | {cores} processes, tokens/s | times one | 6N over mm in each |");
        output.WriteLine("|---|---|---|---|---|---|---|---|---|---|---|");
        foreach (var (size, alone, together) in rows)
        {
            output.WriteLine(
                $"| {size.Name} | {size.Shape.Parameters} | {size.Shape.Layers} × {size.Shape.Hidden} | {alone.Tokens:0} | {6 * size.Shape.Parameters * alone.Tokens / 1e9:0.0} | {alone.Gemm / 1e9:0.0} | "
                + $"{alone.OneDnn / 1e9:0.0} | {alone.Share:0.00} | {together.Sum(r => r.Tokens):0} | {Times(alone, together):0.00} | {string.Join(", ", together.Select(r => $"{r.Share:0.00}"))} |");
        }

        double drift = 100 * megabytes.Max(m => Math.Abs(m / megabytes[0] - 1));
        output.WriteLine();
        output.WriteLine(
            $"Resident set of {rows[0].Size.Name}: {megabytes[0]:0} MB after {TrainingProcess.MemoryWarmup} steps, {megabytes.Min():0} to {megabytes.Max():0} MB over the next {TrainingProcess.MemorySteps}.");
        output.WriteLine();
        TargetLine.Write(
            [
                .. rows.Skip(1).Select(r => TargetLine.AtLeast($"{r.Size.Name}: 6N over mm, one process", Share, r.Alone.Share)),
                .. rows.Select(r => TargetLine.AtLeast($"{r.Size.Name}: {cores} processes, times one", Scaling * cores, Times(r.Alone, r.Together))),
                TargetLine.AtMost($"memory's drift over {TrainingProcess.MemorySteps} steps, %", Drift, drift),
            ],
            output);
        return 0;
    }

    private static double Times(TrainingRates alone, TrainingRates[] together) => together.Sum(r => r.Tokens) / alone.Tokens;

    /// <summary>Starts that many processes, and lets them measure when the last one is warm.</summary>
    private static TrainingRates[] Rates(TrainingSize size, int count)
    {
        Process[] processes = [.. Enumerable.Range(0, count).Select(_ => Start(TrainingProcess.RatesCommand, size.Name))];
        try
        {
            foreach (var process in processes)
            {
                if (process.StandardOutput.ReadLine() != TrainingProcess.Ready)
                {
                    throw new InvalidDataException($"A process that trains {size.Name} ended before it was ready; the lines above say why.");
                }
            }

            foreach (var process in processes)
            {
                process.StandardInput.WriteLine();
            }

            return [.. processes.Select(Result<TrainingRates>)];
        }
        finally
        {
            foreach (var process in processes)
            {
                process.Kill();
                process.Dispose();
            }
        }
    }

    private static Process Start(params string[] arguments) => Process.Start(
        new ProcessStartInfo(Path.Combine(AppContext.BaseDirectory, typeof(TrainingSpeed).Assembly.GetName().Name!), arguments) { RedirectStandardInput = true, RedirectStandardOutput = true })!;

    private static T Result<T>(Process process) =>
        process.StandardOutput.ReadLine() is { } line ? JsonSerializer.Deserialize<T>(line)! : throw new InvalidDataException("A process that trains ended without a result; the lines above say why.");

    private static string Processor() =>
        File.ReadLines("/proc/cpuinfo").FirstOrDefault(l => l.StartsWith("model name", StringComparison.Ordinal))?.Split(':')[1].Trim() ?? "unknown processor";
}
