// What a sequential study saves: worlds around the published constants, decided by a grid, by chance, by a Latin hypercube, and by the design.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>What a way of choosing runs came to in one world.</summary>
/// <param name="Regret">True loss of the shape that was picked at the target less that of the best shape, nats a token.</param>
/// <param name="ValleyRegret">The same of the estimated optimum, whether or not a shape can be built there: finer than any choice among shapes.</param>
/// <param name="Cost">Over the grid's.</param>
/// <param name="Runs">How many.</param>
/// <param name="X">Estimated less true ln x* at the target, with its standard error.</param>
/// <param name="Ratio">Likewise of ln r*.</param>
internal sealed record DesignOutcome(double Regret, double ValleyRegret, double Cost, int Runs, AxisOutcome X, AxisOutcome Ratio)
{
    /// <summary>What the plan before the first run, and that after each round, said of the standard errors at the end of the budget.</summary>
    public IReadOnlyList<(double X, double Ratio)> Forecasts { get; init; } = [];
}

/// <summary>An estimate.</summary>
/// <param name="Error">Estimated less true.</param>
/// <param name="StandardError">As the belief states it.</param>
internal sealed record AxisOutcome(double Error, double StandardError);

/// <summary>
/// The study of the paper: sizes of 80M, 145M and 297M parameters, 100 tokens a parameter, a shape to be picked at 1B among those of hidden and intermediate sizes in multiples of 512. The design may also train 20M and 40M;
/// and, where it is said, each shape for a quarter of the tokens; its rivals are given the same sizes or the grid's. All read their runs by the same belief.
/// </summary>
internal sealed class DesignStudy
{
    /// <summary>N of the target, LLaMA-3.2-1B's.</summary>
    public const double Target = 973_078_528;

    private const int Seeds = 8; // Of a shape at most.
    private const int Rounds = 8;
    private const double TokensPerParameter = DesignWorld.TokensPerParameter;
    private const double ShortShare = 0.25; // Of the tokens, of short runs.

    /// <summary>Sizes of the grid.</summary>
    public static readonly double[] GridSizes = [80e6, 145e6, 297e6];

    /// <summary>Sizes that the design may train.</summary>
    public static readonly double[] AllSizes = [20e6, 40e6, .. GridSizes];

    private readonly StudyCandidate[] _grid = [.. Candidates(GridSizes)];
    private readonly StudyCandidate[] _all = [.. Candidates(AllSizes)];
    private readonly (double X, double Ratio)[] _shapes =
        [.. new ShapeSpace(Target, 0.025, [16], [64], [4], 512, 128_256, true, new Bounds(0.04, 0.16), new Bounds(0.4, 6)).Shapes().Select(s => (s.X, s.Ratio))];

    /// <summary>Runs of the grid, and shapes of the target.</summary>
    public (int Runs, double Cost, int Shapes) Size => (_grid.Length, _grid.Sum(c => c.Cost), _shapes.Length);

    /// <summary>Prior of all: the published constants, and a noise in the middle of what worlds have.</summary>
    private static StudyPrior Prior => StudyPrior.Published(Math.Sqrt(DesignWorld.LeastNoise * DesignWorld.MostNoise) / 2.8);

    /// <summary>Eight values of x with eight ratios of each size, where a shape can be built within 5 %.</summary>
    private static IEnumerable<StudyCandidate> Candidates(double[] sizes)
    {
        var shapes =
            from size in sizes
            from x in Spread(0.05, 0.13)
            from ratio in Spread(0.5, 5)
            let shape = ShapeGenerator.Nearest(new ShapeRequest(size, size < 7e7 ? 8 : 12, x, ratio, 4, 64, 64, 128_256, true)).Shape
            where shape is not null && Math.Abs(shape.Parameters / size - 1) <= 0.05
            select (Shape: shape, Size: size);
        return shapes.DistinctBy(s => s.Shape).Select(s => new StudyCandidate(
            new StudyPoint(s.Shape.Parameters, s.Shape.X, s.Shape.Ratio, 1, s.Size), 6 * TokensPerParameter * s.Shape.Parameters * s.Shape.Parameters, Seeds));
    }

    private static IEnumerable<double> Spread(double low, double high) => Enumerable.Range(0, 8).Select(i => low * Math.Pow(high / low, i / 7.0));

    /// <summary>Every shape of the grid's sizes once.</summary>
    public DesignOutcome[] Grid(DesignWorld world) => Read(world, Once(world, _grid));

    /// <summary>Every shape of all sizes once.</summary>
    public DesignOutcome WideGrid(DesignWorld world) => Read(world, Once(world, _all))[0];

    private static StudyResult[] Once(DesignWorld world, StudyCandidate[] candidates) => [.. candidates.Select((c, i) => Train(world, c.Point, 100_000 + i))];

    /// <summary>Runs, read by the belief; by <c>fit</c> with <c>form: valley</c>; and with <c>terms: [drift]</c>: no prior, the published form, one noise.</summary>
    private DesignOutcome[] Read(DesignWorld world, IReadOnlyList<StudyResult> results) =>
        [Outcome(world, results, StudyBelief.After(Prior, results)), Fitted(world, results, FormChoice.Valley), Fitted(world, results, FormChoice.Multiplicative)];

    /// <summary>The design's rounds until the budget is spent.</summary>
    /// <param name="world">Where.</param>
    /// <param name="share">The budget over the grid's cost.</param>
    /// <param name="gridSizes">Whether it keeps to the grid's sizes.</param>
    /// <param name="shortRuns">Whether it may also train for a quarter of the tokens.</param>
    /// <returns>As of <see cref="Grid"/>; with short runs, the belief's alone.</returns>
    public DesignOutcome[] Sequential(DesignWorld world, double share, bool gridSizes, bool shortRuns = false)
    {
        var candidates = gridSizes ? _grid : _all;
        candidates = shortRuns ? [.. candidates, .. candidates.Select(c => c with { Point = c.Point with { BudgetShare = ShortShare }, Cost = ShortShare * c.Cost })] : candidates;
        var goal = new StudyGoal(Prior, Target, _shapes, candidates, share * Size.Cost) { StopsAtOneShape = false };
        int[] bought = new int[candidates.Length];
        goal = goal with { RoundRuns = Math.Max(4, (int)(StudyRound.Of(goal, bought, []).Plan.Forecast.Runs / Rounds) + 1) };
        var results = new List<StudyResult>();
        var forecasts = new List<(double, double)>();
        while (true)
        {
            var round = StudyRound.Of(goal, bought, results);
            if (round.Next.Count == 0)
            {
                var read = shortRuns ? [Outcome(world, results, StudyBelief.After(Prior, results))] : Read(world, results);
                read[0] = read[0] with { Forecasts = forecasts };
                return read;
            }

            forecasts.Add((round.Plan.Forecast.XError, round.Plan.Forecast.RatioError));
            foreach (int i in round.Next)
            {
                bought[i]++;
                results.Add(Train(world, candidates[i].Point, results.Count));
            }
        }
    }

    /// <summary>Shapes by chance, every size as often: ln x and ln r uniform, or stratified by a Latin hypercube.</summary>
    /// <param name="world">Where.</param>
    /// <param name="share">The budget over the grid's cost.</param>
    /// <param name="random">Draws.</param>
    /// <param name="hypercube">Whether they are stratified.</param>
    public DesignOutcome Scattered(DesignWorld world, double share, Random random, bool hypercube)
    {
        var points = new List<StudyPoint>();
        var sizes = _all.GroupBy(c => c.Point.Size).ToArray();
        int count = (int)Math.Round(share * Size.Cost / sizes.Sum(s => s.Average(c => c.Cost)));
        foreach (var size in sizes)
        {
            int[] rows = [.. Enumerable.Range(0, count)];
            random.Shuffle(rows);
            for (int i = 0; i < count; i++)
            {
                double u = random.NextDouble(), v = random.NextDouble();
                (u, v) = hypercube ? ((i + u) / count, (rows[i] + v) / count) : (u, v);
                points.Add(size.MinBy(c => Math.Pow(Math.Log(c.Point.X / 0.05) / Math.Log(0.13 / 0.05) - u, 2) + Math.Pow(Math.Log(c.Point.Ratio / 0.5) / Math.Log(10) - v, 2))!.Point);
            }
        }

        StudyResult[] results = [.. points.Select((p, i) => Train(world, p, 100_000 + i))];
        return Outcome(world, results, StudyBelief.After(Prior, results));
    }

    private static StudyResult Train(DesignWorld world, StudyPoint p, int run) => new(p, world.Train(p.Parameters, p.BudgetShare * TokensPerParameter * p.Parameters, p.X, p.Ratio, run));

    private DesignOutcome Fitted(DesignWorld world, IReadOnlyList<StudyResult> results, FormChoice form)
    {
        TrainingRun[] runs =
        [
            .. results.Select((r, i) => new TrainingRun(i + 1, r.Point.Parameters, TokensPerParameter * r.Point.Parameters, r.Loss) { X = r.Point.X, Ratio = r.Point.Ratio }),
        ];
        var options = new LawOptions { Objective = ObjectiveKind.LeastSquares, Resamples = 0, Form = form, Terms = form == FormChoice.Valley ? [] : [LawTerm.Drift], RatioRange = new(0.1, 10) };
        var law = LawFit.Fit(runs, new LawContext(), options).Document;
        var (x, ratio) = law.Shape!.OptimumAt(Target);
        int pick = Enumerable.Range(0, _shapes.Length).MinBy(i => law.Predict(new LawPoint(Target, TokensPerParameter * Target) { X = _shapes[i].X, Ratio = _shapes[i].Ratio }));
        return Outcome(world, results, pick, new StudyOptimum(x ?? 0.16, ratio ?? 6, double.NaN, double.NaN));
    }

    private DesignOutcome Outcome(DesignWorld world, IReadOnlyList<StudyResult> results, StudyBelief belief)
    {
        var odds = belief.Judge(Target, _shapes);
        return Outcome(world, results, Enumerable.Range(0, _shapes.Length).MinBy(i => odds[i].ExpectedRegret), belief.OptimumAt(Target));
    }

    private DesignOutcome Outcome(DesignWorld world, IReadOnlyList<StudyResult> results, int pick, StudyOptimum found)
    {
        double Loss((double X, double Ratio) s) => world.Loss(Target, TokensPerParameter * Target, s.X, s.Ratio);
        var (logX, logRatio) = world.OptimumAt(Target);
        var (x, ratio) = (Math.Exp(logX), Math.Exp(logRatio));
        return new DesignOutcome(
            Loss(_shapes[pick]) - _shapes.Min(Loss),
            Loss((found.X, found.Ratio)) - Loss((x, ratio)),
            results.Sum(r => 6 * r.Point.BudgetShare * TokensPerParameter * r.Point.Parameters * r.Point.Parameters) / Size.Cost,
            results.Count,
            new AxisOutcome(Math.Log(found.X / x), found.XError),
            new AxisOutcome(Math.Log(found.Ratio / ratio), found.RatioError));
    }
}
