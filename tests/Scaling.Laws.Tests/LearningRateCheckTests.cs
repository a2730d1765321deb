// The check of the learning-rate rule on brackets whose best rates are known.
namespace Scaling.Laws.Tests;

public sealed class LearningRateCheckTests
{
    [Fact]
    public void The_best_rate_of_a_parabola_and_what_it_would_have_gained_are_found()
    {
        var check = Check(narrow: 1.2, wide: 0.8);
        var corner = check.Corners[0];

        Assert.Equal(1.2, corner.BestFactor, 1e-9);
        Assert.Equal(0.1 * Math.Pow(Math.Log(1.2), 2), corner.Gain, 1e-9);
        Assert.True(corner.Bracketed);
        Assert.Equal(0.1 * (Math.Pow(Math.Log(0.8), 2) - Math.Pow(Math.Log(1.2), 2)), check.Bias, 1e-9);
        Assert.Equal(RateVerdict.Fair, check.Verdict);
    }

    [Fact]
    public void A_rule_that_fits_narrow_shapes_alone_does_not_hold()
    {
        var check = Check(narrow: 1, wide: 0.55);

        Assert.Equal(0.1 * Math.Pow(Math.Log(0.55), 2), check.Bias, 1e-9);
        Assert.Equal(RateVerdict.NotFair, check.Verdict);
    }

    [Fact]
    public void A_rule_that_is_wrong_for_all_alike_holds_and_says_what_was_lost()
    {
        var check = Check(narrow: 0.6, wide: 0.6);

        Assert.Equal(RateVerdict.Fair, check.Verdict);
        Assert.Equal(0.1 * Math.Pow(Math.Log(0.6), 2), check.Corners[0].Gain, 1e-9);
    }

    [Fact]
    public void A_best_rate_outside_the_bracket_is_said_to_be_so()
    {
        var check = Check(narrow: 1, wide: 0.1);

        Assert.False(check.Corners[1].Bracketed);
        Assert.Equal(0.25, check.Corners[1].BestFactor);
        Assert.NotEqual(RateVerdict.Fair, check.Verdict);
    }

    [Fact]
    public void Open_brackets_and_noisy_seeds_decide_nothing()
    {
        var open = Check(narrow: 0.24, wide: 0.24);
        Assert.Equal(RateVerdict.Undecided, open.Verdict);

        // Seeds 0.02 apart explain a bias of 0.036, beside shapes that differ by 0.15.
        var noisy = Check(narrow: 1, wide: 0.55, others: [Run("narrow", 0.1, 1, 2.02) with { Seed = "2" }]);
        Assert.Equal(0.02 / Math.Sqrt(2), noisy.SeedNoise!.Value, 1e-9);
        Assert.Equal(RateVerdict.Undecided, noisy.Verdict);
    }

    [Fact]
    public void Only_seeds_that_were_trained_at_every_rate_are_compared()
    {
        var alone = Check(narrow: 1.2, wide: 0.8);
        var lucky = Check(narrow: 1.2, wide: 0.8, others: [Run("narrow", 0.1, 1, 1.7) with { Seed = "2" }]);

        Assert.Equal(alone.Corners[0].Gain, lucky.Corners[0].Gain);
    }

    [Fact]
    public void Without_a_bracket_there_is_no_check() => Assert.Empty(LearningRateCheck.Of([Run("a", 0.1, 1, 2)], []));

    private static LearningRateCheck Check(double narrow, double wide, params TrainingRun[] others)
    {
        TrainingRun[] all =
        [
            .. from factor in new[] { 0.25, 0.5, 1, 2 } from shape in new[] { ("narrow", 0.1, narrow, 2.0), ("wide", 0.3, wide, 2.15) }
               select Run(shape.Item1, shape.Item2, factor, shape.Item4 + 0.1 * Math.Pow(Math.Log(factor / shape.Item3), 2)),
        ];
        return Assert.Single(LearningRateCheck.Of([.. all.Where(r => r.LearningRateFactor == 1), .. others], [.. all.Where(r => r.LearningRateFactor != 1)]));
    }

    private static TrainingRun Run(string shape, double x, double factor, double loss) => new(1, 1e6, 2e7, loss) { Shape = shape, Seed = "1", X = x, Ratio = 1, LearningRateFactor = factor };
}
