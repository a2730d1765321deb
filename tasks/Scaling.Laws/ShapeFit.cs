// Fits the shape's terms: x*, r* and curvatures, from what variants of one (N, D) class differ in. No base law is needed for them.
namespace Scaling.Laws;

/// <summary>
/// min Σ (L̂ − L)² over u, v, t ≥ 0 and a free level ℓ for each (N, D) class, by Levenberg–Marquardt with the levels projected out:
/// <code>
/// multiplicative   L̂ = ℓ·g·(1 + u1·ln(x/x0) + u2·(x0/x − 1))·(1 + v1·ln(r/r0) + v2·(r0/r − 1))
/// additive         L̂ = ℓ + g + u1·ln(x/x0) + u2·(x0/x − 1) + v1·ln(r/r0) + v2·(r0/r − 1)
/// </code>
/// x0, r0 are the runs' geometric means; x* = x0·u2/u1. u, v ≥ 0 keeps each term a valley or a slope: a fitted ridge would send every search to the
/// edge of the runs. g carries the variant's own N and D, which rounding moved off their class: from the base law where the runs have several
/// sizes, else a free slope −t in ln N.
/// </summary>
internal sealed class ShapeFit
{
    private readonly LawForm _form;
    private readonly int[] _classes;
    private readonly double[][] _columns;
    private readonly double _x0;
    private readonly double _r0;

    /// <summary>Prepares the fit of some runs.</summary>
    /// <param name="runs">Rows.</param>
    /// <param name="classes">The (N, D) class of each.</param>
    /// <param name="form">Multiplicative or additive.</param>
    /// <param name="width">Whether x is fitted.</param>
    /// <param name="split">Whether r is fitted.</param>
    /// <param name="slope">Whether a slope in ln N is fitted.</param>
    public ShapeFit(IReadOnlyList<TrainingRun> runs, int[] classes, LawForm form, bool width, bool split, bool slope)
    {
        (_form, _classes) = (form, classes);
        _x0 = width ? SizeClasses.GeometricMean(runs.Select(r => r.X!.Value)) : 1;
        _r0 = split ? SizeClasses.GeometricMean(runs.Select(r => r.Ratio!.Value)) : 1;
        double[] size = ClassMeans([.. runs.Select(r => Math.Log(r.Parameters))]);
        _columns =
        [
            Column(width, runs, r => Math.Log(r.X!.Value / _x0)),
            Column(width, runs, r => _x0 / r.X!.Value - 1),
            Column(split, runs, r => Math.Log(r.Ratio!.Value / _r0)),
            Column(split, runs, r => _r0 / r.Ratio!.Value - 1),
            slope ? [.. runs.Select((r, i) => -(Math.Log(r.Parameters) - size[i]))] : new double[runs.Count],
        ];
    }

    /// <summary>Where the iteration starts: no effect of the shape.</summary>
    public static double[] NoEffect => new double[5];

    /// <summary>Degrees of freedom that the terms take, levels not counted.</summary>
    public int Terms => _columns.Count(c => c.Any(v => v != 0));

    /// <summary>Fits.</summary>
    /// <param name="loss">L, a run each.</param>
    /// <param name="local">g: the base law of the run over (additive: less) that of its class; 1 (0) where it says nothing.</param>
    /// <param name="theta">Where to start: u1, u2, v1, v2, t.</param>
    public double[] Fit(double[] loss, double[] local, double[] theta)
    {
        double damping = 1e-6;
        var (value, jacobian, residual) = Linearise(loss, local, theta);
        for (int i = 0; i < 100 && damping < 1e12; i++)
        {
            double[] next = Step(jacobian, residual, theta, damping);
            var trial = Linearise(loss, local, next);
            if (trial.Value < value)
            {
                bool still = value - trial.Value <= 1e-15 * value;
                (theta, damping) = (next, damping / 10);
                (value, jacobian, residual) = trial;
                if (still)
                {
                    break;
                }
            }
            else
            {
                damping *= 10;
            }
        }

        return theta;
    }

    /// <summary>The residuals L̂ − L with the levels at their best.</summary>
    public double[] Residuals(double[] loss, double[] local, double[] theta) => Linearise(loss, local, theta).Residual;

    /// <summary>The coefficients of the published form, scaled to no effect at the optimum, or at x0, r0 where there is none within ten times these.</summary>
    public ShapeTerms ShapeTerms(double[] theta)
    {
        double x = Anchor(theta[0], theta[1], _x0);
        double r = Anchor(theta[2], theta[3], _r0);
        var (a0, a1, a2) = Normalised(theta[0], theta[1], _x0, x);
        var (b0, b1, b2) = Normalised(theta[2], theta[3], _r0, r);
        return new ShapeTerms(_form, new ShapeCoefficients(a0, a1, a2, b0, b1, b2));
    }

    /// <summary>The optimum, if it is near enough to the runs to set their level; else the runs' mean.</summary>
    private static double Anchor(double u1, double u2, double origin) =>
        u1 > 0 && u2 / u1 is > 0.1 and < 10 ? origin * u2 / u1 : origin;

    /// <summary>1 + u1·ln(x/x0) + u2·(x0/x − 1), divided by its value at the anchor (additive: without the 1, less that value), in powers of x.</summary>
    private (double Constant, double Logarithm, double Inverse) Normalised(double u1, double u2, double origin, double anchor)
    {
        double unit = _form == LawForm.Multiplicative ? 1 + u1 * Math.Log(anchor / origin) + u2 * (origin / anchor - 1) : 1;
        double logarithm = u1 / unit, inverse = u2 * origin / unit;
        double constant = (_form == LawForm.Multiplicative ? 1 : 0) - logarithm * Math.Log(anchor) - inverse / anchor;
        return (constant, logarithm, inverse);
    }

    /// <summary>Sum of squares, Jacobian by θ (levels projected out, Kaufman's approximation) and residuals.</summary>
    private (double Value, double[][] Jacobian, double[] Residual) Linearise(double[] loss, double[] local, double[] theta)
    {
        int n = loss.Length;
        double[] model = new double[n];
        double[] direction = new double[n];
        double[][] jacobian = [.. _columns.Select(_ => new double[n])];
        for (int i = 0; i < n; i++)
        {
            double width = theta[0] * _columns[0][i] + theta[1] * _columns[1][i];
            double split = theta[2] * _columns[2][i] + theta[3] * _columns[3][i];
            double slope = theta[4] * _columns[4][i];
            if (_form == LawForm.Additive)
            {
                (model[i], direction[i]) = (local[i] + width + split + slope, 1);
                Fill(jacobian, i, 1, 1, 1);
            }
            else
            {
                double size = local[i] * Math.Exp(slope);
                model[i] = direction[i] = size * (1 + width) * (1 + split);
                Fill(jacobian, i, size * (1 + split), size * (1 + width), model[i]);
            }
        }

        double[] level = Levels(loss, model, direction);
        double[] residual = [.. model.Select((m, i) => (_form == LawForm.Additive ? level[i] + m : level[i] * m) - loss[i])];
        foreach (double[] column in jacobian)
        {
            if (_form == LawForm.Multiplicative)
            {
                for (int i = 0; i < n; i++)
                {
                    column[i] *= level[i];
                }
            }

            ProjectOut(column, direction);
        }

        return (residual.Sum(r => r * r), jacobian, residual);
    }

    private void Fill(double[][] jacobian, int i, double width, double split, double slope)
    {
        for (int k = 0; k < 5; k++)
        {
            jacobian[k][i] = _columns[k][i] * (k < 2 ? width : k < 4 ? split : slope);
        }
    }

    /// <summary>The best level of each run's class.</summary>
    private double[] Levels(double[] loss, double[] model, double[] direction)
    {
        double[] above = new double[_classes.Max() + 1], below = new double[above.Length];
        for (int i = 0; i < loss.Length; i++)
        {
            above[_classes[i]] += _form == LawForm.Additive ? loss[i] - model[i] : loss[i] * model[i];
            below[_classes[i]] += direction[i] * direction[i];
        }

        return [.. _classes.Select(c => above[c] / below[c])];
    }

    private void ProjectOut(double[] column, double[] direction)
    {
        double[] above = new double[_classes.Max() + 1], below = new double[above.Length];
        for (int i = 0; i < column.Length; i++)
        {
            above[_classes[i]] += column[i] * direction[i];
            below[_classes[i]] += direction[i] * direction[i];
        }

        for (int i = 0; i < column.Length; i++)
        {
            column[i] -= above[_classes[i]] / below[_classes[i]] * direction[i];
        }
    }

    /// <summary>The damped step as non-negative least squares in the new θ: (JᵀJ + μ·diag)·θ' = Jᵀ(J·θ − ρ) + μ·diag·θ.</summary>
    private static double[] Step(double[][] jacobian, double[] residual, double[] theta, double damping)
    {
        int n = theta.Length;
        double[,] gram = new double[n, n];
        double[] target = new double[n];
        for (int j = 0; j < n; j++)
        {
            for (int k = 0; k < n; k++)
            {
                gram[j, k] = jacobian[j].Zip(jacobian[k], (a, b) => a * b).Sum();
                target[j] += gram[j, k] * theta[k];
            }

            target[j] -= jacobian[j].Zip(residual, (a, b) => a * b).Sum();
        }

        for (int j = 0; j < n; j++)
        {
            target[j] += damping * gram[j, j] * theta[j];
            gram[j, j] *= 1 + damping;
        }

        return NonNegativeLeastSquares.Solve(gram, target);
    }

    /// <summary>The mean of each run's class.</summary>
    private double[] ClassMeans(double[] values)
    {
        var means = values.Select((value, i) => (value, Class: _classes[i])).GroupBy(v => v.Class).ToDictionary(g => g.Key, g => g.Average(v => v.value));
        return [.. _classes.Select(c => means[c])];
    }

    private static double[] Column(bool present, IReadOnlyList<TrainingRun> runs, Func<TrainingRun, double> value) =>
        present ? [.. runs.Select(value)] : new double[runs.Count];
}
