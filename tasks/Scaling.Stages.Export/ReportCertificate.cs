// What speaks for the law's minimum, a sentence each, for those who do not know optimisation.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportCertificate
{
    /// <summary>More than this and other exponents fit as well: where the verdict on the exponents turns.</summary>
    private const double IllConditioned = 1e4;

    public static void Append(ReportDocument report, LawDocument law)
    {
        if (law is not { Certificate: { } certificate, Restarts: { } restarts })
        {
            return;
        }

        bool converged = certificate.Status == Convergence.Converged, agree = restarts.Agreeing > 1 || restarts.Followed == 1;
        report.Paragraph(
            (converged ? "The minimiser **converged**" : "The minimiser **gave up at its limit of iterations**, and the coefficients below are not the best ones")
            + $"; {restarts.Agreeing} of {restarts.Followed} starting points ended in this place{(agree ? "" : ", **and no other did**")}. Condition number {Condition(certificate)}: {Conditioned(certificate)}.");
        report.Folded("What that means, and what else speaks for these coefficients", folded => folded.List(Sentences(law, certificate, restarts)));
    }

    private static IEnumerable<string> Sentences(LawDocument law, Certificate certificate, Restarts restarts)
    {
        yield return certificate.Status == Convergence.Converged
            ? $"**Converged**: no small change of a coefficient makes the fit better. The slope that is left is {Quantity.Digits(certificate.GradientNorm, 2)} of the misfit, which is rounding where it is far below 1."
            : $"**Not converged**: the search for the best coefficients was broken off with a slope of {Quantity.Digits(certificate.GradientNorm, 2)} of the misfit left; a better fit lies nearby.";
        string spread = Span(restarts.Alpha) is > 1.01 || Span(restarts.Beta) is > 1.01
            ? $" Ends that fit a thousandth worse at most had α from {Quantity.Interval(restarts.Alpha.Low, restarts.Alpha.High)} and β from {Quantity.Interval(restarts.Beta.Low, restarts.Beta.High)}."
            : "";
        yield return $"**Starting points**: of {restarts.Followed} that were followed to their end, {restarts.Agreeing} came to the same fit. One that came alone may be a local best; the more agree, the less likely that is.{spread}";
        yield return $"**Condition number** {Condition(certificate)}: so many times better do the runs determine the best determined mix of the coefficients than the worst. Up to some hundreds each has a meaning; from {Quantity.Count(IllConditioned)} on quite other ones fit as well.";
        yield return certificate.AtBounds.Count == 0
            ? "**Bounds**: no coefficient ran into the end of what it may be."
            : $"**Bounds**: {string.Join(" and ", certificate.AtBounds.Select(Symbol))} ran into the end of what {(certificate.AtBounds.Count == 1 ? "it" : "each")} may be, so the runs do not say what {(certificate.AtBounds.Count == 1 ? "it is" : "they are")}.";
        string[] profiles = [.. new[] { ("α", certificate.ProfileAlpha), ("β", certificate.ProfileBeta) }.Where(p => p.Item2 is not null).Select(p => $"{p.Item1} {Quantity.Digits(p.Item2!.Low, 3)} to {Quantity.Digits(p.Item2.High, 3)}")];
        if (profiles.Length > 0)
        {
            yield return $"**Profile**: with all else at its best, the fit is at most {Quantity.Digits(100 * certificate.ProfileShare, 2)} % worse for {string.Join(" and ", profiles)}. The wider that is, the less an exponent means.";
        }

        yield return certificate.LowerBound is { } bound && law.Base.Objective is > 0 and var misfit
            ? $"**Proof**: no law of this formula has a misfit below {Quantity.Digits(100 * Math.Min(1, bound / misfit), 4)} % of this one's (branch and bound over all exponents)."
            : "**Proof**: there is none that no better fit exists. What speaks for this one is that starting points agree.";
    }

    private static string Condition(Certificate certificate) => certificate.ConditionNumber is { } c ? Quantity.Digits(c, 2) : "infinite";

    private static string Conditioned(Certificate certificate) => certificate.ConditionNumber switch
    {
        null => "some coefficients the runs do not determine at all",
        > IllConditioned => "**other coefficients fit as well**",
        > 500 => "the coefficients are loosely determined",
        _ => "each coefficient does something of its own (whether noise lets it be known, the verdicts say)",
    };

    private static double Span(Interval interval) => interval.Low > 0 ? interval.High / interval.Low : 1;

    private static string Symbol(string name) => name switch { "alpha" => "α", "beta" => "β", _ => name };
}
