// Least squares with coefficients ≥ 0: Lawson and Hanson's active set, on the normal equations of scaled columns.
using MathNet.Numerics.LinearAlgebra;

namespace Scaling.Laws;

/// <summary>min ‖A·θ − b‖² subject to θ ≥ 0 (Lawson, Hanson 1974, chapter 23), for a handful of columns.</summary>
internal static class NonNegativeLeastSquares
{
    /// <summary>
    /// Columns are scaled to length 1 first; a ridge of 1e-13 gives equal columns equal shares. The solutions start iterations that correct
    /// themselves, so the normal equations' squared condition number is harmless.
    /// </summary>
    /// <param name="gram">AᵀA.</param>
    /// <param name="target">Aᵀb.</param>
    /// <returns>θ; 0 for a column of zeros.</returns>
    public static double[] Solve(double[,] gram, double[] target)
    {
        int n = target.Length;
        double[] scale = [.. Enumerable.Range(0, n).Select(i => gram[i, i] > 0 ? 1 / Math.Sqrt(gram[i, i]) : 0)];
        double G(int i, int j) => gram[i, j] * scale[i] * scale[j] + (i == j ? 1e-13 : 0);
        double T(int i) => target[i] * scale[i];

        double[] theta = new double[n];
        bool[] passive = new bool[n];
        double tolerance = 1e-13 * Enumerable.Range(0, n).Max(i => Math.Abs(T(i)));
        for (int round = 0; round < 10 * n; round++)
        {
            double Slope(int i) => T(i) - Enumerable.Range(0, n).Sum(j => G(i, j) * theta[j]);
            int entering = Enumerable.Range(0, n).Where(i => !passive[i] && scale[i] > 0).DefaultIfEmpty(-1).MaxBy(i => i < 0 ? 0 : Slope(i));
            if (entering < 0 || Slope(entering) <= tolerance)
            {
                break;
            }

            passive[entering] = true;
            theta = Inside(G, T, passive, theta);
        }

        return [.. theta.Select((t, i) => t * scale[i])];
    }

    /// <summary>Solves on the passive set, stepping back and dropping columns while any coefficient turns negative.</summary>
    private static double[] Inside(Func<int, int, double> gram, Func<int, double> target, bool[] passive, double[] theta)
    {
        while (true)
        {
            int[] set = [.. Enumerable.Range(0, passive.Length).Where(i => passive[i])];
            if (set.Length == 0)
            {
                return new double[passive.Length];
            }

            var solution = Matrix<double>.Build.Dense(set.Length, set.Length, (i, j) => gram(set[i], set[j]))
                .Solve(Vector<double>.Build.Dense(set.Length, i => target(set[i])));
            if (solution.All(v => v > 0))
            {
                double[] result = new double[passive.Length];
                for (int k = 0; k < set.Length; k++)
                {
                    result[set[k]] = solution[k];
                }

                return result;
            }

            theta = StepBack(theta, solution, set, passive);
        }
    }

    private static double[] StepBack(double[] theta, Vector<double> solution, int[] set, bool[] passive)
    {
        double step = 1;
        for (int k = 0; k < set.Length; k++)
        {
            if (!(solution[k] > 0))
            {
                step = Math.Min(step, theta[set[k]] / (theta[set[k]] - solution[k]));
            }
        }

        double[] moved = [.. theta];
        bool dropped = false;
        for (int k = 0; k < set.Length; k++)
        {
            moved[set[k]] += step * (solution[k] - theta[set[k]]);
            if (!(solution[k] > 0) && !(moved[set[k]] > 1e-15))
            {
                moved[set[k]] = 0;
                passive[set[k]] = false;
                dropped = true;
            }
        }

        if (!dropped)
        {
            // Rounding left every coefficient just positive: drop the first that wants to be negative, so that the loop ends.
            int first = Enumerable.Range(0, set.Length).First(k => !(solution[k] > 0));
            moved[set[first]] = 0;
            passive[set[first]] = false;
        }

        return moved;
    }
}
