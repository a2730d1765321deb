// The committed study on two cores, replayed: its runs are revealed only when the design chooses them.
using System.Globalization;
using Scaling.Architectures;

namespace Scaling.Laws.Tests;

/// <summary>Where a replay ended.</summary>
/// <param name="Share">Of the FLOPs of all runs that it took.</param>
/// <param name="Runs">How many.</param>
/// <param name="Rounds">How many.</param>
/// <param name="Last">The round in which it ended.</param>
/// <param name="Loses">By all runs: the loss of its pick less that of theirs, nats a token.</param>
/// <param name="LosesDeviation">Standard deviation of that.</param>
internal sealed record ReplayEnd(double Share, int Runs, int Rounds, StudyRound Last, double Loses, double LosesDeviation)
{
    /// <summary>Whether all runs cannot tell its pick from theirs, at two standard deviations.</summary>
    public bool CannotBeToldApart => Loses <= 2 * LosesDeviation;
}

/// <summary>The study of examples/cpu-study: 164 runs of the grid at their whole budget, sizes from 10k to 80k; a shape of 160k is to be picked.</summary>
internal sealed class StudyReplay
{
    private const double Target = 160_000;
    private static readonly double[] s_sizes = [10_000, 20_000, 40_000, 80_000];

    private readonly Dictionary<StudyPoint, double[]> _losses;
    private readonly StudyCandidate[] _candidates;
    private readonly (double X, double Ratio)[] _shapes;
    private readonly StudyPrior _prior;

    /// <summary>Reads the study.</summary>
    /// <param name="root">Of the repository.</param>
    public StudyReplay(string root)
    {
        var runs = File.ReadLines(Path.Combine(root, "examples", "cpu-study", "runs.csv")).Skip(1).Select(Run).OfType<(DecoderShape Shape, double Loss, double Flops)>().ToArray();
        StudyPoint Point(DecoderShape s) => new(s.Parameters, s.X, s.Ratio, 1, s_sizes.MinBy(n => Math.Abs(Math.Log(n / s.Parameters))));
        _losses = runs.GroupBy(r => Point(r.Shape)).ToDictionary(g => g.Key, g => g.Select(r => r.Loss).ToArray());
        _candidates = [.. runs.GroupBy(r => Point(r.Shape)).Select(g => new StudyCandidate(g.Key, g.First().Flops, g.Count()))];
        var x = new Interval(_losses.Keys.Min(p => p.X), _losses.Keys.Max(p => p.X));
        var ratio = new Interval(_losses.Keys.Min(p => p.Ratio), _losses.Keys.Max(p => p.Ratio));
        _shapes = [.. new ShapeSpace(Target, 0.025, [2], [8], [2], 4, 256, true, new Architectures.Bounds(x.Low, x.High), new Architectures.Bounds(ratio.Low, ratio.High)).Shapes().Select(s => (s.X, s.Ratio))];
        _prior = StudyPrior.Within(x, ratio, SizeClasses.GeometricMean(s_sizes), 0.01);
        (Runs, Flops) = (runs.Length, runs.Sum(r => r.Flops));
        All = StudyBelief.After(_prior, [.. runs.Select(r => new StudyResult(Point(r.Shape), r.Loss))]);
    }

    /// <summary>How many runs there are.</summary>
    public int Runs { get; }

    /// <summary>What they cost.</summary>
    public double Flops { get; }

    /// <summary>What all of them say.</summary>
    public StudyBelief All { get; }

    /// <summary>Their optimum at the target.</summary>
    public StudyOptimum Optimum => All.OptimumAt(Target);

    /// <summary>Plays it.</summary>
    /// <param name="share">Of the FLOPs of all runs that may be spent.</param>
    /// <param name="regretToStop">Nats a token; null: goes on to the end of the budget.</param>
    public ReplayEnd Play(double share, double? regretToStop)
    {
        var goal = new StudyGoal(_prior, Target, _shapes, _candidates, share * Flops) { RoundRuns = 6, StopsAtOneShape = regretToStop is not null, RegretToStop = regretToStop };
        int[] bought = new int[_candidates.Length];
        var results = new List<StudyResult>();
        StudyRound round;
        int rounds = 0;
        for (; (round = StudyRound.Of(goal, bought, results)).Next.Count > 0; rounds++)
        {
            results.AddRange(round.Next.Select(i => new StudyResult(_candidates[i].Point, _losses[_candidates[i].Point][bought[i]++])).ToArray());
        }

        var judged = All.Judge(Target, _shapes);
        int best = Enumerable.Range(0, _shapes.Length).MinBy(i => judged[i].ExpectedRegret);
        double[] apart = All.Differences(Target, _shapes[round.Pick], _shapes[best]);
        double mean = apart.Average();
        return new ReplayEnd(round.Spent / Flops, results.Count, rounds, round, mean, Math.Sqrt(apart.Average(d => (d - mean) * (d - mean))));
    }

    /// <summary>A run of the grid at its whole budget; null for another.</summary>
    private static (DecoderShape Shape, double Loss, double Flops)? Run(string line)
    {
        string[] c = line.Split(','); // Nothing is quoted before the schedule, which stands behind what is read.
        double Number(int i) => double.Parse(c[i], CultureInfo.InvariantCulture);
        int Whole(int i) => int.Parse(c[i], CultureInfo.InvariantCulture);
        if (Number(15) != 20 || Number(26) != 1)
        {
            return null;
        }

        var shape = new DecoderShape(Whole(1), Whole(2), Whole(3), Whole(4), Whole(5), Whole(6), Whole(7), c[8] == "true");
        return (shape, Number(17), TrainingCost.FlopsPerToken(shape, 128) * Number(16));
    }
}
