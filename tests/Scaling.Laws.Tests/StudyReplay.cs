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

/// <summary>
/// The study of examples/cpu-study: 164 runs of the grid at their whole budget, sizes from 10k to 80k; a shape of 160k is to be picked. Each run was judged at half of its tokens too, annealed: a replay
/// may buy that alone as a short run, for half of the cost.
/// </summary>
internal sealed class StudyReplay
{
    private const double Target = 160_000;
    private static readonly double[] s_sizes = [10_000, 20_000, 40_000, 80_000];

    private readonly Dictionary<StudyPoint, double[]> _losses;
    private readonly StudyCandidate[] _candidates; // Those of whole runs first.
    private readonly int _whole; // How many these are.
    private readonly (double X, double Ratio)[] _shapes;
    private readonly StudyPrior _prior;

    /// <summary>Reads the study.</summary>
    /// <param name="root">Of the repository.</param>
    /// <param name="order">Of the runs of a shape, which the study chooses by number: 0 as they stand, another number shuffles them.</param>
    public StudyReplay(string root, int order = 0)
    {
        var runs = File.ReadLines(Path.Combine(root, "examples", "cpu-study", "runs.csv")).Skip(1).Select(Run).OfType<(DecoderShape Shape, double Share, double Loss, double Flops)>().ToArray();
        StudyPoint Point(DecoderShape s, double share) => new(s.Parameters, s.X, s.Ratio, share, s_sizes.MinBy(n => Math.Abs(Math.Log(n / s.Parameters))));
        _losses = runs.GroupBy(r => Point(r.Shape, r.Share)).ToDictionary(g => g.Key, g => g.Select(r => r.Loss).ToArray());
        _candidates = [.. runs.GroupBy(r => Point(r.Shape, r.Share)).OrderByDescending(g => g.Key.BudgetShare).Select(g => new StudyCandidate(g.Key, g.First().Flops, g.Count()))];
        var random = new Random(order);
        foreach (double[] losses in order == 0 ? [] : _losses.OrderBy(l => l.Key.BudgetShare).ThenBy(l => l.Key.X).ThenBy(l => l.Key.Ratio).ThenBy(l => l.Key.Size).Select(l => l.Value))
        {
            random.Shuffle(losses);
        }

        var whole = runs.Where(r => r.Share == 1).ToArray();
        _whole = _candidates.Count(c => c.Point.BudgetShare == 1);
        var x = new Interval(_losses.Keys.Min(p => p.X), _losses.Keys.Max(p => p.X));
        var ratio = new Interval(_losses.Keys.Min(p => p.Ratio), _losses.Keys.Max(p => p.Ratio));
        _shapes = [.. new ShapeSpace(Target, 0.025, [2], [8], [2], 4, 256, true, new Architectures.Bounds(x.Low, x.High), new Architectures.Bounds(ratio.Low, ratio.High)).Shapes().Select(s => (s.X, s.Ratio))];
        _prior = StudyPrior.Within(x, ratio, SizeClasses.GeometricMean(s_sizes), 0.01);
        (Runs, Flops) = (whole.Length, whole.Sum(r => r.Flops));
        All = StudyBelief.After(_prior, [.. whole.Select(r => new StudyResult(Point(r.Shape, 1), r.Loss))]);
    }

    /// <summary>How many whole runs there are.</summary>
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
    /// <param name="shortRuns">Whether runs of half of the tokens may be bought too. Of a shape their seeds begin at the other end than those of whole runs.</param>
    public ReplayEnd Play(double share, double? regretToStop, bool shortRuns = false)
    {
        var candidates = shortRuns ? _candidates : _candidates[.._whole];
        var goal = new StudyGoal(_prior, Target, _shapes, candidates, share * Flops) { RoundRuns = 6, StopsAtOneShape = regretToStop is not null, RegretToStop = regretToStop };
        int[] bought = new int[candidates.Length];
        var results = new List<StudyResult>();
        StudyRound round;
        int rounds = 0;
        for (; (round = StudyRound.Of(goal, bought, results)).Next.Count > 0; rounds++)
        {
            results.AddRange(round.Next.Select(i => new StudyResult(candidates[i].Point, Loss(candidates[i].Point, ++bought[i]))).ToArray());
        }

        var judged = All.Judge(Target, _shapes);
        int best = Enumerable.Range(0, _shapes.Length).MinBy(i => judged[i].ExpectedRegret);
        double[] apart = All.Differences(Target, _shapes[round.Pick], _shapes[best]);
        double mean = apart.Average();
        return new ReplayEnd(round.Spent / Flops, results.Count, rounds, round, mean, Math.Sqrt(apart.Average(d => (d - mean) * (d - mean))));
    }

    /// <summary>Of the n-th run of a candidate, n from 1.</summary>
    private double Loss(StudyPoint point, int run) => _losses[point][point.BudgetShare == 1 ? run - 1 : ^run];

    /// <summary>A run of the grid at its whole budget or at half of it; null for another.</summary>
    private static (DecoderShape Shape, double Share, double Loss, double Flops)? Run(string line)
    {
        string[] c = line.Split(','); // Nothing is quoted before the schedule, which stands behind what is read.
        double Number(int i) => double.Parse(c[i], CultureInfo.InvariantCulture);
        int Whole(int i) => int.Parse(c[i], CultureInfo.InvariantCulture);
        if (Number(26) != 1)
        {
            return null;
        }

        var shape = new DecoderShape(Whole(1), Whole(2), Whole(3), Whole(4), Whole(5), Whole(6), Whole(7), c[8] == "true");
        return (shape, Number(15) / 20, Number(17), TrainingCost.FlopsPerToken(shape, 128) * Number(16));
    }
}
