// What the study found, for the terminal's last lines and for setting two studies side by side.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class StudySummary
{
    /// <summary>The summary.</summary>
    /// <param name="study">What was given.</param>
    /// <param name="title">Of the report.</param>
    public static StageSummary Of(Study study, string title)
    {
        string plain = string.Concat(title.Select(c => char.IsControl(c) || c is '\u2028' or '\u2029' or '\ufffd' ? ' ' : c)).Trim();
        var lines = study.Best is { } best ? SearchLines(study, best) : LawLines(study, study.Law!);
        return new StageSummary(plain.Length == 0 ? "Architecture study" : plain, [.. lines.OfType<string>().Take(StageSummary.MostLines).Select(Cut)], [.. Quantities(study)]);
    }

    private static IEnumerable<string?> SearchLines(Study study, SearchResult best)
    {
        foreach (var (name, shape) in Certainty.Picks(best))
        {
            yield return $"{name,-9}  {SearchWords.Short(shape)}: {Against(best, shape, name == "efficient" && ReportReferences.IsDoubted(study, best))}";
        }

        if (Certainty.Alike(study) is { Shapes: > 1 } set)
        {
            yield return $"{set.Shapes} of {set.Candidates} shapes cannot be told from the accurate one";
        }
        else if (best.Valley is { Candidates: > 1 } valley)
        {
            yield return $"{valley.Candidates} shapes are predicted alike within {(best.Level == LossLevel.Factor ? $"{Quantity.Digits(100 * valley.WithinNats, 2)} %" : $"{Quantity.Digits(valley.WithinNats, 2)} nats")}";
        }

        yield return HeldOut(study);
        yield return Unknown(study.Law);
    }

    private static string Against(SearchResult best, ScoredShape shape, bool doubted)
    {
        if (ShapeComparison.Of(best, shape) is not { } gain)
        {
            return $"{Quantity.Loss(shape.Predicted)} {SearchWords.LossUnit(best)}, {Quantity.Count(shape.TokensPerSecond)} tokens/s";
        }

        return shape.Shape == best.Baseline!.Shape ? "the baseline itself" : $"{Quantity.LossDifference(gain.LossDifference)} {(best.Level == LossLevel.Factor ? "of the loss" : "nats")}{Sure(best, shape, gain, doubted)}, {Quantity.Change(gain.SpeedChange)} tokens/s";
    }

    private static string Sure(SearchResult best, ScoredShape shape, ShapeComparison gain, bool doubted) => gain.Interval is { Low: <= 0, High: >= 0 } || doubted ? " (not sure)"
        : SearchWords.KnowsOdds(best) && shape.ProbabilityFeasible is { } p ? $" ({SearchWords.Share(p)})" : "";

    private static IEnumerable<string?> LawLines(Study study, LawDocument law)
    {
        if (law.HasLevel)
        {
            yield return law.Verdict("exponents") is { Identification: Identification.NotIdentified }
                ? "exponents: not known from these runs"
                : $"exponents  α {Quantity.Digits(law.Base.Alpha, 3)}{Ends(law.Intervals.Alpha)}, β {Quantity.Digits(law.Base.Beta, 3)}{Ends(law.Intervals.Beta)}";
        }

        if (ComputeOptimum.Of(law, study.RunList) is { } optimum)
        {
            yield return $"optimum    {Quantity.Digits(optimum.TokensPerParameter, 3)} tokens a parameter at {ReportLawAnswer.FlopsInWords(optimum.Flops)}";
        }

        if (law.Shape is { XStar: not null } or { RStar: not null })
        {
            yield return $"best shape {string.Join(", ", new[] { Star("x", law.Shape.XStar, law.Verdict("x_star")), Star("ratio", law.Shape.RStar, law.Verdict("r_star")) }.OfType<string>())}";
        }

        yield return HeldOut(study);
        yield return Unknown(law);
    }

    private static string? Star(string name, double? star, Verdict? verdict) =>
        verdict is null || star is null || verdict.Identification == Identification.NotIdentified ? $"{name} not known" : $"{name} {Quantity.Digits(star, 3)}";

    private static string Ends(Interval? interval) => interval is null ? "" : $" ({Quantity.Interval(interval.Low, interval.High)})";

    private static string? HeldOut(Study study) => study.Scores?.HeldOut is { } held
        ? $"held-out size: level off by {Quantity.Digits(Math.Abs(held.All.LevelError), 2)} nats{(ReportScores.TellsShapesApart(held) ? $", pick {Quantity.Digits(held.All.Regret, 2)} above the best measured" : "")}"
        : null;

    private static string? Unknown(LawDocument? law)
    {
        string[] unknown =
        [
            .. new[] { ("exponents", "exponents"), ("x_star", "x of least loss"), ("r_star", "ratio of least loss"), ("prediction_along_ray", "larger losses") }
                .Where(q => law?.Verdict(q.Item1) is { Identification: Identification.NotIdentified }).Select(q => q.Item2),
        ];
        return unknown.Length == 0 ? null : $"not known: {string.Join(", ", unknown)}";
    }

    private static IEnumerable<SummaryQuantity> Quantities(Study study)
    {
        if (study.Best is { } best)
        {
            string loss = SearchWords.LossUnit(best), difference = SearchWords.DifferenceUnit(best);
            foreach (var (name, shape) in new[] { ("accurate", best.Accurate), ("efficient", best.Efficient), ("baseline", best.Baseline) }.Where(s => s.Item2 is not null))
            {
                var against = name == "baseline" ? null : ShapeComparison.Of(best, shape!);
                yield return new SummaryQuantity($"{name}.shape", $"shape, {name}", null, "", SearchWords.Short(shape!));
                yield return Number($"{name}.predicted_loss", $"predicted loss, {name}", shape!.Predicted, loss, Quantity.Loss(shape.Predicted));
                if (against is not null)
                {
                    yield return Number($"{name}.loss_difference", $"loss against the baseline, {name}", against.LossDifference, difference, Quantity.LossDifference(against.LossDifference));
                    yield return Number($"{name}.probability", $"probability of no more loss than asked, {name}", SearchWords.KnowsOdds(best) ? shape.ProbabilityFeasible : null, "1", Quantity.Digits(shape.ProbabilityFeasible, 3), "not known");
                    yield return Number($"{name}.speed_change", $"speed against the baseline, {name}", 100 * against.SpeedChange, "%", Quantity.Change(against.SpeedChange), "the baseline does not fit");
                }

                yield return Number($"{name}.tokens_per_second", $"speed, {name}", shape.TokensPerSecond, "tokens a second", Quantity.Count(shape.TokensPerSecond));
                yield return Number($"{name}.kv_bytes_per_token", $"KV cache, {name}", shape.KvBytesPerToken, "bytes a token", Quantity.Digits(shape.KvBytesPerToken, 7));
            }

            var set = Certainty.Alike(study);
            yield return Number("alike", "shapes that cannot be told from the accurate one", set?.Shapes, "shapes", $"{set?.Shapes}", "not known");
            yield return Number("valley", "shapes predicted alike", best.Valley?.Candidates, "shapes", $"{best.Valley?.Candidates}", "not known");
        }

        if (study.Law is { } law)
        {
            if (law.HasLevel)
            {
                yield return Known(law, "exponents", "law.alpha", "α", law.Base.Alpha);
                yield return Known(law, "exponents", "law.beta", "β", law.Base.Beta);
                yield return Known(law, "exponents", "law.e", "E", law.Base.E, "nats a token");
                var optimum = ComputeOptimum.Of(law, study.RunList);
                yield return Number("law.tokens_per_parameter", "tokens a parameter for the least loss", optimum?.TokensPerParameter, "tokens a parameter", Quantity.Digits(optimum?.TokensPerParameter, 3), "not identified");
            }

            if (law.Shape is { Form: not (LawForm.None or LawForm.WidthOverDepth) } terms)
            {
                yield return Known(law, "x_star", "law.x_star", "x of least loss", terms.XStar);
                yield return Known(law, "r_star", "law.r_star", "ratio of least loss", terms.RStar);
            }

            if (law.Fit is { } fit)
            {
                yield return Number("law.residual", "spread of runs about the law", fit.ResidualStandardDeviation, "nats a token", Quantity.Digits(fit.ResidualStandardDeviation, 3));
                yield return Number("law.seed_noise", "spread of seeds", fit.ReplicateNoise, "nats a token", Quantity.Digits(fit.ReplicateNoise, 3), "no replicates");
                yield return Number("law.runs", "runs fitted", fit.Rows, "runs", $"{fit.Rows}");
            }
        }

        if (study.Scores?.HeldOut is { } held)
        {
            yield return Number("held_out.level_error", "level error on the held-out size", held.All.LevelError, "nats a token", Quantity.LossDifference(held.All.LevelError));
            yield return Number("held_out.shape_error", "shape error on the held-out size", held.All.ShapeError, "nats a token", Quantity.Loss(held.All.ShapeError));
            if (!ReportScores.TellsShapesApart(held))
            {
                yield break;
            }

            yield return Number("held_out.regret", "regret of the law's pick", held.All.Regret, "nats a token", Quantity.Loss(held.All.Regret));
            yield return Number("held_out.regret_of_copy", "regret of the copied shape", held.All.RegretOfCopy, "nats a token", Quantity.Loss(held.All.RegretOfCopy), "no shapes");
            yield return Number("held_out.spearman", "rank correlation on the held-out size", held.All.Spearman, "1", Quantity.Digits(held.All.Spearman, 3), "no ranks");
        }
    }

    private static SummaryQuantity Known(LawDocument law, string verdict, string name, string label, double? value, string unit = "1") =>
        law.Verdict(verdict) is { Identification: Identification.NotIdentified } ? new SummaryQuantity(name, label, null, unit, "not identified") : Number(name, label, value, unit, Quantity.Digits(value), "no minimum");

    /// <param name="name">Of the quantity.</param>
    /// <param name="label">As a person reads it.</param>
    /// <param name="value">Null or not finite: there is none.</param>
    /// <param name="unit">Of the value.</param>
    /// <param name="text">Of the value.</param>
    /// <param name="absent">Why there is none.</param>
    private static SummaryQuantity Number(string name, string label, double? value, string unit, string text, string absent = "not known") =>
        value is { } number && double.IsFinite(number) ? new SummaryQuantity(name, label, number, unit, text) : new SummaryQuantity(name, label, null, unit, absent);

    private static string Cut(string line) => line.EnumerateRunes().Count() <= StageSummary.LongestLine ? line : string.Concat(line.EnumerateRunes().Take(StageSummary.LongestLine - 1)) + "…";
}
