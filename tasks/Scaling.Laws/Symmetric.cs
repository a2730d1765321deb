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
}
