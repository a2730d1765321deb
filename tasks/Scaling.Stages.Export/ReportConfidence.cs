// The second part of the report: how sure the answer is, in plain words.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportConfidence
{
    public static void Append(ReportDocument report, Study study)
    {
        report.Heading(2, "How sure");
        if (study.Law is not { } law)
        {
            report.Paragraph("The report was not given the law, so it can tell nothing of how well the runs determine it. Name the fit under `needs`.");
            return;
        }

        var points = new List<string>();
        if (study.Scores?.HeldOut is { } heldOut)
        {
            points.Add(ReportScores.InWords(heldOut, NoiseAt(law, heldOut.Size)));
        }

        if (study.Best is { } best)
        {
            if (ReportReferences.Doubt(study, best) is { } doubt)
            {
                points.Add(doubt);
            }

            AddReach(points, best, law);
            AddFlatness(points, study, best, law);
        }

        // Without a search these are the answer, and stand there with their reasons.
        points.AddRange(law.Verdicts.Where(v => study.Best is not null || v.Quantity is not ("exponents" or "x_star" or "r_star")).Select(InWords));
        if (law.ShapeEffects.Count > 0)
        {
            points.Add(InWords(law.ShapeEffects));
        }

        if (law.LearningRateChecks.Count > 0)
        {
            points.Add(InWords(law.LearningRateChecks));
        }

        report.List(points);
        FoldShapeEffects(report, law.ShapeEffects);
        FoldLearningRates(report, law.LearningRateChecks);
    }

    /// <summary>What seeds scatter by at a size, its budgets taken together; over all sizes where it has no replicates. It falls with the size, so that of all sizes would flatter large ones.</summary>
    public static double? NoiseAt(LawDocument law, double size)
    {
        var there = law.ShapeEffects.Where(e => Math.Abs(Math.Log(e.Parameters / size)) < Math.Log(SizeClasses.Factor)).ToList();
        return there.Count == 0 ? law.Fit?.ReplicateNoise : Math.Sqrt(there.Average(e => e.SeedNoise * e.SeedNoise));
    }

    /// <summary>What a verdict means for the reader; the fit's own reason follows.</summary>
    private static string InWords(Verdict verdict)
    {
        string subject = verdict.Quantity switch
        {
            "level" => "How large a loss is, beyond how shapes compare",
            "exponents" => "How fast loss falls with parameters and with tokens (α, β)",
            "x_star" => "The width of least loss (x\\*)",
            "r_star" => "The split between MLP and attention of least loss (r\\*)",
            "prediction_along_ray" => "The loss of larger models with as many tokens a parameter as the runs had",
            "prediction_off_ray" => "The loss at other numbers of tokens a parameter",
            _ => verdict.Quantity,
        };
        string certainty = verdict.Identification switch
        {
            Identification.Identified => "**known** from these runs",
            Identification.WeaklyIdentified => "known **roughly**",
            _ => "**not known** from these runs",
        };
        return $"{subject}: {certainty}. {verdict.Reason}";
    }

    /// <summary>All sizes and budgets in a sentence; the table beneath has each.</summary>
    private static string InWords(IReadOnlyList<ShapeEffect> effects)
    {
        int told = effects.Count(e => e.P < ShapeEffect.Significance);
        string where = effects.Count == 1 ? "At the one size and budget with seeds" : told == effects.Count ? $"At each of {effects.Count} sizes and budgets" : told == 0 ? $"At none of {effects.Count} sizes and budgets" : $"At {told} of {effects.Count} sizes and budgets";
        string differ = effects.Count == 1 && told == 0 ? "shapes **cannot be told from seeds**" : "shapes **differ by more than seeds**";
        string seeds = Span(effects.Select(e => e.SeedNoise)), own = Span(effects.Select(e => e.ShapeDeviation));
        string eager = effects.Any(e => !e.IsSound) ? " Where runs shuffled over the shapes pass it too often the test is too eager." : "";
        return $"{where} {differ} (analysis of variance{(effects.Count == 1 ? "" : ", least clear")}: {effects.MaxBy(e => e.P)!.Test()}): seeds of one shape scatter by {seeds} nats, the shapes' own losses by {own}.{eager}";
    }

    private static void FoldShapeEffects(ReportDocument report, IReadOnlyList<ShapeEffect> effects) => report.Folded(
        "Whether shapes differ by more than seeds, at each size and budget",
        folded => folded.Table(
            [
                ReportColumn.Number("parameters"), ReportColumn.Number("tokens"), ReportColumn.Number("shapes"), ReportColumn.Number("runs"), new("analysis of variance"),
                ReportColumn.Number("seeds scatter by (nats)"), ReportColumn.Number("shapes' own losses by (nats)"), ReportColumn.Number($"p < {ShapeEffect.Significance.ToString(System.Globalization.CultureInfo.InvariantCulture)} of {ShapeEffect.Shuffles} shuffles"),
            ],
            effects.Select(e => (IReadOnlyList<string>)
            [
                Quantity.Count(e.Parameters), Quantity.Count(e.Tokens), $"{e.Shapes}", $"{e.Runs}", e.Test(),
                Quantity.Digits(e.SeedNoise, 2), Quantity.Digits(e.ShapeDeviation, 2), $"{Quantity.Digits(100 * e.ShuffledShare, 2)} %{(e.IsSound ? "" : ", too eager")}",
            ])));

    /// <summary>The worst verdict of the rule, and what of it is settled.</summary>
    private static string InWords(IReadOnlyList<LearningRateCheck> checks)
    {
        int Count(RateVerdict verdict) => checks.Count(c => c.Verdict == verdict);
        string gains = $"At its own best rate a corner of the grid would have gained up to {Quantity.Digits(checks.Max(c => c.Corners.Max(k => k.Gain)), 2)} nats, where shapes differ by {Span(checks.Select(c => c.LossRange))}";
        var corners = checks.SelectMany(c => c.Corners).ToList();
        string verdict = Count(RateVerdict.NotFair) is > 0 and var unfair
            ? $"The learning-rate rule **was not fair** to all shapes{Of(unfair)}: part of what the law says of x and the ratio may be the rate's doing"
            : Count(RateVerdict.Fair) == checks.Count
                ? "The learning-rate rule **was fair** to all shapes"
                : $"Whether the learning-rate rule was fair to all shapes **is not settled**{Of(checks.Count - Count(RateVerdict.Fair))}, "
                  + (corners.Count(c => !c.Bracketed) is > 0 and var open ? $"since {open} of {corners.Count} best rates lie at an end of the bracket or beyond" : "since seeds scatter too much");
        return $"{verdict}. {gains}.";

        string Of(int found) => checks.Count == 1 ? "" : found == checks.Count ? " at any size and budget" : $" at {found} of {checks.Count} sizes and budgets";
    }

    private static void FoldLearningRates(ReportDocument report, IReadOnlyList<LearningRateCheck> checks) => report.Folded(
        "The corners of the grid at other learning rates than the rule's",
        folded => folded.Table(
            [
                ReportColumn.Number("parameters"), ReportColumn.Number("tokens"), ReportColumn.Number("x"), ReportColumn.Number("ratio"),
                new("loss (nats a token) at factors on the rate"), ReportColumn.Number("best factor"), ReportColumn.Number("gain there (nats)"), new("the rule there"),
            ],
            checks.SelectMany(check => check.Corners.Select(c => (IReadOnlyList<string>)
            [
                Quantity.Count(check.Parameters), Quantity.Count(check.Tokens), Quantity.Digits(c.X, 3), Quantity.Digits(c.Ratio, 3),
                string.Join(", ", c.Factors.Zip(c.Losses, (f, l) => $"{Quantity.Digits(f, 2)}: {Quantity.Loss(l)}")), (c.Bracketed ? "" : "at the end, ") + Quantity.Digits(c.BestFactor, 2), Quantity.Loss(c.Gain),
                check.Verdict switch { RateVerdict.Fair => "fair", RateVerdict.NotFair => "not fair", _ => "not settled" },
            ]))));

    /// <summary>One number, or the least and the greatest.</summary>
    private static string Span(IEnumerable<double> values)
    {
        string[] ends = [.. new[] { values.Min(), values.Max() }.Select(v => Quantity.Digits(v, 2)).Distinct()];
        return string.Join(" to ", ends);
    }

    private static void AddReach(List<string> points, SearchResult best, LawDocument law)
    {
        double times = best.Size / law.Ranges.Parameters.High;
        if (times > 1.05)
        {
            points.Add($"The answer's size is {Quantity.Digits(times, 2)} times the largest run: its losses are extrapolated. Differences between shapes carry further than the level of the loss.");
        }

        double budget = best.Tokens / best.Size;
        if (!new Interval(law.Ranges.TokensPerParameter.Low / 1.05, law.Ranges.TokensPerParameter.High * 1.05).Contains(budget))
        {
            points.Add(
                $"{Quantity.Digits(budget, 3)} tokens a parameter were asked for, and the runs had {Quantity.Interval(law.Ranges.TokensPerParameter.Low, law.Ranges.TokensPerParameter.High)}: the level of the loss is extrapolated.");
        }

        foreach (var (name, shape) in Certainty.Picks(best))
        {
            var outside = new List<string>();
            if (law.Ranges.X is { } x && !x.Contains(shape.X))
            {
                outside.Add($"x {Quantity.Digits(shape.X, 3)} (runs: {Quantity.Interval(x.Low, x.High)})");
            }

            if (law.Ranges.Ratio is { } ratio && !ratio.Contains(shape.Ratio))
            {
                outside.Add($"ratio {Quantity.Digits(shape.Ratio, 3)} (runs: {Quantity.Interval(ratio.Low, ratio.High)})");
            }

            AddUnknownAxis(outside, "layers", shape.Layers, law.Context.Layers);
            AddUnknownAxis(outside, "head size", shape.HeadSize, law.Context.HeadSize);
            AddUnknownAxis(outside, "GQA", shape.Gqa, law.Context.Gqa);
            if (outside.Count > 0)
            {
                points.Add($"The {name} shape lies outside the runs: {string.Join(", ", outside)}.");
            }
        }
    }

    private static void AddUnknownAxis(List<string> outside, string name, double value, IReadOnlyList<double> seen)
    {
        if (seen.Count > 0 && !seen.Contains(value))
        {
            outside.Add($"{name} {Quantity.Digits(value, 3)} (runs: {string.Join(", ", seen.Select(v => Quantity.Digits(v, 3)))}; the law has no term for it)");
        }
    }

    /// <summary>Whoever names one winner in a flat valley is guessing; how many could have won says how flat it is.</summary>
    private static void AddFlatness(List<string> points, Study study, SearchResult best, LawDocument law)
    {
        if (study.Candidates is not { Rows.Count: > 1 } candidates || law.Fit is null || Certainty.Alike(study) is not null)
        {
            return;
        }

        double noise = law.Fit.ResidualStandardDeviation;
        int near = candidates.Each().Count(row => row.Number("predicted") - best.Accurate.Predicted <= noise);
        points.Add(
            $"{near} of {candidates.Rows.Count} candidates are predicted within {Quantity.Digits(noise, 2)} nats of the accurate one, the spread of single runs about the law"
            + (near > 1 ? ": any of them may be the best." : "."));
    }
}
