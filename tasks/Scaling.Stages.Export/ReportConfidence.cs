// The second part of the report: how sure the answer is, in plain words.
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

        List<string> points = [.. law.ShapeEffects.Select(InWords), .. law.LearningRateChecks.Select(InWords), .. law.Verdicts.Select(InWords)];
        if (study.Scores?.HeldOut is { } heldOut)
        {
            points.Add(ReportScores.InWords(heldOut, NoiseAt(law, heldOut.Size)));
        }

        if (ReportReferences.Doubt(study) is { } doubt)
        {
            points.Add(doubt);
        }

        AddReach(points, study, law);
        AddFlatness(points, study, law);
        report.List(points);
    }

    /// <summary>What seeds scatter by at a size, its budgets taken together; over all sizes where it has no replicates. It falls with the size, so that of all sizes would flatter large ones.</summary>
    private static double? NoiseAt(LawDocument law, double size)
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

    private static string InWords(ShapeEffect effect)
    {
        string where = $"At {Quantity.Count(effect.Parameters)} parameters and {Quantity.Count(effect.Tokens)} tokens";
        string test = $"{effect.Test()}, {effect.Shapes} shapes, {effect.Runs} runs";
        string noise = $"seeds scatter by {Quantity.Digits(effect.SeedNoise, 2)} nats";
        string shuffled = $"with the runs shuffled over the shapes {effect.ShuffledShare:P1} of {ShapeEffect.Shuffles} tests came to p < {ShapeEffect.Significance.ToString(System.Globalization.CultureInfo.InvariantCulture)}{(effect.IsSound ? "" : ", so the test is too eager here")}";
        return effect.P < ShapeEffect.Significance
            ? $"{where} shapes **differ by more than seeds** ({test}): {noise}, the shapes' own losses by {Quantity.Digits(effect.ShapeDeviation, 2)}; {shuffled}."
            : $"{where} shapes **cannot be told from seeds** ({test}): {noise}; {shuffled}.";
    }

    private static string InWords(LearningRateCheck check)
    {
        string where = $"At {Quantity.Count(check.Parameters)} parameters and {Quantity.Count(check.Tokens)} tokens";
        string gains = $"at its own best rate a corner of the grid would have gained from {Quantity.Digits(check.Corners.Min(c => c.Gain), 2)} to {Quantity.Digits(check.Corners.Max(c => c.Gain), 2)} nats, and shapes differ by {Quantity.Digits(check.LossRange, 2)}";
        string verdict = check.Verdict switch
        {
            RateVerdict.Fair => "**was fair** to all shapes",
            RateVerdict.NotFair => "**was not fair** to all shapes, and part of what the law says of x and the ratio may be the rate's doing",
            _ => check.Corners.Count(c => !c.Bracketed) is > 0 and var open
                ? $"**is not settled**, since {open} of {check.Corners.Count} best rates lie at an end of the bracket or beyond"
                : "**is not settled**, since seeds scatter too much",
        };
        return $"{where} the learning-rate rule {verdict}: {gains}.";
    }

    private static void AddReach(List<string> points, Study study, LawDocument law)
    {
        double times = study.Best.Size / law.Ranges.Parameters.High;
        if (times > 1.05)
        {
            points.Add($"The answer's size is {Quantity.Digits(times, 2)} times the largest run: its losses are extrapolated. Differences between shapes carry further than the level of the loss.");
        }

        double budget = study.Best.Tokens / study.Best.Size;
        if (!new Interval(law.Ranges.TokensPerParameter.Low / 1.05, law.Ranges.TokensPerParameter.High * 1.05).Contains(budget))
        {
            points.Add(
                $"{Quantity.Digits(budget, 3)} tokens a parameter were asked for, and the runs had {Quantity.Interval(law.Ranges.TokensPerParameter.Low, law.Ranges.TokensPerParameter.High)}: the level of the loss is extrapolated.");
        }

        foreach (var (name, shape) in new[] { ("accurate", study.Best.Accurate), ("efficient", study.Best.Efficient) })
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
    private static void AddFlatness(List<string> points, Study study, LawDocument law)
    {
        if (study.Candidates is not { Rows.Count: > 1 } candidates || law.Fit is null)
        {
            return;
        }

        double noise = law.Fit.ResidualStandardDeviation;
        int near = candidates.Each().Count(row => row.Number("predicted") - study.Best.Accurate.Predicted <= noise);
        points.Add(
            $"{near} of {candidates.Rows.Count} candidates are predicted within {Quantity.Digits(noise, 2)} nats of the accurate one, the spread of single runs about the law"
            + (near > 1 ? ": any of them may be the best." : "."));
    }
}
