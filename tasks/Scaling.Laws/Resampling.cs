// Wild bootstrap: the law refitted to losses that could as well have been measured.
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Random;

namespace Scaling.Laws;

/// <summary>
/// Each resample is the fitted loss plus the residuals, each times a random multiplier of mean 0 and variance 1 (Wu 1986; Davidson, Flachaire
/// 2008), so that rows keep their own noise. A residual has two parts: what a size (of a conditional law an (N, D) class) shares, which is the
/// base law's error there, and what is left, which is training noise. Each class has one multiplier for its shared part (Webb's six points, for
/// there are few classes), each training run one for its own part (±1), shared by its checkpoints. Parts are divided by √(1 − leverage), which
/// makes up for the share of a residual that the fit has absorbed. For the log-Huber objective, near least absolute deviation, ±1 is the choice that
/// is known to be right (Feng, He, Hu 2011).
/// </summary>
public static class Resampling
{
    private static readonly double[] s_webb =
        [-Math.Sqrt(1.5), -1, -Math.Sqrt(0.5), Math.Sqrt(0.5), 1, Math.Sqrt(1.5)];

    /// <summary>Rows times resamples that take some ten seconds; more rows get fewer resamples, down to <see cref="LeastResamples"/>.</summary>
    private const long MostRefittedRows = 5_000_000;

    private const int LeastResamples = 100;

    /// <summary>How many resamples a fit of so many rows gets.</summary>
    /// <param name="asked">As the options say.</param>
    /// <param name="rows">Fitted.</param>
    public static int Count(int asked, int rows) => (int)Math.Min(asked, Math.Max(LeastResamples, MostRefittedRows / rows));

    internal static IReadOnlyList<LawSolution> Of(LawFitter fitter, LawSolution solution, ResidualParts parts)
    {
        var design = fitter.Design;
        int count = Count(design.Options.Resamples, design.Runs.Count);
        if (count == 0)
        {
            return [];
        }

        var solutions = new LawSolution[count];

        // Few classes, or few rows beyond the parameters, tell their variance badly: Student's t makes up for that.
        double few = Student(parts.Classes - 1), scarce = Student(Freedom(fitter, parts));
        Parallel.For(0, count, k =>
        {
            // A stream of its own each, so that the result does not depend on who computes it.
            var random = new Xoshiro256StarStar(unchecked(design.Options.ResampleSeed * 1_000_003 + k), threadSafe: false);
            double[] shared = [.. Enumerable.Range(0, parts.Classes).Select(_ => few * s_webb[random.Next(6)])];
            double[] own = [.. Enumerable.Range(0, parts.Clusters).Select(_ => random.NextBoolean() ? scarce : -scarce)];
            double[] loss = new double[design.Runs.Count];
            for (int i = 0; i < loss.Length; i++)
            {
                loss[i] = Math.Max(parts.Fitted[i] + shared[parts.ClassOf[i]] * parts.Shared[i] + own[parts.ClusterOf[i]] * parts.Own[i], 1e-3 * design.Loss[i]);
            }

            // A millionth of the objective is far below what draws differ by.
            solutions[k] = fitter.Refit(solution, loss, tolerance: 1e-7);
        });
        return solutions;
    }

    /// <summary>Degrees of freedom that are left for the noise of runs; of a conditional law, beside its levels.</summary>
    private static int Freedom(LawFitter fitter, ResidualParts parts)
    {
        var design = fitter.Design;
        bool conditional = design.Options.Law == LawKind.Conditional && design.Points < design.Runs.Count;
        int levels = parts.Clusters < design.Runs.Count ? design.Sizes : design.Points;
        return parts.Clusters - (conditional ? levels + fitter.ShapeFreedom : fitter.Freedom);
    }

    /// <summary>By how much a 95 % interval of so few degrees of freedom is wider than the normal's.</summary>
    private static double Student(int freedom) => StudentT.InvCDF(0, 1, Math.Max(1, freedom), 0.975) / Normal.InvCDF(0, 1, 0.975);
}

/// <summary>Fitted losses and the two parts of their residuals, made up for leverage, nats.</summary>
internal sealed record ResidualParts(double[] Fitted, double[] Shared, double[] Own, int[] ClassOf, int[] ClusterOf)
{
    /// <summary>A leverage nearer to 1 says that the fit goes through the point: its error is unknown, not infinite.</summary>
    private const double LargestLeverage = 0.9;

    public int Classes => ClassOf.Max() + 1;

    public int Clusters => ClusterOf.Max() + 1;

    /// <summary>Standard deviation of the shared part over classes, nats.</summary>
    public double SharedDeviation => Deviation(Enumerable.Range(0, Classes).Select(c => Shared[Array.IndexOf(ClassOf, c)]));

    /// <summary>What the law misses of single rows within their class, made up for the degrees of freedom, nats.</summary>
    /// <param name="loss">Measured.</param>
    /// <param name="freedom">Of the terms that classes tell.</param>
    public double WithinDeviation(double[] loss, int freedom)
    {
        double[] residual = [.. loss.Zip(Fitted, (l, f) => l - f)];
        double squares = SizeClasses.Within(residual, ClassOf).Sum(r => r * r);
        return Math.Sqrt(squares / Math.Max(1, loss.Length - Classes - freedom));
    }

    /// <summary>Standard deviation of the own part over rows, nats.</summary>
    public double OwnDeviation => Deviation(Own);

    public static ResidualParts Of(LawFitter fitter, LawSolution solution)
    {
        var design = fitter.Design;
        double[] fitted = design.Predict(solution);
        double[] residual = [.. design.Loss.Zip(fitted, (l, f) => l - f)];
        int[] classes = design.Options.Law == LawKind.Conditional ? design.Classes : design.SizeOf;
        int[] clusters = RunOf(design.Runs);
        double[,] jacobian = JacobianOf(fitter, solution, fitted);
        var leverage = new Leverage(jacobian, design.Weights, levels: null);
        if (classes.Max() + 1 == classes.Length)
        {
            // With a row a class what it shares and what is its own are one.
            return new ResidualParts(fitted, new double[classes.Length], MadeUp(residual, clusters, leverage), classes, clusters);
        }

        double[] mean = SizeClasses.Means(residual, classes);
        double[] shared = MadeUp(mean, classes, leverage);
        double[] own = fitter.WithinClasses(solution) is { } within
            ? MadeUp([.. within.Residual.Select(r => -r)], clusters, within.Leverage)
            : MadeUp([.. residual.Zip(mean, (r, m) => r - m)], clusters, new Leverage(WithinOf(jacobian, classes), design.Weights, classes));
        return new ResidualParts(fitted, Beyond(shared, own, classes, clusters), own, classes, clusters);
    }

    /// <summary>
    /// The mean of a class scatters by the noise of its runs too, and that is in their own parts already: what is shared is shrunk, by one factor, to
    /// the variance beyond it; to nothing where there is none.
    /// </summary>
    private static double[] Beyond(double[] shared, double[] own, int[] classes, int[] clusters)
    {
        if (classes.Max() == 0)
        {
            return new double[shared.Length];
        }

        double all = 0, noise = 0;
        foreach (var members in Enumerable.Range(0, shared.Length).GroupBy(i => classes[i]))
        {
            all += shared[members.First()] * shared[members.First()];
            noise += members.Average(i => own[i] * own[i]) / members.Select(i => clusters[i]).Distinct().Count();
        }

        double factor = all > noise ? Math.Sqrt((all - noise) / all) : 0;
        return [.. shared.Select(s => factor * s)];
    }

    /// <summary>Residuals made up for leverage: what a cluster shares by the cluster's, the rest by the row's (after Bell, McCaffrey 2002).</summary>
    private static double[] MadeUp(double[] residual, int[] clusters, Leverage leverage)
    {
        double[] made = new double[residual.Length];
        static double By(double leverage) => 1 / Math.Sqrt(1 - Math.Min(leverage, LargestLeverage));
        foreach (var cluster in Enumerable.Range(0, residual.Length).GroupBy(i => clusters[i]))
        {
            int[] members = [.. cluster];
            double mean = members.Average(i => residual[i]), shared = mean * By(leverage.OfRows(members));
            foreach (int i in members)
            {
                made[i] = shared + (residual[i] == mean ? 0 : (residual[i] - mean) * By(leverage.OfRows([i])));
            }
        }

        return made;
    }

    /// <summary>By what the objective takes differences of: ln L̂, or L̂.</summary>
    private static double[,] JacobianOf(LawFitter fitter, LawSolution solution, double[] fitted)
    {
        double[,] jacobian = fitter.LogJacobian(solution);
        for (int i = 0; i < fitted.Length && fitter.Design.Options.Objective == ObjectiveKind.LeastSquares; i++)
        {
            for (int k = 0; k < jacobian.GetLength(1); k++)
            {
                jacobian[i, k] *= fitted[i];
            }
        }

        return jacobian;
    }

    /// <summary>Each column less its class means.</summary>
    private static double[,] WithinOf(double[,] jacobian, int[] classes)
    {
        double[,] within = new double[classes.Length, jacobian.GetLength(1)];
        for (int k = 0; k < jacobian.GetLength(1); k++)
        {
            double[] column = SizeClasses.Within([.. Enumerable.Range(0, classes.Length).Select(i => jacobian[i, k])], classes);
            for (int i = 0; i < column.Length; i++)
            {
                within[i, k] = column[i];
            }
        }

        return within;
    }

    /// <summary>Rows of one training run share a number.</summary>
    private static int[] RunOf(IReadOnlyList<TrainingRun> runs)
    {
        var known = new Dictionary<string, int>(StringComparer.Ordinal);
        int next = 0;
        return [.. runs.Select(r => r.Run is null ? next++ : known.TryGetValue(r.Run, out int of) ? of : known[r.Run] = next++)];
    }

    private static double Deviation(IEnumerable<double> values)
    {
        double[] all = [.. values];
        return Math.Sqrt(all.Average(v => v * v));
    }
}
