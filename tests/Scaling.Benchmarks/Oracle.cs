// The best that any fit could do: one who knows L_opt of every run and has only the shape's valley to find.
using MathNet.Numerics.Distributions;
using MathNet.Numerics.LinearAlgebra;

namespace Scaling.Benchmarks;

/// <summary>95 % intervals of ln x* and ln r*.</summary>
/// <param name="LogX">Middle and half width.</param>
/// <param name="LogRatio">Middle and half width.</param>
internal sealed record OracleIntervals((double Middle, double Half) LogX, (double Middle, double Half) LogRatio);

/// <summary>
/// Least squares in θ = (ln x*, ln r*, a, b) of
/// <code>L̂ = L_opt·K·(1 + a·φ(x/x*))·(1 + b·φ(r/r*)),   φ(u) = ln u + 1/u − 1,</code>
/// the multiplicative form written around its optimum, where its factor is K: a = a1/(a0 + a1·ln x* + a2/x*), b likewise. By Gauss–Newton from the
/// true θ; the intervals are Student's with n − 4 degrees of freedom and s²·(JᵀJ)⁻¹, all runs counting alike. The printed terms give a = .0389.
/// </summary>
internal static class Oracle
{
    private const int Parameters = 4;

    /// <summary>The intervals; null where the iteration does not settle.</summary>
    /// <param name="world">Of a design with a valley.</param>
    public static OracleIntervals? Of(SyntheticWorld world)
    {
        var theta = True();
        for (int i = 0; i < 100; i++)
        {
            var (residual, jacobian) = At(world, theta);
            var gram = jacobian.TransposeThisAndMultiply(jacobian);
            var step = gram.Cholesky().Solve(jacobian.TransposeThisAndMultiply(residual));
            double length = 1;
            double here = residual * residual;
            while (length > 1e-6 && !(Sum(world, theta - length * step) <= here))
            {
                length /= 2;
            }

            theta -= length * step;

            // A millionth of the coordinates is far below any interval's width.
            if (step.InfinityNorm() < 1e-6)
            {
                return Intervals(theta, here, gram, world.Runs.Count - Parameters);
            }
        }

        return null;
    }

    private static OracleIntervals Intervals(Vector<double> theta, double squares, Matrix<double> gram, int freedom)
    {
        var covariance = gram.Inverse() * (squares / freedom);
        double quantile = StudentT.InvCDF(0, 1, freedom, 0.975);
        (double, double) Interval(int k) => (theta[k], quantile * Math.Sqrt(covariance[k, k]));
        return new OracleIntervals(Interval(0), Interval(1));
    }

    private static Vector<double> True()
    {
        var c = SyntheticWorld.Shape.Coefficients;
        double x = c.A2 / c.A1, ratio = c.B2 / c.B1;
        return Vector<double>.Build.DenseOfArray(
            [Math.Log(x), Math.Log(ratio), c.A1 / (c.A0 + c.A1 * Math.Log(x) + c.A2 / x), c.B1 / (c.B0 + c.B1 * Math.Log(ratio) + c.B2 / ratio)]);
    }

    private static double Sum(SyntheticWorld world, Vector<double> theta)
    {
        var residual = At(world, theta).Residual;
        return residual * residual;
    }

    private static (Vector<double> Residual, Matrix<double> Jacobian) At(SyntheticWorld world, Vector<double> theta)
    {
        double optimum = SyntheticWorld.Shape.Factor(SyntheticWorld.Shape.XStar, SyntheticWorld.Shape.RStar);
        int n = world.Runs.Count;
        var residual = Vector<double>.Build.Dense(n);
        var jacobian = Matrix<double>.Build.Dense(n, Parameters);
        for (int i = 0; i < n; i++)
        {
            var run = world.Runs[i];
            double u = Math.Log(run.X!.Value) - theta[0], v = Math.Log(run.Ratio!.Value) - theta[1];
            double inverseU = Math.Exp(-u), inverseV = Math.Exp(-v), valleyU = u + inverseU - 1, valleyV = v + inverseV - 1;
            double level = world.BestLoss[i] * optimum, width = 1 + theta[2] * valleyU, split = 1 + theta[3] * valleyV;
            residual[i] = level * width * split - run.Loss;
            jacobian[i, 0] = level * split * theta[2] * (inverseU - 1);
            jacobian[i, 1] = level * width * theta[3] * (inverseV - 1);
            jacobian[i, 2] = level * split * valleyU;
            jacobian[i, 3] = level * width * valleyV;
        }

        return (residual, jacobian);
    }
}
