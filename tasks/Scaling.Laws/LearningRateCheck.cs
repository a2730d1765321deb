// Whether the learning-rate rule was fair to all shapes: how much loss each corner of the grid would have gained at its own best rate.
using System.Text.Json.Serialization;

namespace Scaling.Laws;

/// <summary>One corner of the grid at several learning rates.</summary>
/// <param name="Shape">Content id.</param>
/// <param name="X">d/√N.</param>
/// <param name="Ratio">MLP to attention.</param>
/// <param name="Factors">On the rule's rate, rising, 1 among them.</param>
/// <param name="Losses">Nats a token, at each factor; the mean of the seeds that were trained at all of them.</param>
/// <param name="BestFactor">Where the parabola in ln factor through the best and its neighbours is least; the end itself where the best is at an end.</param>
/// <param name="Gain">Loss at factor 1 less that at <see cref="BestFactor"/>, at least 0, nats a token.</param>
/// <param name="Bracketed">Whether the best is between two others; else the gain is at least this.</param>
public sealed record LearningRateCorner(
    string Shape, double? X, double? Ratio, IReadOnlyList<double> Factors, IReadOnlyList<double> Losses, double BestFactor, double Gain, bool Bracketed);

/// <summary>What a check says of the rule.</summary>
public enum RateVerdict
{
    /// <summary>Every best rate is bracketed, and the corners' gains differ by no more than a tenth of what shapes differ by.</summary>
    [JsonStringEnumMemberName("fair")]
    Fair,

    /// <summary>They differ by more than that, and by more than seeds explain.</summary>
    [JsonStringEnumMemberName("not fair")]
    NotFair,

    /// <summary>Some best rate lies outside the bracket, or seeds scatter too much to tell.</summary>
    [JsonStringEnumMemberName("undecided")]
    Undecided,
}

/// <summary>
/// The check of one size and budget. A rate that is too low or too high for all shapes alike harms nobody; one that fits narrow shapes and not wide ones would pass for a law in x.
/// So what counts is how much the gains of the corners differ, <see cref="Bias"/>, beside what shapes differ by.
/// </summary>
/// <param name="Parameters">Geometric mean N.</param>
/// <param name="Tokens">Geometric mean D.</param>
/// <param name="Corners">By shape.</param>
/// <param name="Bias">Largest gain less the least, nats a token.</param>
/// <param name="LossRange">Largest mean loss of a shape less the least, of that size and budget, at the rule's rate.</param>
/// <param name="SeedNoise">Standard deviation between seeds of one shape there; null where there are none.</param>
/// <param name="Verdict">What that says.</param>
public sealed record LearningRateCheck(
    double Parameters, double Tokens, IReadOnlyList<LearningRateCorner> Corners, double Bias, double LossRange, double? SeedNoise, RateVerdict Verdict)
{
    private const double ShareOfRange = 0.1;

    /// <summary>A gain is the difference of two runs and a bias that of two gains: four runs, whose noise adds to twice that of one; two such deviations are chance.</summary>
    private const double TimesNoise = 4;

    /// <summary>Of every (N, D) class with a bracket, by rising N and D; empty without.</summary>
    /// <param name="runs">At the rule's rate.</param>
    /// <param name="bracket">At other rates.</param>
    public static IReadOnlyList<LearningRateCheck> Of(IReadOnlyList<TrainingRun> runs, IReadOnlyList<TrainingRun> bracket)
    {
        TrainingRun[] all = [.. runs, .. bracket];
        int[] classes = SizeClasses.OfRuns(all);
        return
        [
            .. from members in all.Zip(classes).GroupBy(r => r.Second, r => r.First)
               orderby members.Key
               where members.Any(r => r.LearningRateFactor != 1)
               let corners = CornersOf(members).ToArray()
               where corners.Length > 0
               select Of([.. members.Where(r => r.LearningRateFactor == 1)], corners),
        ];
    }

    private static IEnumerable<LearningRateCorner> CornersOf(IEnumerable<TrainingRun> members) =>
        from shape in members.GroupBy(r => (r.Shape, r.X, r.Ratio))
        let rates = RatesOf([.. shape])
        where rates.Length > 1 && rates.Any(r => r.Factor == 1)
        orderby shape.Key.X, shape.Key.Ratio, shape.Key.Shape
        select Corner(shape.Key.Shape, shape.Key.X, shape.Key.Ratio, rates);

    /// <summary>The mean loss at each rate, of the seeds that were trained at every rate where there are such: others would put their own luck into the gain.</summary>
    private static (double Factor, double Loss)[] RatesOf(TrainingRun[] shape)
    {
        var rates = shape.GroupBy(r => r.LearningRateFactor).OrderBy(g => g.Key).Select(g => (Factor: g.Key, Runs: Replicates.OnePerSeed(g))).ToArray();
        var common = rates.Select(r => r.Runs.Select(run => run.Seed).ToHashSet()).Aggregate((a, b) => [.. a.Intersect(b)]);
        return [.. rates.Select(r => (r.Factor, r.Runs.Where(run => common.Count == 0 || common.Contains(run.Seed)).Average(run => run.Loss)))];
    }

    private static LearningRateCorner Corner(string shape, double? x, double? ratio, (double Factor, double Loss)[] rates)
    {
        int best = Enumerable.Range(0, rates.Length).MinBy(i => rates[i].Loss);
        bool bracketed = best > 0 && best < rates.Length - 1;
        var (factor, least) = bracketed ? Vertex(rates.AsSpan(best - 1, 3)) : rates[best];
        double usual = rates.First(r => r.Factor == 1).Loss;
        return new LearningRateCorner(shape, x, ratio, [.. rates.Select(r => r.Factor)], [.. rates.Select(r => r.Loss)], factor, Math.Max(0, usual - least), bracketed);
    }

    /// <summary>The least point of the parabola in ln factor through three points of which the middle one is lowest.</summary>
    private static (double Factor, double Loss) Vertex(ReadOnlySpan<(double Factor, double Loss)> three)
    {
        double u = Math.Log(three[0].Factor / three[1].Factor), w = Math.Log(three[2].Factor / three[1].Factor);
        double left = (three[0].Loss - three[1].Loss) / u, right = (three[2].Loss - three[1].Loss) / w;
        double curvature = (right - left) / (w - u), slope = left - curvature * u;
        double at = curvature > 0 ? -slope / (2 * curvature) : 0;
        return (three[1].Factor * Math.Exp(at), three[1].Loss + slope * at + curvature * at * at);
    }

    private static LearningRateCheck Of(TrainingRun[] usual, LearningRateCorner[] corners)
    {
        double[] means = [.. usual.GroupBy(r => r.Shape).Select(s => s.Average(r => r.Loss))];
        var (noise, _) = Replicates.Noise(Replicates.Of(usual));
        double bias = corners.Max(c => c.Gain) - corners.Min(c => c.Gain), range = means.Max() - means.Min();
        var verdict = bias > Math.Max(ShareOfRange * range, TimesNoise * noise ?? 0) ? RateVerdict.NotFair
            : bias <= ShareOfRange * range && corners.All(c => c.Bracketed) ? RateVerdict.Fair
            : RateVerdict.Undecided;
        return new LearningRateCheck(
            SizeClasses.GeometricMean(usual.Select(r => r.Parameters)), SizeClasses.GeometricMean(usual.Select(r => r.Tokens)), corners, bias, range, noise, verdict);
    }
}
