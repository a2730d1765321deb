// The rows that extrapolate refits and scores on: the fit's own, or a table of runs.
using System.Globalization;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

internal static class RunSource
{
    /// <summary>Rows in the law's range, and the tokens a parameter to predict at.</summary>
    public static (IReadOnlyList<TrainingRun> Runs, IReadOnlyList<double> Budgets) Of(StageContext<ExtrapolateSettings> context, ExtrapolateSettings settings, LawDocument law)
    {
        var table = context.Inputs("runs").Count == 0 ? null : context.InputTable("runs");
        IReadOnlyList<TrainingRun> runs;
        if (context.Inputs("residuals").Count > 0)
        {
            // As the fit saw them: its names, expressions and groups are settled there.
            runs = Fitted(context.InputTable("residuals"));
        }
        else
        {
            if (law.Options.Covariates.Count > 0 || law.Fit is { Groups: > 1 } || law.Options.Law == LawKind.WidthOverDepth)
            {
                throw new StageFailedException(
                    "SCAL7209", "The law was fitted with covariates, groups or hidden over layers, which a table of runs does not tell by itself.",
                    "Add the id of the 'fit' stage to 'needs': its residuals.csv holds the rows as the fit saw them.");
            }

            runs = Runs(law, table ?? throw new StageFailedException(
                "SCAL7207", "extrapolate has no runs to refit and score on.", "Add the id of the 'fit' stage to 'needs' (its residuals.csv holds them), or 'needs: { runs: runs.csv }'."));
        }

        return (LawFit.InRange(runs, law.Options), Budgets(settings, table, runs));
    }

    private static List<TrainingRun> Fitted(Table table)
    {
        try
        {
            return [.. table.Each().Select(row => FittedRun.Read(row.Text))];
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL7208", $"The residuals cannot be read as runs: {e.Message}.", "Expected residuals.csv, as 'fit' writes it. Run fit again.");
        }
    }

    private static IReadOnlyList<TrainingRun> Runs(LawDocument law, Table table)
    {
        var runs = RunTable.Read(table.Columns, table.Rows, new RunReading { Counting = law.ParametersRule == "total" ? ParameterCounting.Total : ParameterCounting.NonEmbedding });
        return runs.Findings.Count == 0
            ? runs.Runs
            : throw new StageFailedException([.. runs.Findings.Select(f => new Diagnostic(f.Code, f.Message)
            {
                Hint = f.Missing is null ? null : NearestSpelling.Hint(f.Missing, table.Columns) ?? "Rename the table's column, or give it the runs of a 'train' stage.",
            })]);
    }

    /// <summary>Tokens a parameter to predict at: as asked, else the runs' own column, else the middles of what D/N they show.</summary>
    private static IReadOnlyList<double> Budgets(ExtrapolateSettings settings, Table? table, IReadOnlyList<TrainingRun> runs)
    {
        if (settings.TokensPerParameter.Count > 0)
        {
            return settings.TokensPerParameter;
        }

        if (table is not null && table.Has("tokens_per_parameter"))
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
