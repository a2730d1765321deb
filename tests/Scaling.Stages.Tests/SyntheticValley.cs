// Losses of a valley that tests know, for sweeps that plan a study: what the engine and a trainer would do, in a loop.
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.Stages.Sweep;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

/// <summary>No model was trained for these losses: a base law, a valley in ln x and ln r whose minimum moves with size, and noise that depends on shape and seed alone.</summary>
/// <param name="X">x* at 80,000 parameters.</param>
/// <param name="Ratio">r* there.</param>
internal sealed record SyntheticValley(double X = 0.2, double Ratio = 1.8)
{
    /// <summary>Standard deviation between seeds, nats a token.</summary>
    public double Noise { get; init; } = 0.004;

    /// <summary>Of the rows that are results.</summary>
    public double TokensPerParameter { get; init; } = 20;

    /// <summary>What ln of the best x and ratio gain as the tokens grow e-fold: how far short runs mislead.</summary>
    public double BudgetDrift { get; init; }

    /// <summary>Loss of a shape without noise.</summary>
    public double Loss(double parameters, double x, double ratio, double share = 1)
    {
        double off = BudgetDrift * Math.Log(share);
        double u = Math.Log(x / X) + 0.05 * Math.Log(parameters / 80_000) - off, v = Math.Log(ratio / Ratio) - off;
        return 1.5 * Math.Pow(share, -0.1) * Math.Pow(parameters / 80_000, -0.07) * (1 + 0.15 * (u + Math.Exp(-u) - 1)) * (1 + 0.03 * (v + Math.Exp(-v) - 1));
    }

    /// <summary>The row as train would write it, with rows of other conditions around it that are no results.</summary>
    /// <param name="shapes">shapes.csv.</param>
    /// <param name="fails">Of a shape and seed: whether its run has no loss.</param>
    public Table Runs(Table shapes, Func<string, long, bool>? fails = null)
    {
        var runs = new TableBuilder([.. new[] { "shape", "seed", "tokens_per_parameter", "loss", "annealed", "learning_rate_factor" }.Select(n => new Column(n, "", ""))]);
        foreach (var row in shapes.Each())
        {
            var (shape, seed) = (row.Text("shape"), row.Whole("seed"));
            double share = row.Number("tokens_share"), loss = Loss(row.Number("parameters"), row.Number("x"), row.Number("ratio"), share) + Noise * Normal(shape, seed);
            runs.Add(shape, seed, share * TokensPerParameter, fails?.Invoke(shape, seed) == true ? null : loss, true, 1);
            runs.Add(shape, seed, share * TokensPerParameter / 2, loss + 0.3, true, 1);
            runs.Add(shape, seed, share * TokensPerParameter, loss - 0.2, true, 2);
            runs.Add(shape, seed, share * TokensPerParameter, loss + 0.4, false, 1);
        }

        return runs.Build();
    }

    /// <summary>Rounds until nothing new is listed, as the engine goes through them.</summary>
    /// <param name="folder">For files.</param>
    /// <param name="settings">Of the sweep.</param>
    /// <param name="fails">As of <see cref="Runs"/>.</param>
    /// <returns>What each round gave, the last being that which lists nothing new.</returns>
    public IReadOnlyList<StageResult> Study(TemporaryFolder folder, JsonObject settings, Func<string, long, bool>? fails = null)
    {
        var runner = new StageRunner(new SweepStage(), folder);
        var rounds = new List<StageResult> { runner.Run(settings) };
        while (rounds.Count < 2 || rounds[^1].Table("shapes.csv").Rows.Count > rounds[^2].Table("shapes.csv").Rows.Count)
        {
            rounds.Add(runner.Run(settings, Inputs(folder, rounds[^1], fails)));
        }

        return rounds;
    }

    /// <summary>What a round gives the next.</summary>
    public Dictionary<string, string> Inputs(TemporaryFolder folder, StageResult round, Func<string, long, bool>? fails = null)
    {
        var shapes = round.Table("shapes.csv");
        return new()
        {
            ["runs"] = folder.Write($"runs {shapes.Rows.Count}.csv", Runs(shapes, fails).ToCsv()),
            ["design"] = Path.Combine(round.Folder, "design.csv"),
            ["rounds"] = Path.Combine(round.Folder, "rounds.csv"),
        };
    }

    /// <summary>The same number for a shape and seed wherever it is asked.</summary>
    private static double Normal(string shape, long seed)
    {
        var random = new Random(Convert.ToInt32(shape[..7], 16) ^ (int)(seed * 7919));
        return Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
    }
}
