// The first part of the report of a study that searched for nothing: what the law says.
using Scaling.Laws;
using Scaling.Reports;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportLawAnswer
{
    public static void Append(ReportDocument report, Study study, LawDocument law)
    {
        report.Heading(2, "Answer");
        report.Paragraph(law.Fit is { } fit
            ? $"What {fit.Rows} runs from {Quantity.Count(law.Ranges.Parameters.Low)} to {Quantity.Count(law.Ranges.Parameters.High)} parameters ({law.ParametersRule}) and {Quantity.Count(law.Ranges.Tokens.Low)} to {Quantity.Count(law.Ranges.Tokens.High)} tokens say:"
            : $"What a law taken from {law.Source ?? "elsewhere"} says:");
        report.Answers([.. new[] { Exponents(study, law), Place(law, "x"), Place(law, "ratio"), Prediction(study) }.OfType<Answer>()]);
        if (Alike(study, law) is { } alike)
        {
            report.Paragraph(alike);
        }
    }

    /// <summary>How loss falls, and with it how a budget is best spent.</summary>
    private static Answer? Exponents(Study study, LawDocument law)
    {
        if (!law.HasLevel)
        {
            return null;
        }

        const string Name = "How loss falls", About = "with parameters N and tokens D";
        if (law.Ray is { } ray)
        {
            return new Answer(
                Name, "with size", $"as N to the power −{Quantity.Digits(ray.Gamma, 3)} towards {Quantity.Digits(ray.E, 3)} nats a token",
                "All runs lie on one line of N and D, so that what parameters do and what tokens do cannot be told apart.");
        }

        if (law.Verdict("exponents") is { Identification: Identification.NotIdentified } unknown)
        {
            return new Answer(Name, About, "**not known** from these runs", unknown.Reason);
        }

        string roughly = law.Verdict("exponents") is { Identification: Identification.WeaklyIdentified } ? "known roughly" : "known";
        var optimum = ComputeOptimum.Of(law, study.RunList);
        string spend = optimum is null
            ? ""
            : $" Of {FlopsInWords(optimum.Flops)} of training, the most that a run here took, the least loss comes from {Quantity.Digits(optimum.TokensPerParameter, 3)} tokens a parameter{Within(optimum.Interval)}.";
        return new Answer(
            Name, About, $"by the exponents α = {Quantity.Digits(law.Base.Alpha, 3)} and β = {Quantity.Digits(law.Base.Beta, 3)}, {roughly}",
            $"Loss is {Quantity.Digits(law.Base.E, 3)} nats a token that no size and no data take away, a part that falls as N to the power −α, and one that falls as D to the power −β.{spend}")
        {
            Figures =
            [
                new AnswerFigure(Quantity.Digits(law.Base.Alpha, 3), "α, of parameters", Range(law.Intervals.Alpha)),
                new AnswerFigure(Quantity.Digits(law.Base.Beta, 3), "β, of tokens", Range(law.Intervals.Beta)),
                .. optimum is null ? [] : new[] { new AnswerFigure(Quantity.Digits(optimum.TokensPerParameter, 3), $"tokens a parameter for the least loss of {FlopsInWords(optimum.Flops)}", Range(optimum.Interval)) },
            ],
        };
    }

    private static Answer? Place(LawDocument law, string axis)
    {
        bool width = axis == "x";
        if (law.Shape is not { Form: not (LawForm.None or LawForm.WidthOverDepth) } shape || law.Verdict(width ? "x_star" : "r_star") is not { } verdict)
        {
            return null;
        }

        var (name, about) = width ? ("Width", "x = hidden size / √N of least loss") : ("Split", "ratio of MLP to attention parameters of least loss");
        double? star = width ? shape.XStar : shape.RStar;
        return star is null || verdict.Identification == Identification.NotIdentified
            ? new Answer(name, about, "**not known** from these runs", verdict.Reason)
            : new Answer(name, about, $"{Quantity.Digits(star, 3)} ({(verdict.Identification == Identification.Identified ? "known" : "known roughly")})", verdict.Reason);
    }

    /// <summary>The largest size that was asked for.</summary>
    private static Answer? Prediction(Study study)
    {
        var targets = study.Predictions?.Each().Where(r => r.Text("purpose") == "target" && Optional(r, "predicted") is not null).OrderByDescending(r => r.Number("parameters")).ThenByDescending(r => r.Number("tokens")).ToList();
        if (targets is not [var target, ..])
        {
            return null;
        }

        double loss = target.Number("predicted");
        var (low, high) = (Optional(target, "predicted_low"), Optional(target, "predicted_high"));
        bool known = study.Law?.Verdict("prediction_along_ray") is not { Identification: Identification.NotIdentified };
        return new Answer(
            "A larger model", $"of {Count(target, "parameters")} parameters trained on {Count(target, "tokens")} tokens", $"{Quantity.Loss(loss)} nats a token",
            (low is null || high is null ? "How sure that is is not known." : $"A run there would lie between {Quantity.Loss(low)} and {Quantity.Loss(high)} (95 %), if the formula holds that far.")
            + (known ? "" : " **These runs do not determine it**: take it as a guess."));
    }

    /// <summary>How many of the trained shapes may be the best at the largest size; null where the law tells none apart.</summary>
    private static string? Alike(Study study, LawDocument law)
    {
        LawPoint[] shapes = [.. study.RunList.Where(r => r.X is not null || r.Ratio is not null).Select(r => new LawPoint(1, 1) { X = r.X, Ratio = r.Ratio }).Distinct()];
        double size = law.Ranges.Parameters.High, budget = Math.Sqrt(law.Ranges.TokensPerParameter.Low * law.Ranges.TokensPerParameter.High);
        bool Open(string place) => law.Verdict(place) is { Identification: Identification.NotIdentified };

        // Resamples about a place that is not known are too sure of it; where neither is, they say nothing.
        if (shapes.Length < 2 || (Open("x_star") && Open("r_star")) || ShapeDecision.Of(law, size, size * budget, shapes, confidence: Open("x_star") || Open("r_star") ? 0.95 : 0.8) is not { } odds)
        {
            return null;
        }

        int alike = odds.Count(o => o.InConfidenceSet);
        return alike == 1
            ? $"Of the {shapes.Length} trained shapes one is likely to lose least at {Quantity.Count(size)} parameters."
            : $"**{alike} of the {shapes.Length} trained shapes cannot be told apart** at {Quantity.Count(size)} parameters: which of them loses least the resampled law does not say.";
    }

    private static string Within(Interval? interval) => interval is null ? "" : $" (95 %: {Quantity.Interval(interval.Low, interval.High)})";

    private static string? Range(Interval? interval) => interval is null ? null : $"95 %: {Quantity.Interval(interval.Low, interval.High)}";

    /// <summary>For example <c>1.2e20 FLOPs</c>.</summary>
    internal static string FlopsInWords(double flops) => $"{flops.ToString("0.##e0", System.Globalization.CultureInfo.InvariantCulture)} FLOPs";
}
