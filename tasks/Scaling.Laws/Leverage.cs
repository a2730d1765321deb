// How much of what rows have in common a fit has absorbed: their residuals are too small by that.
namespace Scaling.Laws;

/// <summary>H = J·(JᵀWJ)⁻¹·JᵀW, and where classes have free levels their share besides.</summary>
internal sealed class Leverage
{
    private readonly double[][] _rows;
    private readonly double[] _weights;
    private readonly double[,] _gram;
    private readonly int[]? _levels;
    private readonly double[] _mass;

    /// <summary>The leverage of a fit.</summary>
    /// <param name="jacobian">A row a run, a column a parameter (with levels: levels projected out); columns of zeros are no parameters.</param>
    /// <param name="weights">Of each run.</param>
    /// <param name="levels">The class of each run whose level is free; null: there are none.</param>
    public Leverage(double[,] jacobian, double[] weights, int[]? levels)
    {
        (_weights, _levels) = (weights, levels);
        int n = weights.Length;
        int[] present = [.. Enumerable.Range(0, jacobian.GetLength(1)).Where(k => Enumerable.Range(0, n).Any(i => jacobian[i, k] != 0))];
        double[] length = [.. present.Select(k => Math.Sqrt(Enumerable.Range(0, n).Sum(i => weights[i] * jacobian[i, k] * jacobian[i, k])))];
        _rows = [.. Enumerable.Range(0, n).Select(i => present.Select((k, at) => jacobian[i, k] / length[at]).ToArray())];
        _gram = new double[present.Length, present.Length];
        for (int j = 0; j < present.Length; j++)
        {
            for (int k = 0; k < present.Length; k++)
            {
                // A ridge for columns that are one.
                _gram[j, k] = j == k ? 1e-10 : 0;
                for (int i = 0; i < n; i++)
                {
                    _gram[j, k] += weights[i] * _rows[i][j] * _rows[i][k];
                }
            }
        }

        _mass = new double[levels is null ? 0 : levels.Max() + 1];
        for (int i = 0; levels is not null && i < n; i++)
        {
            _mass[levels[i]] += weights[i];
        }
    }

    /// <summary>The share, 0 to 1, of what some rows have in common: 1ᵀH1 over their number.</summary>
    /// <param name="members">Positions, at least one.</param>
    public double OfRows(int[] members)
    {
        double[] sum = new double[_gram.GetLength(0)], weighted = new double[sum.Length];
        foreach (int i in members)
        {
            for (int k = 0; k < sum.Length; k++)
            {
                sum[k] += _rows[i][k];
                weighted[k] += _weights[i] * _rows[i][k];
            }
        }

        double shape = Symmetric.Solve(_gram, weighted) is { } solved ? solved.Zip(sum, (a, b) => a * b).Sum() : members.Length;
        double level = _levels is null ? 0 : members.GroupBy(i => _levels[i]).Sum(g => g.Count() * g.Sum(i => _weights[i]) / _mass[g.Key]) / members.Length;
        return Math.Clamp(level + shape / members.Length, 0, 1);
    }
}
