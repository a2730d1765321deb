// Fits the shape's terms: x*, r* and curvatures, from what variants of one (N, D) class differ in. No base law is needed for them.
namespace Scaling.Laws;

/// <summary>A shape fit where it stands.</summary>
/// <param name="Value">Σ w·(L̂ − L)².</param>
/// <param name="Residual">L̂ − L, nats, a run each.</param>
/// <param name="Jacobian">∂L̂/∂θ with the levels projected out, a column a θ.</param>
internal sealed record ShapeState(double Value, double[] Residual, double[][] Jacobian);

/// <summary>
/// min Σ w·(L̂ − L)² over θ and a free level ℓ for each (N, D) class, by Levenberg–Marquardt with the levels projected out:
/// <code>
/// factor forms   L̂ = ℓ·g·(1 + Σ width)·(1 + Σ split)·exp(Σ exponent)
/// additive       L̂ = ℓ + g + Σ all
/// </code>
/// each sum over the block's columns of <see cref="ShapeColumns"/> times their θ. g is what the base law says of the variant's own N and D beside
/// its class, 1 (0) where it says nothing.
/// </summary>
internal sealed class ShapeFit
{
    private readonly bool _additive;
    private readonly int[] _classes;
    private readonly int _classCount;
    private readonly double[] _weights;
    private readonly double[][] _columns;
    private readonly Block[] _blocks;
    private readonly bool[] _free;

    /// <summary>Prepares the fit of some runs.</summary>
    /// <param name="columns">What is fitted.</param>
    /// <param name="classes">The (N, D) class of each run, from 0.</param>
    /// <param name="weights">Of each run.</param>
    public ShapeFit(ShapeColumns columns, int[] classes, double[] weights)
    {
        (Columns, _additive, _classes, _weights) = (columns, columns.Additive, classes, weights);
        _classCount = classes.Max() + 1;
        Told = [.. columns.All.Select(c => Varies(c.Values))];
        _columns = [.. columns.All.Select((c, k) => Told[k] ? c.Values : new double[c.Values.Length])];
        _blocks = [.. columns.All.Select(c => c.Block)];
        _free = [.. columns.All.Select(c => !c.NonNegative)];
    }

    public ShapeColumns Columns { get; }

    /// <summary>Which columns vary within a class: of the others the runs tell nothing, and their θ stays 0.</summary>
    public bool[] Told { get; }

    /// <summary>Where the iteration starts: no effect of the shape.</summary>
    public double[] NoEffect => new double[_columns.Length];

    /// <summary>Degrees of freedom that the terms take, levels not counted.</summary>
    public int Terms => _columns.Count(c => c.Any(v => v != 0));

    /// <summary>Less than a ten-millionth of what the column holds is rounding.</summary>
    private bool Varies(double[] values)
    {
        double within = SizeClasses.Within(values, _classes).Sum(d => d * d), all = values.Sum(v => v * v);
        return within > 1e-14 * all && within > 1e-18 * values.Length;
    }

    /// <summary>Fits.</summary>
    /// <param name="loss">L, a run each.</param>
    /// <param name="local">g: the base law of the run over (additive: less) that of its class.</param>
    /// <param name="theta">Where to start.</param>
    /// <param name="tolerance">A step that gains a smaller share of the sum ends it.</param>
    public double[] Fit(double[] loss, double[] local, double[] theta, double tolerance = 1e-15)
    {
        if (_columns.Length == 0)
        {
            return theta;
        }

        double damping = 1e-6;
        var here = At(loss, local, theta);
        for (int i = 0; i < 100 && damping < 1e12; i++)
        {
            double[] next = Step(here, theta, damping);
            var trial = At(loss, local, next);
            if (trial.Value < here.Value)
            {
                bool still = here.Value - trial.Value <= tolerance * here.Value;
                (theta, damping, here) = (next, damping / 10, trial);
                if (still)
                {
                    break;
                }
            }
            else if (trial.Value - here.Value <= 1e-14 * here.Value && damping <= 1e-6)
            {
                // An undamped step that changes nothing but rounding.
                break;
            }
            else
            {
                damping *= 10;
            }
        }

        return theta;
    }

    /// <summary>Residuals and Jacobian with the levels at their best.</summary>
    public ShapeState At(double[] loss, double[] local, double[] theta)
    {
        int n = loss.Length, m = _columns.Length;
        double[] model = new double[n], direction = new double[n];
        double[][] jacobian = new double[m][];
        for (int k = 0; k < m; k++)
        {
            jacobian[k] = new double[n];
        }

        for (int i = 0; i < n; i++)
        {
            double width = 0, split = 0, exponent = 0;
            for (int k = 0; k < m; k++)
            {
                double term = theta[k] * _columns[k][i];
                (width, split, exponent) = _blocks[k] switch
                {
                    Block.Width => (width + term, split, exponent),
                    Block.Split => (width, split + term, exponent),
                    _ => (width, split, exponent + term),
                };
            }

            double size = _additive ? 1 : local[i] * Math.Exp(exponent);
            model[i] = _additive ? local[i] + width + split + exponent : size * (1 + width) * (1 + split);
            direction[i] = _additive ? 1 : model[i];
            for (int k = 0; k < m; k++)
            {
                jacobian[k][i] = _columns[k][i] * (_additive ? 1 : _blocks[k] switch
                {
                    Block.Width => size * (1 + split),
                    Block.Split => size * (1 + width),
                    _ => model[i],
                });
            }
        }

        double[] squares = new double[_classCount], level = new double[_classCount];
        for (int i = 0; i < n; i++)
        {
            squares[_classes[i]] += _weights[i] * direction[i] * direction[i];
            level[_classes[i]] += _weights[i] * direction[i] * (_additive ? loss[i] - model[i] : loss[i]);
        }

        double[] residual = new double[n];
        double value = 0;
        for (int i = 0; i < n; i++)
        {
            double own = level[_classes[i]] / squares[_classes[i]];
            residual[i] = (_additive ? own + model[i] : own * model[i]) - loss[i];
            value += _weights[i] * residual[i] * residual[i];
            for (int k = 0; k < m && !_additive; k++)
            {
                jacobian[k][i] *= own;
            }
        }

        foreach (double[] column in jacobian)
        {
            ProjectOut(column, direction, squares);
        }

        return new ShapeState(value, residual, jacobian);
    }

    /// <summary>What share of the losses is absorbed by levels and terms; a term at its bound takes none.</summary>
    public Leverage Leverage(ShapeState at, double[] theta)
    {
        double[,] rows = new double[_weights.Length, theta.Length];
        for (int k = 0; k < theta.Length; k++)
        {
            for (int i = 0; (_free[k] || theta[k] > 0) && i < _weights.Length; i++)
            {
                rows[i, k] = at.Jacobian[k][i];
            }
        }

        return new Leverage(rows, _weights, _classes);
    }

    private double[,] Gram(double[][] jacobian)
    {
        int m = jacobian.Length;
        double[,] gram = new double[m, m];
        for (int j = 0; j < m; j++)
        {
            for (int k = j; k < m; k++)
            {
                double sum = 0;
                for (int i = 0; i < _weights.Length; i++)
                {
                    sum += _weights[i] * jacobian[j][i] * jacobian[k][i];
                }

                (gram[j, k], gram[k, j]) = (sum, sum);
            }
        }

        return gram;
    }

    private void ProjectOut(double[] column, double[] direction, double[] squares)
    {
        double[] along = new double[_classCount];
        for (int i = 0; i < column.Length; i++)
        {
            along[_classes[i]] += _weights[i] * column[i] * direction[i];
        }

        for (int i = 0; i < column.Length; i++)
        {
            column[i] -= along[_classes[i]] / squares[_classes[i]] * direction[i];
        }
    }

    /// <summary>The damped step as bounded least squares in the new θ: (JᵀJ + μ·diag)·θ' = Jᵀ(J·θ − ρ) + μ·diag·θ.</summary>
    private double[] Step(ShapeState here, double[] theta, double damping)
    {
        int m = theta.Length;
        double[,] gram = Gram(here.Jacobian);
        double[] target = new double[m];
        for (int j = 0; j < m; j++)
        {
            for (int k = 0; k < m; k++)
            {
                target[j] += gram[j, k] * theta[k];
            }

            for (int i = 0; i < _weights.Length; i++)
            {
                target[j] -= _weights[i] * here.Jacobian[j][i] * here.Residual[i];
            }
        }

        for (int j = 0; j < m; j++)
        {
            target[j] += damping * gram[j, j] * theta[j];
            gram[j, j] *= 1 + damping;
        }

        return NonNegativeLeastSquares.Solve(gram, target, _free);
    }
}
