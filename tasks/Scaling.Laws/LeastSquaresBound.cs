// A proof that no exponents do much better: a lower bound on the least-squares objective by branch and bound over (α, β).
namespace Scaling.Laws;

/// <summary>
/// Over a cell [α1, α2] the column c(α) = n^−α is its quadratic interpolation at both ends and the middle, but for at most
/// g_i = (α2 − α1)³/(72√3)·ln³ n_i·n_i^−α1, n counted from the smallest. The interpolation is a Bézier curve: it lies among its control points c(α1), 2·c(αm) − (c(α1) + c(α2))/2
/// and c(α2). So every law of a cell in (α, β) is a non-negative mixture of 1 and the six control points, but for A·g and B·g': with ρ the distance of the
/// losses from that cone, √(2f) ≥ ρ − A·‖g‖ − B·‖g'‖. A and B are bounded because no law at least as good as the known one puts a term far above a
/// measured loss. ρ itself is bounded from below by convexity at the least squares' solution, so that rounding in the solve cannot make the bound too high.
/// The gap falls with the cube of the cell's width. The cell of the least bound is cut first.
/// </summary>
internal static class LeastSquaresBound
{
    /// <summary>A proof this near to the objective is enough.</summary>
    private const double Gap = 0.001;

    /// <summary>Some ten milliseconds at 240 rows. A flat valley may need more; then the bound is what was reached.</summary>
    private const int MostCells = 3000;

    private readonly record struct Cell(double AlphaLow, double AlphaHigh, double BetaLow, double BetaHigh);

    /// <summary>The bound.</summary>
    /// <param name="objective">Least squares.</param>
    /// <param name="terms">Which of E, A, B are fitted.</param>
    /// <param name="known">The objective of a law, ≥ 0.</param>
    public static double Of(ChinchillaObjective objective, bool[] terms, double known)
    {
        var bounder = new Bounder(objective, terms, known);
        var open = new PriorityQueue<Cell, double>();
        void Open(Cell cell) => open.Enqueue(cell, bounder.Bound(cell));

        double[] grid = [ChinchillaObjective.LeastExponent, 0.1, 0.2, 0.3, 0.45, 0.7, 1.1, 2, 4, ChinchillaObjective.LargestExponent];
        foreach (var (al, ah) in Cuts(grid, terms[1]))
        {
            foreach (var (bl, bh) in Cuts(grid, terms[2]))
            {
                Open(new Cell(al, ah, bl, bh));
            }
        }

        for (int cells = 0; cells < MostCells && open.TryPeek(out var cell, out double bound) && bound < known * (1 - Gap); cells += 2)
        {
            open.Dequeue();
            bool first = bounder.CutsAlpha(cell);
            double alpha = (cell.AlphaLow + cell.AlphaHigh) / 2, beta = (cell.BetaLow + cell.BetaHigh) / 2;
            Open(first ? cell with { AlphaHigh = alpha } : cell with { BetaHigh = beta });
            Open(first ? cell with { AlphaLow = alpha } : cell with { BetaLow = beta });
        }

        return open.TryPeek(out _, out double least) ? Math.Min(least, known) : known;
    }

    private static IEnumerable<(double Low, double High)> Cuts(double[] grid, bool fitted) => fitted ? grid.Zip(grid.Skip(1)) : [(1, 1)];

    private sealed class Bounder(ChinchillaObjective objective, bool[] terms, double known)
    {
        private readonly Dictionary<double, double[]> _sizes = [];
        private readonly Dictionary<double, double[]> _budgets = [];
        private readonly double[] _n = Above(objective.LogParameters);
        private readonly double[] _d = Above(objective.LogTokens);
        private readonly double[] _ones = [.. Enumerable.Repeat(1.0, objective.Rows)];

        /// <summary>Whether what interpolation in α misses costs more of the bound than in β.</summary>
        public bool CutsAlpha(Cell cell)
        {
            var (a, b) = Missed(cell);
            return a >= b;
        }

        public double Bound(Cell cell)
        {
            double[][] sizes = terms[1] ? Controls(Sizes, cell.AlphaLow, cell.AlphaHigh) : [], budgets = terms[2] ? Controls(Budgets, cell.BetaLow, cell.BetaHigh) : [];
            double[][] columns = [_ones, .. sizes, .. budgets];
            double[] most = [Most(_ones), .. sizes.Select(_ => Most(Sizes(cell.AlphaHigh))), .. budgets.Select(_ => Most(Budgets(cell.BetaHigh)))];
            double distance = Math.Sqrt(2 * Math.Max(0, Cone(columns, most)));
            var (a, b) = Missed(cell);
            double left = Math.Max(0, distance - a - b);
            return 0.5 * left * left;
        }

        private static double[][] Controls(Func<double, double[]> column, double low, double high)
        {
            double[] first = column(low), middle = column((low + high) / 2), last = column(high);
            return [first, [.. middle.Select((m, i) => 2 * m - (first[i] + last[i]) / 2)], last];
        }

        private (double Alpha, double Beta) Missed(Cell cell) => (
            Missed(cell.AlphaHigh - cell.AlphaLow, _n, Sizes(cell.AlphaLow), Sizes(cell.AlphaHigh)),
            Missed(cell.BetaHigh - cell.BetaLow, _d, Budgets(cell.BetaLow), Budgets(cell.BetaHigh)));

        private double Missed(double width, double[] logs, double[] low, double[] high)
        {
            double sum = 0;
            for (int i = 0; i < logs.Length; i++)
            {
                double gap = logs[i] * logs[i] * logs[i] * low[i];
                sum += objective.Weights[i] * gap * gap;
            }

            return Most(high) * width * width * width / (72 * Math.Sqrt(3)) * Math.Sqrt(sum);
        }

        /// <summary>A weight larger than this lifts its term alone above a loss by more than the known objective allows.</summary>
        private double Most(double[] high)
        {
            double most = double.PositiveInfinity;
            for (int i = 0; i < high.Length; i++)
            {
                most = Math.Min(most, (objective.Losses[i] + Math.Sqrt(2 * known / objective.Weights[i])) / high[i]);
            }

            return most;
        }

        /// <summary>A lower bound on ½·(distance of the losses from the cone)².</summary>
        private double Cone(double[][] columns, double[] most)
        {
            int n = objective.Rows, m = columns.Length;
            double[,] gram = new double[m, m];
            double[] target = new double[m], w = objective.Weights, l = objective.Losses;
            for (int j = 0; j < m; j++)
            {
                double[] left = columns[j];
                for (int k = j; k < m; k++)
                {
                    double sum = 0;
                    double[] right = columns[k];
                    for (int i = 0; i < n; i++)
                    {
                        sum += w[i] * left[i] * right[i];
                    }

                    (gram[j, k], gram[k, j]) = (sum, sum);
                }

                for (int i = 0; i < n; i++)
                {
                    target[j] += w[i] * left[i] * l[i];
                }
            }

            double[] theta = NonNegativeLeastSquares.Solve(gram, target), slope = new double[m];
            double value = 0;
            for (int i = 0; i < n; i++)
            {
                double r = -l[i];
                for (int k = 0; k < m; k++)
                {
                    r += theta[k] * columns[k][i];
                }

                value += 0.5 * w[i] * r * r;
                for (int k = 0; k < m; k++)
                {
                    slope[k] += w[i] * r * columns[k][i];
                }
            }

            // f(θ') ≥ f(θ) + ∇f·(θ' − θ) for every 0 ≤ θ' ≤ most.
            for (int k = 0; k < m; k++)
            {
                value += Math.Min(0, slope[k]) * most[k] - slope[k] * theta[k];
            }

            return value;
        }

        private double[] Sizes(double exponent) => Column(_sizes, _n, exponent);

        private double[] Budgets(double exponent) => Column(_budgets, _d, exponent);

        /// <summary>Over the smallest, so that no column exceeds 1 and large exponents miss next to nothing.</summary>
        private static double[] Above(double[] logs)
        {
            double least = logs.Min();
            return [.. logs.Select(v => v - least)];
        }

        private static double[] Column(Dictionary<double, double[]> known, double[] logs, double exponent)
        {
            if (!known.TryGetValue(exponent, out double[]? column))
            {
                column = known[exponent] = [.. logs.Select(v => Math.Exp(-exponent * v))];
            }

            return column;
        }
    }
}
