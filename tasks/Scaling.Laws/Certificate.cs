// What speaks for the base law's minimum being the minimum: gradient, conditioning, profile, lower bound, bounds reached.
using MathNet.Numerics.LinearAlgebra;

namespace Scaling.Laws;

/// <summary>What speaks for a minimum.</summary>
public sealed record Certificate
{
    /// <summary>How the minimiser ended.</summary>
    public required Convergence Status { get; init; }

    /// <summary>Largest |∂f/∂p| over f, p the logarithms of E, A, B, α, β that are not at a bound. At a minimum rounding is left.</summary>
    public required double GradientNorm { get; init; }

    /// <summary>Singular values' quotient of the Jacobian of ln L̂, absent terms left out, columns of length 1, rows unweighted; null where it is infinite.</summary>
    public double? ConditionNumber { get; init; }

    /// <summary>What is at a bound: <c>E</c>, <c>A</c> or <c>B</c> at 0, <c>alpha</c> or <c>beta</c> at .001 or 10.</summary>
    public required IReadOnlyList<string> AtBounds { get; init; }

    /// <summary>Within this share above the least objective the profile's intervals lie: 0.004.</summary>
    public double ProfileShare { get; init; } = BaseCertificate.ProfileShare;

    /// <summary>α for which the objective, at its best in all else, stays within the share; null where α is not fitted.</summary>
    public Interval? ProfileAlpha { get; init; }

    /// <summary>β, likewise.</summary>
    public Interval? ProfileBeta { get; init; }

    /// <summary>
    /// No law with exponents from .001 to 10 has an objective below this, by branch and bound; null for log-Huber, for which there is no such proof,
    /// and for the width-over-depth law.
    /// </summary>
    public double? LowerBound { get; init; }
}

/// <summary>Certifies base laws.</summary>
internal static class BaseCertificate
{
    /// <summary>Exponents this near to the best cannot be told from it in any table of this field.</summary>
    public const double ProfileShare = 0.004;

    private static readonly string[] s_names = ["E", "A", "B", "alpha", "beta"];

    public static Certificate Of(LawFitter fitter, LawSolution solution)
    {
        var certificate = new Certificate
        {
            Status = solution.Status,
            GradientNorm = fitter.GradientNorm(solution),
            ConditionNumber = ConditionNumber(fitter.LogJacobian(solution)),
            AtBounds = [],
        };
        if (fitter is WidthOverDepthFitter)
        {
            return certificate;
        }

        var design = fitter.Design;
        var objective = fitter.Objective(solution);
        return certificate with
        {
            AtBounds = [.. s_names.Where((_, k) => (k < 3 ? design.BaseTerms[k] : design.BaseTerms[k - 2]) && ChinchillaFit.AtBound(solution.Point, k))],
            ProfileAlpha = solution.Law.A > 0 ? Profile(objective, solution, 3) : null,
            ProfileBeta = solution.Law.B > 0 ? Profile(objective, solution, 4) : null,
            LowerBound = design.Options.Objective == ObjectiveKind.LeastSquares && design.Runs.Count <= 5000 ? LeastSquaresBound.Of(objective, design.BaseTerms, solution.Value) : null,
        };
    }

    /// <summary>Quotient of the largest and smallest singular value, columns that are present scaled to length 1; null where infinite.</summary>
    public static double? ConditionNumber(double[,] jacobian)
    {
        int rows = jacobian.GetLength(0);
        var columns = Enumerable.Range(0, jacobian.GetLength(1)).Select(k => Vector<double>.Build.Dense(rows, i => jacobian[i, k])).Where(c => c.L2Norm() > 0).ToList();
        if (columns.Count == 0 || columns.Count > rows || columns.Any(c => c.Any(v => !double.IsFinite(v))))
        {
            return null;
        }

        // Of the triangle: the same singular values from a handful of numbers.
        var singular = Matrix<double>.Build.DenseOfColumnVectors(columns.Select(c => c.Normalize(2))).QR(MathNet.Numerics.LinearAlgebra.Factorization.QRMethod.Thin).R.Svd(false).S;
        return singular[singular.Count - 1] > 1e-15 * singular[0] ? singular[0] / singular[singular.Count - 1] : null;
    }

    /// <summary>Outwards in steps that double, then by halves.</summary>
    private static Interval Profile(ChinchillaObjective objective, LawSolution solution, int exponent)
    {
        double limit = solution.Value * (1 + ProfileShare) + 1e-18 * objective.Rows;
        double Side(int direction)
        {
            double end = Math.Log(direction < 0 ? ChinchillaObjective.LeastExponent : ChinchillaObjective.LargestExponent);
            double inside = solution.Point[exponent], step = 0.01 * direction;
            double[] from = solution.Point;
            double outside = end;
            while (inside != end)
            {
                double next = direction > 0 ? Math.Min(inside + step, end) : Math.Max(inside + step, end);
                var at = ChinchillaFit.AtExponent(objective, from, exponent, next);
                if (at.Value > limit)
                {
                    outside = next;
                    break;
                }

                (inside, from, step) = (next, at.Point, 2 * step);
            }

            for (int i = 0; i < 8 && inside != end; i++)
            {
                double middle = (inside + outside) / 2;
                var at = ChinchillaFit.AtExponent(objective, from, exponent, middle);
                if (at.Value > limit)
                {
                    outside = middle;
                }
                else
                {
                    (inside, from) = (middle, at.Point);
                }
            }

            return Math.Exp(inside);
        }

        return new Interval(Side(-1), Side(1));
    }
}
