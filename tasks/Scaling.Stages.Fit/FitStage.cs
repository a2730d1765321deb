// `fit`: runs to a law, with verdicts on what they determine.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

/// <summary>Fits the Chinchilla or the conditional law to the runs of a stage, or to a CSV file of the user.</summary>
public sealed class FitStage : Stage<FitSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "fit",
        Summary = "Fits a scaling law to runs or to a table of yours, and says which of its quantities they determine.",
        Inputs = [new InputRole("runs", "runs", Cardinality.Optional)],
        Outputs =
        [
            new OutputFile("law.json", "law"),
            new OutputFile("residuals.csv", "residuals") { Columns = FitTables.Residuals },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<FitSettings> context)
    {
        var settings = context.Settings;
        var source = RunSource.Of(context);
        var table = source.Read();
        var options = Options(settings, table.Runs);
        CheckRows(table.Runs, options, source);
        WarnOfUnfitted(context, table.Runs, options);

        context.Progress(0, 0, "rows", $"{table.Runs.Count} rows");
        var law = LawFit.Fit(table.Runs, table.Context, options);
        law = law with { Document = law.Document with { ParametersRule = settings.Counting } };
        law.Document.Write(context.Output("law.json"));
        FitTables.ResidualsOf(law).Write(context.Output("residuals.csv"));
        foreach (var verdict in law.Document.Verdicts.Where(v => v.Identification == Identification.NotIdentified))
        {
            context.Warn("SCAL7107", $"Not identified: {verdict.Quantity}. {verdict.Reason}");
        }
    }

    private static LawOptions Options(FitSettings settings, IReadOnlyList<TrainingRun> runs)
    {
        if (settings.RatioRange is not [var low, var high] || low >= high)
        {
            throw new StageFailedException(
                "SCAL7110", $"ratio_range is [{string.Join(", ", settings.RatioRange)}] where a smaller and a larger number were expected.", "Write 'ratio_range: [0.5, 5]'.");
        }

        var options = new LawOptions
        {
            Form = settings.Form,
            Objective = settings.Objective,
            Delta = settings.Delta,
            RatioRange = new Interval(low, high),
            Resamples = settings.Resamples,
            ResampleSeed = settings.ResampleSeed,
        };
        return options with { Law = Law(settings.Law, LawFit.InRange(runs, options)) };
    }

    private static LawKind Law(LawChoice choice, IReadOnlyList<TrainingRun> runs) => choice switch
    {
        LawChoice.Chinchilla => LawKind.Chinchilla,
        LawChoice.Conditional => LawKind.Conditional,
        _ => LawFit.ShowsShape(runs) ? LawKind.Conditional : LawKind.Chinchilla,
    };

    private static void CheckRows(IReadOnlyList<TrainingRun> runs, LawOptions options, RunSource source)
    {
        if (options.Law == LawKind.Conditional && runs.Any(r => r.X is null && r.Ratio is null))
        {
            throw source.Failure(
                "SCAL7105", "The conditional law needs x or ratio, and the table has neither (nor hidden, which gives x).",
                "Name the columns, for example 'columns: { hidden: d_model, ratio: r }', or write 'law: chinchilla'.");
        }

        int fitted = LawFit.InRange(runs, options).Count;
        if (fitted < LawFit.LeastRows)
        {
            string outside = fitted == runs.Count ? "" : $" with a ratio from {options.RatioRange.Low} to {options.RatioRange.High}";
            throw source.Failure("SCAL7104", $"The table has {fitted} rows{outside} of {runs.Count}; a fit takes at least {LawFit.LeastRows}.", "Give it more runs.");
        }
    }

    private static void WarnOfUnfitted(StageContext<FitSettings> context, IReadOnlyList<TrainingRun> runs, LawOptions options)
    {
        int outside = runs.Count - LawFit.InRange(runs, options).Count;
        if (outside > 0)
        {
            context.Warn(
                "SCAL7106", $"{outside} of {runs.Count} rows have a ratio outside {options.RatioRange.Low} to {options.RatioRange.High} and are not fitted.",
                "The setting 'ratio_range' widens it.");
        }
    }
}
