// The rival: the fit as most scaling studies do it, many starts of a quasi-Newton descent in all five parameters at once.
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.Optimization;
using Scaling.Laws;

namespace Scaling.Benchmarks;

/// <summary>Where the starts ended.</summary>
/// <param name="Law">The best.</param>
/// <param name="Objective">Its Σ Huber_δ(ln L̂ − ln L).</param>
/// <param name="Starts">Followed.</param>
/// <param name="Broken">Starts whose line search gave up; they count with the best point that they had seen.</param>
/// <param name="Agreeing">Starts that ended within a thousandth of the best objective.</param>
internal sealed record MultiStartResult(ChinchillaLaw Law, double Objective, int Starts, int Broken, int Agreeing);

/// <summary>
/// min Σ Huber_δ(LSE(a − α·ln N, b − β·ln D, e) − ln L) over (a, b, e, α, β), E = exp e, A = exp a, B = exp b, by BFGS with the analytic gradient from
/// a grid of starts, the best end taken (Hoffmann et al. 2022, appendix D.2, who used L-BFGS and 4500 starts). Nothing is projected out, nothing centred.
/// </summary>
internal static class MultiStartFit
{
    private const double Delta = 1e-3;

    private static readonly Vector<double>[] s_starts =
    [
        .. from a in new double[] { 0, 5, 10, 15, 20 }
           from b in new double[] { 0, 5, 10, 15, 20 }
           from e in new double[] { -1, 0, 1 }
           from alpha in new[] { 0, 0.5 }
           from beta in new[] { 0, 0.5 }
           select Vector<double>.Build.DenseOfArray([a, b, e, alpha, beta]),
    ];

    /// <summary>Fits.</summary>
    /// <param name="runs">Any number.</param>
    public static MultiStartResult Fit(IReadOnlyList<TrainingRun> runs)
    {
        var ends = s_starts.Select(start => Descend(new LogHuber(runs), start)).ToList();
        var best = ends.MinBy(e => e.Value);
        var p = best.Point;
        return new MultiStartResult(
            new ChinchillaLaw(Math.Exp(p[2]), Math.Exp(p[0]), Math.Exp(p[1]), p[3], p[4]), best.Value, s_starts.Length, ends.Count(e => e.Broken),
            ends.Count(e => e.Value <= 1.001 * best.Value));
    }

    /// <summary>The rival's objective of any law.</summary>
    public static double Objective(IReadOnlyList<TrainingRun> runs, ChinchillaLaw law) =>
        new LogHuber(runs).At(Vector<double>.Build.DenseOfArray([Math.Log(law.A), Math.Log(law.B), Math.Log(law.E), law.Alpha, law.Beta]), null);

    private static (Vector<double> Point, double Value, bool Broken) Descend(LogHuber objective, Vector<double> start)
    {
        bool broken = false;
        try
        {
            // The objective of a good fit is some 1e-4, so these ask for six digits of it.
            new BfgsMinimizer(gradientTolerance: 1e-7, parameterTolerance: 1e-10, functionProgressTolerance: 1e-10, maximumIterations: 1000)
                .FindMinimum(ObjectiveFunction.Gradient(objective.WithGradient), start);
        }
        catch (OptimizationException)
        {
            broken = true;
        }

        return (objective.Best, objective.Least, broken);
    }

    /// <summary>The objective, which remembers the best point that it was asked for.</summary>
    private sealed class LogHuber(IReadOnlyList<TrainingRun> runs)
    {
        private readonly double[] _n = [.. runs.Select(r => Math.Log(r.Parameters))];
        private readonly double[] _d = [.. runs.Select(r => Math.Log(r.Tokens))];
        private readonly double[] _loss = [.. runs.Select(r => Math.Log(r.Loss))];

        public Vector<double> Best { get; private set; } = Vector<double>.Build.Dense(5);

        public double Least { get; private set; } = double.PositiveInfinity;

        public (double, Vector<double>) WithGradient(Vector<double> p)
        {
            double[] gradient = new double[5];
            double value = At(p, gradient);
            if (value < Least)
            {
                (Best, Least) = (p.Clone(), value);
            }

            return (value, Vector<double>.Build.Dense(gradient));
        }

        public double At(Vector<double> p, double[]? gradient)
        {
            double sum = 0, a = p[0], b = p[1], e = p[2], alpha = p[3], beta = p[4];
            for (int i = 0; i < _loss.Length; i++)
            {
                double size = a - alpha * _n[i], budget = b - beta * _d[i], largest = Math.Max(e, Math.Max(size, budget));
                double ofE = Math.Exp(e - largest), ofN = Math.Exp(size - largest), ofD = Math.Exp(budget - largest), total = ofE + ofN + ofD;
                double residual = largest + Math.Log(total) - _loss[i], far = Math.Abs(residual);
                sum += far <= Delta ? 0.5 * residual * residual : Delta * (far - 0.5 * Delta);
                if (gradient is not null)
                {
                    double slope = Math.Clamp(residual, -Delta, Delta) / total;
                    gradient[0] += slope * ofN;
                    gradient[1] += slope * ofD;
                    gradient[2] += slope * ofE;
                    gradient[3] -= slope * ofN * _n[i];
                    gradient[4] -= slope * ofD * _d[i];
                }
            }

            return sum;
        }
    }
}
