// The tables that fits are timed on: 240 rows each, with noise, always the same.
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Random;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>Runs without shapes.</summary>
public enum Surface
{
    /// <summary>Twenty sizes from 10M to 3B, twelve budgets from 5 to 500 tokens a parameter.</summary>
    Wide,

    /// <summary>Twenty sizes from 50M to 400M, twelve budgets from 15 to 60: what most studies can pay, and what hardly tells the terms apart.</summary>
    Narrow,
}

/// <summary>Tables of 240 rows.</summary>
internal static class StudyTables
{
    /// <summary>The table that a law is timed on.</summary>
    public static IReadOnlyList<TrainingRun> Of(LawKind law) => law == LawKind.Conditional ? Shapes() : Of(Surface.Wide);

    /// <summary>Losses of the printed law with noise of .005 nats.</summary>
    public static IReadOnlyList<TrainingRun> Of(Surface surface)
    {
        var (least, sizes, fewest, budgets) = surface == Surface.Wide ? (1e7, 300.0, 5.0, 100.0) : (5e7, 8, 15, 4);
        var random = new Xoshiro256StarStar(1, threadSafe: false);
        var points = from i in Enumerable.Range(0, 20)
                     from j in Enumerable.Range(0, 12)
                     select (N: least * Math.Pow(sizes, i / 19.0), M: fewest * Math.Pow(budgets, j / 11.0));
        return [.. points.Select((p, i) => new TrainingRun(i + 1, p.N, p.N * p.M, SyntheticWorld.Base.Predict(p.N, p.N * p.M) + Normal.Sample(random, 0, 0.005)))];
    }

    /// <summary>Four sizes of 60 shapes each, twenty of them at 20, 60 and 180 tokens a parameter, so that all terms of the law are fitted.</summary>
    private static IReadOnlyList<TrainingRun> Shapes()
    {
        var design = new WorldDesign("timed", "four sizes of 60 shapes") { ShapesPerSize = 20 };
        var budgets = new[] { 20.0, 60, 180 }.Select((tokens, k) => SyntheticWorld.Draw(design with { TokensPerParameter = tokens }, seed: 1, world: k).Runs);
        return [.. budgets.SelectMany(runs => runs).Select((run, i) => run with { Row = i + 1 })];
    }
}
