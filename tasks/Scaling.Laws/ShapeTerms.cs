// The shape's part of the conditional law: what a decoder's x and ratio do to its loss.
namespace Scaling.Laws;

/// <summary>How the shape's terms act on the base law.</summary>
public enum LawForm
{
    /// <summary>L = (a0 + a1·ln x + a2/x)·(b0 + b1·ln r + b2/r)·L_opt(N, D). The default.</summary>
    Multiplicative,

    /// <summary>L = (a0 + a1·ln x + a2/x) + (b0 + b1·ln r + b2/r) + L_opt(N, D), with b0 = 0.</summary>
    Additive,
}

/// <summary>The six coefficients as the paper prints them (arXiv 2510.18245), natural logarithms.</summary>
/// <param name="A0">Constant of the width's term.</param>
/// <param name="A1">Of ln x; 0 where the runs say nothing of x.</param>
/// <param name="A2">Of 1/x; 0 where the runs say nothing of x.</param>
/// <param name="B0">Constant of the ratio's term.</param>
/// <param name="B1">Of ln r.</param>
/// <param name="B2">Of 1/r.</param>
public sealed record ShapeCoefficients(double A0, double A1, double A2, double B0, double B1, double B2);

/// <summary>
/// x = d/√N (hidden size over the root of the non-embedding parameters) and r (MLP parameters over attention parameters) act on the loss
/// through a0 + a1·ln x + a2/x and b0 + b1·ln r + b2/r. With a1, a2 > 0 the first has its minimum at x* = a2/a1.
/// The coefficients of the multiplicative form are unique up to a scale; a fit here makes the factor 1 at (x*, r*).
/// </summary>
/// <param name="Form">How the terms act.</param>
/// <param name="Coefficients">Constant over N and D.</param>
public sealed record ShapeTerms(LawForm Form, ShapeCoefficients Coefficients)
{
    /// <summary>x*, the x of least loss; null where the terms have no minimum in x.</summary>
    public double? XStar => Minimum(Coefficients.A1, Coefficients.A2);

    /// <summary>r*, the ratio of least loss; null where the terms have no minimum in r.</summary>
    public double? RStar => Minimum(Coefficients.B1, Coefficients.B2);

    /// <summary>The factor on L_opt; of the additive form the nats added to it. Either ranks shapes of equal N and D.</summary>
    /// <param name="x">d/√N, > 0. Null: the best there is, x*. Without effect where a1 = a2 = 0.</param>
    /// <param name="ratio">r, > 0. Null: r*. Without effect where b1 = b2 = 0.</param>
    /// <remarks>The paper's first row of constants at x .0820, r 1.0667 (Panda-1B) gives 1.0028.</remarks>
    public double Factor(double? x, double? ratio)
    {
        var c = Coefficients;
        double width = Value(c.A0, c.A1, c.A2, x ?? XStar);
        double split = Value(c.B0, c.B1, c.B2, ratio ?? RStar);
        return Form == LawForm.Multiplicative ? width * split : width + split;
    }

    /// <summary>The loss of a shape, nats a token.</summary>
    /// <param name="best">L_opt(N, D), nats a token.</param>
    /// <param name="x">d/√N.</param>
    /// <param name="ratio">r.</param>
    public double Apply(double best, double? x, double? ratio) =>
        Form == LawForm.Multiplicative ? best * Factor(x, ratio) : best + Factor(x, ratio);

    /// <summary>The inverse of <see cref="Apply"/>: what the best shape would have lost where this one lost <paramref name="loss"/>.</summary>
    /// <param name="loss">Nats a token.</param>
    /// <param name="x">d/√N.</param>
    /// <param name="ratio">r.</param>
    public double Remove(double loss, double? x, double? ratio) =>
        Form == LawForm.Multiplicative ? loss / Factor(x, ratio) : loss - Factor(x, ratio);

    private static double? Minimum(double logarithm, double inverse) => logarithm > 0 && inverse > 0 ? inverse / logarithm : null;

    /// <summary>An axis with a slope and no minimum has no best; without a place on it the runs' mean stands, where a fit has no effect.</summary>
    private double Value(double constant, double logarithm, double inverse, double? u) =>
        logarithm == 0 && inverse == 0 ? constant
        : u is { } place ? constant + logarithm * Math.Log(place) + inverse / place
        : Form == LawForm.Multiplicative ? 1 : 0;
}
