// speed.csv, as the stage `measure` of the built tool writes it for shapes of this benchmark.
using System.Diagnostics;
using System.Globalization;
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Benchmarks;

/// <summary>A measured row.</summary>
/// <param name="Measured">Shape, workload and times.</param>
/// <param name="Rate">Output tokens a second with its interval.</param>
/// <param name="Relative">The same over the anchor's.</param>
internal sealed record MeasuredRow(MeasuredSpeed Measured, (double Value, double Low, double High) Rate, (double Value, double Low, double High) Relative)
{
    /// <summary>Whether the two intervals have no point in common.</summary>
    public bool IsApartFrom(MeasuredRow other) => Relative.Low > other.Relative.High || Relative.High < other.Relative.Low;
}

/// <summary>Runs the tool and reads what it wrote.</summary>
internal static class MeasuredTable
{
    private const int Shapes = 48;

    /// <summary>Shapes with 2 to 6 layers, heads of 8 to 64, GQA 1 to 4, vocabularies of 256 to 4096, x from .06 to .25 and ratio from .5 to 5, drawn at random.</summary>
    /// <param name="seed">Same seed, same shapes.</param>
    /// <param name="sizes">Their parameters, each to be drawn alike.</param>
    public static IReadOnlyList<DecoderShape> DrawShapes(int seed, params double[] sizes)
    {
        var random = new Random(seed);
        T One<T>(params T[] values) => values[random.Next(values.Length)];
        var shapes = new List<DecoderShape>();
        while (shapes.Count < Shapes)
        {
            var request = new ShapeRequest(
                One(sizes), One(2, 3, 4, 6), 0.06 + 0.19 * random.NextDouble(), Math.Pow(2, 3.3 * random.NextDouble() - 1), One(1, 2, 4), One(8, 16, 32, 64), 8, One(256, 1024, 4096), true);
            if (ShapeGenerator.Nearest(request).Shape is { } shape && Math.Abs(shape.Parameters / request.Parameters - 1) < 0.1 && !shapes.Contains(shape))
            {
                shapes.Add(shape);
            }
        }

        return shapes;
    }

    /// <summary>Measures the shapes in a store of its own, so that nothing comes from an earlier run.</summary>
    /// <param name="shapes">Each once.</param>
    /// <param name="workload">In float32.</param>
    /// <param name="file">Takes the table.</param>
    /// <exception cref="InvalidDataException">The tool failed.</exception>
    public static void Measure(IReadOnlyList<DecoderShape> shapes, Workload workload, string file)
    {
        string folder = Directory.CreateTempSubdirectory("scaling-speed-").FullName;
        try
        {
            var table = new TableBuilder([.. Vocabulary.ShapeTerms.Select(t => new Column(t.Name, t.Unit, t.Meaning))]);
            foreach (var shape in shapes)
            {
                table.Add(shape.Cells());
            }

            table.Build().Write(Path.Combine(folder, "shapes.csv"));
            File.WriteAllText(Path.Combine(folder, "speed.yaml"), string.Create(CultureInfo.InvariantCulture, $$"""
                name: speed
                stages:
                  speed:
                    uses: measure
                    needs: { shapes: shapes.csv }
                    with: { workload: { prompt: {{workload.Prompt}}, output: {{workload.Output}}, batch: {{workload.Batch}} }, repeats: 41 }
                """));
            var start = new ProcessStartInfo(BuiltTool.Program) { WorkingDirectory = folder };
            foreach (string argument in (string[])["run", "speed.yaml", "--cache", Path.Combine(folder, "store"), "--out", Path.Combine(folder, "out")])
            {
                start.ArgumentList.Add(argument);
            }

            using var process = Process.Start(start)!;
            process.WaitForExit();
            if (process.ExitCode != 0)
            {
                throw new InvalidDataException($"dotnet-scaling ended with {process.ExitCode}");
            }

            File.Copy(Path.Combine(folder, "out", "speed", "speed", "speed.csv"), file, overwrite: true);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    /// <summary>Reads a table.</summary>
    /// <param name="file">speed.csv.</param>
    public static IReadOnlyList<MeasuredRow> Read(string file) => [.. Table.Read(file).Each().Select(row =>
    {
        var workload = new Workload(row.Count("prompt"), row.Count("output"), row.Count("batch")) { Weights = DataType.Float32, KvCache = DataType.Float32 };
        var measured = new MeasuredSpeed(DecoderShape.FromCells(row.Count, row.Truth), workload, row.Number("time_to_first_token"), row.Number("time_per_output_token"));
        (double, double, double) Interval(string column) => (row.Number(column), row.Number(column + "_low"), row.Number(column + "_high"));
        return new MeasuredRow(measured, Interval("tokens_per_second"), Interval("relative_speed"));
    })];
}
