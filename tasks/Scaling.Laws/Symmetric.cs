// Small symmetric positive definite systems, solved thousands of times a second: a dozen rows, no allocation beyond the answer.
namespace Scaling.Laws;

/// <summary>Cholesky's factorisation of matrices too small for a library's overhead.</summary>
internal static class Symmetric
{
    private const int MostOnStack = 32;

    /// <summary>Solves G·θ = t on the chosen rows and columns.</summary>
    /// <param name="g">Symmetric.</param>
    /// <param name="t">Right-hand side.</param>
    /// <param name="chosen">Which rows count; null: all.</param>
    /// <returns>θ, 0 where not chosen; null where G is not positive definite.</returns>
    public static double[]? Solve(double[,] g, double[] t, bool[]? chosen = null)
    {
        int n = t.Length;
        Span<int> at = n <= MostOnStack ? stackalloc int[n] : new int[n];
        int m = 0;
        for (int i = 0; i < n; i++)
        {
            if (chosen is null || chosen[i])
            {
                at[m++] = i;
            }
        }

        Span<double> lower = m <= MostOnStack ? stackalloc double[m * m] : new double[m * m];
        if (!Factor(g, at[..m], lower))
        {
            return null;
        }

        Span<double> y = m <= MostOnStack ? stackalloc double[m] : new double[m];
        for (int i = 0; i < m; i++)
        {
            double sum = t[at[i]];
            for (int k = 0; k < i; k++)
            {
                sum -= lower[i * m + k] * y[k];
            }

            y[i] = sum / lower[i * m + i];
        }

        double[] theta = new double[n];
        for (int i = m - 1; i >= 0; i--)
        {
            double sum = y[i];
            for (int k = i + 1; k < m; k++)
            {
                sum -= lower[k * m + i] * theta[at[k]];
            }

            theta[at[i]] = sum / lower[i * m + i];
        }

        return theta;
    }

    private static bool Factor(double[,] g, ReadOnlySpan<int> at, Span<double> lower)
    {
        int m = at.Length;
        for (int i = 0; i < m; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = g[at[i], at[j]];
                for (int k = 0; k < j; k++)
                {
                    sum -= lower[i * m + k] * lower[j * m + k];
                }

                if (i > j)
                {
                    lower[i * m + j] = sum / lower[j * m + j];
                }
                else if (sum > 0 && double.IsFinite(sum))
                {
                    lower[i * m + i] = Math.Sqrt(sum);
                }
                else
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The inverse.</summary>
    /// <param name="g">Symmetric and positive definite.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static double[,] Inverse(double[,] g)
    {
        double[,] root = Root(g);
        int n = g.GetLength(0);
        double[,] inverse = new double[n, n];

        // R⁻¹ first, below the diagonal of the answer; then R⁻ᵀ·R⁻¹.
        double[,] lower = new double[n, n];
        for (int j = 0; j < n; j++)
        {
            lower[j, j] = 1 / root[j, j];
            for (int i = j + 1; i < n; i++)
            {
                double sum = 0;
                for (int k = j; k < i; k++)
                {
                    sum -= root[i, k] * lower[k, j];
                }

                lower[i, j] = sum / root[i, i];
            }
        }

        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                double sum = 0;
                for (int k = i; k < n; k++)
                {
                    sum += lower[k, i] * lower[k, j];
                }

                inverse[i, j] = inverse[j, i] = sum;
            }
        }

        return inverse;
    }

    /// <summary>The lower triangle R with R·Rᵀ = G.</summary>
    /// <param name="g">Symmetric and positive definite.</param>
    /// <exception cref="ArgumentException">It is not.</exception>
    public static double[,] Root(double[,] g)
    {
        int n = g.GetLength(0);
        int[] all = [.. Enumerable.Range(0, n)];
        double[] lower = new double[n * n];
        if (!Factor(g, all, lower))
        {
            throw new ArgumentException("the matrix is not positive definite");
        }

        double[,] root = new double[n, n];
        for (int i = 0; i < n; i++)
        {
            for (int j = 0; j <= i; j++)
            {
                root[i, j] = lower[i * n + j];
            }
        }

        return root;
    }

    /// <summary>Adds weight·v·vᵀ, v being some first entries, then 0 but for 1 and <paramref name="second"/> at <paramref name="place"/> and behind it.</summary>
    public static void AddOuter(double[,] g, ReadOnlySpan<double> first, int place, double second, double weight)
    {
        for (int i = 0; i < first.Length; i++)
        {
            double scaled = weight * first[i];
            for (int j = 0; j < first.Length; j++)
            {
                g[i, j] += scaled * first[j];
            }

            g[i, place] += scaled;
            g[place, i] += scaled;
            g[i, place + 1] += scaled * second;
            g[place + 1, i] += scaled * second;
        }

        g[place, place] += weight;
        g[place, place + 1] += weight * second;
        g[place + 1, place] += weight * second;
        g[place + 1, place + 1] += weight * second * second;
    }
}
