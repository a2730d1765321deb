// Minimises a smooth function of a few parameters between bounds, by Newton steps that are damped until the function falls.
using MathNet.Numerics.LinearAlgebra;
using MathNet.Numerics.LinearAlgebra.Factorization;

namespace Scaling.Laws;

/// <summary>A function's value with its first and second derivatives.</summary>
/// <param name="Value">f.</param>
/// <param name="Gradient">∇f.</param>
/// <param name="Hessian">∇²f, symmetric.</param>
internal sealed record Expansion(double Value, double[] Gradient, double[,] Hessian);

/// <summary>Where a minimisation ended.</summary>
/// <param name="Point">The best point.</param>
/// <param name="Value">f there.</param>
/// <param name="Status">How it ended.</param>
internal sealed record Minimum(double[] Point, double Value, Convergence Status);

/// <summary>
/// Newton's method in the Hessian's eigenbasis: the step is −V·(|Λ| + μ)⁻¹·Vᵀ·g, downhill also where the function is not convex (a saddle is
/// left, not approached); μ shrinks after a step that helps and grows until one does (Nocedal, Wright, Numerical Optimization, §3.4 and §4).
/// Eigenvalues instead of a Cholesky factorisation, because MathNet throws where that fails.
/// </summary>
internal static class DampedNewton
{
    /// <summary>Minimises.</summary>
    /// <param name="f">Value alone; may be infinite or NaN, which no step accepts.</param>
    /// <param name="expand">Value and derivatives at an accepted point.</param>
    /// <param name="start">Inside the bounds, f finite.</param>
    /// <param name="low">Lower bounds; −∞ for none.</param>
    /// <param name="high">Upper bounds.</param>
    /// <param name="iterations">Accepted steps at most.</param>
    /// <param name="tolerance">Two steps in a row that gain a smaller share of f end it. Default: rounding.</param>
    public static Minimum Minimise(
        Func<double[], double> f, Func<double[], Expansion> expand, double[] start, double[] low, double[] high, int iterations, double tolerance = 1e-15)
    {
        double[] point = start;
        var here = expand(point);
        double damping = 1e-3;
        int still = 0;
        for (int i = 0; i < iterations; i++)
        {
            if (here.Hessian.Cast<double>().Any(h => !double.IsFinite(h)))
            {
                // Out of the numbers' range: wherever a minimum is, it is not here.
                return new Minimum(point, here.Value, Convergence.IterationLimit);
            }

            var (next, value, nextDamping) = Step(f, point, here, low, high, damping);
            if (next is null)
            {
                return new Minimum(point, here.Value, Convergence.Converged);
            }

            still = here.Value - value <= tolerance * Math.Abs(here.Value) ? still + 1 : 0;
            (point, damping) = (next, nextDamping);
            here = expand(point);
            if (still == 2)
            {
                return new Minimum(point, here.Value, Convergence.Converged);
            }
        }

        return new Minimum(point, here.Value, Convergence.IterationLimit);
    }

    /// <summary>A step that lowers f, or null where none does however short.</summary>
    private static (double[]? Point, double Value, double Damping) Step(
        Func<double[], double> f, double[] point, Expansion here, double[] low, double[] high, double damping)
    {
        int[] free = [.. Enumerable.Range(0, point.Length).Where(k => !Held(k))];
        if (free.Length == 0)
        {
            return (null, 0, damping);
        }

        var hessian = Matrix<double>.Build.Dense(free.Length, free.Length, (i, j) => here.Hessian[free[i], free[j]]);
        Evd<double> eigen = hessian.Evd(Symmetricity.Symmetric);
        double[] curvature = [.. eigen.EigenValues.Select(e => Math.Abs(e.Real))];
        var gradient = eigen.EigenVectors.TransposeThisAndMultiply(Vector<double>.Build.Dense(free.Length, i => here.Gradient[free[i]]));
        double largest = Math.Max(curvature.Max(), 1e-300);
        for (int tries = 0; tries < 60; tries++, damping = Math.Max(damping, 1e-15) * 4)
        {
            var move = eigen.EigenVectors * gradient.MapIndexed((k, g) => -g / (curvature[k] + damping * largest));
            double[] next = [.. point];
            for (int k = 0; k < free.Length; k++)
            {
                next[free[k]] = Math.Clamp(point[free[k]] + Math.Clamp(move[k], -2, 2), low[free[k]], high[free[k]]);
            }

            double value = f(next);
            if (value < here.Value)
            {
                return (next, value, damping / 9);
            }
        }

        return (null, 0, damping);

        bool Held(int k) => (point[k] <= low[k] && here.Gradient[k] >= 0) || (point[k] >= high[k] && here.Gradient[k] <= 0);
    }
}
