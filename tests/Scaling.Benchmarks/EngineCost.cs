// What the engine itself costs: nothing to do, a point in a worker, memory, growth; beside a .NET hello world, ninja and Snakemake in the same run.
using System.ComponentModel;

namespace Scaling.Benchmarks;

/// <summary>The <c>engine</c> command.</summary>
internal static class EngineCost
{
    /// <summary>Measures all.</summary>
    /// <param name="arguments">How much of it.</param>
    /// <param name="output">Where the tables go.</param>
    /// <returns>1 where a program failed or a target is missed, else 0.</returns>
    public static int Run(EngineArguments arguments, TextWriter output)
    {
        string folder = Directory.CreateTempSubdirectory("scaling-engine-").FullName;
        try
        {
            return Measure(EngineBench.In(folder, arguments.Shrink), output);
        }
        catch (Exception e) when (e is InvalidDataException or Win32Exception)
        {
            Console.Error.WriteLine(e.Message);
            return 1;
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static int Measure(EngineBench bench, TextWriter output)
    {
        var sizes = new NothingToDo(bench);
        IEnginePart[] parts = [sizes, new PointCost(bench), new FrozenJob(bench, sizes), new EngineGrowth(bench, sizes)];
        MeasurementSchedule.Run([.. parts.SelectMany(p => p.Measurements)], Console.Error);

        output.WriteLine($"{Environment.ProcessorCount} processors, .NET {Environment.Version}. Tools: {string.Join(" and ", bench.Editions.Select(e => e.Name))}; targets are judged on '{bench.Judged.Name}'.");
        string[] remarks =
        [
            .. bench.Editions.Count == 1 ? ["There is no compiled tool beside the assemblies; run the benchmark with -p:CompileTool=true to measure what the package has on linux-x64."] : Array.Empty<string>(),
            .. bench.Judged.Staleness is { } stale ? [stale] : Array.Empty<string>(),
            .. bench.Shrink > 1 ? [$"Points and repetitions are divided by {bench.Shrink}: this shows that the benchmark works, and nothing of what is promised."] : Array.Empty<string>(),
        ];
        foreach (string remark in remarks)
        {
            output.WriteLine(remark);
        }

        foreach (var part in parts)
        {
            output.WriteLine();
            part.Write(output);
        }

        output.WriteLine();
        EngineTarget[] targets = [.. parts.SelectMany(p => p.Targets)];
        EngineTarget.Write(targets, output);
        string[] missed = [.. targets.Where(t => !t.IsMet).Select(t => t.Miss)];
        Array.ForEach(missed, Console.Error.WriteLine);
        return missed.Length > 0 ? 1 : 0;
    }
}
