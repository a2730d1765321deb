// `extrapolate`: what the law says of larger models, and how well it says it of a size that it has not seen.
using System.Globalization;
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
        Inputs = [new InputRole("law", "law"), new InputRole("runs", "runs")],
        Outputs =
        [
            new OutputFile("predictions.csv", "predictions") { Columns = ExtrapolateTables.Predictions },
            new OutputFile("scores.json", "scores"),
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<ExtrapolateSettings> context)
    {
        var settings = context.Settings;
        if (settings.HoldOut == "none" && settings.Sizes.Count == 0)
        {
            throw new StageFailedException("SCAL7205", "extrapolate is asked for nothing: 'sizes' is empty and 'hold_out' is none.", "Add 'sizes: [1B]' or 'hold_out: largest'.");
        }

        var law = Law(context.Input("law"));
        var table = context.InputTable("runs");
        var runs = Runs(table);
        var predictions = new TableBuilder(ExtrapolateTables.Predictions);
        var scores = Score(context, law, runs, predictions);
        Targets(context, law, Budgets(settings, table, runs.Runs), predictions);
        predictions.Build().Write(context.Output("predictions.csv"));
        scores.Write(context.Output("scores.json"));
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

    private static RunTable Runs(Table table)
    {
        var runs = RunTable.Read(table.Columns, table.Rows, new RunColumns());
        return runs.Findings.Count == 0
            ? runs
            : throw new StageFailedException([.. runs.Findings.Select(f => new Diagnostic(f.Code, f.Message)
            {
                Hint = f.Missing is null ? null : NearestSpelling.Hint(f.Missing, table.Columns) ?? "Rename the table's column, or give it the runs of a 'train' stage.",
            })]);
    }

    /// <summary>Refits the law as it was fitted, on the other sizes, and predicts the rows of the one held out.</summary>
    private static ScoresDocument Score(StageContext<ExtrapolateSettings> context, LawDocument law, RunTable table, TableBuilder predictions)
    {
        var runs = LawFit.InRange(table.Runs, law.Options);
        if (runs.Count == 0 || HoldOut.Of(context.Settings.HoldOut, runs) is not { } held)
        {
            return new ScoresDocument(null, runs.Count == 0 ? "No run has a ratio that the law was fitted to." : "hold_out is none.");
        }

        TrainingRun[] others = [.. runs.Where((_, i) => !held[i])];
        TrainingRun[] kept = [.. runs.Where((_, i) => held[i])];
        if (others.Length < LawFit.LeastRows)
        {
            throw new StageFailedException(
                "SCAL7204", $"Without the size held out {others.Length} rows are left; a fit takes at least {LawFit.LeastRows}.", "Give it runs of another size, or 'hold_out: none'.");
        }

        var refit = LawFit.Fit(others, table.Context, law.Options).Document;
        double size = kept.Average(r => r.Parameters);
        var rows = kept.Select(r => (Run: r, Predicted: refit.Predict(r.Parameters, r.Tokens, r.X, r.Ratio))).ToList();
        foreach (var (run, predicted) in rows)
        {
            var interval = refit.PredictionInterval(run.Parameters, run.Tokens, run.X, run.Ratio);
            predictions.Add(
                "held_out", size, run.Shape, run.Parameters, run.Tokens, run.X, run.Ratio, run.Loss, predicted, interval?.Low, interval?.High, run.Loss - predicted);
        }

        int[] budgets = SizeClasses.Of([.. kept.Select(r => r.Tokens)]);
        var byBudget = Enumerable.Range(0, budgets.Max() + 1).Select(b => RowScores.Of([.. rows.Where((_, i) => budgets[i] == b)]));
        return new ScoresDocument(new HeldOutScores(size, refit.Fit.Rows, RowScores.Of(rows), [.. byBudget], refit.Verdicts), null);
    }

    private static void Targets(StageContext<ExtrapolateSettings> context, LawDocument law, IReadOnlyList<double> budgets, TableBuilder predictions)
    {
        double? x = law.Shape?.XStar, ratio = law.Shape?.RStar;
        foreach (double size in context.Settings.Sizes)
        {
            foreach (double budget in budgets)
            {
                double tokens = size * budget;
                var interval = law.PredictionInterval(size, tokens, x, ratio);
                predictions.Add("target", size, "", size, tokens, x, ratio, null, law.Predict(size, tokens, x, ratio), interval?.Low, interval?.High, null);
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

    /// <summary>Tokens a parameter to predict at: as asked, else the runs' own column, else the middles of what D/N they show.</summary>
    private static IReadOnlyList<double> Budgets(ExtrapolateSettings settings, Table table, IReadOnlyList<TrainingRun> runs)
    {
        if (settings.TokensPerParameter.Count > 0)
        {
            return settings.TokensPerParameter;
        }

        if (table.Has("tokens_per_parameter"))
        {
            double[] asked = [.. table.Each().Select(r => double.TryParse(r.Text("tokens_per_parameter"), NumberStyles.Float, CultureInfo.InvariantCulture, out double n) ? n : 0)];
            if (asked.All(n => n > 0 && double.IsFinite(n)))
            {
                return [.. asked.Distinct().Order()];
            }
        }

        double[] quotients = [.. runs.Select(r => r.Tokens / r.Parameters)];
        return [.. quotients.Zip(SizeClasses.Of(quotients)).GroupBy(p => p.Second).OrderBy(g => g.Key).Select(g => SizeClasses.GeometricMean(g.Select(p => p.First)))];
    }
}
