// The part of the report on the law: its formula, its coefficients, and what speaks for its minimum.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportLaw
{
    public static void Append(ReportDocument report, Study study)
    {
        if (study.Law is not { } law)
        {
            return;
        }

        report.Heading(2, "Law");
        string formula = Formula(law);
        report.Code(law.HasLevel ? formula : formula.Replace("E + A/N^α + B/D^β", "L_opt(N, D)", StringComparison.Ordinal).Replace("(L_opt(N, D))", "L_opt(N, D)", StringComparison.Ordinal));
        report.Paragraph(Origin(law));
        ReportCertificate.Append(report, law);
        report.Table([new("quantity"), ReportColumn.Number("value"), ReportColumn.Number("95 %"), new("verdict")], Coefficients(law));
    }

    private static string Origin(LawDocument law)
    {
        string counting = $"N counts parameters {law.ParametersRule}, D tokens {law.TokensRule}.";
        return law.Fit is not { } fit
            ? $"Taken from {law.Source ?? "a file that does not say where from"}; not fitted here. {counting}"
            : $"Fitted to {fit.Rows} runs. Single runs lie {Quantity.Digits(fit.ResidualStandardDeviation, 2)} nats about it (standard deviation). {counting}";
    }

    private static string Formula(LawDocument law) => law.Shape?.Form switch
    {
        null => "L(N, D) = E + A/N^α + B/D^β",
        LawForm.None => "L = E + A/N^α + B/D^β, times the terms below",
        LawForm.Multiplicative => "L = (a0 + a1·ln x + a2/x) · (b0 + b1·ln r + b2/r) · (E + A/N^α + B/D^β)",
        LawForm.Joint => "L = (a0 + a1·ln(x·r) + a2/(x·r)) · (E + A/N^α + B/D^β)",
        LawForm.Quadratic => "L = (a0 + a1·ln x + a2·ln² x + b1·ln r + b2·ln² r + c·ln x·ln r) · (E + A/N^α + B/D^β)",
        LawForm.Valley => "L = (1 + a·φ(ln x/x*)) · (1 + b·φ(ln r/r*)) · exp(η·√(a·b)·ln x/x*·ln r/r*) · (E + A/N^α + B/D^β), φ(u) = (e^(−κu) + κu − 1)/κ²",
        LawForm.WidthOverDepth => "L = (1 + γ·(d/L)^α) · (E + A/N^α + B/D^β)",
        _ => "L = (a0 + a1·ln x + a2/x) + (b0 + b1·ln r + b2/r) + E + A/N^α + B/D^β",
    };

    private static IEnumerable<IReadOnlyList<string>> Coefficients(LawDocument law)
    {
        string Verdict(string quantity) => law.Verdict(quantity)?.Identification switch
        {
            null => "",
            Identification.Identified => "known",
            Identification.WeaklyIdentified => "known roughly",
            _ => "not known",
        };
        IReadOnlyList<string> Row(string name, double? value, double? low = null, double? high = null, string verdict = "") =>
            [name, Quantity.Digits(value), low is null && high is null ? Quantity.Absent : $"{(low is null ? "−∞" : Quantity.Digits(low, 3))} … {(high is null ? "∞" : Quantity.Digits(high, 3))}", verdict];

        var between = law.Intervals;
        if (law.HasLevel)
        {
            yield return Row("E (nats a token)", law.Base.E, between.E?.Low, between.E?.High);
            yield return Row("A", law.Base.A);
            yield return Row("B", law.Base.B);
            yield return Row("α", law.Base.Alpha, between.Alpha?.Low, between.Alpha?.High, Verdict("exponents"));
            yield return Row("β", law.Base.Beta, between.Beta?.Low, between.Beta?.High, Verdict("exponents"));
        }

        if (law.Shape is not { } shape)
        {
            yield break;
        }

        foreach (var (name, value) in Named(shape))
        {
            yield return Row(name, value);
        }

        foreach (var term in shape.Terms)
        {
            var interval = between.Terms.FirstOrDefault(t => (t.Term, t.Name) == (term.Term, term.Name));
            yield return Row(term.Label, term.Coefficient, interval?.Low, interval?.High);
        }

        if (shape.Form is LawForm.None or LawForm.WidthOverDepth)
        {
            yield break;
        }

        // x* and r* are above 0, so an interval without a lower end begins there.
        bool valleys = shape.Form is LawForm.Multiplicative or LawForm.Additive;
        yield return Row(valleys ? "x\\* = a2/a1" : "x\\*", shape.XStar, between.XStar is null ? null : between.XStar.Low ?? 0, between.XStar?.High, Verdict("x_star"));
        yield return Row(valleys ? "r\\* = b2/b1" : "r\\*", shape.RStar, between.RStar is null ? null : between.RStar.Low ?? 0, between.RStar?.High, Verdict("r_star"));
    }

    private static IEnumerable<(string Name, double Value)> Named(ShapeTerms shape)
    {
        var k = shape.Coefficients;
        return shape.Form switch
        {
            LawForm.None => [],
            LawForm.WidthOverDepth => [("γ", k.Gamma)],
            LawForm.Joint => [("a0", k.A0), ("a1", k.A1), ("a2", k.A2)],
            LawForm.Valley =>
            [
                ("a", Math.Exp(k.A0)), ("what ln x\\* gains as N grows e-fold", k.A2), ("κ of x", k.AsymmetryX),
                ("b", Math.Exp(k.B0)), ("what ln r\\* gains as N grows e-fold", k.B2), ("κ of r", k.AsymmetryRatio), ("η", k.C),
            ],
            LawForm.Quadratic => [("a0", k.A0), ("a1", k.A1), ("a2", k.A2), ("b1", k.B1), ("b2", k.B2), ("c", k.C)],
            _ => [("a0", k.A0), ("a1", k.A1), ("a2", k.A2), ("b0", k.B0), ("b1", k.B1), ("b2", k.B2)],
        };
    }
}
