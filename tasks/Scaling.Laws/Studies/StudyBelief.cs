// What is known of a valley after some runs: the most probable parameters, how uncertain they are together, and what a choice made now would be expected to cost.
namespace Scaling.Laws;

/// <summary>A run as a study sees it.</summary>
/// <param name="Parameters">N, non-embedding.</param>
/// <param name="X">d/√N.</param>
/// <param name="Ratio">MLP to attention parameters.</param>
/// <param name="BudgetShare">Its tokens a parameter over the study's: 1, or less of a short run.</param>
/// <param name="Size">N that it was meant to have: runs of one size and budget share a level.</param>
public readonly record struct StudyPoint(double Parameters, double X, double Ratio, double BudgetShare, double Size)
{
    /// <summary>What shares its level.</summary>
    internal (double Size, double Share) Class => (Size, BudgetShare);
}

/// <summary>A run with its loss.</summary>
/// <param name="Point">What was run.</param>
/// <param name="Loss">Nats a token, > 0.</param>
public readonly record struct StudyResult(StudyPoint Point, double Loss);

/// <summary>The place of least expected loss at a size, with its uncertainty.</summary>
/// <param name="X">x*.</param>
/// <param name="Ratio">r*.</param>
/// <param name="XError">Standard error of ln x*.</param>
/// <param name="RatioError">Standard error of ln r*.</param>
public sealed record StudyOptimum(double X, double Ratio, double XError, double RatioError);

/// <summary>
/// Bayes' rule for <see cref="Valley"/> with normal beliefs, a level for each size and budget of which nothing is believed beforehand, and a noise that is learnt too. The most probable parameters
/// are found by damped Gauss–Newton steps; around them the belief is normal (Laplace). Deterministic.
/// </summary>
public sealed class StudyBelief
{
    private const double FreedomOfAll = 4;
    private const double VagueLevel = 1e-8; // Precision of a level's prior, in ln L: ± 10 000.
    private readonly StudyPrior _prior;
    private readonly double[] _mean;
    private readonly double[,] _information;
    private readonly double[,] _covariance;

    private readonly double[] _noise;

    private readonly int[] _results; // Of each class.

    private StudyBelief(StudyPrior prior, IReadOnlyList<(double Size, double Share)> classes, double[] mean, double[,] information, double[] noise, int[] results)
    {
        (_prior, Classes, _mean, _information, _noise, _results) = (prior, classes, mean, information, noise, results);
        _covariance = Symmetric.Inverse(information);
    }

    /// <summary>Of which sizes and budgets there are runs, in the order of their levels.</summary>
    internal IReadOnlyList<(double Size, double Share)> Classes { get; }

    /// <summary>Standard deviation of ln L between runs that are alike in all but the seed; of a size and budget without runs that of the nearest, and before any run the prior's.</summary>
    /// <param name="size">N, as <see cref="StudyPoint.Size"/>.</param>
    /// <param name="share">Of the budget, as <see cref="StudyPoint.BudgetShare"/>.</param>
    public double NoiseAt(double size, double share = 1) =>
        _noise.Length == 0 ? _prior.Noise : _noise[Enumerable.Range(0, _noise.Length).MinBy(c => (Math.Abs(Math.Log(Classes[c].Size / size)) + Math.Abs(Math.Log(Classes[c].Share / share)), -Classes[c].Share))];

    /// <summary>How many runs it rests on.</summary>
    public int Results => _results.Sum();

    /// <summary>How many of them are of a size and budget.</summary>
    internal int ResultsOf((double Size, double Share) one) => Classes.ToList().IndexOf(one) is >= 0 and var c ? _results[c] : 0;

    /// <summary>The prior.</summary>
    public StudyPrior Prior => _prior;

    internal ReadOnlySpan<double> Mean => _mean;

    /// <summary>What is believed before any run.</summary>
    /// <param name="prior">The prior.</param>
    public static StudyBelief Before(StudyPrior prior) => After(prior, []);

    /// <summary>What is believed after some runs.</summary>
    /// <param name="prior">The prior.</param>
    /// <param name="results">Any number, in any order.</param>
    public static StudyBelief After(StudyPrior prior, IReadOnlyList<StudyResult> results)
    {
        var rows = new Rows(prior, results);
        double[] mean = rows.Middle;
        double[] noise = [.. rows.Classes.Select(_ => prior.Noise)];
        double[,] information = Diagonal(rows.Precision);
        for (int round = 0; round < 8 && rows.At.Length > 0; round++)
        {
            (mean, information) = Fit(rows.Middle, rows.Precision, rows.At, rows.Level, rows.Log, mean, noise);
            double[] next = Scatter(prior, mean, information, rows.At, rows.Level, rows.Log, noise);
            bool settled = next.Zip(noise, (n, o) => Math.Abs(n / o - 1)).Max() < 1e-3;
            noise = next;
            if (settled)
            {
                break;
            }
        }

        return new StudyBelief(prior, rows.Classes, mean, information, noise, [.. rows.Classes.Select((_, c) => rows.Level.Count(l => l == c))]);
    }

    /// <summary>The most probable parameters of other losses of the same points, with a noise that is known: the random part of a refit.</summary>
    /// <param name="prior">The prior, its middles drawn anew where the refit is one of many.</param>
    /// <param name="results">Of the points of <paramref name="near"/>.</param>
    /// <param name="near">What was believed of the losses as measured.</param>
    internal static double[] Again(StudyPrior prior, IReadOnlyList<StudyResult> results, StudyBelief near)
    {
        var rows = new Rows(prior, results);
        return Fit(rows.Middle, rows.Precision, rows.At, rows.Level, rows.Log, near._mean, near._noise).Point;
    }

    /// <summary>
    /// The noise of each class from its residuals, each run counting 1 less its leverage: small models scatter more. It is drawn to the noise of all classes together as <see cref="FreedomOfAll"/> runs
    /// would, and that to the prior's as <see cref="StudyPrior.NoiseFreedom"/> would.
    /// </summary>
    private static double[] Scatter(StudyPrior prior, double[] mean, double[,] information, ValleyPoint[] at, int[] level, double[] log, double[] noise)
    {
        double[,] covariance = Symmetric.Inverse(information);
        double[] squares = new double[noise.Length], freedom = new double[noise.Length];
        double[] gradient = new double[Valley.Count];
        for (int i = 0; i < at.Length; i++)
        {
            int own = LevelOf(level[i]);
            double r = log[i] - mean[own] - mean[own + 1] * at[i].Miss - Valley.Gradient(mean, at[i], gradient);
            (int Place, double Slope)[] all = [.. gradient.Select((g, k) => (k, g)), (own, 1), (own + 1, at[i].Miss)];
            double leverage = all.Sum(p => p.Slope * all.Sum(q => covariance[p.Place, q.Place] * q.Slope)) / (noise[level[i]] * noise[level[i]]);
            squares[level[i]] += r * r;
            freedom[level[i]] += Math.Max(0, 1 - leverage);
        }

        double together = (prior.NoiseFreedom * prior.Noise * prior.Noise + squares.Sum()) / (prior.NoiseFreedom + freedom.Sum());
        return [.. squares.Zip(freedom, (s, f) => Math.Sqrt((FreedomOfAll * together + s) / (FreedomOfAll + f)))];
    }

    /// <summary>The optimum at a size, whole budget.</summary>
    /// <param name="parameters">N.</param>
    public StudyOptimum OptimumAt(double parameters)
    {
        var at = new ValleyPoint(Math.Log(parameters / _prior.ReferenceSize), 0, 0, 0, 0);
        double Error(int axis)
        {
            int o = axis + Valley.Optimum, d = axis + Valley.Drift;
            return Math.Sqrt(_covariance[o, o] + 2 * at.Size * _covariance[o, d] + at.Size * at.Size * _covariance[d, d]);
        }

        return new StudyOptimum(
            Math.Exp(Valley.OptimumAt(_mean, at)), Math.Exp(Valley.OptimumAt(_mean.AsSpan(Valley.Axis), at)), Error(0), Error(Valley.Axis));
    }

    /// <summary>Judges shapes of one size: which is best, how surely, and what choosing it is expected to cost.</summary>
    /// <param name="parameters">N of all of them.</param>
    /// <param name="shapes">x and ratio, at least one.</param>
    /// <param name="draws">Parameters drawn from the belief. Default: 400.</param>
    /// <param name="epsilon">Losses this near to the best are as good, nats a token.</param>
    /// <param name="confidence">With which the confidence set holds the best.</param>
    public IReadOnlyList<ShapeOdds> Judge(double parameters, IReadOnlyList<(double X, double Ratio)> shapes, int draws = 400, double epsilon = 0.001, double confidence = 0.8)
    {
        ValleyPoint[] points = [.. shapes.Select(s => At(_prior, new StudyPoint(parameters, s.X, s.Ratio, 1, parameters)))];
        double[] Losses(double[] p) => Array.ConvertAll(points, at => _prior.Level * Math.Exp(Valley.Effect(p, at)));
        return ShapeDecision.Judge(Losses(_mean), Draws(draws).Select(Losses), epsilon, confidence);
    }

    /// <summary>The loss of one shape less that of another, in parameters drawn from the belief, nats a token.</summary>
    /// <param name="parameters">N of both.</param>
    /// <param name="shape">x and ratio.</param>
    /// <param name="other">x and ratio.</param>
    /// <param name="draws">How many. Default: 400.</param>
    public double[] Differences(double parameters, (double X, double Ratio) shape, (double X, double Ratio) other, int draws = 400)
    {
        double Loss(double[] p, (double X, double Ratio) s) => _prior.Level * Math.Exp(Valley.Effect(p, At(_prior, new StudyPoint(parameters, s.X, s.Ratio, 1, parameters))));
        return [.. Draws(draws).Select(p => Loss(p, shape) - Loss(p, other))];
    }

    /// <summary>Parameters drawn from the belief, the same ones at every call.</summary>
    /// <param name="count">How many.</param>
    internal IEnumerable<double[]> Draws(int count)
    {
        double[,] root = Symmetric.Root(_covariance);
        Random random = new(20251021), ofShortRuns = new(20251129); // A stream of their own: a study without short runs draws as if there were none.
        int n = _mean.Length;
        for (int k = 0; k < count; k++)
        {
            double[] z = new double[n], p = [.. _mean];
            for (int i = 0; i < n; i++)
            {
                z[i] = NormalDraw.Of(Valley.IsOfShortRuns(i) ? ofShortRuns : random);
                for (int j = 0; j <= i; j++)
                {
                    p[i] += root[i, j] * z[j];
                }
            }

            p[Valley.Interaction] = Math.Clamp(p[Valley.Interaction], -0.9, 0.9);
            yield return p;
        }
    }

    /// <summary>The information that the belief holds, the inverse of its covariance, with a level for each of <paramref name="classes"/>, which has all of its own.</summary>
    internal double[,] Information(IReadOnlyList<(double Size, double Share)> classes)
    {
        int n = LevelOf(classes.Count);
        double[,] whole = new double[n, n];
        int[] to = [.. Enumerable.Range(0, Valley.Count), .. Classes.Select(c => LevelOf(classes.ToList().IndexOf(c))).SelectMany(at => new[] { at, at + 1 })];
        for (int i = 0; i < to.Length; i++)
        {
            for (int j = 0; j < to.Length; j++)
            {
                whole[to[i], to[j]] = _information[i, j];
            }
        }

        foreach (var (c, i) in classes.Select((c, i) => (c, i)).Where(p => !Classes.Contains(p.c)))
        {
            whole[LevelOf(i), LevelOf(i)] = VagueLevel;
            whole[LevelOf(i) + 1, LevelOf(i) + 1] = 1 / (UsualSlope.Deviation * UsualSlope.Deviation);
        }

        return whole;
    }

    internal static ValleyPoint At(StudyPrior prior, StudyPoint point) =>
        new(Math.Log(point.Parameters / prior.ReferenceSize), Math.Log(point.X), Math.Log(point.Ratio), Math.Log(point.BudgetShare), Math.Log(point.Parameters / point.Size));

    /// <summary>Chinchilla's constants along 20 to 100 tokens a parameter, from 10M to 1B parameters: −0.11 to −0.04.</summary>
    private static readonly Belief UsualSlope = new(-0.07, 0.05);

    /// <summary>Where a class's level stands; its slope in ln N stands behind it.</summary>
    internal static int LevelOf(int index) => Valley.Count + 2 * index;

    /// <summary>The slope of ln L in ln N at a class, from the best losses of the sizes beside it with the same budget; null where there are none.</summary>
    private static double? SlopeNear(int of, (double Size, double Share)[] classes, double[] best)
    {
        var slopes = new List<double>();
        foreach (bool above in new[] { false, true })
        {
            var beside = Enumerable.Range(0, classes.Length).Where(c => classes[c].Share == classes[of].Share && (above ? classes[c].Size > classes[of].Size : classes[c].Size < classes[of].Size)).ToArray();
            if (beside.Length > 0)
            {
                int c = beside.MinBy(c => Math.Abs(Math.Log(classes[c].Size / classes[of].Size)));
                slopes.Add(Math.Clamp((best[c] - best[of]) / Math.Log(classes[c].Size / classes[of].Size), -0.5, 0));
            }
        }

        return slopes.Count > 0 ? slopes.Average() : null;
    }

    internal static (double[] Mean, double[] Precision) PriorOf(StudyPrior prior, int levels)
    {
        double[] mean = new double[LevelOf(levels)], precision = new double[LevelOf(levels)];
        void Set(int i, Belief belief) => (mean[i], precision[i]) = (belief.Mean, 1 / Math.Pow(Math.Max(1e-6, belief.Deviation), 2));
        foreach (var (axis, start) in new[] { (prior.X, 0), (prior.Ratio, Valley.Axis) })
        {
            Set(start + Valley.Curvature, axis.Curvature);
            Set(start + Valley.Optimum, axis.Optimum);
            Set(start + Valley.Drift, axis.Drift);
            Set(start + Valley.Asymmetry, axis.Asymmetry);
            Set(start + Valley.BudgetDrift, axis.BudgetDrift);
            Set(start + Valley.BudgetGrowth, axis.BudgetGrowth);
            Set(start + Valley.BudgetCurvature, axis.BudgetCurvature);
        }

        Set(Valley.Interaction, prior.Interaction);
        for (int c = 0; c < levels; c++)
        {
            Set(LevelOf(c) + 1, UsualSlope);
            precision[LevelOf(c)] = VagueLevel;
        }

        return (mean, precision);
    }

    /// <summary>Damped Gauss–Newton on the squares of the residuals over the noise and of the distance from the prior.</summary>
    /// <returns>The minimum, and the information there.</returns>
    private static (double[] Point, double[,] Information) Fit(double[] middle, double[] precision, ValleyPoint[] at, int[] level, double[] log, double[] start, double[] noise)
    {
        int n = middle.Length;
        double[] point = [.. start];
        double damping = 1e-4, value = Value(point);
        double[,] information = new double[n, n];
        for (int step = 0; step < 60; step++)
        {
            double[] downhill = Expand(point, information);
            bool better = false;
            double gained = 0;
            for (int tries = 0; tries < 25 && !better; tries++, damping = better ? damping : damping * 6)
            {
                double[,] damped = (double[,])information.Clone();
                for (int i = 0; i < n; i++)
                {
                    damped[i, i] *= 1 + damping;
                }

                if (Symmetric.Solve(damped, downhill) is not { } move)
                {
                    continue;
                }

                double[] next = [.. point.Zip(move, (p, m) => p + Math.Clamp(m, -1, 1))];
                next[Valley.Interaction] = Math.Clamp(next[Valley.Interaction], -0.9, 0.9);
                double trial = Value(next);
                if (trial < value)
                {
                    (gained, better) = (value - trial, true);
                    (point, value, damping) = (next, trial, Math.Max(1e-9, damping / 10));
                }
            }

            if (!better || gained <= 1e-10 * (1 + value))
            {
                break;
            }
        }

        Expand(point, information);
        return (point, information);

        double Level(double[] p, int row) => p[LevelOf(level[row])] + p[LevelOf(level[row]) + 1] * at[row].Miss;

        double Value(double[] p)
        {
            double residuals = 0;
            for (int i = 0; i < at.Length; i++)
            {
                double r = log[i] - Level(p, i) - Valley.Effect(p, at[i]);
                residuals += r * r / (noise[level[i]] * noise[level[i]]);
            }

            double far = 0;
            for (int i = 0; i < n; i++)
            {
                far += precision[i] * (p[i] - middle[i]) * (p[i] - middle[i]);
            }

            return residuals + far;
        }

        double[] Expand(double[] p, double[,] into)
        {
            double[] down = new double[n];
            Array.Clear(into);
            for (int i = 0; i < n; i++)
            {
                into[i, i] = precision[i];
                down[i] = precision[i] * (middle[i] - p[i]);
            }

            Span<double> gradient = stackalloc double[Valley.Count];
            for (int row = 0; row < at.Length; row++)
            {
                int own = LevelOf(level[row]);
                double weight = 1 / (noise[level[row]] * noise[level[row]]);
                double r = log[row] - Level(p, row) - Valley.Gradient(p, at[row], gradient);
                Symmetric.AddOuter(into, gradient, own, at[row].Miss, weight);
                for (int i = 0; i < Valley.Count; i++)
                {
                    down[i] += weight * r * gradient[i];
                }

                down[own] += weight * r;
                down[own + 1] += weight * r * at[row].Miss;
            }

            return down;
        }
    }

    /// <summary>Runs in an order of their own, with their levels and what is believed of all parameters before them.</summary>
    private sealed class Rows
    {
        public Rows(StudyPrior prior, IReadOnlyList<StudyResult> results)
        {
            StudyResult[] rows = [.. results.OrderBy(r => r.Point.Size).ThenBy(r => r.Point.BudgetShare).ThenBy(r => r.Point.X).ThenBy(r => r.Point.Ratio).ThenBy(r => r.Loss)];
            Classes = [.. rows.Select(r => r.Point.Class).Distinct()];
            Level = Array.ConvertAll(rows, r => Array.IndexOf(Classes, r.Point.Class));
            At = Array.ConvertAll(rows, r => StudyBelief.At(prior, r.Point));
            Log = Array.ConvertAll(rows, r => Math.Log(r.Loss));
            (Middle, Precision) = PriorOf(prior, Classes.Length);
            double[] best = [.. Classes.Select((_, c) => Log.Where((_, i) => Level[i] == c).Min())];
            for (int c = 0; c < Classes.Length; c++)
            {
                int place = LevelOf(c);
                Middle[place] = best[c];
                if (SlopeNear(c, Classes, best) is { } slope)
                {
                    (Middle[place + 1], Precision[place + 1]) = (slope, 1 / (0.02 * 0.02));
                }
            }
        }

        public (double Size, double Share)[] Classes { get; }

        public int[] Level { get; }

        public ValleyPoint[] At { get; }

        public double[] Log { get; }

        public double[] Middle { get; }

        public double[] Precision { get; }
    }

    private static double[,] Diagonal(double[] values)
    {
        double[,] matrix = new double[values.Length, values.Length];
        for (int i = 0; i < values.Length; i++)
        {
            matrix[i, i] = values[i];
        }

        return matrix;
    }
}
