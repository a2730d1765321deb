// A table of runs, of the pipeline or of the user, read into rows that laws can be fitted to; everything wrong with it at once.
using System.Globalization;
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>What a table calls its columns; null: the study's own word, <c>tasks/TABLES.md</c>.</summary>
public sealed record RunColumns
{
    /// <summary>N. Must be there.</summary>
    public string? Parameters { get; init; }

    /// <summary>D. Must be there.</summary>
    public string? Tokens { get; init; }

    /// <summary>L, nats a token. Must be there.</summary>
    public string? Loss { get; init; }

    /// <summary>d/√N.</summary>
    public string? X { get; init; }

    /// <summary>d; gives x where the table has no column for it.</summary>
    public string? Hidden { get; init; }

    /// <summary>MLP parameters over attention parameters.</summary>
    public string? Ratio { get; init; }

    /// <summary>What names a row's shape in <c>residuals.csv</c>.</summary>
    public string? Shape { get; init; }
}

/// <summary>Something wrong with a table.</summary>
/// <param name="Code">SCAL7102 a column is missing, SCAL7103 a cell cannot be used.</param>
/// <param name="Message">What was found and what was expected.</param>
/// <param name="Missing">The missing column's name, to suggest the nearest; null for a cell.</param>
public sealed record RunTableFinding(string Code, string Message, string? Missing = null);

/// <summary>Rows of a table with what is wrong with it.</summary>
/// <param name="Runs">Complete only where there are no findings.</param>
/// <param name="Context">What the runs have in common beyond the law's terms, from the columns that are there.</param>
/// <param name="Findings">Empty where all is well.</param>
public sealed record RunTable(IReadOnlyList<TrainingRun> Runs, LawContext Context, IReadOnlyList<RunTableFinding> Findings)
{
    /// <summary>Names of the covariates, in ordinal order; empty for none.</summary>
    public IReadOnlyList<string> CovariateNames { get; init; } = [];

    /// <summary>What the reader should know and what stops nothing, in sentences.</summary>
    public IReadOnlyList<string> Notes { get; init; } = [];

    /// <summary>More than this many bad cells are counted, not listed.</summary>
    private const int ListedCells = 20;

    /// <summary>Reads a table.</summary>
    /// <param name="columns">Its header, each name once.</param>
    /// <param name="rows">Its cells.</param>
    /// <param name="names">What it calls its columns.</param>
    public static RunTable Read(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows, RunColumns names)
    {
        var reader = new Reader(columns, rows);
        double[] parameters = reader.Numbers(names.Parameters, Vocabulary.Parameters.Name, 1, 1e18, required: true) ?? [];
        double[] tokens = reader.Numbers(names.Tokens, Vocabulary.Tokens.Name, 1, 1e18, required: true) ?? [];
        double[] loss = reader.Numbers(names.Loss, Vocabulary.Loss.Name, 1e-6, 1e6, required: true) ?? [];
        double[]? x = reader.Numbers(names.X, Vocabulary.X.Name, 1e-6, 1e6);
        double[]? hidden = x is null ? reader.Numbers(names.Hidden, Vocabulary.Hidden.Name, 1, 1e9) : null;
        double[]? ratio = reader.Numbers(names.Ratio, Vocabulary.Ratio.Name, 1e-6, 1e6);
        int shape = reader.Column(names.Shape, Vocabulary.Shape.Name);
        if (reader.Findings.Count > 0)
        {
            return new RunTable([], new LawContext(), reader.Reported());
        }

        var runs = rows.Select((cells, i) => new TrainingRun(i + 1, parameters[i], tokens[i], loss[i])
        {
            Shape = shape < 0 ? "" : cells[shape],
            X = x?[i] ?? (hidden is null ? null : hidden[i] / Math.Sqrt(parameters[i])),
            Ratio = ratio?[i],
        });
        return new RunTable([.. runs], reader.Context(), []);
    }

    private sealed class Reader(IReadOnlyList<string> columns, IReadOnlyList<string[]> rows)
    {
        private int _unlisted;

        public List<RunTableFinding> Findings { get; } = [];

        /// <summary>Position of a column, −1 where there is none; a column that the user named must be there.</summary>
        public int Column(string? given, string word, bool required = false)
        {
            int i = columns.ToList().IndexOf(given ?? word);
            if (i < 0 && (required || given is not null))
            {
                Findings.Add(new RunTableFinding("SCAL7102", $"The table has no column '{given ?? word}'. It has: {string.Join(", ", columns)}.", given ?? word));
            }

            return i;
        }

        public double[]? Numbers(string? given, string word, double least, double most, bool required = false)
        {
            int column = Column(given, word, required);
            return column < 0 ? null : [.. rows.Select((cells, i) => Number(cells[column], i + 1, columns[column], least, most))];
        }

        public List<RunTableFinding> Reported() => _unlisted == 0
            ? Findings
            : [.. Findings, new RunTableFinding("SCAL7103", $"{_unlisted} more cells cannot be used.")];

        public LawContext Context() => new()
        {
            Layers = Distinct(Vocabulary.Layers),
            HeadSize = Distinct(Vocabulary.HeadSize),
            Gqa = Distinct(Vocabulary.Gqa),
            Vocabulary = Distinct(Vocabulary.VocabularySize),
            Tied = [.. Cells(Vocabulary.Tied).Select(c => bool.TryParse(c, out bool t) ? t : (bool?)null).OfType<bool>().Distinct().Order()],
        };

        private double[] Distinct(Term term) => [.. Cells(term).Select(c => Parse(c)).OfType<double>().Distinct().Order()];

        private IEnumerable<string> Cells(Term term)
        {
            int column = Column(null, term.Name);
            return column < 0 ? [] : rows.Select(cells => cells[column]);
        }

        private double Number(string cell, int row, string column, double least, double most)
        {
            double? number = Parse(cell);
            if (number >= least && number <= most)
            {
                return number.Value;
            }

            string found = cell.Trim().Length == 0 ? "nothing" : $"'{(cell.Length > 40 ? cell[..40] + "…" : cell)}'";
            if (Findings.Count < ListedCells)
            {
                Findings.Add(new RunTableFinding("SCAL7103", $"Row {row}, column '{column}': {found} where a number from {least:G3} to {most:G3} was expected."));
            }
            else
            {
                _unlisted++;
            }

            return double.NaN;
        }

        private static double? Parse(string cell) =>
            double.TryParse(cell, NumberStyles.Float, CultureInfo.InvariantCulture, out double number) && double.IsFinite(number) ? number : null;
    }
}
