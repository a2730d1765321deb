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
    private readonly double _meanN;
    private readonly double _meanD;

    /// <summary>The objective of some runs.</summary>
    /// <param name="parameters">N, a run each.</param>
    /// <param name="tokens">D.</param>
    /// <param name="loss">L, > 0.</param>
    /// <param name="kind">Log-Huber or least squares.</param>
    /// <param name="delta">δ of log-Huber.</param>
    public ChinchillaObjective(double[] parameters, double[] tokens, double[] loss, ObjectiveKind kind, double delta)
    {
        _meanN = parameters.Average(Math.Log);
        _meanD = tokens.Average(Math.Log);
        _n = [.. parameters.Select(v => Math.Log(v) - _meanN)];
        _d = [.. tokens.Select(v => Math.Log(v) - _meanD)];
        _loss = loss;
        Kind = kind;
        Delta = delta;
    }

    private ChinchillaObjective(ChinchillaObjective other, double[] loss, double delta) =>
        (_n, _d, _meanN, _meanD, _loss, Kind, Delta) = (other._n, other._d, other._meanN, other._meanD, loss, other.Kind, delta);

    public ObjectiveKind Kind { get; }

    public double Delta { get; }

    public int Rows => _loss.Length;

    public ChinchillaObjective WithDelta(double delta) => new(this, _loss, delta);

    public ChinchillaObjective WithLoss(double[] loss) => new(this, loss, Delta);

    /// <summary>The law of a point; a weight of −∞ is a term switched off.</summary>
    public ChinchillaLaw Law(double[] p) => new(
        Math.Exp(p[0]), Math.Exp(p[1] + Math.Exp(p[3]) * _meanN), Math.Exp(p[2] + Math.Exp(p[4]) * _meanD), Math.Exp(p[3]), Math.Exp(p[4]));

    /// <summary>The terms E, A/N^α, B/D^β of a run.</summary>
    private (double E, double A, double B) Terms(double[] p, int i) =>
        (Math.Exp(p[0]), Math.Exp(p[1] - Math.Exp(p[3]) * _n[i]), Math.Exp(p[2] - Math.Exp(p[4]) * _d[i]));

    public double Value(double[] p)
    {
        double sum = 0;
        for (int i = 0; i < Rows; i++)
        {
            var (e, a, b) = Terms(p, i);
            sum += Penalty(Residual(e + a + b, i)).Value;
        }

        return sum;
    }

    public Expansion Expand(double[] p)
    {
        double value = 0;
        double[] gradient = new double[5];
        double[,] hessian = new double[5, 5];
        double alpha = Math.Exp(p[3]), beta = Math.Exp(p[4]);
        double[] g = new double[5];
        double[,] h = new double[5, 5];
        for (int i = 0; i < Rows; i++)
        {
            var (e, a, b) = Terms(p, i);
            double total = e + a + b, zn = -alpha * _n[i], zd = -beta * _d[i];
            (g[0], g[1], g[2], g[3], g[4]) = (e, a, b, a * zn, b * zd);

            // ∂²L̂, upper triangle; E, A and B share no entry.
            (h[0, 0], h[1, 1], h[2, 2]) = (e, a, b);
            (h[1, 3], h[3, 3]) = (a * zn, a * (zn * zn + zn));
            (h[2, 4], h[4, 4]) = (b * zd, b * (zd * zd + zd));

            var (penalty, first, second) = Penalty(Residual(total, i));
            value += penalty;

            // The residual is ln L̂ − ln L or L̂ − L: its derivatives by L̂ are 1/L̂, −1/L̂² or 1, 0.
            double slope = Kind == ObjectiveKind.LogHuber ? 1 / total : 1;
            double bend = Kind == ObjectiveKind.LogHuber ? -slope * slope : 0;
            for (int j = 0; j < 5; j++)
            {
                gradient[j] += first * slope * g[j];
                for (int k = j; k < 5; k++)
                {
                    hessian[j, k] += (second * slope * slope + first * bend) * g[j] * g[k] + first * slope * h[j, k];
                    hessian[k, j] = hessian[j, k];
                }
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
        double[] weights = Kind == ObjectiveKind.LogHuber ? [.. _loss.Select(l => 1 / (l * l))] : Ones();
        double[] solution = Weighted(columns, weights, terms);
        if (Kind == ObjectiveKind.LogHuber)
        {
            for (double delta = 0.1; delta >= Delta; delta /= 10)
            {
                for (int round = 0; round < 5; round++)
                {
                    for (int i = 0; i < Rows; i++)
                    {
                        double residual = Residual(solution[0] + solution[1] * columns[1][i] + solution[2] * columns[2][i], i);
                        weights[i] = Math.Min(1, delta / Math.Abs(residual)) / (_loss[i] * _loss[i]);
                    }

                    solution = Weighted(columns, weights, terms);
                }
            }
        }

        return [Math.Log(solution[0]), Math.Log(solution[1]), Math.Log(solution[2]), Math.Log(alpha), Math.Log(beta)];
    }

    private double[] Ones() => [.. Enumerable.Repeat(1.0, Rows)];

    private double[] Weighted(double[][] columns, double[] weights, bool[] terms)
    {
        double[,] gram = new double[3, 3];
        double[] target = new double[3];
        for (int j = 0; j < 3; j++)
        {
            for (int i = 0; terms[j] && i < Rows; i++)
            {
                target[j] += weights[i] * columns[j][i] * _loss[i];
                for (int k = 0; k < 3; k++)
                {
                    gram[j, k] += terms[k] ? weights[i] * columns[j][i] * columns[k][i] : 0;
                }
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
