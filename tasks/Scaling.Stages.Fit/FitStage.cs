// `fit`: runs to a law, with verdicts on what they determine.
using System.Globalization;
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
        Example = """
            law:
              uses: fit
              needs: runs                  # or a table of yours: with: { table: losses.csv }
            """,
        Inputs = [new InputRole("runs", "runs", Cardinality.Optional)],
        Outputs =
        [
            new OutputFile("law.json", "law"),
            new OutputFile("residuals.csv", "residuals") { Columns = FitTables.Residuals },
            new OutputFile("decision.csv", "decision") { Columns = FitTables.Decision },
        ],
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<FitSettings> context)
    {
        var settings = context.Settings;
        var source = RunSource.Of(context);
        var table = source.Read();
        var options = Options(settings, table);
        CheckRows(table.Runs, options, source);
        CheckGroups(table.Runs, options, source);
        CheckConditions(context, table, options, source);
        if (options.Law != LawKind.Conditional && (settings.Form != FormChoice.Multiplicative || settings.Terms.Any(t => t != ExtraTermChoice.Gqa) || (options.Law == LawKind.WidthOverDepth && settings.Terms.Count > 0)))
        {
            context.Warn("SCAL7127", $"'form', and terms of x and the ratio, are of no effect: the law is {options.Law}.", "Write 'law: conditional', on runs that tell x or the ratio.");
        }

        if (options is { Law: LawKind.Conditional, Form: FormChoice.Valley, Terms.Count: > 0 })
        {
            throw source.Failure("SCAL7134", $"'form: valley' has drift and interaction of its own and takes no other terms, found {string.Join(", ", options.Terms.Select(t => t.ToString().ToLowerInvariant()))}.", "Leave 'terms' out, or write 'form: multiplicative'.");
        }

        WarnOfUnfitted(context, table.Runs, options);
        WarnOfUnits(context, table.Runs);

        int resamples = Resampling.Count(options.Resamples, LawFit.InRange(table.Runs, options).Count);
        context.Progress(0, 0, "rows", $"{table.Runs.Count} rows, {resamples} resamples");
        if (resamples < options.Resamples)
        {
            context.Warn("SCAL7122", $"{resamples} resamples stand behind the intervals where {options.Resamples} were asked for: so many rows would take minutes.");
        }

        string other = settings.Counting == "total" ? "non-embedding" : "total";
        var law = LawFit.FitCounted(table.Runs, table.Context, options, settings.Counting, other);
        law = law with { Document = law.Document with { LearningRateChecks = LearningRateCheck.Of(law.Runs, table.LearningRateBracket) } };
        WarnOfLearningRates(context, law.Document);
        law.Document.Write(context.Output("law.json"));
        FitTables.ResidualsOf(law).Write(context.Output("residuals.csv"));
        FitTables.DecisionOf(law, settings).Write(context.Output("decision.csv"));
        foreach (var verdict in law.Document.Verdicts.Where(v => v.Identification == Identification.NotIdentified))
        {
            context.Warn("SCAL7107", $"Not identified: {verdict.Quantity}. {verdict.Reason}");
        }
    }

    private static LawOptions Options(FitSettings settings, RunTable table)
    {
        IReadOnlyList<double> range = settings.RatioRange ?? (settings.Form == FormChoice.Valley ? [1e-6, 1e6] : [0.5, 5]);
        if (range is not [var low, var high] || low >= high)
        {
            throw new StageFailedException(
                "SCAL7110", $"ratio_range is [{string.Join(", ", range)}] where a smaller and a larger number were expected.", "Write 'ratio_range: [0.5, 5]'.");
        }

        var options = new LawOptions
        {
            Form = settings.Form,
            Terms = [.. settings.Terms.Distinct().Select(Term)],
            Covariates = table.CovariateNames,
            Objective = settings.Objective,
            Delta = settings.Delta,
            RatioRange = new Interval(low, high),
            Resamples = settings.Resamples,
            ResampleSeed = settings.ResampleSeed,
        };
        return options with { Law = Law(settings.Law, LawFit.InRange(table.Runs, options)) };
    }

    private static LawKind Law(LawChoice choice, IReadOnlyList<TrainingRun> runs) => choice switch
    {
        LawChoice.Chinchilla => LawKind.Chinchilla,
        LawChoice.Conditional => LawKind.Conditional,
        LawChoice.WidthOverDepth => LawKind.WidthOverDepth,
        _ => LawFit.ShowsShape(runs) ? LawKind.Conditional : LawKind.Chinchilla,
    };

    private static LawTerm Term(ExtraTermChoice choice) => choice switch
    {
        ExtraTermChoice.Gqa => LawTerm.Gqa,
        ExtraTermChoice.Interaction => LawTerm.Interaction,
        _ => LawTerm.Drift,
    };

    private static void CheckRows(IReadOnlyList<TrainingRun> all, LawOptions options, RunSource source)
    {
        var runs = LawFit.InRange(all, options);
        if (options.Law == LawKind.Conditional && runs.FirstOrDefault(r => r.X is null && r.Ratio is null) is { } bare)
        {
            throw source.Failure(
                "SCAL7105", $"The conditional law needs x or ratio, and row {bare.Row} tells neither, nor what they follow from.",
                "Name the columns, for example 'columns: { hidden: d_model, ratio: r }', or write 'law: chinchilla'.");
        }

        if (options.Law == LawKind.WidthOverDepth && runs.FirstOrDefault(r => r.WidthOverDepth is null) is { } shapeless)
        {
            throw source.Failure(
                "SCAL7123", $"The width-over-depth law needs hidden and layers, which row {shapeless.Row} does not tell.",
                "Name the columns, for example 'columns: { hidden: d_model, layers: n_layers }'.");
        }

        if (options.Terms.Contains(LawTerm.Gqa) && runs.FirstOrDefault(r => r.Gqa is null) is { } ungrouped)
        {
            throw source.Failure(
                "SCAL7124", $"'terms: [gqa]' needs gqa, which row {ungrouped.Row} does not tell.",
                "Name the columns, for example 'columns: { heads: n_heads, kv_heads: n_kv_heads }', or remove the term.");
        }

        int fitted = runs.Count;
        if (fitted > LawFit.MostRows)
        {
            throw source.Failure(
                "SCAL7121", $"The table has {fitted} rows where at most {LawFit.MostRows} are fitted: so many are training steps, not runs.",
                "Keep one row a run, or a few annealed checkpoints, for example 'where: \"step == last_step\"'.");
        }

        if (fitted < LawFit.LeastRows)
        {
            string outside = fitted == all.Count ? "" : $" with a ratio from {options.RatioRange.Low} to {options.RatioRange.High}";
            throw source.Failure("SCAL7104", $"The table has {fitted} rows{outside} of {all.Count}; a fit takes at least {LawFit.LeastRows}.",
                outside.Length > 0 ? "The setting 'ratio_range' widens it." : "Give it more runs.");
        }
    }

    /// <summary>More groups are no hyper-parameters but a name a run.</summary>
    private const int MostGroups = 50;

    private static void CheckGroups(IReadOnlyList<TrainingRun> runs, LawOptions options, RunSource source)
    {
        int groups = runs.Select(r => r.Group).Distinct().Count();
        if (groups > MostGroups)
        {
            throw source.Failure(
                "SCAL7126", $"The columns of 'columns.group' make {groups} groups where at most {MostGroups} get an offset.", "Leave out what follows the shape by a rule, or keep some of the rows with 'where'.");
        }

        if (Confounding.Of(LawFit.InRange(runs, options), options) is { Count: > 0 } axes)
        {
            throw source.Failure(
                "SCAL7125",
                $"The hyper-parameter groups go with {string.Join(" and ", axes.Select(a => a.Axis))}: within a group {axes.Min(a => a.ShareWithin):P1} of its variance is left, so what the hyper-parameters do would pass for what it does.",
                "Add runs that differ in the group alone, keep one group with 'where', or remove the column from 'columns.group' if it follows the shape by a rule that keeps training at its best.");
        }
    }

    /// <summary>Losses of other tokens have no common scale; models trained otherwise have, unless how goes with what is studied.</summary>
    private static void CheckConditions(StageContext<FitSettings> context, RunTable table, LawOptions options, RunSource source)
    {
        foreach (var condition in table.Conditions.Where(c => c.Column != "batch" || options.Law == LawKind.Conditional))
        {
            string[] values = [.. condition.Values.Distinct(StringComparer.Ordinal)];
            string found = $"{condition.Column} is {string.Join(", ", values.Take(3).Select(v => v.Length == 0 ? "empty" : $"'{v}'"))}{(values.Length > 3 ? $" and {values.Length - 3} more" : "")}";
            string keep = $"Keep one with 'where', for example \"{condition.Column} == {(double.TryParse(values[0], CultureInfo.InvariantCulture, out _) ? values[0] : $"'{values[0]}'")}\"";
            if (!condition.Comparable)
            {
                throw source.Failure("SCAL7128", $"These losses cannot be compared: {found}. A loss is of the tokens that it was measured on.", $"{keep}, or name the column in 'columns.group' if an offset settles it.");
            }

            TrainingRun[] grouped = [.. table.Runs.Zip(condition.Values, (run, value) => run with { Group = value })];
            if (Confounding.Of(LawFit.InRange(grouped, options), options) is { Count: > 0 } axes)
            {
                throw source.Failure(
                    "SCAL7129", $"How the runs were trained goes with {string.Join(" and ", axes.Select(a => a.Axis))}: {found}, and within one of these {axes.Min(a => a.ShareWithin):P1} of its variance is left. What training did would pass for what the shape does.",
                    $"{keep}, or train all shapes alike.");
            }

            if (condition.Column != "batch")
            {
                context.Warn("SCAL7130", $"{source.Place}: {found}; it is crossed with the shapes, and what it does counts as noise.", $"'columns: {{ group: [{condition.Column}] }}' gives each an offset.");
            }
        }
    }

    private static void WarnOfLearningRates(StageContext<FitSettings> context, LawDocument law)
    {
        foreach (var check in law.LearningRateChecks.Where(c => c.Verdict == RateVerdict.NotFair))
        {
            var worst = check.Corners.MaxBy(c => c.Gain)!;
            context.Warn(
                "SCAL7131",
                FormattableString.Invariant($"At {check.Parameters:0} parameters and {check.Tokens:0} tokens the learning-rate rule is not fair to all shapes: at their own best rates the corners would gain from {check.Corners.Min(c => c.Gain):0.0000} to {worst.Gain:0.0000} nats a token, where shapes differ by {check.LossRange:0.0000}. Most gains x = {worst.X:0.###}, ratio = {worst.Ratio:0.##}, at factor {worst.BestFactor:0.##}."),
                "Set learning_rate so that all shapes are near their best, or keep to shapes for which the rule is.");
        }

        if (law.LearningRateChecks.Count(c => c.Verdict == RateVerdict.Undecided) is > 0 and var undecided)
        {
            int open = law.LearningRateChecks.Sum(c => c.Corners.Count(k => !k.Bracketed));
            context.Warn(
                "SCAL7132", $"Of {law.LearningRateChecks.Count} checks of the learning-rate rule {undecided} decide nothing: {open} best rates are at an end of the bracket{(open == 0 ? ", and seeds scatter too much" : "")}.",
                open == 0 ? "Train more replicates." : "Widen learning_rate_bracket.");
        }
    }

    /// <summary>Tables often count in millions, and a fit of them looks like any other.</summary>
    private static void WarnOfUnits(StageContext<FitSettings> context, IReadOnlyList<TrainingRun> runs)
    {
        const double fewParameters = 4000, fewTokens = 40_000;
        double parameters = runs.Max(r => r.Parameters), tokens = runs.Max(r => r.Tokens);
        if (parameters < fewParameters || tokens < fewTokens)
        {
            context.Warn(
                "SCAL7133", FormattableString.Invariant($"The largest of these models has {parameters:0.####} parameters, and the most that one saw are {tokens:0.####} tokens."),
                "If the table counts in millions or billions, give a formula: 'columns: { parameters: \"params * 1e6\" }'.");
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
