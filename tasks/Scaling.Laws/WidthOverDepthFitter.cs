// Fits the width-over-depth law: one exponent for parameters, tokens and shape.
namespace Scaling.Laws;

/// <summary>
/// L = (E + A/N^a + B/D^a)·(1 + γ·(d/L)^a), d hidden size, L layers (Bian, Yan, Venkataraman 2025, arXiv 2501.18107, there with ε for γ). In
/// p = (ln E, ln A', ln B', ln a, g) with A' = A/N₀^a, B' = B/D₀^a, g = γ·s₀^a at the runs' geometric means: for given a and g the law is linear in
/// the other three, so a grid of these two starts a damped Gauss–Newton iteration in all five. Huber's penalty enters it as weights.
/// </summary>
internal sealed class WidthOverDepthFitter : LawFitter
{
    private const double LeastExponent = 0.02, LargestExponent = 5;

    private readonly double[] _n;
    private readonly double[] _d;
    private readonly double[] _s;
    private readonly double _meanN;
    private readonly double _meanD;
    private readonly double _meanS;

    public WidthOverDepthFitter(Design design)
        : base(design)
    {
        (_n, _meanN) = Centred(design.Runs.Select(r => r.Parameters));
        (_d, _meanD) = Centred(design.Runs.Select(r => r.Tokens));
        (_s, _meanS) = Centred(design.Runs.Select(r => r.WidthOverDepth!.Value));
    }

    public override int Freedom => Varies ? 5 : 4;

    /// <summary>Whether hidden over layers differs by more than a hundredth, so that there is a term to fit.</summary>
    public bool Varies => _s.Max() - _s.Min() > 0.01;

    public override double GradientNorm(LawSolution solution)
    {
        var here = Expand(solution.Point, Design.Loss);
        return Enumerable.Range(0, Freedom).Max(k => Math.Abs(here.Gradient[k])) / Math.Max(here.Value, Design.Trifle);
    }

    private bool Huber => Design.Options.Objective == ObjectiveKind.LogHuber;

    public override LawSolution Solve()
    {
        var starts = from a in Enumerable.Range(0, 12).Select(k => 0.05 * Math.Pow(1.4, k))
                     from g in Varies ? [-0.2, -0.05, 0.001, 0.01, 0.05, 0.2, 0.5] : new double[] { 0 }
                     select Project(a, g);
        var ends = starts.Select(s => (Start: s, Value: Value(s, Design.Loss))).Where(s => double.IsFinite(s.Value)).OrderBy(s => s.Value).Take(8)
            .Select(s => Minimise(s.Start, Design.Loss, 500, 1e-15)).OrderBy(m => m.Value).ToList();
        var best = ends[0];
        var exponents = ends.Where(e => e.Value <= best.Value * 1.001).Select(e => Math.Exp(e.Point[3])).ToList();
        var spread = new Interval(exponents.Min(), exponents.Max());
        return Solution(best) with { Restarts = new Restarts(ends.Count, ends.Count(e => e.Value <= best.Value * (1 + 1e-6)), spread, spread) };
    }

    public override LawSolution Refit(LawSolution near, double[] loss, double tolerance) => Solution(Minimise(near.Point, loss, 200, tolerance));

    public override double[,] LogJacobian(LawSolution solution)
    {
        double[,] jacobian = new double[Design.Runs.Count, 5];
        double[] row = new double[5];
        for (int i = 0; i < Design.Runs.Count; i++)
        {
            double predicted = Predict(solution.Point, i, row);
            for (int k = 0; k < 5; k++)
            {
                jacobian[i, k] = row[k] / predicted;
            }
        }

        return jacobian;
    }

    private static (double[] Logarithms, double Mean) Centred(IEnumerable<double> values)
    {
        double[] logarithms = [.. values.Select(v => Math.Log(v))];
        double mean = logarithms.Average();
        return ([.. logarithms.Select(v => v - mean)], mean);
    }

    private double[] Project(double exponent, double g)
    {
        double[,] gram = new double[3, 3];
        double[] target = new double[3];
        for (int i = 0; i < Design.Runs.Count; i++)
        {
            double shape = 1 + g * Math.Exp(exponent * _s[i]), weight = Design.Weights[i] / (Huber ? Design.Loss[i] * Design.Loss[i] : 1);
            double[] column = [shape, shape * Math.Exp(-exponent * _n[i]), shape * Math.Exp(-exponent * _d[i])];
            for (int j = 0; j < 3; j++)
            {
                target[j] += weight * column[j] * Design.Loss[i];
                for (int k = 0; k < 3; k++)
                {
                    gram[j, k] += weight * column[j] * column[k];
                }
            }
        }

        double[] solution = NonNegativeLeastSquares.Solve(gram, target);
        return [.. solution.Select(v => Math.Log(Math.Max(v, 1e-12))), Math.Log(exponent), g];
    }

    private Minimum Minimise(double[] start, double[] loss, int steps, double tolerance) => DampedNewton.Minimise(
        p => Value(p, loss), p => Expand(p, loss), start, [-30, -30, -30, Math.Log(LeastExponent), Varies ? -10 : 0], [30, 30, 30, Math.Log(LargestExponent), Varies ? 10 : 0], steps, tolerance);

    /// <summary>L̂ of a run, and its gradient.</summary>
    private double Predict(double[] p, int i, double[]? gradient)
    {
        double a = Math.Exp(p[3]), e = Math.Exp(p[0]), size = Math.Exp(p[1] - a * _n[i]), budget = Math.Exp(p[2] - a * _d[i]);
        double power = Math.Exp(a * _s[i]), shape = 1 + p[4] * power, best = e + size + budget;
        if (gradient is not null)
        {
            (gradient[0], gradient[1], gradient[2]) = (e * shape, size * shape, budget * shape);
            gradient[3] = a * ((-size * _n[i] - budget * _d[i]) * shape + best * p[4] * power * _s[i]);
            gradient[4] = best * power;
        }

        return best * shape;
    }

    private double Value(double[] p, double[] loss)
    {
        double sum = 0;
        for (int i = 0; i < loss.Length; i++)
        {
            double predicted = Predict(p, i, null);
            sum += predicted > 0 ? Design.Weights[i] * Penalty(Huber ? Math.Log(predicted / loss[i]) : predicted - loss[i]).Value : double.PositiveInfinity;
        }

        return sum;
    }

    private Expansion Expand(double[] p, double[] loss)
    {
        double value = 0;
        double[] gradient = new double[5], row = new double[5];
        double[,] hessian = new double[5, 5];
        for (int i = 0; i < loss.Length; i++)
        {
            double predicted = Predict(p, i, row), scale = Huber ? 1 / predicted : 1;
            var (penalty, slope, weight) = Penalty(Huber ? Math.Log(predicted / loss[i]) : predicted - loss[i]);
            value += Design.Weights[i] * penalty;
            for (int j = 0; j < 5; j++)
            {
                gradient[j] += Design.Weights[i] * slope * scale * row[j];
                for (int k = 0; k < 5; k++)
                {
                    hessian[j, k] += Design.Weights[i] * weight * scale * scale * row[j] * row[k];
                }
            }
        }

        return new Expansion(value, gradient, hessian);
    }

    private (double Value, double Slope, double Weight) Penalty(double r)
    {
        double delta = Design.Options.Delta, size = Math.Abs(r);
        return !Huber || size <= delta ? (0.5 * r * r, r, 1) : (delta * (size - 0.5 * delta), delta * Math.Sign(r), delta / size);
    }

    private LawSolution Solution(Minimum minimum)
    {
        double[] p = minimum.Point;
        double a = Math.Exp(p[3]);
        var law = new ChinchillaLaw(Math.Exp(p[0]), Math.Exp(p[1] + a * _meanN), Math.Exp(p[2] + a * _meanD), a, a);
        var coefficients = new ShapeCoefficients(1, 0, 0, 1, 0, 0) { Gamma = p[4] * Math.Exp(-a * _meanS), Exponent = a };
        return new LawSolution(law, new ShapeTerms(LawForm.WidthOverDepth, coefficients) { Centre = new ShapeCentre(1, 1, Math.Exp(_meanS)) }, minimum.Value, minimum.Status, p, []);
    }
}
