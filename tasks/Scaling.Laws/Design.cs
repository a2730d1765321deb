// What the runs can say something of: which terms of which law, in which classes.
namespace Scaling.Laws;

/// <summary>The fitted rows with what follows from them before any fit.</summary>
internal sealed class Design
{
    /// <summary>Values of x or of the ratio nearer than this are one value that rounding moved.</summary>
    public const double ShapeFactor = 1.05;

    /// <summary>
    /// In runs without shapes values this near are one. Variants of a shape lie within <see cref="SizeClasses.Factor"/> of their size instead.
    /// </summary>
    private const double PlainFactor = 1.02;

    private readonly double[] _tokens;
    private readonly double[] _classParameters;
    private readonly double[] _classTokens;

    private Design(IReadOnlyList<TrainingRun> runs, LawOptions options)
    {
        (Runs, Options) = (runs, options);
        Parameters = [.. runs.Select(r => r.Parameters)];
        _tokens = [.. runs.Select(r => r.Tokens)];
        (Loss, Weights) = ([.. runs.Select(r => r.Loss)], [.. runs.Select(r => r.Weight)]);
        double resolution = options.Law == LawKind.Chinchilla ? PlainFactor : SizeClasses.Factor;
        SizeOf = SizeClasses.Of(Parameters, resolution);
        Sizes = SizeOf.Max() + 1;
        Budgets = SizeClasses.Count(_tokens, resolution);
        bool grows = Parameters.Max() > resolution * Parameters.Min(), budgeted = _tokens.Max() > resolution * _tokens.Min();
        IsRay = grows && budgeted && DistanceFromRay() < 0.05;
        BaseTerms = [true, grows, budgeted && !IsRay];
        Classes = SizeClasses.OfRuns(runs, resolution);
        _classParameters = OfClass(Parameters);
        _classTokens = OfClass(_tokens);
        WidthValues = Values(r => r.X);
        SplitValues = Values(r => r.Ratio);
    }

    /// <summary>The design of some rows, in an order of their own, so that theirs in the table moves no sum.</summary>
    public static Design Of(IReadOnlyList<TrainingRun> runs, LawOptions options) => new(
        [
            .. runs.OrderBy(r => r.Parameters).ThenBy(r => r.Tokens).ThenBy(r => r.X).ThenBy(r => r.Ratio).ThenBy(r => r.Loss)
                .ThenBy(r => r.Shape, StringComparer.Ordinal).ThenBy(r => r.Run, StringComparer.Ordinal).ThenBy(r => r.Group, StringComparer.Ordinal).ThenBy(r => r.Weight)
                .ThenBy(r => r.Gqa).ThenBy(r => r.WidthOverDepth).ThenBy(r => string.Join(' ', r.Covariates), StringComparer.Ordinal).ThenBy(r => r.OtherParameters).ThenBy(r => r.Row),
        ], options);

    public IReadOnlyList<TrainingRun> Runs { get; }

    public LawOptions Options { get; }

    public double[] Parameters { get; }

    public double[] Loss { get; }

    public double[] Weights { get; }

    /// <summary>Different N.</summary>
    public int Sizes { get; }

    /// <summary>The size class of each run, from 0 for the smallest.</summary>
    public int[] SizeOf { get; }

    /// <summary>Different D.</summary>
    public int Budgets { get; }

    /// <summary>Whether E, A/N^α and B/D^β are fitted: a term needs values that differ, and along a ray N stands for both.</summary>
    public bool[] BaseTerms { get; }

    /// <summary>The (N, D) class of each run.</summary>
    public int[] Classes { get; }

    /// <summary>Different (N, D).</summary>
    public int Points => Classes.Max() + 1;

    /// <summary>Different values of x in the (N, D) class that has most.</summary>
    public int WidthValues { get; }

    /// <summary>Different values of the ratio in the (N, D) class that has most.</summary>
    public int SplitValues { get; }

    /// <summary>A valley has three parameters (place, depth, curvature), so it takes three values.</summary>
    public bool FitsWidth => WidthValues >= 3;

    /// <summary>As <see cref="FitsWidth"/>.</summary>
    public bool FitsSplit => SplitValues >= 3;

    /// <summary>x and the ratio are nearly one axis within the classes.</summary>
    public bool AxesMoveTogether => Runs.All(r => r.X is not null && r.Ratio is not null) && Share(r => Math.Log(r.X!.Value), r => Math.Log(r.Ratio!.Value)) > 0.99;

    /// <summary>The number of layers changes within the classes, and x goes with it.</summary>
    public bool DepthGoesWithWidth => Runs.All(r => r.X is not null && r.WidthOverDepth is not null)
        && Share(r => Math.Log(r.X!.Value), r => Math.Log(r.X!.Value * Math.Sqrt(r.Parameters) / r.WidthOverDepth!.Value)) > 0.8;

    /// <summary>All runs lie on one curve ln D = c + p·ln N, within 5 %: N and D cannot be told apart.</summary>
    public bool IsRay { get; }

    /// <summary>The base law's parameters that are fitted.</summary>
    public int BaseFreedom => 1 + (BaseTerms[1] ? 2 : 0) + (BaseTerms[2] ? 2 : 0);

    /// <summary>The middle of the runs' tokens per parameter.</summary>
    public double TokensPerParameter => Runs.Select(r => r.Tokens / r.Parameters).Order().ElementAt(Runs.Count / 2);

    /// <summary>An objective so small is rounding: that of relative residuals of 1e-7.</summary>
    public double Trifle => Enumerable.Range(0, Runs.Count).Sum(i => 0.5e-14 * Weights[i] * (Options.Objective == ObjectiveKind.LeastSquares ? Loss[i] * Loss[i] : 1));

    public ChinchillaObjective Objective(double[] loss) => new(Parameters, _tokens, loss, Options.Objective, Options.Delta, Weights);

    /// <summary>What the base law says of a run's own N and D beside its class: a factor, of the additive form an addend.</summary>
    public double[] Local(ChinchillaLaw law, bool additive) =>
    [
        .. Enumerable.Range(0, Runs.Count).Select(i =>
        {
            double own = law.Predict(Parameters[i], _tokens[i]), shared = law.Predict(_classParameters[i], _classTokens[i]);
            return additive ? own - shared : own / shared;
        }),
    ];

    /// <summary>What a law predicts for each run.</summary>
    public double[] Predict(LawSolution solution) =>
    [
        .. Runs.Select(r =>
        {
            double best = solution.Law.Predict(r.Parameters, r.Tokens);
            return solution.Shape?.Apply(best, LawPoint.Of(r)) ?? best;
        }),
    ];

    /// <summary>The squared correlation of two quantities within the classes; 0 where one of them moves by less than a hundredth.</summary>
    private double Share(Func<TrainingRun, double> first, Func<TrainingRun, double> second)
    {
        double[] u = SizeClasses.Within([.. Runs.Select(first)], Classes), v = SizeClasses.Within([.. Runs.Select(second)], Classes);
        double uu = u.Sum(d => d * d), vv = v.Sum(d => d * d), uv = u.Zip(v, (a, b) => a * b).Sum();
        return Math.Min(uu, vv) < 1e-4 * Runs.Count ? 0 : uv * uv / (uu * vv);
    }

    private int Values(Func<TrainingRun, double?> axis) => Runs.All(r => axis(r) is not null)
        ? Runs.Zip(Classes).GroupBy(p => p.Second).Max(g => SizeClasses.Count([.. g.Select(p => axis(p.First)!.Value)], ShapeFactor))
        : 0;

    private double[] OfClass(double[] values) => [.. SizeClasses.Means([.. values.Select(v => Math.Log(v))], Classes).Select(Math.Exp)];

    /// <summary>Root mean square of what is left of ln D after a straight line in ln N.</summary>
    private double DistanceFromRay()
    {
        double n = Parameters.Average(Math.Log), d = _tokens.Average(Math.Log);
        double nn = Parameters.Sum(v => Math.Pow(Math.Log(v) - n, 2));
        double slope = Parameters.Zip(_tokens, (a, b) => (Math.Log(a) - n) * (Math.Log(b) - d)).Sum() / nn;
        return Math.Sqrt(Parameters.Zip(_tokens, (a, b) => Math.Pow(Math.Log(b) - d - slope * (Math.Log(a) - n), 2)).Average());
    }
}
