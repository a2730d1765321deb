// The third part of the report: runs, law, extrapolation, search and speed, each with its table and figure.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportEvidence
{
    public static void Append(ReportDocument report, Study study, IReadOnlyList<StudyFigure> figures)
    {
        void Show(params ReadOnlySpan<string> files)
        {
            foreach (string file in files)
            {
                if (figures.FirstOrDefault(f => f.File == file) is { } figure)
                {
                    report.Figure(figure.Figure, figure.File, figure.Caption);
                }
            }
        }

        AppendRuns(report, study);
        AppendLearningRates(report, study);
        Show(ExportTables.LossAgainstX, ExportTables.LossAgainstRatio);
        ReportAccuracy.Append(report, study);
        Show(ExportTables.AccuracyAgainstLoss);
        AppendLaw(report, study);
        AppendExtrapolation(report, study);
        Show(ExportTables.PredictedAgainstMeasured);
        ReportSearch.Append(report, study);
        Show(ExportTables.Front);
        ReportValley.Append(report, study);
        ReportGrouping.Append(report, study);
        ReportTrades.Append(report, study);
        ReportCompared.Append(report, study);
        ReportReferences.Append(report, study);
        Show(ExportTables.References);
        ReportSpeed.Append(report, study);
    }

    private static void AppendRuns(ReportDocument report, Study study)
    {
        if (study.Runs is not { Rows.Count: > 0 } runs)
        {
            return;
        }

        report.Heading(2, "Runs");
        report.Paragraph($"{study.RunList.Count} trained models{Facts(runs)}.{LeftOut(runs)}");
        var names = study.SizeNames();
        report.Table(
            [
                ReportColumn.Number("size (parameters)"), ReportColumn.Number("tokens a parameter"), ReportColumn.Number("tokens"), ReportColumn.Number("runs"),
                ReportColumn.Number("least loss (nats a token)"), ReportColumn.Number("median"), ReportColumn.Number("greatest"), ReportColumn.Number("x of the least"),
                ReportColumn.Number("ratio of the least"),
            ],
            study.RunList.GroupBy(r => (r.Size, r.Budget)).Select(group =>
            {
                var runsOfGroup = group.ToList();
                return (IReadOnlyList<string>)
                [
                    names[group.Key.Size], Quantity.Digits(group.Key.Budget), Quantity.Count(SizeClasses.GeometricMean(runsOfGroup.Select(r => r.Tokens))), $"{runsOfGroup.Count}",
                    Quantity.Loss(runsOfGroup[0].Loss), Quantity.Loss(Median(runsOfGroup)), Quantity.Loss(runsOfGroup[^1].Loss), Quantity.Digits(runsOfGroup[0].X, 3),
                    Quantity.Digits(runsOfGroup[0].Ratio, 3),
                ];
            }));
        AppendBaselines(report, study);
        if (runs.Has("unique_tokens") && runs.Each().Count(r => Optional(r, "unique_tokens") is { } unique && r.Number("tokens") > unique) is > 0 and var repeating)
        {
            report.Paragraph($"{repeating} of the runs saw text more than once: their tokens are more than the corpus has.");
        }
    }

    /// <summary>How many rows are none of these models, and why; empty where all are.</summary>
    private static string LeftOut(Table runs)
    {
        int Count(string column, Func<string, bool> counts) => runs.Has(column) ? runs.Each().Count(r => counts(r.Text(column))) : 0;
        var reasons = new[]
        {
            (Count("diverged_at", cell => cell.Length > 0), "diverged"), (Count("annealed", cell => cell == "false"), "are points at which the schedule had not ended"),
            (Count(Vocabulary.LearningRateFactor.Name, cell => cell != "1"), "check the learning rate"),
        }.Where(r => r.Item1 > 0).Select(r => $"{r.Item1} {r.Item2}").ToArray();
        return reasons.Length == 0 ? "" : $" Of the other rows {string.Join(", ", reasons)}.";
    }

    private static void AppendLearningRates(ReportDocument report, Study study)
    {
        if (study.Law?.LearningRateChecks is not { Count: > 0 } checks)
        {
            return;
        }

        report.Paragraph("The corners of the grid at other learning rates than the rule's:");
        report.Table(
            [
                ReportColumn.Number("parameters"), ReportColumn.Number("tokens"), ReportColumn.Number("x"), ReportColumn.Number("ratio"),
                new("loss (nats a token) at factors on the rate"), ReportColumn.Number("best factor"), ReportColumn.Number("gain there (nats)"),
            ],
            checks.SelectMany(check => check.Corners.Select(c => (IReadOnlyList<string>)
            [
                Quantity.Count(check.Parameters), Quantity.Count(check.Tokens), Quantity.Digits(c.X, 3), Quantity.Digits(c.Ratio, 3),
                string.Join(", ", c.Factors.Zip(c.Losses, (f, l) => $"{Quantity.Digits(f, 2)}: {Quantity.Loss(l)}")), (c.Bracketed ? "" : "at the end, ") + Quantity.Digits(c.BestFactor, 2), Quantity.Loss(c.Gain),
            ])));
    }

    /// <summary>The runs of the shapes that the others are held against.</summary>
    private static void AppendBaselines(ReportDocument report, Study study)
    {
        var groups = study.RunList.Where(r => r.Baseline).GroupBy(r => (r.Shape, r.Budget)).ToList();
        if (groups.Count == 0)
        {
            return;
        }

        report.Paragraph($"The {(groups.Select(g => g.Key.Shape).Distinct().Count() == 1 ? "baseline was" : "baselines were")} trained as the other shapes were:");
        report.Table(
            [
                new("baseline"), ReportColumn.Number("parameters"), ReportColumn.Number("x"), ReportColumn.Number("ratio"), ReportColumn.Number("tokens a parameter"), ReportColumn.Number("runs"),
                ReportColumn.Number("mean loss (nats a token)"), ReportColumn.Number("known loss"),
            ],
            groups.Select(group => (IReadOnlyList<string>)
            [
                $"`{group.Key.Shape}`", Quantity.Count(group.First().Parameters), Quantity.Digits(group.First().X, 3), Quantity.Digits(group.First().Ratio, 3), Quantity.Digits(group.Key.Budget),
                $"{group.Count()}", Quantity.Loss(group.Average(r => r.Loss)), Quantity.Loss(group.First().KnownLoss),
            ]));
    }

    /// <summary>What all runs have in common, from the columns that are there.</summary>
    private static string Facts(Table runs)
    {
        var facts = new List<string>();
        foreach (string column in (string[])["tokenizer", "batch", "context", "schedule", "evaluation_tokens", "seed"])
        {
            if (runs.Has(column))
            {
                var values = runs.Each().Select(r => r.Text(column)).Where(text => text.Length > 0).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal).ToList();
                if (values.Count == 0)
                {
                    continue; // A trainer of the user that does not tell.
                }

                facts.Add($"{column.Replace('_', ' ')} {(values.Count > 4 ? $"of {values.Count} values" : string.Join(" or ", values))}");
            }
        }

        return facts.Count == 0 ? "" : ": " + string.Join(", ", facts);
    }

    private static double Median(List<StudyRun> sorted) => (sorted[(sorted.Count - 1) / 2].Loss + sorted[sorted.Count / 2].Loss) / 2;

    private static void AppendLaw(ReportDocument report, Study study)
    {
        if (study.Law is not { } law)
        {
            return;
        }

        report.Heading(2, "Law");
        string formula = Formula(law);
        report.Code(law.HasLevel ? formula : formula.Replace("E + A/N^α + B/D^β", "L_opt(N, D)", StringComparison.Ordinal).Replace("(L_opt(N, D))", "L_opt(N, D)", StringComparison.Ordinal));
        report.Paragraph(Origin(law));
        report.Table([new("quantity"), ReportColumn.Number("value"), ReportColumn.Number("95 %"), new("verdict")], Coefficients(law));
    }

    private static string Origin(LawDocument law)
    {
        string counting = $"N counts parameters {law.ParametersRule}, D tokens {law.TokensRule}.";
        return law is not { Fit: { } fit, Certificate: { } certificate, Restarts: { } restarts }
            ? $"Taken from {law.Source ?? "a file that does not say where from"}; not fitted here. {counting}"
            : $"Fitted to {fit.Rows} runs; {(certificate.Status == Convergence.Converged ? "the minimiser converged" : "**the minimiser reached its limit of iterations**")}, "
              + $"{restarts.Agreeing} of {restarts.Followed} starting points agree. Single runs lie {Quantity.Digits(fit.ResidualStandardDeviation, 2)} nats about it "
              + $"(standard deviation). Condition number of the base law: {(certificate.ConditionNumber is { } c ? Quantity.Digits(c, 2) : "infinite")}. {counting}";
    }

    private static string Formula(LawDocument law) => law.Shape?.Form switch
    {
        null => "L(N, D) = E + A/N^α + B/D^β",
        LawForm.None => "L = E + A/N^α + B/D^β, times the terms below",
        LawForm.Multiplicative => "L = (a0 + a1·ln x + a2/x) · (b0 + b1·ln r + b2/r) · (E + A/N^α + B/D^β)",
        LawForm.Joint => "L = (a0 + a1·ln(x·r) + a2/(x·r)) · (E + A/N^α + B/D^β)",
        LawForm.Quadratic => "L = (a0 + a1·ln x + a2·ln² x + b1·ln r + b2·ln² r + c·ln x·ln r) · (E + A/N^α + B/D^β)",
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
            LawForm.Quadratic => [("a0", k.A0), ("a1", k.A1), ("a2", k.A2), ("b1", k.B1), ("b2", k.B2), ("c", k.C)],
            _ => [("a0", k.A0), ("a1", k.A1), ("a2", k.A2), ("b0", k.B0), ("b1", k.B1), ("b2", k.B2)],
        };
    }

    private static void AppendExtrapolation(ReportDocument report, Study study)
    {
        var targets = study.Predictions?.Each().Where(row => row.Text("purpose") == "target").ToList() ?? [];
        if (study.Scores is null && targets.Count == 0)
        {
            return;
        }

        report.Heading(2, "Extrapolation");
        if (study.Scores?.HeldOut is { } heldOut)
        {
            ReportScores.Append(report, heldOut);
        }
        else if (study.Scores is { } scores)
        {
            report.Paragraph($"No size was held out: {scores.Reason}");
        }

        if (study.Scores?.Rollout is { Count: > 0 } steps)
        {
            ReportScores.AppendRollout(report, steps);
        }

        report.Table(
            [
                ReportColumn.Number("size (parameters)"), ReportColumn.Number("tokens"), ReportColumn.Number("x"), ReportColumn.Number("ratio"),
                ReportColumn.Number("predicted loss (nats a token)"), ReportColumn.Number("95 %"),
            ],
            targets.Select(row => (IReadOnlyList<string>)
            [
                Count(row, "parameters"), Count(row, "tokens"), Digits(row, "x"), Digits(row, "ratio"), Quantity.Loss(Optional(row, "predicted")),
                Optional(row, "predicted_low") is { } low && Optional(row, "predicted_high") is { } high ? $"{Quantity.Loss(low)} … {Quantity.Loss(high)}" : Quantity.Absent,
            ]));
    }
}
