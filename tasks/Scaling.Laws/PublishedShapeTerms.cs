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

    /// <summary>A law file of printed coefficients: no level, no resamples, no certificate, and no bounds of x, which are not printed.</summary>
    /// <param name="terms">Of this class.</param>
    /// <param name="sizes">Parameters of the models that they were fitted to.</param>
    /// <param name="source">Where they stand.</param>
    public static LawDocument ToDocument(ShapeTerms terms, IReadOnlyList<double> sizes, string source) => new()
    {
        Options = new LawOptions { Resamples = 0 },
        Source = source,
        Base = new ChinchillaLaw(1, 0, 0, 0, 0),
        Shape = terms,
        Verdicts =
        [
            new Verdict("level", Identification.NotIdentified, "The base law is not printed: losses are predicted up to a common factor, until the loss of a baseline sets their level."),
            new Verdict("x_star", Identification.WeaklyIdentified, $"Printed without an interval: {terms.XStar!.Value:0.000}."),
            new Verdict("r_star", Identification.WeaklyIdentified, $"Printed without an interval: {terms.RStar!.Value:0.000}."),
        ],
        Intervals = new LawIntervals(),
        Ranges = new LawRanges
        {
            Parameters = new(sizes[0], sizes[^1]),
            Tokens = new(100 * sizes[0], 100 * sizes[^1]),
            TokensPerParameter = new(100, 100),
            Ratio = new(0.5, 5),
            Sizes = sizes,
        },
        Context = new LawContext { Layers = sizes[0] < 5e8 ? [12] : [16], HeadSize = [64], Gqa = [4], Vocabulary = [128_256], Tied = [true] },
    };
}
