// The shape's part of a law: what a decoder's x, ratio and whatever else has a term do to its loss.
using System.Text.Json.Serialization;

namespace Scaling.Laws;

/// <summary>How the shape's terms act on the base law.</summary>
public enum LawForm
{
    /// <summary>L = (a0 + a1·ln x + a2/x)·(b0 + b1·ln r + b2/r)·L_opt(N, D). The default.</summary>
    Multiplicative,

    /// <summary>L = (a0 + a1·ln x + a2/x) + (b0 + b1·ln r + b2/r) + L_opt(N, D), with b0 = 0.</summary>
    Additive,

    /// <summary>L = (a0 + a1·ln(x·r) + a2/(x·r))·L_opt(N, D): not separable, the published ablation.</summary>
    Joint,

    /// <summary>L = (a0 + a1·ln x + a2·ln² x + b1·ln r + b2·ln² r + c·ln x·ln r)·L_opt(N, D): the rival that knows nothing.</summary>
    Quadratic,

    /// <summary>
    /// L = (1 + a·φ(u))·(1 + b·φ(v))·exp(η·√(a·b)·u·v)·L_opt(N, D), u = ln(x/x*) and v = ln(r/r*), φ(u) = (e^(−κu) + κu − 1)/κ²: the multiplicative form is κ = 1, η = 0, and the quadratic κ → 0.
    /// The optima move with ln N. What plans of studies are made with.
    /// </summary>
    Valley,

    /// <summary>L = (1 + γ·(d/L)^a)·L_opt(N, D), a the base law's exponent.</summary>
    WidthOverDepth,

    /// <summary>No term for x or the ratio: a base law with covariates or offsets.</summary>
    None,
}

/// <summary>The coefficients of <see cref="LawForm"/> as the paper prints them (arXiv 2510.18245), natural logarithms.</summary>
/// <param name="A0">Constant. Of the valley ln a.</param>
/// <param name="A1">Of ln x; 0 where the runs say nothing of x. Of the valley ln x* at <see cref="ShapeCentre.Parameters"/>.</param>
/// <param name="A2">Of 1/x (quadratic: ln² x); 0 where the runs say nothing of x. Of the valley what ln x* gains as N grows e-fold.</param>
/// <param name="B0">Constant of the ratio's term. Of the valley ln b.</param>
/// <param name="B1">Of ln r. Of the valley ln r*.</param>
/// <param name="B2">Of 1/r (quadratic: ln² r). Of the valley what ln r* gains as N grows e-fold.</param>
public sealed record ShapeCoefficients(double A0, double A1, double A2, double B0, double B1, double B2)
{
    /// <summary>κ of x in the valley; else 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double AsymmetryX { get; init; }

    /// <summary>κ of the ratio in the valley; else 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double AsymmetryRatio { get; init; }

    /// <summary>Of ln x·ln r in the quadratic form, η in the valley; else 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double C { get; init; }

    /// <summary>γ of the width-over-depth form; else 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Gamma { get; init; }

    /// <summary>a of the width-over-depth form; else 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Exponent { get; init; }
}

/// <summary>A fitted term beyond x and the ratio.</summary>
/// <param name="Term">Which.</param>
/// <param name="Name">Of a covariate its name, of an offset its group, of a drift <c>x</c> or <c>ratio</c>; else empty.</param>
/// <param name="Coefficient">c: ln nats (additive form: nats) for each unit of z.</param>
/// <param name="Centre">Where z is 0: GQA, N, or a covariate's mean; of an interaction and an offset 0.</param>
public sealed record ExtraTerm(LawTerm Term, string Name, double Coefficient, double Centre)
{
    /// <summary>What people call it: the term and, if it has one, its name.</summary>
    [JsonIgnore]
    public string Label => $"{Term.ToString().ToLowerInvariant()} {Name}".TrimEnd();
}

/// <summary>
/// x = d/√N (hidden size over the root of the non-embedding parameters) and r (MLP parameters over attention parameters) act on the loss
/// through a0 + a1·ln x + a2/x and b0 + b1·ln r + b2/r. With a1, a2 > 0 the first has its minimum at x* = a2/a1.
/// The coefficients of the multiplicative form are unique up to a scale; a fit here makes the factor 1 at (x*, r*).
/// </summary>
/// <param name="Form">How the terms act.</param>
/// <param name="Coefficients">Constant over N and D.</param>
public sealed record ShapeTerms(LawForm Form, ShapeCoefficients Coefficients)
{
    /// <summary>Terms beyond x and the ratio. Default: none.</summary>
    public IReadOnlyList<ExtraTerm> Terms { get; init; } = [];

    /// <summary>Names of the covariates of <see cref="LawPoint.Covariates"/>, in that order.</summary>
    public IReadOnlyList<string> Covariates { get; init; } = [];

    /// <summary>Where ln x and ln r of interaction and drift are 0: the runs' geometric means.</summary>
    public ShapeCentre Centre { get; init; } = new(1, 1);

    /// <summary>x*, the x of least loss (of a law with drift at the largest size fitted); null where the terms have no minimum in x.</summary>
    public double? XStar => Optimum.X;

    /// <summary>r*, the ratio of least loss; null where the terms have no minimum in r.</summary>
    public double? RStar => Optimum.Ratio;

    /// <summary>(x·r)* of the joint form, whose least loss is a curve; null otherwise.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? ProductStar => Form == LawForm.Joint ? LeastOf(Coefficients.A1, Coefficients.A2) : null;

    private (double? X, double? Ratio) Optimum => ShapeOptimum.Of(this, null);

    /// <summary>N that <see cref="XStar"/> and <see cref="RStar"/> are of, where they move with it; null where they do not.</summary>
    [JsonIgnore]
    public double? SizeOfStar => Form == LawForm.Valley ? Centre.Parameters : Terms.FirstOrDefault(t => t.Term == LawTerm.Drift)?.Centre;

    /// <summary>The place of least loss at a size; as <see cref="XStar"/> and <see cref="RStar"/> but for drift.</summary>
    /// <param name="parameters">N.</param>
    public (double? X, double? Ratio) OptimumAt(double parameters) =>
        SizeOfStar is null ? Optimum : ShapeOptimum.Of(this, parameters);

    /// <summary>The factor on L_opt; of the additive form the nats added to it. Either ranks shapes of equal N and D.</summary>
    /// <param name="point">A null x or ratio is that of the optimum (of both axes together), null hidden over layers the runs' mean. Without effect where its coefficients are 0.</param>
    /// <remarks>The paper's first row of constants at x .0820, r 1.0667 (Panda-1B) gives 1.0028.</remarks>
    public double Factor(LawPoint point)
    {
        if ((point.X is null || point.Ratio is null) && Form is not (LawForm.None or LawForm.WidthOverDepth))
        {
            var (x, ratio) = OptimumAt(point.Parameters);
            point = point with { X = point.X ?? x, Ratio = point.Ratio ?? ratio };
        }

        double shape = Form == LawForm.Valley ? Valleys(point) : Shape(point.X, point.Ratio, point.WidthOverDepth), extra = Terms.Count == 0 ? 0 : Extra(point);
        return Form == LawForm.Additive ? shape + extra : extra == 0 ? shape : shape * Math.Exp(extra);
    }

    /// <summary>The factor of x and ratio with every other term at its centre.</summary>
    /// <param name="x">d/√N; null: the best.</param>
    /// <param name="ratio">r; null: the best.</param>
    public double Factor(double? x, double? ratio) => Factor(new LawPoint(SizeOfStar ?? 1, 1) { X = x, Ratio = ratio });

    /// <summary>The loss of a shape, nats a token.</summary>
    /// <param name="best">L_opt(N, D), nats a token.</param>
    /// <param name="point">The shape.</param>
    public double Apply(double best, LawPoint point) => Form == LawForm.Additive ? best + Factor(point) : best * Factor(point);

    /// <summary>The inverse of <see cref="Apply"/>: what the best shape would have lost where this one lost <paramref name="loss"/>.</summary>
    /// <param name="loss">Nats a token.</param>
    /// <param name="point">The shape.</param>
    public double Remove(double loss, LawPoint point) => Form == LawForm.Additive ? loss - Factor(point) : loss / Factor(point);

    /// <summary>The numbers of a resample: a0, a1, a2, b0, b1, b2, c or γ, of the valley both κ, and the terms' coefficients.</summary>
    internal double[] Numbers()
    {
        var c = Coefficients;
        return
        [
            c.A0, c.A1, c.A2, c.B0, c.B1, c.B2, Form == LawForm.WidthOverDepth ? c.Gamma : c.C, .. Form == LawForm.Valley ? [c.AsymmetryX, c.AsymmetryRatio] : Array.Empty<double>(),
            .. Terms.Select(t => t.Coefficient),
        ];
    }

    /// <summary>The inverse of <see cref="Numbers"/>: these terms with other coefficients, and the base law's α for the width-over-depth form.</summary>
    internal ShapeTerms With(ReadOnlySpan<double> p, double alpha)
    {
        bool depth = Form == LawForm.WidthOverDepth;
        bool valley = Form == LawForm.Valley;
        double[] extra = p[(valley ? 9 : 7)..].ToArray();
        return this with
        {
            Coefficients = new ShapeCoefficients(p[0], p[1], p[2], p[3], p[4], p[5]) { C = depth ? 0 : p[6], Gamma = depth ? p[6] : 0, Exponent = depth ? alpha : 0, AsymmetryX = valley ? p[7] : 0, AsymmetryRatio = valley ? p[8] : 0 },
            Terms = Terms.Count == 0 ? Terms : [.. Terms.Select((t, i) => t with { Coefficient = extra[i] })],
        };
    }

    internal double Shape(double? x, double? ratio, double? widthOverDepth)
    {
        var c = Coefficients;
        return Form switch
        {
            LawForm.Multiplicative => Axis(c.A0, c.A1, c.A2, x, 1) * Axis(c.B0, c.B1, c.B2, ratio, 1),
            LawForm.Additive => Axis(c.A0, c.A1, c.A2, x, 0) + Axis(c.B0, c.B1, c.B2, ratio, 0),
            LawForm.Joint => Axis(c.A0, c.A1, c.A2, x * ratio ?? ProductStar, 1),
            LawForm.Quadratic => Bowl(x, ratio),
            LawForm.WidthOverDepth => 1 + c.Gamma * Math.Pow(widthOverDepth ?? Centre.WidthOverDepth, c.Exponent),
            _ => 1,
        };
    }

    /// <summary>The valley's parameters, without those of budgets: a law tells of runs of the whole budget.</summary>
    private double[] ValleyParameters()
    {
        var c = Coefficients;
        double[] p = new double[Laws.Valley.Count];
        (p[Laws.Valley.Curvature], p[Laws.Valley.Optimum], p[Laws.Valley.Drift], p[Laws.Valley.Asymmetry]) = (c.A0, c.A1, c.A2, c.AsymmetryX);
        const int ratio = Laws.Valley.Axis;
        (p[ratio + Laws.Valley.Curvature], p[ratio + Laws.Valley.Optimum], p[ratio + Laws.Valley.Drift], p[ratio + Laws.Valley.Asymmetry]) = (c.B0, c.B1, c.B2, c.AsymmetryRatio);
        p[Laws.Valley.Interaction] = c.C;
        return p;
    }

    private double Valleys(LawPoint point)
    {
        double size = Math.Log(point.Parameters / Centre.Parameters), x = Coefficients.A1 + Coefficients.A2 * size, ratio = Coefficients.B1 + Coefficients.B2 * size;
        return Math.Exp(Laws.Valley.Effect(ValleyParameters(), new ValleyPoint(size, point.X is { } u ? Math.Log(u) : x, point.Ratio is { } v ? Math.Log(v) : ratio, 0, 0)));
    }

    internal double Extra(LawPoint point)
    {
        double sum = 0;
        foreach (var term in Terms)
        {
            sum += term.Coefficient * term.Term switch
            {
                LawTerm.Gqa => point.Gqa is { } g ? Math.Log(g / term.Centre) : 0,
                LawTerm.Interaction => Math.Log((point.X ?? Centre.X) / Centre.X) * Math.Log((point.Ratio ?? Centre.Ratio) / Centre.Ratio),
                LawTerm.Drift when term.Name == "x" => Math.Log((point.X ?? Centre.X) / Centre.X) * Math.Log(point.Parameters / term.Centre),
                LawTerm.Drift => Math.Log((point.Ratio ?? Centre.Ratio) / Centre.Ratio) * Math.Log(point.Parameters / term.Centre),
                LawTerm.Offset => point.Group == term.Name ? 1 : 0,
                _ => Covariate(point, term),
            };
        }

        return sum;
    }

    private double Covariate(LawPoint point, ExtraTerm term)
    {
        int i = Covariates.ToList().IndexOf(term.Name);
        return point.Covariates is { } values && i >= 0 && i < values.Count ? values[i] - term.Centre : 0;
    }

    internal static double? LeastOf(double logarithm, double inverse) => logarithm > 0 && inverse > 0 ? inverse / logarithm : null;

    /// <summary>An axis with a slope and no minimum has no best; without a place on it the runs' mean stands, where a fit has no effect.</summary>
    private static double Axis(double constant, double logarithm, double inverse, double? u, double none) =>
        logarithm == 0 && inverse == 0 ? constant : u is { } place ? constant + logarithm * Math.Log(place) + inverse / place : none;

    private double Bowl(double? x, double? ratio)
    {
        var c = Coefficients;
        double u = Math.Log(x ?? Centre.X), v = Math.Log(ratio ?? Centre.Ratio);
        return c.A0 + c.A1 * u + c.A2 * u * u + c.B1 * v + c.B2 * v * v + c.C * u * v;
    }
}

/// <summary>Geometric means of the runs.</summary>
/// <param name="X">d/√N.</param>
/// <param name="Ratio">MLP to attention.</param>
/// <param name="WidthOverDepth">Hidden size over layers.</param>
public sealed record ShapeCentre(double X, double Ratio, double WidthOverDepth = 1)
{
    /// <summary>N at which a valley's optima are given, the largest size fitted; of other forms 0.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingDefault)]
    public double Parameters { get; init; }
}
