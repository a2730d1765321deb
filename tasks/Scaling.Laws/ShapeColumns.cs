// The columns that a shape's terms are made of, and how their fitted weights read as coefficients.
namespace Scaling.Laws;

/// <summary>Where a column acts: in the factor of x, in that of the ratio, or in the exponent beside both.</summary>
internal enum Block
{
    Width,
    Split,
    Exponent,
}

/// <summary>A column.</summary>
/// <param name="Block">Where it acts.</param>
/// <param name="NonNegative">Valleys and slopes alone: a fitted ridge would send every search to the edge of the runs.</param>
/// <param name="Values">A run each.</param>
/// <param name="Reported">The term that it is; null for what serves the fit alone or belongs to the form.</param>
internal sealed record ShapeColumn(Block Block, bool NonNegative, double[] Values, ExtraTerm? Reported = null);

/// <summary>
/// With x0, r0 the runs' geometric means, X = ln(x/x0), R = ln(r/r0):
/// <code>
/// multiplicative, additive   X, x0/x − 1 | R, r0/r − 1
/// joint                      X + R, x0·r0/(x·r) − 1
/// quadratic                  X, X², R, R², X·R
/// exponent                   −Δln N within the class, ln GQA, X·R, X·ln N, R·ln N, covariates, offsets
/// </code>
/// </summary>
internal sealed class ShapeColumns
{
    private readonly bool _width;
    private readonly bool _split;
    private readonly ShapeCentre _centre;
    private readonly IReadOnlyList<string> _covariates;

    private ShapeColumns(LawForm form, bool width, bool split, ShapeCentre centre, IReadOnlyList<string> covariates, IReadOnlyList<ShapeColumn> columns) =>
        (Form, _width, _split, _centre, _covariates, All) = (form, width, split, centre, covariates, columns);

    public IReadOnlyList<ShapeColumn> All { get; }

    public LawForm Form { get; }

    public bool Additive => Form == LawForm.Additive;

    /// <summary>The columns of some runs.</summary>
    /// <param name="runs">Rows.</param>
    /// <param name="options">Terms and covariates.</param>
    /// <param name="form">The form; none for a base law with covariates.</param>
    /// <param name="classes">The (N, D) class of each; null: levels come from the base law, and there is no slope to free.</param>
    /// <param name="width">Whether x is fitted.</param>
    /// <param name="split">Whether r is fitted.</param>
    public static ShapeColumns Of(IReadOnlyList<TrainingRun> runs, LawOptions options, LawForm form, int[]? classes, bool width, bool split)
    {
        bool shaped = form != LawForm.None;
        (width, split) = (shaped && width, shaped && split);
        double Mean(Func<TrainingRun, double?> axis) => runs.All(r => axis(r) is > 0) ? SizeClasses.GeometricMean(runs.Select(r => axis(r)!.Value)) : 1;
        var centre = new ShapeCentre(Mean(r => r.X), Mean(r => r.Ratio), Mean(r => r.WidthOverDepth));
        double[] x = [.. runs.Select(r => width ? Math.Log(r.X!.Value / centre.X) : 0)];
        double[] r = [.. runs.Select(r => split ? Math.Log(r.Ratio!.Value / centre.Ratio) : 0)];
        List<ShapeColumn> columns = [.. OfForm(form, x, r, width, split)];
        if (classes is not null && Spread(runs, classes) is { } slope)
        {
            columns.Add(new ShapeColumn(Block.Exponent, false, slope));
        }

        columns.AddRange(OfTerms(runs, options, form, x, r, width, split));
        return new ShapeColumns(form, width, split, centre, options.Covariates, columns);
    }

    private static IEnumerable<ShapeColumn> OfForm(LawForm form, double[] x, double[] r, bool width, bool split)
    {
        static double[] Inverse(double[] u) => [.. u.Select(v => Math.Exp(-v) - 1)];
        static double[] Product(double[] u, double[] v) => [.. u.Zip(v, (a, b) => a * b)];
        return form switch
        {
            LawForm.Multiplicative or LawForm.Additive =>
            [
                .. width ? [new(Block.Width, true, x), new(Block.Width, true, Inverse(x))] : Array.Empty<ShapeColumn>(),
                .. split ? [new(Block.Split, true, r), new(Block.Split, true, Inverse(r))] : Array.Empty<ShapeColumn>(),
            ],
            LawForm.Joint when x.Zip(r, (a, b) => a + b).ToArray() is var both => [new(Block.Width, true, both), new(Block.Width, true, Inverse(both))],
            LawForm.Quadratic =>
            [
                .. width ? [new(Block.Width, false, x), new(Block.Width, false, Product(x, x))] : Array.Empty<ShapeColumn>(),
                .. split ? [new(Block.Width, false, r), new(Block.Width, false, Product(r, r))] : Array.Empty<ShapeColumn>(),
                .. width && split ? [new(Block.Width, false, Product(x, r))] : Array.Empty<ShapeColumn>(),
            ],
            _ => [],
        };
    }

    private static IEnumerable<ShapeColumn> OfTerms(
        IReadOnlyList<TrainingRun> runs, LawOptions options, LawForm form, double[] x, double[] r, bool width, bool split)
    {
        ShapeColumn Term(LawTerm term, string name, double centre, IEnumerable<double> z) => new(Block.Exponent, false, [.. z], new ExtraTerm(term, name, 0, centre));
        if (options.Terms.Contains(LawTerm.Gqa) && runs.All(run => run.Gqa is > 0))
        {
            double mean = SizeClasses.GeometricMean(runs.Select(run => run.Gqa!.Value));
            yield return Term(LawTerm.Gqa, "", mean, runs.Select(run => Math.Log(run.Gqa!.Value / mean)));
        }

        // The other forms have it already.
        if (form is LawForm.Multiplicative or LawForm.Additive && options.Terms.Contains(LawTerm.Interaction) && width && split)
        {
            yield return Term(LawTerm.Interaction, "", 0, x.Zip(r, (a, b) => a * b));
        }

        int[] sizes = SizeClasses.Of([.. runs.Select(run => run.Parameters)]);
        if (options.Terms.Contains(LawTerm.Drift) && sizes.Max() > 0)
        {
            double largest = SizeClasses.GeometricMean(runs.Where((_, i) => sizes[i] == sizes.Max()).Select(run => run.Parameters));
            if (width)
            {
                yield return Term(LawTerm.Drift, "x", largest, runs.Select((run, i) => x[i] * Math.Log(run.Parameters / largest)));
            }

            if (split)
            {
                yield return Term(LawTerm.Drift, "ratio", largest, runs.Select((run, i) => r[i] * Math.Log(run.Parameters / largest)));
            }
        }

        for (int k = 0; k < options.Covariates.Count; k++)
        {
            double mean = runs.Average(run => run.Covariates[k]);
            yield return Term(LawTerm.Covariate, options.Covariates[k], mean, runs.Select(run => run.Covariates[k] - mean));
        }

        foreach (string group in Groups(runs).Skip(1))
        {
            yield return Term(LawTerm.Offset, group, 0, runs.Select(run => run.Group == group ? 1.0 : 0));
        }
    }

    /// <summary>The hyper-parameter groups, the one of most runs first: it is the one without an offset.</summary>
    public static IReadOnlyList<string> Groups(IReadOnlyList<TrainingRun> runs) =>
        [.. runs.GroupBy(run => run.Group).OrderByDescending(g => g.Count()).ThenBy(g => g.Key, StringComparer.Ordinal).Select(g => g.Key)];

    /// <summary>
    /// −(ln N less its class's mean): variants of a class differ in N by rounding, and what that does to the loss is not left to the base law. Null
    /// where they differ by less than a thousandth, that is by less than 3e-4 nats.
    /// </summary>
    private static double[]? Spread(IReadOnlyList<TrainingRun> runs, int[] classes)
    {
        double[] slope = [.. SizeClasses.Within([.. runs.Select(run => Math.Log(run.Parameters))], classes).Select(v => -v)];
        return slope.Sum(s => s * s) > 1e-6 * runs.Count ? slope : null;
    }

    /// <summary>The coefficients of the published forms, scaled to no effect at the optimum, or at the runs' mean where there is none within ten times that.</summary>
    /// <param name="theta">Weights of <see cref="All"/>.</param>
    public ShapeTerms Terms(double[] theta)
    {
        int at = 0;
        (double, double) Pair(bool present) => present ? (theta[at++], theta[at++]) : (0, 0);
        ShapeCoefficients coefficients;
        switch (Form)
        {
            case LawForm.Multiplicative or LawForm.Additive:
                var (u1, u2) = Pair(_width);
                var (v1, v2) = Pair(_split);
                var (a0, a1, a2) = Normalised(u1, u2, _centre.X);
                var (b0, b1, b2) = Normalised(v1, v2, _centre.Ratio);
                coefficients = new ShapeCoefficients(a0, a1, a2, b0, b1, b2);
                break;
            case LawForm.Joint:
                var (w1, w2) = Pair(true);
                var (c0, c1, c2) = Normalised(w1, w2, (_width ? _centre.X : 1) * (_split ? _centre.Ratio : 1));
                coefficients = new ShapeCoefficients(c0, c1, c2, 1, 0, 0);
                break;
            case LawForm.Quadratic:
                coefficients = Bowl(Pair(_width), Pair(_split), _width && _split ? theta[at] : 0);
                break;
            default:
                coefficients = new ShapeCoefficients(1, 0, 0, 1, 0, 0);
                break;
        }

        return new ShapeTerms(Form, coefficients)
        {
            Centre = _centre,
            Covariates = _covariates,
            Terms = [.. All.Zip(theta).Where(p => p.First.Reported is not null).Select(p => p.First.Reported! with { Coefficient = p.Second })],
        };
    }

    /// <summary>The optimum, if it is near enough to the runs to set their level; else the runs' mean.</summary>
    private static double Anchor(double u1, double u2, double origin) => u1 > 0 && u2 / u1 is > 0.1 and < 10 ? origin * u2 / u1 : origin;

    /// <summary>1 + u1·ln(x/x0) + u2·(x0/x − 1), divided by its value at the anchor (additive: without the 1, less that value), in powers of x.</summary>
    private (double Constant, double Logarithm, double Inverse) Normalised(double u1, double u2, double origin)
    {
        double anchor = Anchor(u1, u2, origin);
        double Unit() => Additive ? 1 : 1 + u1 * Math.Log(anchor / origin) + u2 * (origin / anchor - 1);
        anchor = Unit() > 0 ? anchor : origin;
        double unit = Unit();
        double logarithm = u1 / unit, inverse = u2 * origin / unit;
        double constant = (Additive ? 0 : 1) - logarithm * Math.Log(anchor) - inverse / anchor;
        return (constant, logarithm, inverse);
    }

    private ShapeCoefficients Bowl((double Slope, double Bend) x, (double Slope, double Bend) r, double cross)
    {
        double u = Math.Log(_centre.X), v = Math.Log(_centre.Ratio);
        var plain = new ShapeCoefficients(
            1 - x.Slope * u + x.Bend * u * u - r.Slope * v + r.Bend * v * v + cross * u * v,
            x.Slope - 2 * x.Bend * u - cross * v, x.Bend, 0, r.Slope - 2 * r.Bend * v - cross * u, r.Bend) { C = cross };
        var terms = new ShapeTerms(LawForm.Quadratic, plain) { Centre = _centre };
        double? Near(double? place, double origin) => place / origin is > 0.1 and < 10 ? place : origin;
        double unit = terms.Shape(Near(terms.XStar, _centre.X), Near(terms.RStar, _centre.Ratio), null);
        return unit > 0
            ? new ShapeCoefficients(plain.A0 / unit, plain.A1 / unit, plain.A2 / unit, 0, plain.B1 / unit, plain.B2 / unit) { C = cross / unit }
            : plain;
    }
}
