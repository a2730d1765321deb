// The coefficients that arXiv 2510.18245 prints, for comparison and for golden tests.
namespace Scaling.Laws;

/// <summary>The conditional law as published (multiplicative). The base law that belongs to it is not printed, so only shapes of equal N and D can be ranked.</summary>
public static class PublishedShapeTerms
{
    /// <summary>Fitted on 80M, 145M and 297M parameters; optimum x .080, r 1.032.</summary>
    public static readonly ShapeTerms From80MTo297M =
        new(LawForm.Multiplicative, new ShapeCoefficients(2.697, 0.0974, 0.0078, 0.3870, 0.0063, 0.0065));

    /// <summary>Fitted on 1B parameters alone; optimum x .074, r 1.229 from unrounded coefficients.</summary>
    public static readonly ShapeTerms From1B =
        new(LawForm.Multiplicative, new ShapeCoefficients(2.319, 0.238, 0.0176, 0.5104, 0.0051, 0.0062));
}
