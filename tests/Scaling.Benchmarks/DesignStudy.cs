// What a sequential study saves: worlds around the published constants, decided by a grid, by chance, by a Latin hypercube, and by the design.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>What a way of choosing runs came to in one world.</summary>
/// <param name="Regret">True loss of the shape that was picked at the target less that of the best, nats a token.</param>
/// <param name="ValleyRegret">The same of the estimated optimum, whether or not a shape can be built there.</param>
/// <param name="Cost">Over the grid's.</param>
/// <param name="Runs">How many.</param>
/// <param name="X">Estimated less true ln x* at the target, with its standard error.</param>
/// <param name="Ratio">Likewise of ln r*.</param>
internal sealed record DesignOutcome(double Regret, double ValleyRegret, double Cost, int Runs, (double Error, double Deviation) X, (double Error, double Deviation) Ratio)
{
    /// <summary>The forecasts made before the first run and after each round but the last: standard errors of ln x* and ln r* at the end of the budget.</summary>
    public IReadOnlyList<(double X, double Ratio)> Forecasts { get; init; } = [];
}

/// <summary>The study: sizes 80M, 145M and 297M at 100 tokens a parameter, a shape of 1B to be picked.</summary>
internal sealed class DesignStudy
{
    /// <summary>N of the target, LLaMA-3.2-1B's.</summary>
    public const double Target = 973_078_528;

    private const int Seeds = 1000; // Of a shape at most: no bound.
    private readonly StudyCandidate[] _candidates;
    private readonly StudyCandidate[] _grid;
    private readonly (double X, double Ratio)[] _shapes;

    public DesignStudy(double[] sizes, int multiple, double tolerance)
    {
        _candidates = [.. Of(sizes)];
        _grid = [.. Of([80e6, 145e6, 297e6])];
        _shapes = [.. new ShapeSpace(Target, tolerance, [16], [64], [4], multiple, 128_256, true, new Bounds(0.04, 0.16), new Bounds(0.4, 6)).Shapes().Select(s => (s.X, s.Ratio))];
    }

    private static IEnumerable<StudyCandidate> Of(double[] sizes)
    {
        var grid =
            from size in sizes
            from x in Spread(0.05, 0.13, 8)
            from ratio in Spread(0.5, 5, 8)
            let shape = ShapeGenerator.Nearest(new ShapeRequest(size, size < 7e7 ? 8 : 12, x, ratio, 4, 64, 64, 128_256, true)).Shape
            where shape is not null && Math.Abs(shape.Parameters / size - 1) <= 0.05
            select (Shape: shape, Size: size);
        return grid.DistinctBy(g => g.Shape).Select(g => Candidate(new StudyPoint(g.Shape.Parameters, g.Shape.X, g.Shape.Ratio, 1, g.Size)));
    }

    public int GridRuns => _grid.Length;

    public double GridCost => _grid.Sum(c => c.Cost);

    public int Shapes => _shapes.Length;

    private static StudyCandidate Candidate(StudyPoint point) => new(point, 600 * point.Parameters * point.Parameters, Seeds);

    private static double[] Spread(double low, double high, int count) =>
        [.. Enumerable.Range(0, count).Select(i => low * Math.Pow(high / low, i / (count - 1.0)))];

    private static StudyPrior Prior => StudyPrior.Published(0.0016 / 2.8);

    /// <summary>Every candidate once.</summary>
    public DesignOutcome Grid(DesignWorld world) => Outcome(world, [.. _grid.Select(c => c.Point)]);

    /// <summary>The design's rounds until the budget is spent.</summary>
    public DesignOutcome Sequential(DesignWorld world, double share, int rounds)
    {
        double budget = share * GridCost;
        var goal = new StudyGoal(Prior, Target, _shapes, _candidates, budget) { Confidence = 1 };
        int[] bought = new int[_candidates.Length];
        var results = new List<StudyResult>();
        var forecasts = new List<(double, double)>();
        while (true)
        {
            var round = StudyRound.Of(goal with { RoundRuns = RoundRuns(share, rounds) }, bought, results);
            if (round.Next.Count == 0)
            {
                return Outcome(world, results, round.Belief) with { Forecasts = forecasts };
            }

            forecasts.Add((round.Plan.Forecast.XError, round.Plan.Forecast.RatioError));
            foreach (int i in round.Next)
            {
                bought[i]++;
                var p = _candidates[i].Point;
                results.Add(new StudyResult(p, world.Train(p.Parameters, 100 * p.Parameters, p.X, p.Ratio, results.Count)));
            }
        }
    }

    public void Theory(TextWriter output, string name, StudyPrior prior)
    {
        var belief = StudyBelief.Before(prior);
        var grid = StudyPlan.Expect(belief, Target, _grid, [.. _grid.Select(_ => 1.0)]);
        var same = StudyPlan.Of(belief, Target, _candidates, GridCost);
        var quarter = StudyPlan.Of(belief, Target, _candidates, GridCost / 4);
        output.WriteLine(FormattableString.Invariant($"{name}: grid {grid.XError:0.0000} {grid.RatioError:0.0000} {grid.Regret:0.00E0}; same {same.Forecast.XError:0.0000} {same.Forecast.RatioError:0.0000} {same.Forecast.Regret:0.00E0} ({same.Forecast.Runs:0}); quarter {quarter.Forecast.XError:0.0000} {quarter.Forecast.RatioError:0.0000} {quarter.Forecast.Regret:0.00E0} ({quarter.Forecast.Runs:0})"));
        foreach (var size in _candidates.Select((c, i) => (c, i)).GroupBy(p => p.c.Point.Size))
        {
            output.WriteLine(FormattableString.Invariant($"   {size.Key:0E0}: {size.Sum(p => same.Runs[p.i]):0.0} runs, {size.Sum(p => same.Runs[p.i] * p.c.Cost) / GridCost:0.00}: ") + string.Join(' ', size.Where(p => same.Runs[p.i] > 0.02 * size.Sum(q => same.Runs[q.i])).Select(p => FormattableString.Invariant($"({p.c.Point.X:0.000},{p.c.Point.Ratio:0.0}):{same.Runs[p.i]:0.0}"))));
        }
    }

    private int RoundRuns(double share, int rounds) => Math.Max(4, (int)Math.Ceiling(share * GridCost / _grid.Min(c => c.Cost) / rounds / 2));

    /// <summary>Shapes by chance: sizes as often as the grid has them, x and ratio uniform in their logarithms.</summary>
    public DesignOutcome Random(DesignWorld world, double share, int seed) => Outcome(world, Scattered(share, new Random(seed), hypercube: false));

    /// <summary>The same with x and ratio of each size stratified.</summary>
    public DesignOutcome Hypercube(DesignWorld world, double share, int seed) => Outcome(world, Scattered(share, new Random(seed), hypercube: true));

    private StudyPoint[] Scattered(double share, Random random, bool hypercube)
    {
        var points = new List<StudyPoint>();
        foreach (var size in _grid.GroupBy(c => c.Point.Size))
        {
            StudyCandidate[] of = [.. size];
            int n = (int)Math.Round(of.Length * share);
            int[] first = [.. Enumerable.Range(0, n)], second = [.. Enumerable.Range(0, n)];
            random.Shuffle(second);
            for (int i = 0; i < n; i++)
            {
                double u = hypercube ? (first[i] + random.NextDouble()) / n : random.NextDouble(), v = hypercube ? (second[i] + random.NextDouble()) / n : random.NextDouble();
                double x = 0.05 * Math.Pow(0.13 / 0.05, u), ratio = 0.5 * Math.Pow(10, v);
                points.Add(of.MinBy(c => Math.Pow(Math.Log(c.Point.X / x) / Math.Log(2.6), 2) + Math.Pow(Math.Log(c.Point.Ratio / ratio) / Math.Log(10), 2))!.Point);
            }
        }

        return [.. points];
    }

    private DesignOutcome Outcome(DesignWorld world, StudyPoint[] points)
    {
        StudyResult[] results = [.. points.Select((p, i) => new StudyResult(p, world.Train(p.Parameters, 100 * p.Parameters, p.X, p.Ratio, 5000 + i)))];
        return Outcome(world, results, StudyBelief.After(Prior, results));
    }

    private DesignOutcome Outcome(DesignWorld world, IReadOnlyList<StudyResult> results, StudyBelief belief)
    {
        double Loss((double X, double Ratio) s) => world.Loss(Target, 100 * Target, s.X, s.Ratio);
        var optimum = belief.OptimumAt(Target);
        var (logX, logRatio) = world.OptimumAt(Target);
        var odds = belief.Judge(Target, _shapes, draws: 1);
        var pick = _shapes[Enumerable.Range(0, _shapes.Length).MinBy(i => odds[i].Predicted)];
        return new DesignOutcome(
            Loss(pick) - _shapes.Min(Loss), Loss((optimum.X, optimum.Ratio)) - Loss((Math.Exp(logX), Math.Exp(logRatio))),
            results.Sum(r => 600 * r.Point.Parameters * r.Point.Parameters) / GridCost, results.Count,
            (Math.Log(optimum.X) - logX, optimum.XError), (Math.Log(optimum.Ratio) - logRatio, optimum.RatioError));
    }

    /// <summary>Runs and prints it.</summary>
    public static int Run(TextWriter output, int worlds, int seed, double[] sizes)
    {
        var study = new DesignStudy(sizes, 512, 0.025);
        output.WriteLine($"grid: {study.GridRuns} runs, {study.GridCost:0.00E0} FLOPs; {study.Shapes} shapes of the target");
        var p0 = Prior;
        study.Theory(output, "prior", p0);
        StudyPrior K(double sd) => p0 with { X = p0.X with { Asymmetry = new(1, sd) }, Ratio = p0.Ratio with { Asymmetry = new(1, sd) } };
        study.Theory(output, "kappa 0, no interaction", K(.001) with { Interaction = new(0, .001) });
        var policies = new (string Name, Func<DesignWorld, int, DesignOutcome> Of)[]
        {
            ("grid", (w, _) => study.Grid(w)),
            ("sequential 25 %", (w, _) => study.Sequential(w, 0.25, 8)),
            ("sequential 100 %", (w, _) => study.Sequential(w, 1, 8)),
            ("random 25 %", (w, i) => study.Random(w, 0.25, i)),
            ("hypercube 25 %", (w, i) => study.Hypercube(w, 0.25, i)),
            ("random 100 %", (w, i) => study.Random(w, 1, i)),
            ("hypercube 100 %", (w, i) => study.Hypercube(w, 1, i)),
        };
        var outcomes = policies.ToDictionary(p => p.Name, _ => new DesignOutcome[worlds]);
        var progress = new Progress("worlds", worlds, Console.Error);
        Parallel.For(0, worlds, i =>
        {
            var world = new DesignWorld(seed, i);
            foreach (var (name, of) in policies)
            {
                outcomes[name][i] = of(world, i);
            }

            progress.Step();
        });
        output.WriteLine("policy             cost  runs   regret: median    mean     valley: median    mean      ln x*: rms error/se   ln r*:  worse than grid, valley");
        var grid = outcomes["grid"];
        foreach (var (name, _) in policies)
        {
            var all = outcomes[name];
            double Rms(Func<DesignOutcome, double> of) => Math.Sqrt(all.Average(o => of(o) * of(o)));
            output.WriteLine(FormattableString.Invariant($"{name,-18} {all.Average(o => o.Cost):0.00} {all.Average(o => o.Runs),5:0}   {Quantiles.Median(all.Select(o => o.Regret)):0.00E+0} {all.Average(o => o.Regret):0.00E+0}   {Quantiles.Median(all.Select(o => o.ValleyRegret)):0.00E+0} {all.Average(o => o.ValleyRegret):0.00E+0}   {Rms(o => o.X.Error):0.0000} {Rms(o => o.X.Error / o.X.Deviation):0.00}  {Rms(o => o.Ratio.Error):0.0000} {Rms(o => o.Ratio.Error / o.Ratio.Deviation):0.00}   {all.Zip(grid).Count(p => p.First.Regret > p.Second.Regret) / (double)worlds:0.000} {all.Zip(grid).Count(p => p.First.ValleyRegret > p.Second.ValleyRegret) / (double)worlds:0.000}"));
        }

        foreach (string name in new[] { "sequential 25 %", "sequential 100 %" })
        {
            for (int k = 0; k < 6; k++)
            {
                double Within(Func<DesignOutcome, double> ratio) => outcomes[name].Where(o => o.Forecasts.Count > k).Average(o => Math.Abs(Math.Log(ratio(o))) <= Math.Log(1.5) ? 1.0 : 0);
                if (outcomes[name].Any(o => o.Forecasts.Count > k))
                {
                    output.WriteLine(FormattableString.Invariant($"{name}: forecast after {k} rounds within 1.5x: x {Within(o => o.Forecasts[k].X / o.X.Deviation):0.00} r {Within(o => o.Forecasts[k].Ratio / o.Ratio.Deviation):0.00}"));
                }
            }
        }

        return 0;
    }
}
