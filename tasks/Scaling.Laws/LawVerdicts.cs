// Whether the runs determine what was fitted, a verdict a quantity, each with its reason.
namespace Scaling.Laws;

/// <summary>
/// Verdicts rest on, in this order: what the design cannot tell whatever was measured; bounds and condition number; disagreement of starting
/// points; the width of the resamples' interval.
/// </summary>
internal static class LawVerdicts
{
    /// <summary>Beyond this two directions of the base law differ by less than rounding of the losses in a table: 1e-4 of them.</summary>
    private const double LargestCondition = 1e4;

    /// <summary>Larger exponents have been published for fits that ran away; a term of N^-2.5 is gone at the second size.</summary>
    private const double LargestPlausibleExponent = 2.5;

    private static readonly string SpreadUnknown = $"With fewer than {LawDocument.LeastResamples} resamples its spread is unknown.";

    public static LawIntervals Intervals(Design design, IReadOnlyList<LawSolution> resamples)
    {
        if (resamples.Count < LawDocument.LeastResamples)
        {
            return new LawIntervals();
        }

        return new LawIntervals
        {
            E = Quantiles.Central95(resamples.Select(s => s.Law.E)),
            Alpha = design.BaseTerms[1] ? Quantiles.Central95(resamples.Select(s => s.Law.Alpha)) : null,
            Beta = design.BaseTerms[2] ? Quantiles.Central95(resamples.Select(s => s.Law.Beta)) : null,
            XStar = Conditional(design) && design.FitsWidth ? Optimum(resamples, s => s.XStar, s => Slopes(s).X) : null,
            RStar = Conditional(design) && design.FitsSplit ? Optimum(resamples, s => s.RStar, s => Slopes(s).Ratio) : null,
            Terms =
            [
                .. resamples[0].Shape?.Terms.Select((t, k) =>
                {
                    var interval = Quantiles.Central95(resamples.Select(s => s.Shape!.Terms[k].Coefficient));
                    return new TermInterval(t.Term, t.Name, interval.Low, interval.High);
                }) ?? [],
            ],
        };
    }

    /// <summary>How the loss rises and falls along each axis; of forms that are no sum of a rising and a falling term neither.</summary>
    private static ((double Rising, double Falling) X, (double Rising, double Falling) Ratio) Slopes(ShapeTerms shape) =>
        shape.Form is LawForm.Multiplicative or LawForm.Additive
            ? ((shape.Coefficients.A1, shape.Coefficients.A2), (shape.Coefficients.B1, shape.Coefficients.B2))
            : ((0, 0), (0, 0));

    private static bool Conditional(Design design) => design.Options.Law == LawKind.Conditional;

    public static IReadOnlyList<Verdict> Of(LawFitter fitter, LawSolution solution, IReadOnlyList<LawSolution> resamples, LawDocument document)
    {
        var design = fitter.Design;
        var verdicts = new List<Verdict> { Exponents(fitter, solution, document) };
        if (Conditional(design))
        {
            var slopes = resamples.Select(r => Slopes(r.Shape!)).ToList();
            var shape = document.Shape!;
            verdicts.Add(Place("x_star", "x", design.WidthValues, shape.XStar, document.Ranges.X, document.Intervals.XStar, [.. slopes.Select(c => c.X)], fitter));
            verdicts.Add(Place("r_star", "the ratio", design.SplitValues, shape.RStar, document.Ranges.Ratio, document.Intervals.RStar, [.. slopes.Select(c => c.Ratio)], fitter));
        }

        if (design.Options.Law == LawKind.WidthOverDepth)
        {
            verdicts.Add(Gamma(fitter, solution, resamples));
        }

        verdicts.AddRange(Terms(fitter, document));
        double largest = document.Ranges.Parameters.High, budget = design.TokensPerParameter;
        verdicts.Add(Prediction("prediction_along_ray", fitter, resamples, document, 4 * largest, 4 * largest * budget));
        verdicts.Add(design.IsRay
            ? new Verdict("prediction_off_ray", Identification.NotIdentified, $"All runs have about {budget:0.###} tokens a parameter or lie on one curve: what more tokens would give was not measured.")
            : Prediction("prediction_off_ray", fitter, resamples, document, largest, 4 * document.Ranges.Tokens.High));
        return verdicts;
    }

    private static Verdict Gamma(LawFitter fitter, LawSolution solution, IReadOnlyList<LawSolution> resamples)
    {
        double gamma = solution.Shape!.Coefficients.Gamma;
        if (fitter is WidthOverDepthFitter { Varies: false })
        {
            return new Verdict("gamma", Identification.NotIdentified, "Hidden over layers does not vary among the runs, so the term is left out.");
        }

        var interval = resamples.Count < LawDocument.LeastResamples ? null : Quantiles.Central95(resamples.Select(s => s.Shape!.Coefficients.Gamma));
        return Coefficient("gamma", $"γ {gamma:G3}", interval, gamma < 0 ? ": below 0, wider is better than the law allows for" : "");
    }

    private static IEnumerable<Verdict> Terms(LawFitter fitter, LawDocument document)
    {
        var columns = fitter.Shape?.Columns.All.Zip(fitter.Shape.Told).Where(c => c.First.Reported is not null).ToList() ?? [];
        for (int k = 0; k < columns.Count; k++)
        {
            var term = document.Shape!.Terms[k];
            var interval = document.Intervals.Terms.Count > k ? document.Intervals.Terms[k] : null;
            yield return columns[k].Second
                ? Coefficient(term.Label, $"{term.Coefficient:G3}", interval is null ? null : new Interval(interval.Low, interval.High), "")
                : new Verdict(term.Label, Identification.NotIdentified, "It does not vary among runs that are compared (of one size and budget; without shapes, all), so it is left out.");
        }
    }

    /// <summary>A coefficient is known where its interval leaves 0 out.</summary>
    private static Verdict Coefficient(string quantity, string shown, Interval? interval, string known)
    {
        if (interval is null)
        {
            return new Verdict(quantity, Identification.WeaklyIdentified, SpreadUnknown);
        }

        bool apart = interval.Low > 0 || interval.High < 0;
        return new Verdict(
            quantity, apart ? Identification.Identified : Identification.NotIdentified,
            $"{shown}, 95 % {interval.Low:G3} to {interval.High:G3}{(apart ? known : ": it cannot be told from 0")}.");
    }

    /// <summary>Hyper-parameters that change with the size alone: what they do to the level passes for N's or D's.</summary>
    private static bool GroupsGoWithSize(LawFitter fitter) =>
        fitter.Shape is { } shape && shape.Columns.All.Zip(shape.Told).Any(c => c.First.Reported is { Term: LawTerm.Offset } && !c.Second);

    private const string GroupsReason = "A hyper-parameter group goes with the sizes or budgets, so what it does to the loss cannot be told from N and D.";

    private static Verdict Exponents(LawFitter fitter, LawSolution solution, LawDocument document)
    {
        var design = fitter.Design;
        const string Quantity = "exponents";
        var law = solution.Law;
        Verdict Not(string reason) => new(Quantity, Identification.NotIdentified, reason);
        if (design.Sizes < 3)
        {
            return Not($"Sizes that differ: {design.Sizes}; α takes at least 3.");
        }

        if (design.Budgets < 3)
        {
            return Not($"Numbers of tokens that differ: {design.Budgets}; β takes at least 3.");
        }

        if (GroupsGoWithSize(fitter))
        {
            return Not(GroupsReason);
        }

        if (design.IsRay)
        {
            return Not("The tokens follow from the parameters on all runs (one ray), so the two terms cannot be told apart; along it only E + C/N^γ exists.");
        }

        int points = design.Points;
        if (points <= 5)
        {
            return Not($"{points} different (N, D) leave no freedom beside 5 parameters.");
        }

        if (solution.Status != Convergence.Converged)
        {
            return Not("The minimiser reached its limit of iterations.");
        }

        if (Absent(law.E, law, document) || !Falls(law, document, 1) || !Falls(law, document, 2))
        {
            return Not($"A term fell to nothing or its exponent to its bound (E {law.E:0.###}, A {law.A:G3}, B {law.B:G3}, α {law.Alpha:0.###}, β {law.Beta:0.###}): the runs do not show all three.");
        }

        if (Math.Max(law.Alpha, law.Beta) > LargestPlausibleExponent || Math.Min(law.Alpha, law.Beta) < 0.01)
        {
            return Not($"An exponent ran away (α {law.Alpha:0.###}, β {law.Beta:0.###}).");
        }

        double condition = document.Certificate!.ConditionNumber ?? double.PositiveInfinity;
        if (condition > LargestCondition)
        {
            return Not($"Condition number {condition:G3}: other exponents fit as well.");
        }

        return ByWidth(solution, document);
    }

    private static Verdict ByWidth(LawSolution solution, LawDocument document)
    {
        var law = solution.Law;
        var (_, _, alpha, beta) = solution.Restarts;
        double starts = Math.Max(Span(alpha), Span(beta)), profile = Math.Max(Span(document.Certificate!.ProfileAlpha), Span(document.Certificate!.ProfileBeta));
        double width = document.Intervals is { Alpha: { } a, Beta: { } b } ? Math.Max(Span(a), Span(b)) : 1;
        string reason = document.Intervals is { Alpha: { } shownA, Beta: { } shownB }
            ? $"α {law.Alpha:0.###} in {shownA.Low:0.###} to {shownA.High:0.###}, β {law.Beta:0.###} in {shownB.Low:0.###} to {shownB.High:0.###} (95 %)."
            : $"With fewer than {LawDocument.LeastResamples} resamples only the condition number, the profile and the starting points speak.";
        double worst = Math.Max(Math.Max(starts, profile), width);
        bool resampled = document.Intervals.Alpha is not null;
        return new Verdict("exponents", worst < 2 && resampled ? Identification.Identified : worst < 20 ? Identification.WeaklyIdentified : Identification.NotIdentified, reason);
    }

    private static double Span(Interval? interval) => interval is null ? 1 : interval.High / interval.Low;

    private static Verdict Place(
        string quantity, string axis, int values, double? star, Interval? range, OpenInterval? interval, IReadOnlyList<(double Rising, double Falling)> slopes, LawFitter fitter)
    {
        var design = fitter.Design;
        Verdict Not(string reason) => new(quantity, Identification.NotIdentified, reason);
        if (values < 3)
        {
            return Not(range is null ? $"The runs have no column for {axis}." : $"No (N, D) class holds more than {values} values of {axis}; a minimum takes at least 3.");
        }

        int terms = fitter.ShapeFreedom;
        if (design.Runs.Count - design.Points <= terms)
        {
            return Not($"{design.Runs.Count} rows leave no freedom beside the levels of {design.Points} (N, D) classes and {terms} shape terms.");
        }

        if (design.AxesMoveTogether)
        {
            return Not("x and the ratio move together within each size and budget, so the runs do not tell one from the other.");
        }

        if (quantity == "x_star" && design.DepthGoesWithWidth)
        {
            return Not($"Depth moves with x within each size and budget, so the runs do not tell one from the other{(star is null ? "" : $"; the fitted minimum {star:0.####} is of both")}.");
        }

        if (fitter.Shape is { Columns.Form: LawForm.Joint })
        {
            return Not("The joint form knows the product of x and the ratio alone: its least loss is a curve.");
        }

        if (star is null)
        {
            double Share(Func<(double Rising, double Falling), bool> alone) => slopes.Count < LawDocument.LeastResamples ? 0 : slopes.Average(r => alone(r) ? 1.0 : 0);
            return Not(Share(r => r is { Rising: > 0, Falling: <= 0 }) > 0.9 ? $"The loss rises with {axis} over the whole range: a minimum, if any, lies below it."
                : Share(r => r is { Rising: <= 0, Falling: > 0 }) > 0.9 ? $"The loss falls with {axis} over the whole range: a minimum, if any, lies above it."
                : $"The loss does not show a valley in {axis}.");
        }

        if (star < range!.Low || star > range.High)
        {
            return Not($"The fitted minimum {star:0.####} lies outside the runs' {range.Low:0.####} to {range.High:0.####}.");
        }

        string reason = $"The fitted {axis.Replace("the ", "")} of least loss is {star:0.####}, 95 % {interval?.Low?.ToString("0.####") ?? "below the runs"} to {interval?.High?.ToString("0.####") ?? "above the runs"}.";
        if (interval is null)
        {
            return new Verdict(quantity, Identification.WeaklyIdentified, SpreadUnknown);
        }

        double factor = interval is { Low: { } low, High: { } high } ? high / low : double.PositiveInfinity;
        return new Verdict(quantity, factor < 2 ? Identification.Identified : factor < 5 ? Identification.WeaklyIdentified : Identification.NotIdentified, reason);
    }

    /// <summary>Less than any table resolves.</summary>
    private static bool Absent(double nats, ChinchillaLaw law, LawDocument document) =>
        nats < 1e-6 * law.Predict(document.Ranges.Parameters.Low, document.Ranges.Tokens.Low);

    /// <summary>Whether the term of N (1) or of D (2) is more than nothing at the smallest run, with an exponent that did not run into its bound.</summary>
    private static bool Falls(ChinchillaLaw law, LawDocument document, int term)
    {
        var alone = term == 1 ? law with { E = 0, B = 0 } : law with { E = 0, A = 0 };
        double nats = alone.Predict(document.Ranges.Parameters.Low, document.Ranges.Tokens.Low);
        double exponent = term == 1 ? law.Alpha : law.Beta;
        return !Absent(nats, law, document) && exponent < ChinchillaObjective.LargestExponent * (1 - 1e-6);
    }

    /// <summary>By the 95 % interval of L_opt there, relative to it: an effect worth extrapolating for is a per cent.</summary>
    private static Verdict Prediction(string quantity, LawFitter fitter, IReadOnlyList<LawSolution> resamples, LawDocument document, double parameters, double tokens)
    {
        var design = fitter.Design;
        bool along = quantity == "prediction_along_ray";
        if (GroupsGoWithSize(fitter))
        {
            return new Verdict(quantity, Identification.NotIdentified, GroupsReason);
        }

        if (!design.BaseTerms[along ? 1 : 2])
        {
            return new Verdict(quantity, Identification.NotIdentified, along ? "The runs have one size." : "The runs have one number of tokens.");
        }

        if (!Falls(document.Base, document, 2) && (!along || !Falls(document.Base, document, 1)))
        {
            return new Verdict(quantity, Identification.NotIdentified, along ? "The losses fall neither with parameters nor with tokens." : "The losses do not fall with tokens.");
        }

        if ((along ? document.Base.Alpha : document.Base.Beta) > LargestPlausibleExponent)
        {
            return new Verdict(quantity, Identification.NotIdentified, $"An exponent ran away (α {document.Base.Alpha:0.###}, β {document.Base.Beta:0.###}): how the loss goes on is not told.");
        }

        var point = new LawPoint(parameters, tokens);
        if (!document.SaysSomethingOf(point))
        {
            return new Verdict(quantity, Identification.NotIdentified, $"Sizes a factor of {SizeClasses.Factor} apart: {document.Ranges.Sizes.Count}; how the loss goes on takes at least 3.");
        }

        // Along a ray the runs are one curve E + C/N^γ, off it a surface of five parameters.
        int needed = design.IsRay ? 4 : 6;
        int points = design.Points;
        if (design.Sizes < 3 || points < needed)
        {
            return new Verdict(quantity, Identification.NotIdentified, $"Sizes that differ: {design.Sizes}, different (N, D): {points}; a curve and its error take at least 3 and {needed}.");
        }

        if (resamples.Count < LawDocument.LeastResamples)
        {
            return new Verdict(quantity, Identification.WeaklyIdentified, SpreadUnknown);
        }

        // At the best shape, where factors are 1; hidden over layers has no best, so the runs' mean stands.
        double Loss(ChinchillaLaw law, ShapeTerms? shape) =>
            shape is { Form: LawForm.WidthOverDepth } ? shape.Apply(law.Predict(parameters, tokens), point) : law.Predict(parameters, tokens);
        double centre = Loss(document.Base, document.Shape);
        var spread = Quantiles.Central95(resamples.Select(s => Loss(s.Law, s.Shape)));
        double width = (spread.High - spread.Low) / centre;
        return new Verdict(
            quantity,
            width < 0.02 ? Identification.Identified : width < 0.1 ? Identification.WeaklyIdentified : Identification.NotIdentified,
            $"At {Count(parameters)} parameters and {Count(tokens)} tokens {centre:0.####}, 95 % {spread.Low:0.####} to {spread.High:0.####} nats a token.");
    }

    /// <summary>Three digits and a decimal prefix: 323k, 6.32M.</summary>
    private static string Count(double value)
    {
        (double factor, string prefix) = value switch { >= 999.5e9 => (1e12, "T"), >= 999.5e6 => (1e9, "B"), >= 999.5e3 => (1e6, "M"), >= 999.5 => (1e3, "k"), _ => (1, "") };
        double scaled = value / factor;
        return Math.Round(scaled, scaled < 9.995 ? 2 : scaled < 99.95 ? 1 : 0).ToString(System.Globalization.CultureInfo.InvariantCulture) + prefix;
    }

    /// <summary>A resample without a minimum in the axis has it at 0, at ∞, or, if flat, at either.</summary>
    private static OpenInterval Optimum(IReadOnlyList<LawSolution> resamples, Func<ShapeTerms, double?> star, Func<ShapeTerms, (double Rising, double Falling)> slopes)
    {
        var places = resamples.Select(s => s.Shape!).SelectMany(s => star(s) is { } place ? [place, place] : slopes(s) switch
        {
            ( > 0, <= 0) => [0, 0],
            ( <= 0, > 0) => [double.PositiveInfinity, double.PositiveInfinity],
            _ => new[] { 0, double.PositiveInfinity },
        });
        var interval = Quantiles.Central95(places);
        return new OpenInterval(interval.Low > 0 && double.IsFinite(interval.Low) ? interval.Low : null, double.IsFinite(interval.High) && interval.High > 0 ? interval.High : null);
    }
}
