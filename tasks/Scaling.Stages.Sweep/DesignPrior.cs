// What a design believes before its first run: the published constants, a law of earlier runs, or little.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class DesignPrior
{
    private const double UsualNoise = 0.002; // Nats a token: between seeds of the published study's sizes.
    private const double Held = 1e-3; // Deviation of what a held axis is at, in ln.

    /// <summary>The prior of a design.</summary>
    /// <param name="context">Of the stage.</param>
    /// <param name="candidates">What could be run.</param>
    /// <param name="held">Whether x, and whether the ratio, has one value only: its optimum is then taken to be there.</param>
    /// <exception cref="StageFailedException">SCAL7416: the file is no law; SCAL7417: its law has no minimum.</exception>
    public static StudyPrior Of(StageContext<SweepSettings> context, IReadOnlyList<DesignCandidate> candidates, (bool X, bool Ratio) held)
    {
        var design = context.Settings.Design!;
        var (x, ratio) = (Range(candidates, c => c.Shape.X), Range(candidates, c => c.Shape.Ratio));
        var prior = design.Prior switch
        {
            null => StudyPrior.Within(x, ratio, Middle(candidates.Select(c => c.Size).Distinct()), UsualNoise / 2.8),
            { Scheme: "published" } => StudyPrior.Published(UsualNoise / 2.8),
            var files => OfLaw(files),
        };
        if (design.Noise is not null || design.Prior is null or { Scheme: "published" })
        {
            prior = prior with { Noise = (design.Noise ?? UsualNoise) / prior.Level };
        }

        prior = prior with { X = held.X ? At(prior.X, x) : prior.X, Ratio = held.Ratio ? At(prior.Ratio, ratio) : prior.Ratio };
        WarnOutside(context, "x", prior.X, x);
        WarnOutside(context, "ratio", prior.Ratio, ratio);
        return prior;
    }

    /// <summary>The same with losses as the study measures them, of which it believed nothing: noise keeps its nats.</summary>
    /// <param name="prior">Beforehand.</param>
    /// <param name="results">Any number.</param>
    public static StudyPrior Levelled(StudyPrior prior, IReadOnlyList<StudyResult> results)
    {
        if (results.Count == 0)
        {
            return prior;
        }

        double largest = results.Max(r => r.Point.Size), level = results.Where(r => r.Point.Size == largest).Min(r => r.Loss);
        return prior with { Level = level, Noise = prior.Noise * prior.Level / level };
    }

    private static StudyPrior OfLaw(FileSet files)
    {
        if (files.Paths is not [var path])
        {
            throw new StageFailedException("SCAL7416", $"'design.prior' names {files.Paths.Count} files. Expected one law.json, or 'published'.", "Name one law.json, as 'fit' writes it.");
        }

        LawDocument law;
        try
        {
            law = LawDocument.Read(path);
        }
        catch (FormatException e)
        {
            throw new StageFailedException([new Diagnostic("SCAL7416", $"The prior is no law: {e.Message}.") { Location = new SourceLocation(path), Hint = "Give 'design.prior' a law.json, as 'fit' writes it, or 'published'." }]);
        }

        return StudyPrior.Of(law, null) ?? throw new StageFailedException([new Diagnostic("SCAL7417", "The prior is a law without a least loss in x and in the ratio: it believes no shape to be better than those at an end.")
        {
            Location = new SourceLocation(path), Hint = "Fit a conditional law to runs on both sides of the optimum, write 'prior: published', or leave 'prior' out: the optimum may then be anywhere in the grid.",
        }]);
    }

    private static AxisPrior At(AxisPrior axis, Interval range) =>
        axis with { Optimum = new Belief(Math.Log(Middle([range.Low, range.High])), Held), Drift = new Belief(0, Held), BudgetDrift = new Belief(0, Held), BudgetGrowth = new Belief(0, Held) };

    private static void WarnOutside(StageContext<SweepSettings> context, string name, AxisPrior axis, Interval range)
    {
        double optimum = Math.Exp(axis.Optimum.Mean);
        if (optimum < range.Low / 1.25 || optimum > range.High * 1.25)
        {
            context.Warn(
                "SCAL7418", FormattableString.Invariant($"The prior believes the best {name} to be {optimum:G3}, far outside the candidates' {range.Low:G3} to {range.High:G3}: their runs would tell little of it."),
                $"Widen '{name}' to both sides of it, or leave 'design.prior' out.");
        }
    }

    private static Interval Range(IReadOnlyList<DesignCandidate> candidates, Func<DesignCandidate, double> of) => new(candidates.Min(of), candidates.Max(of));

    private static double Middle(IEnumerable<double> values) => Math.Exp(values.Average(Math.Log));
}
