// Analysis of variance between shapes: against a worked example, and against chance.
namespace Scaling.Laws.Tests;

public sealed class ShapeEffectTests
{
    /// <summary>Three groups of six: F = 9.3 with 2 and 15 degrees of freedom, p = .0024 (the worked example of Wikipedia's "One-way analysis of variance").</summary>
    [Fact]
    public void The_worked_example_of_the_textbook_comes_out()
    {
        double[][] groups = [[6, 8, 4, 5, 3, 4], [8, 12, 9, 11, 6, 8], [13, 9, 11, 8, 7, 12]];
        var effect = Assert.Single(ShapeEffect.Of([.. groups.SelectMany((g, i) => g.Select(l => Run($"{i}", l)))], seed: 1));

        Assert.Equal(9.264705882, effect.F!.Value, 1e-8);
        Assert.Equal(0.002398777, effect.P, 1e-8);
        Assert.Equal((3, 18, 2, 15), (effect.Shapes, effect.Runs, effect.BetweenFreedom, effect.WithinFreedom));
        Assert.Equal(Math.Sqrt(68.0 / 15), effect.SeedNoise, 12);
        Assert.Equal(Math.Sqrt((42 - 68.0 / 15) / 6), effect.ShapeDeviation, 12);
    }

    [Fact]
    public void On_shuffled_labels_it_is_significant_once_in_a_hundred_times()
    {
        var random = new Random(3);
        var effects = Enumerable.Range(0, 20).Select(_ => Assert.Single(ShapeEffect.Of(
            [.. from shape in Enumerable.Range(0, 5) from seed in Enumerable.Range(0, 5) select Run($"{shape}", 1 + 0.02 * shape + 0.01 * Normal(random))], seed: random.Next()))).ToList();

        Assert.All(effects, e => Assert.InRange(e.ShuffledShare, 0, 0.03)); // 500 shuffles scatter by .0044
        Assert.Equal(0.01, effects.Average(e => e.ShuffledShare), 0.003);
        Assert.True(effects.Count(e => e.P < 0.01) > 15);
    }

    [Fact]
    public void Sizes_and_budgets_are_told_apart_and_single_runs_left_out()
    {
        TrainingRun[] runs =
        [
            .. from n in new[] { 1e6, 4e6 } from d in new[] { 10.0, 20 } from shape in Enumerable.Range(0, 3) from seed in Enumerable.Range(0, shape == 2 ? 1 : 2)
               select Run($"{shape}", 1 + 0.1 * shape + 0.01 * seed) with { Parameters = n, Tokens = d * n },
        ];
        var effects = ShapeEffect.Of(runs, seed: 1);

        Assert.Equal([1e6, 1e6, 4e6, 4e6], effects.Select(e => Math.Round(e.Parameters)));
        Assert.All(effects, e => Assert.Equal((2, 4), (e.Shapes, e.Runs)));
    }

    [Fact]
    public void Two_rows_of_one_seed_are_one_model()
    {
        TrainingRun[] runs = [Run("a", 1) with { Seed = "1" }, Run("a", 1.1) with { Seed = "1", Row = 2 }, Run("b", 2) with { Seed = "1" }, Run("b", 2.1) with { Seed = "1", Row = 2 }];

        Assert.Empty(ShapeEffect.Of(runs, seed: 1));
        Assert.Equal(4, Assert.Single(ShapeEffect.Of([.. runs, .. runs.Select(r => r with { Seed = "2", Loss = r.Loss + 0.01 })], seed: 1)).Runs);
    }

    [Fact]
    public void Small_probabilities_are_exact_and_told_as_small()
    {
        // Nine shapes of five seeds with a large effect; 1 - F's distribution function would round to 0.
        var random = new Random(5);
        var effect = Assert.Single(ShapeEffect.Of([.. from shape in Enumerable.Range(0, 9) from seed in Enumerable.Range(0, 5) select Run($"{shape}", 1 + 0.1 * shape + 0.03 * Normal(random)) with { Row = 5 * shape + seed }], seed: 1));

        Assert.InRange(effect.P, 1e-40, 1e-15);
        Assert.EndsWith("p < 1e-12", effect.Test());
    }

    [Fact]
    public void Seeds_that_do_not_differ_are_no_division_by_zero()
    {
        var effect = Assert.Single(ShapeEffect.Of([Run("a", 1), Run("a", 1), Run("b", 2), Run("b", 2)], seed: 1));

        Assert.Null(effect.F);
        Assert.Equal(0, effect.P);
        Assert.Equal("the seeds do not differ", effect.Test());
    }

    private static int s_row;

    private static TrainingRun Run(string shape, double loss) => new(++s_row, 1e6, 2e7, loss) { Shape = shape };

    private static double Normal(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
