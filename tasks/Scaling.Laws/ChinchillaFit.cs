// Fits E + A/N^α + B/D^β: variable projection on a grid of exponents finds where to start, damped Newton in all five finishes.
namespace Scaling.Laws;

/// <summary>A fitted base law.</summary>
internal sealed record ChinchillaSolution(ChinchillaObjective Objective, double[] Point, double Value, Convergence Status)
{
    /// <summary>The law.</summary>
    public ChinchillaLaw Law { get; } = Objective.Law(Point);

    /// <summary>How the starting points ended.</summary>
    public Restarts Restarts { get; init; } = new(1, 1, new(Math.Exp(Point[3]), Math.Exp(Point[3])), new(Math.Exp(Point[4]), Math.Exp(Point[4])));
}

/// <summary>The base law's fit. The same runs give the same bits: the starting points are a fixed grid.</summary>
internal static class ChinchillaFit
{
    /// <summary>Exponents of the grid, each 1.5 times the one before: finer than the basins of attraction seen on public tables.</summary>
    private static readonly double[] s_grid = [.. Enumerable.Range(0, 13).Select(k => 0.04 * Math.Pow(1.5, k))];

    private const int FollowedMinima = 8;

    /// <summary>Of the grid, followed whatever their value: exponents .135 and .68, so that a verdict can rest on starts that agree.</summary>
    private static readonly int[] s_always = [3, 7];

    /// <summary>Fits that are determined take 10 to 50; along one ray the valley is long and curved, and only the best start is followed to its end.</summary>
    private const int MostSteps = 300, MostStepsOfBest = 4000;

    private const int MostRowsOfStarts = 4000;

    /// <summary>Fits from scratch.</summary>
    /// <param name="objective">Runs and what to minimise.</param>
    /// <param name="terms">Which of E, A, B the runs can say something of.</param>
    public static ChinchillaSolution Fit(ChinchillaObjective objective, bool[] terms)
    {
        // Where minima lie a few thousand rows show; only the best of them is worth all rows.
        var seen = objective.Thinned(MostRowsOfStarts);
        var ends = Starts(seen, terms).Select(start => Polish(seen, start)).OrderBy(s => s.Value).ToList();
        if (seen != objective)
        {
            ends = [.. ends.Take(2).Select(e => Polish(objective, e.Point)).OrderBy(s => s.Value)];
        }

        var best = ends[0];
        if (best.Status != Convergence.Converged && Polish(objective, best.Point, steps: MostStepsOfBest) is { } further && further.Value < best.Value)
        {
            best = further;
        }

        var near = ends.Append(best).Where(e => e.Value <= best.Value * 1.001).ToList();
        return best with
        {
            Restarts = new Restarts(
                ends.Count,
                1 + ends.Skip(1).Count(e => e.Value <= best.Value * (1 + 1e-6) + 1e-20 * objective.Rows),
                new(near.Min(e => e.Law.Alpha), near.Max(e => e.Law.Alpha)),
                new(near.Min(e => e.Law.Beta), near.Max(e => e.Law.Beta))),
        };
    }

    /// <summary>Fits other losses of the same runs from a solution nearby.</summary>
    /// <param name="near">A solution.</param>
    /// <param name="loss">L, > 0.</param>
    /// <param name="terms">Which of E, A, B are fitted.</param>
    /// <param name="tolerance">As of <see cref="DampedNewton"/>.</param>
    public static ChinchillaSolution Refit(ChinchillaSolution near, double[] loss, bool[] terms, double tolerance)
    {
        var objective = near.Objective.WithLoss(loss);
        var end = Polish(objective, near.Point, tolerance);
        if (Enumerable.Range(0, 3).Any(k => terms[k] && !(near.Point[k] > Vanished)))
        {
            // From nothing no slope leads back: in logarithms it is nothing too.
            double[] revived = [.. near.Point];
            for (int k = 0; k < 3; k++)
            {
                bool gone = terms[k] && !(near.Point[k] > Vanished);
                revived[k] = gone ? Math.Log(0.02 * loss.Average()) : revived[k];
                if (gone && k > 0)
                {
                    revived[k + 2] = Math.Log(0.3);
                }
            }

            var other = Polish(objective, revived, tolerance);
            end = other.Value < end.Value ? other : end;
        }

        return end with { Restarts = near.Restarts };
    }

    /// <summary>ln nats; a term below is nothing.</summary>
    private const double Vanished = -15;

    /// <summary>The local minima of the projected objective on the grid, best first, and four cells far apart.</summary>
    private static IEnumerable<double[]> Starts(ChinchillaObjective objective, bool[] terms)
    {
        // Without its term an exponent is nothing; 1 stands in its place.
        double[] alphas = terms[1] ? s_grid : [1];
        double[] betas = terms[2] ? s_grid : [1];
        double[][][] points = [.. alphas.Select(a => betas.Select(b => objective.Project(a, b, terms)).ToArray())];
        double[][] values = [.. points.Select(row => row.Select(objective.Value).ToArray())];
        var cells = from i in Enumerable.Range(0, alphas.Length)
                    from j in Enumerable.Range(0, betas.Length)
                    where IsLocalMinimum(values, i, j)
                    orderby values[i][j]
                    select (i, j);
        var always = from i in s_always
                     from j in s_always
                     select (Math.Min(i, alphas.Length - 1), Math.Min(j, betas.Length - 1));
        return cells.Take(FollowedMinima).Concat(always).Distinct().Select(cell => points[cell.Item1][cell.Item2]);
    }

    private static bool IsLocalMinimum(double[][] values, int i, int j)
    {
        for (int k = Math.Max(0, i - 1); k <= Math.Min(values.Length - 1, i + 1); k++)
        {
            for (int l = Math.Max(0, j - 1); l <= Math.Min(values[k].Length - 1, j + 1); l++)
            {
                if (values[k][l] < values[i][j])
                {
                    return false;
                }
            }
        }

        return true;
    }

    /// <summary>The best of all other parameters at a given exponent.</summary>
    /// <param name="objective">What to minimise.</param>
    /// <param name="near">Where to start.</param>
    /// <param name="exponent">3 for α, 4 for β.</param>
    /// <param name="logarithm">Its logarithm.</param>
    public static Minimum AtExponent(ChinchillaObjective objective, double[] near, int exponent, double logarithm)
    {
        double[] start = [.. near];
        start[exponent] = logarithm;
        var (low, high) = Bounds(start);
        (low[exponent], high[exponent]) = (logarithm, logarithm);
        return DampedNewton.Minimise(objective.Value, objective.Expand, start, low, high, MostSteps, 1e-9);
    }

    /// <summary>Whether a parameter is at the end of what it may be: a weight at 0, an exponent at .001 or 10.</summary>
    public static bool AtBound(double[] p, int k) => k < 3
        ? !(p[k] > -40)
        : p[k] <= Math.Log(ChinchillaObjective.LeastExponent) + 1e-9 || p[k] >= Math.Log(ChinchillaObjective.LargestExponent) - 1e-9;

    private static (double[] Low, double[] High) Bounds(double[] start)
    {
        double[] low = [-60, -60, -60, Math.Log(ChinchillaObjective.LeastExponent), Math.Log(ChinchillaObjective.LeastExponent)];
        double[] high = [60, 60, 60, Math.Log(ChinchillaObjective.LargestExponent), Math.Log(ChinchillaObjective.LargestExponent)];
        for (int k = 0; k < 3; k++)
        {
            // A term that is off stays off: e^-60 nats is nothing, and its gradient too.
            low[k] = double.IsNegativeInfinity(start[k]) ? double.NegativeInfinity : low[k];
            high[k] = double.IsNegativeInfinity(start[k]) ? double.NegativeInfinity : high[k];
        }

        return (low, high);
    }

    /// <summary>All five at once. Log-Huber goes from a wide δ, where it is nearly quadratic, to its own.</summary>
    private static ChinchillaSolution Polish(ChinchillaObjective objective, double[] start, double tolerance = 1e-15, int steps = MostSteps)
    {
        var (low, high) = Bounds(start);
        double[] point = start;
        if (objective.Kind == ObjectiveKind.LogHuber)
        {
            for (double delta = 30 * objective.Delta; delta > 1.5 * objective.Delta; delta /= 3)
            {
                var wide = objective.WithDelta(delta);
                point = DampedNewton.Minimise(wide.Value, wide.Expand, point, low, high, 30, Math.Max(tolerance, 1e-6)).Point;
            }
        }

        var minimum = DampedNewton.Minimise(objective.Value, objective.Expand, point, low, high, steps, tolerance);
        return new ChinchillaSolution(objective, minimum.Point, minimum.Value, minimum.Status);
    }
}
