// What is believed of a valley before its study: middles, and how far off they may be.
namespace Scaling.Laws;

/// <summary>A number with its standard deviation.</summary>
/// <param name="Mean">Middle.</param>
/// <param name="Deviation">Standard deviation, ≥ 0.</param>
public sealed record Belief(double Mean, double Deviation);

/// <summary>What is believed of one axis, x or the ratio.</summary>
/// <param name="Curvature">ln of the loss's relative curvature at the optimum, a of ln L ≈ level + ½·a·ln²(x/x*).</param>
/// <param name="Optimum">ln of the optimum at <see cref="StudyPrior.ReferenceSize"/>.</param>
public sealed record AxisPrior(Belief Curvature, Belief Optimum)
{
    /// <summary>What ln of the optimum gains as N grows e-fold. Default: 0 ± 0.1.</summary>
    public Belief Drift { get; init; } = new(0, 0.1);

    /// <summary>κ of the valley's form: 1 the published law's, 0 half a square of the logarithm, −1 the mirror image. Default: 1 ± 0.5.</summary>
    public Belief Asymmetry { get; init; } = new(1, 0.5);

    /// <summary>What ln of the optimum gains as the tokens a parameter grow e-fold: the bias of short runs. Default: 0 ± 0.3, so wide that runs of a quarter of the tokens tell little until long ones beside them show their bias.</summary>
    public Belief BudgetDrift { get; init; } = new(0, 0.3);

    /// <summary>What <see cref="BudgetDrift"/> gains as N grows e-fold. Default: 0 ± 0.15.</summary>
    public Belief BudgetGrowth { get; init; } = new(0, 0.15);

    /// <summary>What ln of the curvature gains as the tokens a parameter grow e-fold. Default: 0 ± 0.5.</summary>
    public Belief BudgetCurvature { get; init; } = new(0, 0.5);
}

/// <summary>What a study begins with.</summary>
/// <param name="X">x = d/√N.</param>
/// <param name="Ratio">MLP to attention parameters.</param>
/// <param name="ReferenceSize">N at which the optima are believed, parameters.</param>
/// <param name="Noise">Standard deviation of ln L between runs alike in all but the seed, > 0: 0.001 is 0.003 nats of 3.</param>
public sealed record StudyPrior(AxisPrior X, AxisPrior Ratio, double ReferenceSize, double Noise)
{
    /// <summary>What <see cref="Noise"/> counts beside what the runs show, in degrees of freedom. Default: 4.</summary>
    public double NoiseFreedom { get; init; } = 4;

    /// <summary>η, how far x and the ratio act together: −1 to 1. Default: 0 ± 0.2.</summary>
    public Belief Interaction { get; init; } = new(0, 0.2);

    /// <summary>The loss of the best shape at the target, to tell regrets in nats; of no effect on what is chosen. Default: 3 nats a token.</summary>
    public double Level { get; init; } = 3;

    /// <summary>
    /// The belief that the published constants give (arXiv 2510.18245): curvatures and optima of the fit of 80M to 297M, deviations and drifts as wide as that fit and the one at 1B
    /// are apart.
    /// </summary>
    /// <param name="noise">As <see cref="Noise"/>.</param>
    public static StudyPrior Published(double noise)
    {
        var (x, ratio) = Curvatures(PublishedShapeTerms.From80MTo297M, 1)!.Value;
        var (farX, farRatio) = Curvatures(PublishedShapeTerms.From1B, 1)!.Value;
        const double reference = 151e6, far = 1e9; // The geometric mean of 80M, 145M and 297M, and the other fit's size.
        return new StudyPrior(
            Axis(PublishedShapeTerms.From80MTo297M.XStar!.Value, PublishedShapeTerms.From1B.XStar!.Value, x, farX),
            Axis(PublishedShapeTerms.From80MTo297M.RStar!.Value, PublishedShapeTerms.From1B.RStar!.Value, ratio, farRatio),
            reference,
            noise) { Level = 2.8 };

        static AxisPrior Axis(double optimum, double farOptimum, double curvature, double farCurvature)
        {
            double apart = Math.Abs(Math.Log(farOptimum / optimum));
            return new AxisPrior(new Belief(Math.Log(curvature), Math.Abs(Math.Log(farCurvature / curvature))), new Belief(Math.Log(optimum), Math.Max(0.15, 2 * apart)))
            {
                Drift = new Belief(0, Math.Max(0.03, apart / Math.Log(far / reference))),
            };
        }
    }

    /// <summary>The belief that a range gives: the optimum somewhere in it, curvatures within a factor of about three of the published ones.</summary>
    /// <param name="x">Least and largest x that can be run.</param>
    /// <param name="ratio">Least and largest ratio.</param>
    /// <param name="referenceSize">As <see cref="ReferenceSize"/>: where the optima are believed, the middle of the sizes.</param>
    /// <param name="noise">As <see cref="Noise"/>.</param>
    public static StudyPrior Within(Interval x, Interval ratio, double referenceSize, double noise)
    {
        var published = Published(noise);
        return new StudyPrior(Axis(x, published.X), Axis(ratio, published.Ratio), referenceSize, noise);

        static AxisPrior Axis(Interval range, AxisPrior published) =>
            new(published.Curvature with { Deviation = 1.2 }, new Belief(Math.Log(range.Low * range.High) / 2, Math.Max(0.15, Math.Log(range.High / range.Low) / 3)));
    }

    /// <summary>The belief that a fitted law gives, widened: it was fitted to other runs.</summary>
    /// <param name="law">With a minimum in x and in the ratio.</param>
    /// <param name="noise">As <see cref="Noise"/>; null: what the law's own runs scatter by.</param>
    /// <returns>Null where the law has no minimum along both axes that its runs identify.</returns>
    public static StudyPrior? Of(LawDocument law, double? noise)
    {
        double size = law.Shape?.SizeOfStar
            ?? SizeClasses.GeometricMean(law.Ranges.Sizes.Count > 0 ? law.Ranges.Sizes : [law.Ranges.Parameters.Low, law.Ranges.Parameters.High]);
        bool Known(string quantity) => law.Verdict(quantity) is not { Identification: Identification.NotIdentified };
        if (law.Shape is not { XStar: { } x, RStar: { } ratio } terms || !Known("x_star") || !Known("r_star") || Curvatures(terms, size) is not { } curvatures)
        {
            return null;
        }

        bool valley = terms.Form == LawForm.Valley;
        double level = law.HasLevel ? law.Predict(law.Ranges.Parameters.High, law.Ranges.Tokens.High) : 2.8;
        return new StudyPrior(Axis(curvatures.X, x, law.Intervals.XStar, valley ? terms.Coefficients.A2 : 0), Axis(curvatures.Ratio, ratio, law.Intervals.RStar, valley ? terms.Coefficients.B2 : 0), size, noise ?? (law.Fit?.ReplicateNoise ?? law.Fit?.RunNoise ?? 0.002) / level) { Level = level };

        static AxisPrior Axis(double curvature, double optimum, OpenInterval? interval, double drift) =>
            new(new Belief(Math.Log(curvature), 0.7), new Belief(Math.Log(optimum), Math.Clamp(interval is { Low: { } low, High: { } high } ? Math.Log(high / low) / 3.92 * 2 : 0.3, 0.1, 0.7)))
            {
                Drift = new Belief(drift, 0.1),
            };
    }

    /// <summary>The same beliefs around middles that are drawn from them: with these in the place of the middles, the most probable parameters of disturbed losses scatter as the belief does.</summary>
    /// <param name="random">Draws.</param>
    internal StudyPrior Drawn(Random random)
    {
        return this with { X = Axis(X), Ratio = Axis(Ratio), Interaction = Draw(Interaction) };

        AxisPrior Axis(AxisPrior a) => a with { Curvature = Draw(a.Curvature), Optimum = Draw(a.Optimum), Drift = Draw(a.Drift), Asymmetry = Draw(a.Asymmetry), BudgetDrift = Draw(a.BudgetDrift), BudgetGrowth = Draw(a.BudgetGrowth), BudgetCurvature = Draw(a.BudgetCurvature) };
        Belief Draw(Belief b) => b with { Mean = b.Mean + b.Deviation * NormalDraw.Of(random) };
    }

    /// <summary>Relative curvature along ln x and ln r at the optimum; null where it is not positive along both.</summary>
    private static (double X, double Ratio)? Curvatures(ShapeTerms terms, double size)
    {
        if (terms is not { XStar: { } x, RStar: { } ratio })
        {
            return null;
        }

        const double step = 0.01;
        double At(double u, double v) => Math.Log(terms.Apply(terms.Form == LawForm.Additive ? 2.8 : 1, new LawPoint(size, 1) { X = x * Math.Exp(u), Ratio = ratio * Math.Exp(v) }));
        double best = At(0, 0);
        double alongX = (At(step, 0) + At(-step, 0) - 2 * best) / (step * step), alongRatio = (At(0, step) + At(0, -step) - 2 * best) / (step * step);
        return alongX > 0 && alongRatio > 0 ? (alongX, alongRatio) : null;
    }
}
