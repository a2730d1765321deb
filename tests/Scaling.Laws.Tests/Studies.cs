// Runs whose law is known, and public tables whose minima were found by others.
using System.Globalization;
using System.Text.Json;
using Scaling.TestKit;

namespace Scaling.Laws.Tests;

internal static class Studies
{
    /// <summary>Hoffmann et al. 2022, as printed.</summary>
    public static readonly ChinchillaLaw Printed = new(1.69, 406.4, 410.7, 0.34, 0.28);

    public static readonly LawOptions Chinchilla = new() { Law = LawKind.Chinchilla };

    private static readonly double[] s_sizes = [1e7, 3e7, 1e8, 3e8, 1e9];

    /// <summary>The printed law on five sizes and three budgets.</summary>
    public static IReadOnlyList<TrainingRun> ExactSurface => [.. s_sizes.SelectMany(n => new[] { 5.0, 20, 80 }.Select(m => (n, m))).Select(Run)];

    /// <summary>The printed law with 20 tokens a parameter throughout.</summary>
    public static IReadOnlyList<TrainingRun> ExactRay => [.. s_sizes.Select(n => (n, 20.0)).Select(Run)];

    /// <summary>Variants of three sizes with two budgets whose N rounding has moved by up to 2 %, and normal noise.</summary>
    public static IReadOnlyList<TrainingRun> Shapes(
        ShapeTerms terms, double noise = 0, int seed = 1, double[]? sizes = null, double[]? budgets = null, double[]? widths = null, double[]? ratios = null)
    {
        var random = new Random(seed);
        double Normal() => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
        var points = from n in sizes ?? [8e7, 1.45e8, 2.97e8]
                     from m in budgets ?? [50, 100]
                     from x in widths ?? [0.05, 0.065, 0.08, 0.1, 0.13]
                     from r in ratios ?? [0.5, 1, 2, 4]
                     select (N: n * (1 + 0.04 * (random.NextDouble() - 0.5)), m, x, r);
        return [.. points.Select((p, i) => new TrainingRun(i + 1, p.N, p.N * p.m, terms.Apply(Printed.Predict(p.N, p.N * p.m), new LawPoint(p.N, p.N * p.m) { X = p.x, Ratio = p.r }) + noise * Normal())
        {
            X = p.x,
            Ratio = p.r,
        })];
    }

    public static IReadOnlyList<TrainingRun> Gemstones(string table) =>
        [.. File.ReadLines(SharedData.File($"gemstones/wandb_df_for_fitting_{table}.jsonl")).Where(line => line.Length > 0).Select((line, i) =>
        {
            var row = JsonDocument.Parse(line).RootElement;
            return new TrainingRun(i + 1, row.GetProperty("params_active_precise").GetDouble(), row.GetProperty("tokens").GetDouble(), row.GetProperty("final_loss").GetDouble());
        })];

    public static IReadOnlyList<TrainingRun> OlmoLadder() =>
        [.. File.ReadLines(SharedData.File("olmo_ladder/ladder_final_losses.csv")).Skip(1).Select(line => line.Split(',')).Select((cells, i) =>
            new TrainingRun(i + 1, Number(cells[2]), Number(cells[3]), Number(cells[5])))];

    /// <summary>A public table: <c>gemstones</c>, <c>olmo</c>, <c>gadre</c> or <c>morph</c>, a subset of its rows, and its columns for N and the loss.</summary>
    public static IReadOnlyList<TrainingRun> Public(string table, string subset, string columns)
    {
        string[] names = columns.Split(' ');
        Dictionary<string, string>[] Rows(string file)
        {
            string[][] lines = [.. File.ReadLines(SharedData.File(file)).Select(line => line.Split(','))];
            return [.. lines.Skip(1).Select(cells => lines[0].Zip(cells).ToDictionary(p => p.First, p => p.Second))];
        }

        string Column(Dictionary<string, string> row, string name) => row[row.Keys.First(k => k == name || (name.StartsWith("paloma", StringComparison.Ordinal) && k.StartsWith("loss_", StringComparison.Ordinal) && k.Contains(name)))];
        var rows = table switch
        {
            "gemstones" => null,
            "olmo" => Rows("olmo_ladder/ladder_final_losses.csv").Where(r => subset == "all" || Number(r["N"]) < 1.5e9),
            "gadre" => Rows("gadre/gadre_losses.csv").Where(r => r["train_set"] == subset),
            _ => Rows("morph/morph_loss.csv"),
        };
        return rows is null
            ? Gemstones(subset)
            : [.. rows.Where(r => Column(r, names[1]).Length > 0).Select((r, i) => new TrainingRun(i + 1, Number(r[names[0]]), Number(r["D"]), Number(Column(r, names[1]))))];
    }

    /// <summary>All 76 runs of <c>data/morph</c>, each named after its variant, and whether the published fit used it: 24 at 20 tokens a parameter and three of the smallest at 160.</summary>
    public static IReadOnlyList<(TrainingRun Run, bool Fitted)> Morph() =>
    [
        .. File.ReadLines(SharedData.File("morph/morph_loss.csv")).Skip(1).Select(line => line.Split(',')).Select((cells, i) => (
            new TrainingRun(i + 1, Number(cells[6]), Number(cells[7]), Number(cells[8])) { Shape = cells[0], WidthOverDepth = Number(cells[3]) / Number(cells[2]) },
            cells[9] == "True" && (cells[1] == "20N" || (cells[1] == "160N" && cells[0].StartsWith("80M", StringComparison.Ordinal))))),
    ];

    /// <summary>The same runs with normal noise.</summary>
    public static IReadOnlyList<TrainingRun> Noisy(IReadOnlyList<TrainingRun> runs, double noise, int seed)
    {
        var random = new Random(seed);
        return [.. runs.Select(r => r with { Loss = r.Loss + noise * Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble()) })];
    }

    private static double Number(string cell) => double.Parse(cell, CultureInfo.InvariantCulture);

    private static TrainingRun Run((double N, double M) point, int i) => new(i + 1, point.N, point.N * point.M, Printed.Predict(point.N, point.N * point.M));
}
