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

    private readonly double[] _parameters;
    private readonly double[] _tokens;
    private readonly double[] _classParameters;
    private readonly double[] _classTokens;

    private Design(IReadOnlyList<TrainingRun> runs, LawOptions options)
    {
        (Runs, Options) = (runs, options);
        (_parameters, _tokens, Loss) = ([.. runs.Select(r => r.Parameters)], [.. runs.Select(r => r.Tokens)], [.. runs.Select(r => r.Loss)]);
        double resolution = options.Law == LawKind.Conditional ? SizeClasses.Factor : PlainFactor;
        Sizes = SizeClasses.Count(_parameters, resolution);
        Budgets = SizeClasses.Count(_tokens, resolution);
        BaseTerms = [true, _parameters.Max() > resolution * _parameters.Min(), _tokens.Max() > resolution * _tokens.Min()];
        Classes = SizeClasses.OfRuns(runs, resolution);
        _classParameters = OfClass(_parameters);
        _classTokens = OfClass(_tokens);
        WidthValues = Values(r => r.X);
        SplitValues = Values(r => r.Ratio);
        if (options.Law == LawKind.Conditional)
        {
            Shape = new ShapeFit(runs, Classes, options.Form, FitsWidth, FitsSplit, slope: !BaseTerms[1]);
        }
    }

    public static Design Of(IReadOnlyList<TrainingRun> runs, LawOptions options) => new(runs, options);

    public IReadOnlyList<TrainingRun> Runs { get; }

    public LawOptions Options { get; }

    public double[] Loss { get; }

    /// <summary>Different N.</summary>
    public int Sizes { get; }

    /// <summary>Different D.</summary>
    public int Budgets { get; }

    /// <summary>Whether E, A/N^α and B/D^β are fitted: a term needs values that differ.</summary>
    public bool[] BaseTerms { get; }

    /// <summary>The (N, D) class of each run.</summary>
    public int[] Classes { get; }

    /// <summary>Different values of x in the (N, D) class that has most.</summary>
    public int WidthValues { get; }

    /// <summary>Different values of the ratio in the (N, D) class that has most.</summary>
    public int SplitValues { get; }

    /// <summary>A valley has three parameters (place, depth, curvature), so it takes three values.</summary>
    public bool FitsWidth => WidthValues >= 3;

    /// <summary>As <see cref="FitsWidth"/>.</summary>
    public bool FitsSplit => SplitValues >= 3;

    /// <summary>Null for a Chinchilla law.</summary>
    public ShapeFit? Shape { get; }

    /// <summary>Parameters that are fitted.</summary>
    public int Freedom => BaseFreedom + (Shape?.Terms ?? 0);

    /// <summary>Of these, the base law's.</summary>
    public int BaseFreedom => 1 + (BaseTerms[1] ? 2 : 0) + (BaseTerms[2] ? 2 : 0);

    /// <summary>All runs lie on one curve ln D = c + p·ln N, within 5 %: N and D cannot be told apart.</summary>
    public bool IsRay => BaseTerms[1] && BaseTerms[2] && DistanceFromRay() < 0.05;

    /// <summary>The middle of the runs' tokens per parameter.</summary>
    public double TokensPerParameter => Runs.Select(r => r.Tokens / r.Parameters).Order().ElementAt(Runs.Count / 2);

    public ChinchillaObjective Objective(double[] loss) => new(_parameters, _tokens, loss, Options.Objective, Options.Delta);

    /// <summary>What the base law says of a run's own N and D beside its class: a factor, of the additive form an addend.</summary>
    public double[] Local(ChinchillaLaw law) =>
    [
        .. Enumerable.Range(0, Runs.Count).Select(i =>
        {
            double own = law.Predict(_parameters[i], _tokens[i]), shared = law.Predict(_classParameters[i], _classTokens[i]);
            return Options.Form == LawForm.Additive ? own - shared : own / shared;
        }),
    ];

    /// <summary>Losses as the best shape would have had them.</summary>
    public double[] WithoutShape(double[] loss, double[] theta)
    {
        var terms = Shape!.ShapeTerms(theta);
        return [.. loss.Select((l, i) => Math.Max(terms.Remove(l, Runs[i].X, Runs[i].Ratio), 1e-3 * l))];
    }

    public double[] Predict(LawSolution solution) =>
    [
        .. Runs.Select(r =>
        {
            double best = solution.Base.Law.Predict(r.Parameters, r.Tokens);
            return solution.Shape?.Apply(best, r.X, r.Ratio) ?? best;
        }),
    ];

    private int Values(Func<TrainingRun, double?> axis) => Runs.All(r => axis(r) is not null)
        ? Runs.Zip(Classes).GroupBy(p => p.Second).Max(g => SizeClasses.Count([.. g.Select(p => axis(p.First)!.Value)], ShapeFactor))
        : 0;

    private double[] OfClass(double[] values)
    {
        var means = values.Zip(Classes).GroupBy(p => p.Second).ToDictionary(g => g.Key, g => SizeClasses.GeometricMean(g.Select(p => p.First)));
        return [.. Classes.Select(c => means[c])];
    }

    /// <summary>Root mean square of what is left of ln D after a straight line in ln N.</summary>
    private double DistanceFromRay()
    {
        double n = _parameters.Average(Math.Log), d = _tokens.Average(Math.Log);
        double nn = _parameters.Sum(v => Math.Pow(Math.Log(v) - n, 2));
        double slope = _parameters.Zip(_tokens, (a, b) => (Math.Log(a) - n) * (Math.Log(b) - d)).Sum() / nn;
        return Math.Sqrt(_parameters.Zip(_tokens, (a, b) => Math.Pow(Math.Log(b) - d - slope * (Math.Log(a) - n), 2)).Average());
    }
}
