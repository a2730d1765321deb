// `extrapolate`: what the law says of larger models, and how well it says it of a size that it has not seen.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

/// <summary>Predicts losses at the law's best shape for larger sizes, and scores a refit without one size on that size.</summary>
public sealed class ExtrapolateStage : Stage<ExtrapolateSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "extrapolate",
        Summary = "Predicts the loss of larger models at the law's best shape, and scores the law on a size held out.",
        Example = """
            larger:
              uses: extrapolate
              needs: [law, runs]
              with: { hold_out: largest, sizes: [64k, 128k] }
            """,
        Inputs = [new InputRole("law", "law"), new InputRole("residuals", "residuals", Cardinality.Optional), new InputRole("runs", "runs", Cardinality.Optional)],
        Outputs =
        [
            new OutputFile("predictions.csv", "predictions") { Columns = ExtrapolateTables.Predictions },
            new OutputFile("scores.json", "scores"),
            new OutputFile("decision.csv", "decision") { Columns = ExtrapolateTables.Decision },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<ExtrapolateSettings> context)
    {
        var settings = context.Settings;
        if (settings.HoldOut == "none" && settings.Sizes.Count == 0 && !settings.Rollout)
        {
            throw new StageFailedException("SCAL7205", "extrapolate is asked for nothing: 'sizes' is empty, 'hold_out' is none and 'rollout' is false.", "Add 'sizes: [1B]' or 'hold_out: largest'.");
        }

        var law = Law(context.Input("law"));
        var (runs, budgets) = RunSource.Of(context, settings, law);
        var predictions = new TableBuilder(ExtrapolateTables.Predictions);
        var scores = Score(context, law, runs, predictions);
        if (settings.Rollout)
        {
            context.Progress(0, runs.Count, "rows", "each size from the smaller ones");
            scores = scores with { Rollout = Rollout.Of(runs, law.Context, law.Options, settings.NearSizes) };
        }

        Targets(context, law, budgets, predictions);
        predictions.Build().Write(context.Output("predictions.csv"));
        scores.Write(context.Output("scores.json"));
        ExtrapolateTables.DecisionOf(law, runs, settings, budgets).Write(context.Output("decision.csv"));
    }

    private static LawDocument Law(string path)
    {
        try
        {
            return LawDocument.Read(path);
        }
        catch (FormatException e)
        {
            throw new StageFailedException([new Diagnostic("SCAL7201", $"The law cannot be read: {e.Message}.")
            {
                Location = new SourceLocation(Path.GetFileName(path)),
                Hint = "Run fit again, or see LAW.md for the format.",
            }]);
        }
    }

    /// <summary>Refits the law as it was fitted, on the other sizes, and predicts the rows of the one held out.</summary>
    private static ScoresDocument Score(StageContext<ExtrapolateSettings> context, LawDocument law, IReadOnlyList<TrainingRun> runs, TableBuilder predictions)
    {
        if (runs.Count == 0 || HoldOut.Of(context.Settings.HoldOut, runs) is not { } held)
        {
            return new ScoresDocument(null, runs.Count == 0 ? "No run has a ratio that the law was fitted to." : "hold_out is none.");
        }

        TrainingRun[] others = [.. runs.Where((_, i) => !held[i])];
        TrainingRun[] kept = [.. runs.Where((_, i) => held[i])];
        if (!Rollout.CanFit(others, law.Options))
        {
            throw new StageFailedException(
                "SCAL7204", $"Without the size held out {others.Length} rows are left; a fit takes at least {LawFit.LeastRows}.", "Give it runs of another size, or 'hold_out: none'.");
        }

        var (scores, refit) = Rollout.Score(others, kept, law.Context, law.Options);
        foreach (var run in kept)
        {
            var point = LawPoint.Of(run);
            double predicted = refit.Predict(point);
            var (sure, interval) = (refit.ConfidenceInterval(point), refit.PredictionInterval(point));
            predictions.Add(
                "held_out", scores.Size, run.Shape, run.Parameters, run.Tokens, run.X, run.Ratio, run.Loss, predicted, sure?.Low, sure?.High, interval?.Low, interval?.High,
                run.Loss - predicted, run.Baseline);
        }

        return new ScoresDocument(scores, null);
    }

    private static void Targets(StageContext<ExtrapolateSettings> context, LawDocument law, IReadOnlyList<double> budgets, TableBuilder predictions)
    {
        foreach (double size in context.Settings.Sizes)
        {
            foreach (double budget in budgets)
            {
                var (x, ratio) = law.Shape?.OptimumAt(size) ?? (null, null);
                var point = new LawPoint(size, size * budget) { X = x, Ratio = ratio };
                var (sure, interval) = (law.ConfidenceInterval(point), law.PredictionInterval(point));
                predictions.Add(
                    "target", size, "", size, point.Tokens, x, ratio, null, law.SaysSomethingOf(point) ? law.Predict(point) : null, sure?.Low, sure?.High, interval?.Low, interval?.High, null, null);
            }
        }

        if (context.Settings.Sizes.Count > 0)
        {
            Warn(context, law, budgets);
        }
    }

    /// <summary>Says which of the predictions rest on what the runs do not determine.</summary>
    private static void Warn(StageContext<ExtrapolateSettings> context, LawDocument law, IReadOnlyList<double> budgets)
    {
        bool offRay = budgets.Any(b => !law.Ranges.TokensPerParameter.Contains(b));
        string[] used = offRay ? ["prediction_off_ray", "prediction_along_ray", "x_star", "r_star"] : ["prediction_along_ray", "x_star", "r_star"];
        foreach (string quantity in used)
        {
            if (law.Verdict(quantity) is { Identification: Identification.NotIdentified } verdict)
            {
                context.Warn("SCAL7206", $"The predictions rest on {quantity}, which is not identified. {verdict.Reason}");
            }
        }
    }
}
