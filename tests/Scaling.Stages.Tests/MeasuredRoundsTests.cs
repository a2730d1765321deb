// What rounds of times tell, on times that the tests make up.
using Scaling.Architectures;
using Scaling.Stages.Measure;
using Scaling.Torch;

namespace Scaling.Stages.Tests;

public sealed class MeasuredRoundsTests
{
    private static readonly Workload Asked = new(Prompt: 8, Output: 5, Batch: 2);

    private static readonly DecoderShape
        A = new(2, 16, 24, 4, 2, 8, 256, Tied: true), B = A with { Intermediate = 48 }, C = A with { Intermediate = 96 }, D = A with { Layers = 3 };

    [Fact]
    public void What_slows_every_shape_of_a_round_leaves_their_ratio_alone_and_widens_the_rate()
    {
        // The machine's speed varies threefold from round to round; B always takes twice as long as the anchor A.
        double[] slowness = [1, 2, 1.5, 3, 1, 2.5, 1, 2, 1.2];
        var rounds = Rounds(slowness.Select(s => new[] { (A, 0.1 * s), (B, 0.2 * s) }));

        var speed = rounds.Of(B, anchor: A);

        Assert.Equal((0.5, 0.5, 0.5), (speed.Relative.Value, speed.Relative.Low, speed.Relative.High));
        // The anchor's median is 10 tokens in 0.15 s; half of that.
        Assert.Equal(0.5 * 10 / 0.15, speed.TokensPerSecond.Value, 1e-9);
        Assert.True(speed.TokensPerSecond.High / speed.TokensPerSecond.Low > 1.5);
        Assert.Equal(speed.TokensPerSecond.Low * 2, rounds.Of(A, A).TokensPerSecond.Low, 1e-9);
    }

    [Fact]
    public void A_shape_is_told_by_its_ratio_although_it_was_timed_in_slow_rounds()
    {
        // Of nine rounds B missed none, but its own disturbance in two of them moves neither median.
        var rounds = Rounds(Enumerable.Range(0, 9).Select(i => new[] { (A, 0.1), (B, i is 2 or 7 ? 0.9 : 0.05) }));

        Assert.Equal(2, rounds.Relative(B, A).Value);
        Assert.Equal(200, rounds.Of(B, A).TokensPerSecond.Value, 1e-9);
    }

    [Fact]
    public void The_interval_of_a_rate_is_that_of_an_independent_bootstrap()
    {
        var random = new Random(7);
        double[] anchor = [.. Enumerable.Range(0, 9).Select(_ => 0.1 + 0.05 * random.NextDouble())], other = [.. anchor.Select(a => a * (1.5 + 0.1 * random.NextDouble()))];
        var speed = Rounds(anchor.Zip(other, (a, b) => new[] { (A, a), (B, b) })).Of(B, A).TokensPerSecond;

        // Another generator, ten times the resamples, sorting by LINQ: 95 % of the products of the two medians, over three blocks of three successive rounds.
        double[] products = [.. Enumerable.Range(0, 20_000).Select(_ =>
        {
            int[] drawn = [.. Enumerable.Range(0, 3).Select(_ => random.Next(9)).SelectMany(first => new[] { first, (first + 1) % 9, (first + 2) % 9 })];
            return drawn.Select(i => anchor[i] / other[i]).Order().ElementAt(4) * drawn.Select(i => 10 / anchor[i]).Order().ElementAt(4);
        }).Order()];

        // Percentiles of medians of nine values move in steps; a twentieth of the interval is less than one of them.
        Assert.Equal(products[500], speed.Low, (products[19_500] - products[500]) / 20);
        Assert.Equal(products[19_500], speed.High, (products[19_500] - products[500]) / 20);
    }

    [Fact]
    public void Each_round_has_every_shape_once_and_in_another_order()
    {
        DecoderShape[] shapes = [A, B, C, D];
        var orders = Enumerable.Range(0, 12).Select(round => SettledRounds.Order(shapes, round)).ToList();

        Assert.All(orders, o => Assert.Equal(shapes.ToHashSet(), [.. o]));
        Assert.Equal(orders[3], SettledRounds.Order(shapes, 3));
        // Every shape comes after every other in some round.
        Assert.Equal(12, orders.SelectMany(o => o.Zip(o.Skip(1))).Distinct().Count());
    }

    [Fact]
    public void Warm_up_ends_when_the_speed_no_longer_drifts()
    {
        // Five rounds become faster, 40 % in all; then nothing but noise.
        double Level(int round) => round < 5 ? 1.5 - 0.1 * round : 1 + 0.002 * (round * 7 % 5);

        var settled = Take(warmup: 2, repeats: 9, Level, out int taken);

        Assert.False(settled.Drift);
        Assert.InRange(settled.Warmup, 3, 5);
        Assert.Equal(settled.Warmup + 9, taken);
        Assert.Equal(9, settled.Rounds.Rounds.Count);
    }

    [Fact]
    public void A_quiet_machine_warms_up_no_longer_than_asked()
    {
        var settled = Take(warmup: 2, repeats: 9, round => 1 + 0.003 * (round * 7 % 5), out int taken);

        Assert.Equal((2, false, 11), (settled.Warmup, settled.Drift, taken));
    }

    [Fact]
    public void Drift_that_does_not_end_is_told_after_five_times_the_warm_up()
    {
        var settled = Take(warmup: 2, repeats: 9, round => 1 + 0.02 * round, out int taken);

        Assert.Equal((10, true, 19), (settled.Warmup, settled.Drift, taken));
    }

    [Fact]
    public void A_trend_below_one_per_cent_matters_to_nobody() =>
        Assert.Equal((2, false), (Take(2, 9, round => 1 + 0.001 * round, out _) is var settled ? settled.Warmup : 0, settled.Drift));

    [Fact]
    public void Noise_is_taken_for_drift_about_as_often_as_the_test_says()
    {
        var random = new Random(3);
        int drifts = Enumerable.Range(0, 2000).Count(_ => Rounds(Enumerable.Range(0, 9).Select(_ => new[] { (A, 1 + 0.1 * random.NextDouble()) })).Drift());

        // 5 % by the normal approximation of Mann and Kendall's statistic, less those of small size; 2000 trials scatter by half a per cent.
        Assert.InRange(drifts / 2000.0, 0.01, 0.065);
    }

    [Fact]
    public void A_walk_goes_through_rising_GQA_from_its_reference()
    {
        DecoderShape four = A with { Heads = 32, KvHeads = 8 }, seven = A with { Heads = 35, KvHeads = 5 }, nine = A with { Heads = 36, KvHeads = 4 }, three = A with { Heads = 30, KvHeads = 10 };

        var walk = Assert.Single(GqaWalk.Of([(nine, 4), (B, null), (four, 4), (three, 4), (seven, 4)]));

        Assert.Equal(four, walk.Reference);
        Assert.Equal([seven, nine], walk.Steps);
        // The reference's own row is in the store: 40 heads in all, as its variants have.
        Assert.Equal(four, Assert.Single(GqaWalk.Of([(nine, 4), (seven, 4)])).Reference);
        // The paper's divisors of the query heads.
        Assert.Equal(A with { Heads = 36, KvHeads = 9 }, Assert.Single(GqaWalk.Of([(nine, 4), (A with { Heads = 36, KvHeads = 2 }, 4)])).Reference);
        Assert.Empty(GqaWalk.Of([(A, null)]));
    }

    [Theory]
    [InlineData(5)] // 40 heads are not sixths, 36 and 35 no multiples of 5 both.
    [InlineData(0)]
    [InlineData(-1)]
    public void A_walk_that_starts_nowhere_is_refused(int from)
    {
        DecoderShape seven = A with { Heads = 35, KvHeads = 5 }, nine = A with { Heads = 36, KvHeads = 4 };

        var failure = Assert.Throws<Sdk.StageFailedException>(() => GqaWalk.Of([(seven, from), (nine, from)]));

        Assert.Equal("SCAL8105", failure.Diagnostics[0].Code);
    }

    private static SettledRounds Take(int warmup, int repeats, Func<int, double> level, out int taken)
    {
        int count = 0;
        var settled = SettledRounds.Take(Asked, warmup, repeats, (round, all) =>
        {
            Assert.Equal(count++, round);
            Assert.True(all > round);
            return Round([(A, 0.1 * level(round)), (B, 0.3 * level(round)), (C, 0.2 * level(round) * (1 + 0.01 * (round % 3)))]);
        });
        taken = count;
        return settled;
    }

    private static MeasuredRounds Rounds(IEnumerable<(DecoderShape Shape, double Seconds)[]> rounds) => new(Asked, [.. rounds.Select(Round)]);

    /// <summary>A tenth of the time goes into the prompt.</summary>
    private static IReadOnlyDictionary<DecoderShape, WorkloadTime> Round(IEnumerable<(DecoderShape Shape, double Seconds)> times) =>
        times.ToDictionary(t => t.Shape, t => new WorkloadTime(0.1 * t.Seconds, 0.9 * t.Seconds));
}
