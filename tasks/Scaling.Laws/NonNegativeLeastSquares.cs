// Least squares with coefficients ≥ 0: Lawson and Hanson's active set, on the normal equations of scaled columns.
namespace Scaling.Laws;

/// <summary>min ‖A·θ − b‖² subject to θ ≥ 0, some θ free (Lawson, Hanson 1974, chapter 23), for a handful of columns.</summary>
internal static class NonNegativeLeastSquares
{
    /// <summary>Relative to columns of length 1. It gives equal columns equal shares.</summary>
    private const double Ridge = 1e-13;

    /// <summary>
    /// The solutions start or step iterations that correct themselves, so the normal equations' squared condition number is harmless.
    /// </summary>
    /// <param name="gram">AᵀA.</param>
    /// <param name="target">Aᵀb.</param>
    /// <param name="free">Which coefficients may be negative. Default: none.</param>
    /// <returns>θ; 0 for a column of zeros.</returns>
    public static double[] Solve(double[,] gram, double[] target, bool[]? free = null)
    {
        int n = target.Length;
        double[] scale = new double[n];
        double[] t = new double[n];
        double[,] g = new double[n, n];
        bool[] passive = new bool[n];
        for (int i = 0; i < n; i++)
        {
            scale[i] = gram[i, i] > 0 ? 1 / Math.Sqrt(gram[i, i]) : 0;
            t[i] = target[i] * scale[i];
            passive[i] = scale[i] > 0;
        }

        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j < n; j++)
            {
                g[i, j] = gram[i, j] * scale[i] * scale[j] + (i == j ? Ridge : 0);
            }
        }

        bool Free(int i) => free is not null && free[i];

        // Mostly nothing is at its bound: then this is all.
        if (Symmetric.Solve(g, t, passive) is not { } theta || Enumerable.Range(0, n).Any(i => passive[i] && !Free(i) && !(theta[i] > 0)))
        {
            theta = FromBelow(g, t, scale, Free);
        }

        for (int i = 0; i < n; i++)
        {
            theta[i] *= scale[i];
        }

        return theta;
    }

    private static double[] FromBelow(double[,] g, double[] t, double[] scale, Func<int, bool> free)
    {
        int n = t.Length;
        bool[] passive = [.. Enumerable.Range(0, n).Select(i => free(i) && scale[i] > 0)];
        double[] theta = Symmetric.Solve(g, t, passive) ?? new double[n];
        double tolerance = 1e-13 * t.Max(Math.Abs);
        for (int round = 0; round < 10 * n; round++)
        {
            int entering = -1;
            double steepest = tolerance;
            for (int i = 0; i < n; i++)
            {
                double slope = t[i];
                for (int j = 0; j < n; j++)
                {
                    slope -= g[i, j] * theta[j];
                }

                if (!passive[i] && scale[i] > 0 && slope > steepest)
                {
                    (entering, steepest) = (i, slope);
                }
            }

            if (entering < 0)
            {
                break;
            }

            passive[entering] = true;
            theta = Inside(g, t, passive, theta, free);
        }

        return theta;
    }

    /// <summary>Solves on the passive set, stepping back and dropping columns while any bounded coefficient turns negative.</summary>
    private static double[] Inside(double[,] g, double[] t, bool[] passive, double[] theta, Func<int, bool> free)
    {
        while (true)
        {
            double[] solution = Symmetric.Solve(g, t, passive) ?? new double[t.Length];
            bool Negative(int i) => passive[i] && !free(i) && !(solution[i] > 0);
            int[] negative = [.. Enumerable.Range(0, t.Length).Where(Negative)];
            if (negative.Length == 0)
            {
                return solution;
            }

            double step = negative.Min(i => theta[i] > solution[i] ? Math.Min(1, theta[i] / (theta[i] - solution[i])) : 0);
            theta = [.. theta.Select((v, i) => passive[i] ? v + step * (solution[i] - v) : 0)];

            // At least one goes, also where rounding left all of them just positive, so that the loop ends.
            int[] gone = [.. negative.Where(i => !(theta[i] > 1e-15)).DefaultIfEmpty(negative[0])];
            foreach (int i in gone)
            {
                (theta[i], passive[i]) = (0, false);
            }
        }
    }
}
