// A table of runs as `train` writes it, with losses from a law that tests know.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Tests;

internal static class RunsTable
{
    public static readonly ChinchillaLaw Base = new(1.69, 40.6, 41, 0.34, 0.28);

    /// <summary>Its optimum is x .24, r 1.5.</summary>
    public static readonly ShapeTerms Shape = new(LawForm.Multiplicative, new ShapeCoefficients(1, 0.05, 0.012, 1, 0.01, 0.015));

    /// <summary>Three sizes, two budgets, three widths and three ratios: the quickstart's kind of study.</summary>
    public static Table Of(double noise = 0)
    {
        var random = new Random(3);
        var columns = Vocabulary.ShapeTerms.Select(t => t.Name).Concat(["seed", "tokens_per_parameter", "tokens", "loss"]).Select(n => new Column(n, "", "")).ToList();
        var table = new TableBuilder(columns);
        var seeds = new Dictionary<(string Shape, int Budget), int>();
        foreach (int size in new[] { 16000, 64000, 256000 })
        {
            foreach (double x in new[] { 0.16, 0.24, 0.36 })
            {
                foreach (double ratio in new[] { 0.8, 1.5, 2.5 })
                {
                    var shape = Rounded(size, x, ratio);
                    foreach (int budget in new[] { 10, 20 })
                    {
                        double tokens = (double)budget * shape.Parameters;
                        double loss = Shape.Apply(Base.Predict(shape.Parameters, tokens), new LawPoint(shape.Parameters, tokens) { X = shape.X, Ratio = shape.Ratio }) + noise * (random.NextDouble() - 0.5);

                        // Rounding gives some shapes twice; the second is another seed of the first.
                        int seed = seeds[(shape.Id, budget)] = seeds.GetValueOrDefault((shape.Id, budget)) + 1;
                        table.Add([.. shape.Cells(), seed, budget, tokens, loss]);
                    }
                }
            }
        }

        return table.Build();
    }

    /// <summary>The same with the column `baseline`, true of the last row's shape.</summary>
    public static Table WithBaseline(double noise = 0)
    {
        var runs = Of(noise);
        return new Table([.. runs.Columns, "baseline"], [.. runs.Rows.Select(r => (string[])[.. r, r[0] == runs.Rows[^1][0] ? "true" : "false"])]);
    }

    private static DecoderShape Rounded(int size, double x, double ratio)
    {
        int hidden = (int)(Math.Round(x * Math.Sqrt(size) / 4) * 4);
        double queries = size / (2.0 * 2 * hidden * 1.5 * (1 + ratio));
        int heads = 2 * Math.Max(1, (int)Math.Round(queries / 16));
        int intermediate = Math.Max(4, (int)Math.Round((size / 2.0 / hidden - 2 * heads * 8 * 1.5) / 3 / 4) * 4);
        return new DecoderShape(2, hidden, intermediate, heads, heads / 2, 8, 256, true);
    }
}
