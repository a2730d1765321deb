// A table of runs, of the pipeline or of the user, read into rows that laws can be fitted to; everything wrong with it at once.
namespace Scaling.Laws;

/// <summary>Rows of a table with what is wrong with it.</summary>
/// <param name="Runs">In the order of the table; empty where there are findings.</param>
/// <param name="Context">What the runs have in common beyond the law's terms, as far as the table tells.</param>
/// <param name="Findings">Empty where all is well.</param>
public sealed record RunTable(IReadOnlyList<TrainingRun> Runs, LawContext Context, IReadOnlyList<RunTableFinding> Findings)
{
    /// <summary>Names of the covariates, in ordinal order; empty for none.</summary>
    public IReadOnlyList<string> CovariateNames { get; init; } = [];

    /// <summary>Runs at other learning rates than the rule's, which check it and are not among <see cref="Runs"/>.</summary>
    public IReadOnlyList<TrainingRun> LearningRateBracket { get; init; } = [];

    /// <summary>In what <see cref="Runs"/> differ beside what a law has terms for.</summary>
    public IReadOnlyList<RunCondition> Conditions { get; init; } = [];

    /// <summary>What the reader should know and what stops nothing, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>Reads a table that counts parameters without embeddings.</summary>
    /// <param name="columns">Its header, each name once.</param>
    /// <param name="rows">Its cells.</param>
    /// <param name="names">What it calls its columns.</param>
    public static RunTable Read(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows, RunColumns names) =>
        Read(columns, rows, new RunReading { Columns = names });

    /// <summary>Reads a table. Lines that repeat another cell by cell are read once. The order of rows changes nothing but their numbers.</summary>
    /// <param name="columns">Its header, each name once.</param>
    /// <param name="rows">Its cells, as many a row as there are columns.</param>
    /// <param name="reading">What it calls its columns and which rows count.</param>
    public static RunTable Read(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows, RunReading reading)
    {
        var findings = new RunFindings();
        var names = new RunNames(columns, reading, findings);
        var notes = new List<string>();
        var cells = RunRows.Of(new RunCells(columns, rows), names.Where, findings, notes);
        cells = cells.Count == 0 ? cells : RunConditions.Finished(cells, notes);
        if (cells.Count == 0 && !findings.Any)
        {
            findings.Add(new RunTableFinding("SCAL7114", $"No row is a finished model. {string.Join(' ', notes)}") { Hint = "Lower the learning rate, or give it runs whose schedule has ended." });
        }

        if (cells.Count == 0 || (reading.Where is not null && names.Where is null))
        {
            // Without its 'where' a table would be told of rows that were to be left out.
            return Failed(findings);
        }

        var told = new RunNotes(cells);
        var values = new RunValues(names, cells, findings, told);
        if (findings.Any)
        {
            return Failed(findings);
        }

        RunRows.TellRepeated(names, cells, values, told);
        Tell(cells, values, told);
        var runs = RunsOf(names, cells, values);
        int[] byRule = [.. Enumerable.Range(0, runs.Length).Where(i => runs[i].LearningRateFactor == 1)];
        return new RunTable([.. byRule.Select(i => runs[i])], Shared(cells, values), [])
        {
            CovariateNames = [.. values.Covariates.Select(c => c.Name)],
            LearningRateBracket = [.. runs.Where(r => r.LearningRateFactor != 1)],
            Conditions = RunConditions.Of(cells, byRule, names.Group),
            Notes = [.. notes, .. told.Words()],
        };
    }

    private static RunTable Failed(RunFindings findings) => new([], new LawContext(), findings.Reported());

    private static TrainingRun[] RunsOf(RunNames names, RunCells cells, RunValues values)
    {
        var runs = new TrainingRun[cells.Count];
        for (int i = 0; i < runs.Length; i++)
        {
            var shape = values.Shape(i);
            runs[i] = new TrainingRun(cells.RowNumber(i), values.Parameters[i], values.Tokens[i], values.Loss[i])
            {
                Shape = names.Shape < 0 ? "" : cells.Text(names.Shape, i),
                Run = names.Run < 0 || cells.IsEmpty(names.Run, i) ? null : cells.Text(names.Run, i),
                Seed = names.Seed < 0 || cells.IsEmpty(names.Seed, i) ? null : cells.Text(names.Seed, i),
                Group = RunRows.Group(names.Group, cells, i),
                Weight = values.Weight?[i] ?? 1,
                LearningRateFactor = names.LearningRateFactor >= 0 && cells.Numbers(names.LearningRateFactor)[i] is > 0 and var factor ? factor : 1,
                Baseline = names.Baseline >= 0 && cells.Text(names.Baseline, i).Equals("true", StringComparison.OrdinalIgnoreCase),
                X = Known(values.X(i)),
                Ratio = Known(values.Ratio(i)),
                Gqa = Known(shape.Sharing),
                WidthOverDepth = Known(shape.WidthOverDepth),
                OtherParameters = Known(values.Other(i)),
                Covariates = values.Covariates.Count == 0 ? [] : [.. values.Covariates.Select(c => c.Values[i])],
            };
        }

        return runs;
    }

    private static double? Known(double value) => double.IsNaN(value) ? null : value;

    private static LawContext Shared(RunCells cells, RunValues values)
    {
        double[] Distinct(Func<RunShape, double> value) => [.. Enumerable.Range(0, cells.Count).Select(i => value(values.Shape(i))).Where(v => !double.IsNaN(v)).Distinct().Order()];
        return new LawContext
        {
            Layers = Distinct(s => s.Layers),
            HeadSize = Distinct(s => s.FeaturesAHead),
            Gqa = Distinct(s => s.Sharing),
            Vocabulary = Distinct(s => s.Vocabulary),
            Tied = [.. Distinct(s => s.Tied).Select(t => t == 1)],
        };
    }

    private static void Tell(RunCells cells, RunValues values, RunNotes notes)
    {
        var embeddings = RunNotes.Tally.Of(cells.Count, values.XCountsEmbeddings);
        if (embeddings.Rows > 0)
        {
            notes.Add($"x is hidden over the root of an N with embeddings, since N without them is not known ({notes.Told(embeddings)}).");
        }

        TellUnknown("x", values.X);
        TellUnknown("ratio", values.Ratio);
        foreach (var (name, of) in values.Covariates.Where(c => c.Values.All(v => v == c.Values[0])))
        {
            notes.Add($"The covariate {name} is {of[0]:G6} in all rows, so nothing can be learnt of it.");
        }

        void TellUnknown(string word, Func<int, double> value)
        {
            var unknown = RunNotes.Tally.Of(cells.Count, i => double.IsNaN(value(i)));
            if (unknown.Rows > 0 && unknown.Rows < cells.Count)
            {
                notes.Add($"{word} is not known in {notes.Told(unknown)}.");
            }
        }
    }
}
