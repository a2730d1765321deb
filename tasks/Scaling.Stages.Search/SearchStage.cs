// The stage `search`: the most accurate and the most efficient decoder of one size, and the front between them.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>Scores every buildable shape, or those that are given, by a fitted law and a model of the device.</summary>
public sealed class SearchStage : Stage<SearchSettings>
{
    private const string LawRole = "law", SpeedRole = "speed", ScoresRole = "scores", ShapesRole = "shapes", ReferencesRole = "references";

    /// <summary>Twice what two seeds of one model differ by.</summary>
    private const double ValleyNats = 0.001;

    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "search",
        Summary = "Finds the shapes of one size that lose least and serve fastest.",
        Example = """
            best:
              uses: search
              needs: [law, speed]
              with:
                size: 64k
                tokens_per_parameter: 20
                multiple_of: 4
                baseline: { hidden: 48, ratio: 4, gqa: 2 }
            """,
        Inputs =
        [
            new InputRole(LawRole, "law"),
            new InputRole(SpeedRole, "speed", Cardinality.Optional),
            new InputRole(ScoresRole, "scores", Cardinality.Optional),
            new InputRole(ShapesRole, "shapes", Cardinality.Optional),
            new InputRole(ReferencesRole, "references", Cardinality.Optional),
        ],
        Outputs =
        [
            new OutputFile("candidates.csv", "candidates") { Columns = SearchTables.Candidates },
            new OutputFile("front.csv", "front") { Columns = SearchTables.Candidates },
            new OutputFile("best.json", "best"),
            new OutputFile("sensitivity.csv", "sensitivity") { Columns = SearchTables.Sensitivity, Optional = true },
            new OutputFile("variants.csv", "shapes") { Columns = SearchTables.Variants },
            new OutputFile("references.csv", "scored_references") { Columns = SearchTables.ScoredReferences, Optional = true },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<SearchSettings> context)
    {
        var configured = BaselineShape.Configured(context.Settings);
        var settings = BaselineShape.Sized(context.Settings, configured);
        var law = SearchLaw.Read(context, LawRole);
        var given = context.Inputs(ShapesRole) is [var table] ? SearchSpace.Read(table.Path) : null;
        var references = context.Inputs(ReferencesRole) is [var file] ? Reference.Read(file.Path) : null;
        var rows = SpeedRows.Read(context.Inputs(SpeedRole) is [var measured] ? measured.Path : null);
        var speed = SpeedModel.Of(context, rows, believeRows: given is not null);

        // What is compared.
        var axes = given is null ? SearchAxes.Of(settings, law.Document.Context, configured) : SearchAxes.Of(given);
        int multipleOf = settings.MultipleOf ?? rows.CommonMultiple();
        var baseline = BaselineShape.Of(context, settings, configured, axes, multipleOf);
        var space = given is null ? SearchSpace.Of(context, settings, law, axes, baseline, multipleOf, speed.Workload) : null;
        var shapes = space is null ? SearchSpace.Near(given!, settings, speed.Workload, baseline) : SearchSpace.Shapes(space);
        var penalties = Penalties.Of(settings.Penalties, law.Document.Context, baseline ?? shapes[0]);
        axes.Check(context, law.Document, penalties, baseline);

        // By what.
        double tokens = settings.TokensPerParameter * settings.SettledSize;
        var misfit = Misfit.Of(context, law, ScoresRole);
        PenalisedPoint? reference = baseline is null ? null : Scoring.At(baseline, settings, penalties, tokens);
        var forecast = new LossForecast(law.Document, settings.Baseline?.Loss is { } level ? new LossAnchor(reference!.Value, level) : null, misfit.Nats);
        var scoring = new Scoring(
            settings, law, forecast, new LossThreshold(reference, settings.LossAtMost), penalties, speed, Objective.Of(context, tokens, speed), Demands.Of(settings, speed, given is null ? new HashSet<DecoderShape>() : rows.Skipped), tokens);

        // What is found.
        var candidates = scoring.Of(shapes);
        RefuseInfinite(candidates);
        double? baselineLoss = reference is { } at ? forecast.Predict(at) : null;
        bool limited = reference is not null || settings.LossAtMost is not null;
        IReadOnlyList<Demand> demands = limited ? [.. scoring.Demands, Demands.OnLoss(settings, baselineLoss)] : scoring.Demands;
        Demands.RefuseNone(settings, candidates, demands, speed);
        var accurate = ArchitectureSearch.MostAccurate(candidates)!;
        var efficient = ArchitectureSearch.MostEfficient(candidates)!;
        double? fittedGqa = law.Document.Context.Gqa is [var one] ? one : baseline?.Gqa;

        var held = baseline is null ? null : scoring.Of(baseline, forecast.Of([reference!.Value], scoring.Threshold, law.Confidence)[0]);
        if (held is not null)
        {
            WarnOfUnserved(context, held, speed);
        }

        ScoredShape Scored(Candidate c) => Picked(c, baselineLoss);
        new SearchResult
        {
            Size = settings.SettledSize,
            Tokens = tokens,
            Workload = speed.Workload,
            Device = speed.Machine,
            Objective = settings.Objective,
            Hold = settings.Hold,
            Tolerance = settings.Tolerance,
            Probability = settings.Probability,
            LawSource = law.Document.Source,
            Level = law.Level(settings),
            LossAtMost = settings.LossAtMost,
            Misfit = misfit.Nats,
            MisfitSource = misfit.Source,
            Penalties = penalties.Set,
            Layers = axes.Layers,
            HeadSize = axes.HeadSize,
            Gqa = [.. axes.Gqa],
            MultipleOf = space?.MultipleOf,
            Constraints = Demands.Count(candidates, demands),
            Baseline = held is null ? null : Scored(held),
            Accurate = Scored(accurate),
            Efficient = Scored(efficient),
            EfficientAtFittedGqa = axes.Gqa.Count > 1 && ArchitectureSearch.MostEfficient(candidates.Where(c => c.Shape.Gqa == fittedGqa)) is { } fitted ? Scored(fitted) : null,
            TradePlaces = TradePlaces.Of(speed, accurate.Shape, efficient.Shape, held is not null && IsServed(held) ? baseline : null),
            Valley = ValleyOf(candidates, accurate, law.Level(settings)),
        }.Write(context.Output("best.json"));
        SearchTables.Of(candidates, baselineLoss).Write(context.Output("candidates.csv"));
        SearchTables.Of(candidates.Where(c => c.OnFront), baselineLoss).Write(context.Output("front.csv"));
        GqaVariants.Table(efficient.Shape, fittedGqa, settings.GqaWalk, s => scoring.Demands.All(d => d.Meets(s, speed.Of(s)))).Write(context.Output("variants.csv"));
        if (space is not null)
        {
            Sensitivity.Of(space, scoring, candidates).Write(context.Output("sensitivity.csv"));
        }

        if (references is not null)
        {
            Reference.Score(references, settings, law.Document, penalties, speed).Write(context.Output("references.csv"));
        }
    }

    /// <summary>Coefficients that no fit gives, each finite, can still predict what is not.</summary>
    private static void RefuseInfinite(IReadOnlyList<Candidate> candidates)
    {
        static double[] Numbers(ForecastLoss loss) => [loss.Predicted, loss.Interval?.Low ?? 0, loss.Interval?.High ?? 0, loss.Probability ?? 0, loss.Odds?.ExpectedRegret ?? 0];
        if (candidates.Any(c => !Array.TrueForAll(Numbers(c.Loss), double.IsFinite)))
        {
            throw new StageFailedException("SCAL7309", "The law predicts losses, or intervals of them, that are not finite numbers.", "Expected law.json, as 'fit' writes it.");
        }
    }

    /// <summary>Whether there is room for a sequence and the layers can be split; what breaks other demands can be served nonetheless.</summary>
    private static bool IsServed(Candidate c) => c.Serving.Fits && !c.Breaks.Contains(Demands.Split);

    private static void WarnOfUnserved(StageContext<SearchSettings> context, Candidate baseline, SpeedModel speed)
    {
        if (!IsServed(baseline))
        {
            context.Warn(
                "SCAL7331", $"The baseline cannot be served as asked: {(baseline.Serving.Fits ? $"it cannot be split over {speed.Workload.TensorParallel} devices" : $"{speed.Machine.Name} has no room for one sequence")}. No speed is held against its own.",
                "Change 'workload' or the device until the baseline can be served, or choose another baseline.");
        }
    }

    private static ScoredShape Picked(Candidate c, double? baselineLoss) => ScoredShape.Of(c.Shape, c.Predicted, c.Serving.Speed, baselineLoss) with
    {
        PredictedLow = c.Loss.Interval?.Low,
        PredictedHigh = c.Loss.Interval?.High,
        ProbabilityFeasible = c.Loss.Probability,
        Objective = c.Objective,
        Batch = IsServed(c) ? c.Serving.Speed.Batch : 0,
        TokensPerSecondLow = c.Serving.TokensPerSecond?.Low,
        TokensPerSecondHigh = c.Serving.TokensPerSecond?.High,
        Source = c.Serving.Source,
    };

    private static Valley ValleyOf(IReadOnlyList<Candidate> candidates, Candidate accurate, LossLevel level)
    {
        double within = level == LossLevel.Factor ? ValleyNats * accurate.Predicted : ValleyNats;
        Candidate[] flat = [.. candidates.Where(c => c.Allowed && c.Predicted - accurate.Predicted <= within)];
        return new Valley(ValleyNats, flat.Length, Bounds.Of([.. flat.Select(c => c.Shape.X)]), Bounds.Of([.. flat.Select(c => c.Shape.Ratio)]));
    }
}
