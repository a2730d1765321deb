// The stage `search`: the most accurate and the most efficient decoder of one size, and the front between them.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>Scores every buildable shape by a fitted law and a roofline.</summary>
public sealed class SearchStage : Stage<SearchSettings>
{
    private const string LawRole = "law", SpeedRole = "speed";

    /// <summary>candidates.csv then has 50 MB; a space of more is asked too finely to tell its shapes apart.</summary>
    /// <summary>Wide enough for a few multiples of the hardware about the value.</summary>
    private const double HeldWithin = 0.1;

    private const int MostCandidates = 200_000;

    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "search",
        Summary = "Finds the shapes of one size that lose least and serve fastest.",
        Inputs = [new InputRole(LawRole, "law"), new InputRole(SpeedRole, "speed", Cardinality.Optional)],
        Outputs =
        [
            new OutputFile("candidates.csv", "candidates") { Columns = SearchTables.Candidates },
            new OutputFile("front.csv", "front") { Columns = SearchTables.Candidates },
            new OutputFile("best.json", "best"),
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<SearchSettings> context)
    {
        var settings = context.Settings;
        var law = ReadLaw(context);
        var rows = SpeedRows.Read(context.Inputs(SpeedRole) is [var file] ? file.Path : null);
        var speed = SpeedModel.Of(context, rows);
        var axes = FixedAxes.Of(context, law.Context);
        var space = SpaceOf(context, law, axes, rows);
        double tokens = settings.TokensPerParameter * settings.Size;

        // All at the asked size: otherwise a candidate that rounding left a little larger would win by that.
        LawPoint Point(DecoderShape s) => LawPoint.Of(s, settings.Size, tokens);
        double Loss(DecoderShape s) => law.Predict(Point(s));

        var baseline = BaselineOf(context, space);
        double? threshold = baseline is null ? null : Loss(baseline);
        var candidates = ArchitectureSearch.Score(ShapesOf(space), Loss, speed.Predict, threshold);
        RefuseNone(candidates, space, threshold);
        ScoredShape Scored(Candidate c) => ScoredShape.Of(c.Shape, c.Predicted, c.Speed, threshold);
        new SearchResult
        {
            Size = settings.Size,
            Tokens = tokens,
            Workload = speed.Workload,
            Device = speed.Machine,
            Baseline = baseline is null ? null : ScoredShape.Of(baseline, threshold!.Value, speed.Predict(baseline), threshold),
            Accurate = Scored(ArchitectureSearch.MostAccurate(candidates)),
            Efficient = Scored(ArchitectureSearch.MostEfficient(candidates)!),
        }.Write(context.Output("best.json"));
        var odds = ShapeDecision.Of(law, settings.Size, tokens, [.. candidates.Select(c => Point(c.Shape))]);
        List<(Candidate Candidate, ShapeOdds? Odds)> judged = [.. candidates.Select((c, i) => (c, odds?[i]))];
        SearchTables.Of(judged, threshold, speed.Machine.Source).Write(context.Output("candidates.csv"));
        SearchTables.Of(judged.Where(c => c.Candidate.OnFront), threshold, speed.Machine.Source).Write(context.Output("front.csv"));
    }

    private static LawDocument ReadLaw(StageContext<SearchSettings> context)
    {
        LawDocument law;
        try
        {
            law = LawDocument.Read(context.Input(LawRole));
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL7309", $"The law cannot be read: {e.Message}.", "Expected law.json, as 'fit' writes it.");
        }

        if (law.Shape is not { Form: not LawForm.None })
        {
            throw new StageFailedException(
                "SCAL7310", "The law predicts the same loss for every shape: it is a Chinchilla law.", "Fit with 'law: conditional' on runs that differ in x and ratio.");
        }

        WarnOfDoubts(context, law);
        return law;
    }

    private static void WarnOfDoubts(StageContext<SearchSettings> context, LawDocument law)
    {
        if (law.ParametersRule != "non-embedding")
        {
            context.Warn(
                "SCAL7311", $"The law counts parameters as '{law.ParametersRule}', the search as 'non-embedding'.", "Fit on the column 'parameters' of runs.csv.");
        }

        string ray = law.Ranges.TokensPerParameter.Contains(context.Settings.TokensPerParameter) ? "prediction_along_ray" : "prediction_off_ray";
        foreach (string quantity in new[] { "x_star", "r_star", ray })
        {
            if (law.Verdict(quantity) is { Identification: Identification.NotIdentified } verdict)
            {
                context.Warn("SCAL7307", $"The law's runs do not determine {quantity}: {verdict.Reason}", "Train more seeds or a wider grid before believing the pick.");
            }
        }
    }

    private static ShapeSpace SpaceOf(StageContext<SearchSettings> context, LawDocument law, FixedAxes axes, SpeedRows rows)
    {
        var settings = context.Settings;
        var fitted = law.Ranges.Ratio is { } seen
            ? new Interval(Math.Max(seen.Low, law.Options.RatioRange.Low), Math.Min(seen.High, law.Options.RatioRange.High))
            : null;
        return new ShapeSpace(
            settings.Size, settings.Tolerance, axes.Layers, axes.HeadSize, axes.Gqa, settings.MultipleOf ?? rows.CommonMultiple(), axes.Vocabulary, axes.Tied,
            BoundsOf(context, "x", settings.X, Held(context, "x", settings.X is not null, law.Shape!.Coefficients is { A1: 0, A2: 0 }, law.Ranges.X, settings.Baseline?.Hidden / Math.Sqrt(settings.Size))),
            BoundsOf(context, "ratio", settings.Ratio, Held(context, "ratio", settings.Ratio is not null, law.Shape!.Coefficients is { B1: 0, B2: 0 }, fitted, settings.Baseline?.Ratio)));
    }

    /// <summary>An axis without a fitted term costs no loss in the law's eyes: it stays near the baseline's value, or in the middle of the runs'.</summary>
    private static Interval? Held(StageContext<SearchSettings> context, string name, bool asked, bool withoutTerm, Interval? fitted, double? baseline)
    {
        if (!withoutTerm || fitted is null)
        {
            return fitted;
        }

        if (asked)
        {
            context.Warn("SCAL7320", $"The law has no term in {name}: within the bounds that '{name}' sets, it costs no loss in the law's eyes.", $"Train three values of {name} a size and budget before believing the pick.");
            return fitted;
        }

        double middle = baseline ?? Math.Sqrt(fitted.Low * fitted.High);
        context.Warn(
            "SCAL7320", $"The law has no term in {name}: the search holds it within {HeldWithin:0%} of {middle:0.###}, where the runs go from {fitted.Low:0.###} to {fitted.High:0.###}.",
            $"Train three values of {name} a size and budget, or set '{name}' to search wider.");
        return new Interval(middle * (1 - HeldWithin), middle * (1 + HeldWithin));
    }

    private static Bounds BoundsOf(StageContext<SearchSettings> context, string name, IReadOnlyList<double>? setting, Interval? fitted)
    {
        if (setting is null)
        {
            return fitted is null
                ? throw new StageFailedException("SCAL7308", $"The law does not say between which values of '{name}' it holds.", $"Set '{name}: [low, high]'.")
                : new Bounds(fitted.Low, fitted.High);
        }

        if (setting is not [var low, var high] || low > high)
        {
            throw new StageFailedException(
                "SCAL7308", $"'{name}' is [{string.Join(", ", setting.Select(v => Table.Cell(v)))}]. Expected two numbers, the least and the greatest.",
                $"Write '{name}: [{Table.Cell(setting.Min())}, {Table.Cell(setting.Max())}]'.");
        }

        if (fitted is not null && !(fitted.Contains(low) && fitted.Contains(high)))
        {
            context.Warn(
                "SCAL7318", $"'{name}' goes from {Table.Cell(low)} to {Table.Cell(high)} where the law's runs go from {Table.Cell(fitted.Low)} to {Table.Cell(fitted.High)}.",
                "Beyond its runs the law is a guess.");
        }

        return new Bounds(low, high);
    }

    private static DecoderShape? BaselineOf(StageContext<SearchSettings> context, ShapeSpace space)
    {
        if (context.Settings.Baseline is not { } baseline)
        {
            context.Warn("SCAL7305", "There is no baseline, so every candidate counts as feasible and 'efficient' is simply the fastest.", "Set 'baseline', also where the sweep has one: it is not taken from there.");
            return null;
        }

        if (baseline.Ratio is null == baseline.Intermediate is null)
        {
            throw new StageFailedException(
                "SCAL7312", "The baseline needs 'ratio' or 'intermediate', and not both.", "Write, for example, 'baseline: { hidden: 2048, ratio: 4.8, gqa: 4 }'.");
        }

        var request = new ShapeRequest(
            space.Size, space.Layers, 0, baseline.Ratio ?? 0, baseline.Gqa ?? space.Gqa[0], space.HeadSize, space.MultipleOf, space.Vocabulary, space.Tied);
        var (shape, reason) = baseline.Intermediate is { } intermediate
            ? ShapeGenerator.WithHiddenAndIntermediate(request, baseline.Hidden, intermediate)
            : ShapeGenerator.WithHidden(request, baseline.Hidden);
        if (shape is null)
        {
            throw new StageFailedException(
                "SCAL7312", $"The baseline cannot be built with {space.Size} parameters: {reason}.", "Choose a smaller 'hidden', 'ratio' or 'gqa' for it.");
        }

        double miss = shape.Parameters / space.Size - 1;
        if (Math.Abs(miss) > space.Tolerance)
        {
            context.Warn(
                "SCAL7313", $"The baseline has {shape.Parameters} parameters, {miss:+0.0%;-0.0%} against the size, where candidates stay within {space.Tolerance:0.0%}.",
                "Its size moves its loss. Choose another 'hidden', or raise 'tolerance'.");
        }

        return shape;
    }

    private static List<DecoderShape> ShapesOf(ShapeSpace space)
    {
        List<DecoderShape> shapes = [.. space.Shapes().Take(MostCandidates + 1)];
        return shapes.Count <= MostCandidates
            ? shapes
            : throw new StageFailedException(
                "SCAL7319", $"More than {MostCandidates} shapes have {space.Size} parameters within {space.Tolerance:0.0%} and sizes in multiples of {space.MultipleOf}.",
                "Raise 'multiple_of', lower 'tolerance', or narrow 'x' or 'ratio'.");
    }

    private static void RefuseNone(IReadOnlyList<Candidate> candidates, ShapeSpace space, double? threshold)
    {
        if (candidates.Count == 0)
        {
            throw new StageFailedException(
                "SCAL7304",
                $"No shape has {space.Size} parameters within {space.Tolerance:0.0%} with {space.Layers} layers, head size {space.HeadSize}, GQA {string.Join(", ", space.Gqa)}, " +
                $"sizes in multiples of {space.MultipleOf}, x in [{space.X.Low:0.###}, {space.X.High:0.###}] and ratio in [{space.Ratio.Low:0.###}, {space.Ratio.High:0.###}].",
                "Raise 'tolerance', lower 'multiple_of', or widen 'x' or 'ratio'.");
        }

        if (!candidates.Any(c => c.Feasible))
        {
            throw new StageFailedException(
                "SCAL7306",
                $"None of the {candidates.Count} candidates is predicted to lose at most the baseline's {threshold:0.0000} nats a token; the best loses {candidates[0].Predicted:0.0000}.",
                "Widen 'x' or 'ratio', lower 'multiple_of', or choose another baseline.");
        }
    }
}
