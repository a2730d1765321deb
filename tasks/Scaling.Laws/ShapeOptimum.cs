// Where a shape's terms have their least loss: in closed form where there is one, else by turns along each axis.
namespace Scaling.Laws;

/// <summary>The x and the ratio of least loss.</summary>
internal static class ShapeOptimum
{
    /// <summary>A minimum farther from the runs' mean than this factor is none that runs could show.</summary>
    private const double Reach = 30;

    /// <summary>The optimum; null on an axis without one.</summary>
    /// <param name="shape">Terms.</param>
    /// <param name="parameters">N, for drift; null: the size where drift is 0.</param>
    public static (double? X, double? Ratio) Of(ShapeTerms shape, double? parameters)
    {
        var c = shape.Coefficients;
        bool moved = shape.Terms.Any(t => t.Term == LawTerm.Interaction || (t.Term == LawTerm.Drift && parameters is not null));
        var plain = shape.Form switch
        {
            LawForm.Multiplicative or LawForm.Additive => (ShapeTerms.LeastOf(c.A1, c.A2), ShapeTerms.LeastOf(c.B1, c.B2)),
            LawForm.Quadratic => Bowl(c),
            LawForm.Valley => Moved(shape, parameters),
            _ => ((double?)null, (double?)null),
        };
        return moved && shape.Form != LawForm.Joint ? Walk(shape, parameters, plain) : plain;
    }

    private static (double? X, double? Ratio) Moved(ShapeTerms shape, double? parameters)
    {
        var c = shape.Coefficients;
        double size = Math.Log((parameters ?? shape.Centre.Parameters) / shape.Centre.Parameters);
        return (Within(Math.Exp(c.A1 + c.A2 * size)), Within(Math.Exp(c.B1 + c.B2 * size)));
    }

    private static (double? X, double? Ratio) Bowl(ShapeCoefficients c)
    {
        // Of one axis alone the other's coefficients are 0.
        double? Along(double slope, double bend) => bend > 0 ? Within(Math.Exp(-slope / (2 * bend))) : null;
        if (c.C == 0)
        {
            return (Along(c.A1, c.A2), Along(c.B1, c.B2));
        }

        double determinant = 4 * c.A2 * c.B2 - c.C * c.C;
        return c.A2 > 0 && determinant > 0
            ? (Within(Math.Exp((c.C * c.B1 - 2 * c.B2 * c.A1) / determinant)), Within(Math.Exp((c.C * c.A1 - 2 * c.A2 * c.B1) / determinant)))
            : (null, null);
    }

    private static double? Within(double value) => value is > 1e-9 and < 1e9 ? value : null;

    /// <summary>Turn by turn along ln x and ln r by golden section; an end of the reach is no minimum.</summary>
    private static (double? X, double? Ratio) Walk(ShapeTerms shape, double? parameters, (double? X, double? Ratio) start)
    {
        double size = parameters ?? shape.Terms.FirstOrDefault(t => t.Term == LawTerm.Drift)?.Centre ?? 1;
        double x = start.X ?? shape.Centre.X, ratio = start.Ratio ?? shape.Centre.Ratio;
        bool hasX = start.X is not null, hasRatio = start.Ratio is not null;
        double Loss(double u, double v) => shape.Factor(new LawPoint(size, 1) { X = u, Ratio = v });

        for (int turn = 0; turn < 60; turn++)
        {
            var (oldX, oldRatio) = (x, ratio);
            if (hasX)
            {
                (x, hasX) = Least(u => Loss(u, ratio), shape.Centre.X);
            }

            if (hasRatio)
            {
                (ratio, hasRatio) = Least(v => Loss(x, v), shape.Centre.Ratio);
            }

            // Golden section halves the digits of the loss.
            if (Math.Abs(x - oldX) <= 1e-7 * oldX && Math.Abs(ratio - oldRatio) <= 1e-7 * oldRatio)
            {
                return (hasX ? x : null, hasRatio ? ratio : null);
            }
        }

        return (null, null);
    }

    private static (double Place, bool Inside) Least(Func<double, double> f, double near)
    {
        double low = Math.Log(near / Reach), high = Math.Log(near * Reach);
        double golden = (Math.Sqrt(5) - 1) / 2;
        double a = low, b = high;
        double c = b - golden * (b - a), d = a + golden * (b - a);
        double fc = f(Math.Exp(c)), fd = f(Math.Exp(d));
        for (int i = 0; i < 75; i++)
        {
            if (fc < fd)
            {
                (b, d, fd) = (d, c, fc);
                c = b - golden * (b - a);
                fc = f(Math.Exp(c));
            }
            else
            {
                (a, c, fc) = (c, d, fd);
                d = a + golden * (b - a);
                fd = f(Math.Exp(d));
            }
        }

        double place = (a + b) / 2;
        bool inside = place - low > 1e-3 && high - place > 1e-3;
        return (inside ? Math.Exp(place) : near, inside);
    }
}
