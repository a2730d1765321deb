// What a Chinchilla fit minimises, with its derivatives, in logarithms of the parameters.
namespace Scaling.Laws;

/// <summary>
/// The objective in p = (ln E, ln A', ln B', ln α, ln β), where A' = A/N₀^α and B' = B/D₀^β are the terms at the runs' geometric means: this
/// takes most of the correlation between weight and exponent away, and positivity comes for free. A term that is switched off counts as 0.
/// With T_k the three terms, L̂ = ΣT_k and z_k = ∂ln T_k/∂p, the derivatives are ∂L̂ = ΣT_k·z_k and ∂²L̂ = ΣT_k·(z_k·z_kᵀ + ∂²ln T_k).
/// </summary>
internal sealed class ChinchillaObjective
{
    /// <summary>Exponents outside say nothing: a term that is constant, or one that only the smallest size feels.</summary>
    public const double LeastExponent = 1e-3, LargestExponent = 10;

    private readonly double[] _n;
    private readonly double[] _d;
    private readonly double[] _loss;
    private readonly double[] _weights;
    private readonly double _meanN;
    private readonly double _meanD;

    /// <summary>The objective of some runs.</summary>
    /// <param name="parameters">N, a run each.</param>
    /// <param name="tokens">D.</param>
    /// <param name="loss">L, > 0.</param>
    /// <param name="kind">Log-Huber or least squares.</param>
    /// <param name="delta">δ of log-Huber.</param>
    /// <param name="weights">Of each run's penalty in the sum, > 0. Default: 1.</param>
    public ChinchillaObjective(double[] parameters, double[] tokens, double[] loss, ObjectiveKind kind, double delta, double[]? weights = null)
    {
        _meanN = parameters.Average(Math.Log);
        _meanD = tokens.Average(Math.Log);
        _n = [.. parameters.Select(v => Math.Log(v) - _meanN)];
        _d = [.. tokens.Select(v => Math.Log(v) - _meanD)];
        _loss = loss;
        _weights = weights ?? Ones();
        Kind = kind;
        Delta = delta;
    }

    private ChinchillaObjective(double[] n, double[] d, double meanN, double meanD, double[] loss, double[] weights, ObjectiveKind kind, double delta) =>
        (_n, _d, _meanN, _meanD, _loss, _weights, Kind, Delta) = (n, d, meanN, meanD, loss, weights, kind, delta);

    public ObjectiveKind Kind { get; }

    public double Delta { get; }

    public int Rows => _loss.Length;

    /// <summary>ln N less its mean, a run each.</summary>
    public double[] LogParameters => _n;

    /// <summary>ln D less its mean.</summary>
    public double[] LogTokens => _d;

    public double[] Losses => _loss;

    public double[] Weights => _weights;

    public ChinchillaObjective WithDelta(double delta) => new(_n, _d, _meanN, _meanD, _loss, _weights, Kind, delta);

    /// <summary>Every so many rows, so that at most a number is left; itself where it has no more.</summary>
    public ChinchillaObjective Thinned(int rows)
    {
        int stride = (Rows + rows - 1) / rows;
        double[] Every(double[] values) => [.. values.Where((_, i) => i % stride == 0)];
        return stride == 1 ? this : new(Every(_n), Every(_d), _meanN, _meanD, Every(_loss), Every(_weights), Kind, Delta);
    }

    public ChinchillaObjective WithLoss(double[] loss) => new(_n, _d, _meanN, _meanD, loss, _weights, Kind, Delta);

    /// <summary>The law of a point; a weight of −∞ is a term switched off, whose exponent is given as 0.</summary>
    public ChinchillaLaw Law(double[] p)
    {
        double a = Math.Exp(p[1] + Math.Exp(p[3]) * _meanN), b = Math.Exp(p[2] + Math.Exp(p[4]) * _meanD);
        return new ChinchillaLaw(Math.Exp(p[0]), a, b, a > 0 ? Math.Exp(p[3]) : 0, b > 0 ? Math.Exp(p[4]) : 0);
    }

    /// <summary>The inverse of <see cref="Law"/>.</summary>
    public double[] Point(ChinchillaLaw law) =>
        [Math.Log(law.E), Math.Log(law.A) - law.Alpha * _meanN, Math.Log(law.B) - law.Beta * _meanD, Math.Log(law.Alpha), Math.Log(law.Beta)];

    /// <summary>The terms E, A/N^α, B/D^β of a run.</summary>
    private (double E, double A, double B) Terms(double[] p, int i) =>
        (Math.Exp(p[0]), Math.Exp(p[1] - Math.Exp(p[3]) * _n[i]), Math.Exp(p[2] - Math.Exp(p[4]) * _d[i]));

    public double Value(double[] p)
    {
        double sum = 0;
        var (e, a, b, alpha, beta) = (Math.Exp(p[0]), p[1], p[2], Math.Exp(p[3]), Math.Exp(p[4]));
        for (int i = 0; i < _loss.Length; i++)
        {
            double total = e + Math.Exp(a - alpha * _n[i]) + Math.Exp(b - beta * _d[i]);
            sum += _weights[i] * Penalty(Residual(total, i)).Value;
        }

        return sum;
    }

    public Expansion Expand(double[] p)
    {
        double value = 0;
        double[] gradient = new double[5];
        double[,] hessian = new double[5, 5];
        double alpha = Math.Exp(p[3]), beta = Math.Exp(p[4]), e = Math.Exp(p[0]);
        Span<double> g = stackalloc double[5];
        for (int i = 0; i < _loss.Length; i++)
        {
            double zn = -alpha * _n[i], zd = -beta * _d[i];
            double a = Math.Exp(p[1] + zn), b = Math.Exp(p[2] + zd), total = e + a + b;
            (g[0], g[1], g[2], g[3], g[4]) = (e, a, b, a * zn, b * zd);
            var (penalty, first, second) = Penalty(Residual(total, i));
            value += _weights[i] * penalty;

            // The residual is ln L̂ − ln L or L̂ − L: its derivatives by L̂ are 1/L̂, −1/L̂² or 1, 0.
            double slope = Kind == ObjectiveKind.LogHuber ? 1 / total : 1;
            double bend = Kind == ObjectiveKind.LogHuber ? -slope * slope : 0;
            double along = _weights[i] * first * slope, across = _weights[i] * (second * slope * slope + first * bend);
            for (int j = 0; j < 5; j++)
            {
                gradient[j] += along * g[j];
                for (int k = j; k < 5; k++)
                {
                    hessian[j, k] += across * g[j] * g[k];
                }
            }

            // along·∂²L̂; E, A and B share no entry.
            hessian[0, 0] += along * e;
            hessian[1, 1] += along * a;
            hessian[2, 2] += along * b;
            hessian[1, 3] += along * a * zn;
            hessian[2, 4] += along * b * zd;
            hessian[3, 3] += along * a * (zn * zn + zn);
            hessian[4, 4] += along * b * (zd * zd + zd);
        }

        for (int j = 0; j < 5; j++)
        {
            for (int k = 0; k < j; k++)
            {
                hessian[j, k] = hessian[k, j];
            }
        }

        return new Expansion(value, gradient, hessian);
    }

    /// <summary>The Jacobian of ln L̂, a row a run, a column each of ln E, ln A', ln B', α, β; columns of absent terms are 0.</summary>
    public double[,] LogJacobian(double[] p)
    {
        double[,] jacobian = new double[Rows, 5];
        for (int i = 0; i < Rows; i++)
        {
            var (e, a, b) = Terms(p, i);
            double total = e + a + b;
            (jacobian[i, 0], jacobian[i, 1], jacobian[i, 2]) = (e / total, a / total, b / total);
            (jacobian[i, 3], jacobian[i, 4]) = (-a / total * _n[i], -b / total * _d[i]);
        }

        return jacobian;
    }

    /// <summary>
    /// Variable projection: for given exponents the law is linear in E, A', B', so the best of these are non-negative least squares. For least
    /// squares that is exact. Log-Huber reweights (IRLS) residuals taken relative to L, with δ continued from 0.1 down.
    /// </summary>
    /// <param name="alpha">α.</param>
    /// <param name="beta">β.</param>
    /// <param name="terms">Which of E, A, B there are.</param>
    /// <returns>The point p; a weight that came out 0 is −∞.</returns>
    public double[] Project(double alpha, double beta, bool[] terms)
    {
        double[][] columns = [Ones(), [.. _n.Select(n => Math.Exp(-alpha * n))], [.. _d.Select(d => Math.Exp(-beta * d))]];
        double[] weights = [.. _weights.Select((w, i) => Kind == ObjectiveKind.LogHuber ? w / (_loss[i] * _loss[i]) : w)];
        double[] solution = Weighted(columns, weights, _loss, terms);
        if (Kind == ObjectiveKind.LogHuber)
        {
            for (double delta = 0.1; delta >= Delta; delta /= 10)
            {
                for (int round = 0; round < 5; round++)
                {
                    for (int i = 0; i < Rows; i++)
                    {
                        double residual = Residual(solution[0] + solution[1] * columns[1][i] + solution[2] * columns[2][i], i);
                        weights[i] = _weights[i] * Math.Min(1, delta / Math.Abs(residual)) / (_loss[i] * _loss[i]);
                    }

                    solution = Weighted(columns, weights, _loss, terms);
                }
            }
        }

        return [Math.Log(solution[0]), Math.Log(solution[1]), Math.Log(solution[2]), Math.Log(alpha), Math.Log(beta)];
    }

    private double[] Ones() => [.. Enumerable.Repeat(1.0, _loss.Length)];

    private static double[] Weighted(double[][] columns, double[] weights, double[] loss, bool[] terms)
    {
        double[,] gram = new double[3, 3];
        double[] target = new double[3];
        for (int j = 0; j < 3; j++)
        {
            for (int k = j; k < 3 && terms[j]; k++)
            {
                double sum = 0;
                for (int i = 0; terms[k] && i < loss.Length; i++)
                {
                    sum += weights[i] * columns[j][i] * columns[k][i];
                }

                (gram[j, k], gram[k, j]) = (sum, sum);
            }

            for (int i = 0; terms[j] && i < loss.Length; i++)
            {
                target[j] += weights[i] * columns[j][i] * loss[i];
            }
        }

        return NonNegativeLeastSquares.Solve(gram, target);
    }

    private double Residual(double predicted, int i) =>
        Kind == ObjectiveKind.LogHuber ? Math.Log(predicted / _loss[i]) : predicted - _loss[i];

    /// <summary>ρ, ρ', ρ'' of a residual.</summary>
    private (double Value, double First, double Second) Penalty(double r)
    {
        if (Kind == ObjectiveKind.LeastSquares || Math.Abs(r) <= Delta)
        {
            return (0.5 * r * r, r, 1);
        }

        return (Delta * (Math.Abs(r) - 0.5 * Delta), r > 0 ? Delta : -Delta, 0);
    }
}
