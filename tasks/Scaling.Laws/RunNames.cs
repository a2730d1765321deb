// The quantities of a table, found by the user's names or the study's words, before any row is read.
using Scaling.Architectures;
using Terms = Scaling.Architectures.Vocabulary;

namespace Scaling.Laws;

/// <summary>Which column or formula gives which quantity; null for those that the table does not have.</summary>
internal sealed class RunNames
{
    private readonly IReadOnlyList<string> _columns;
    private readonly RunReading _reading;
    private readonly RunFindings _findings;

    /// <summary>Finds the quantities. What is not there and must be is found wanting.</summary>
    public RunNames(IReadOnlyList<string> columns, RunReading reading, RunFindings findings)
    {
        (_columns, _reading, _findings) = (columns, reading, findings);
        var names = reading.Columns;
        Layers = Of(names.Layers, Terms.Layers);
        Hidden = Of(names.Hidden, Terms.Hidden);
        Intermediate = Of(names.Intermediate, Terms.Intermediate);
        Heads = Of(names.Heads, Terms.Heads);
        KvHeads = Of(names.KvHeads, Terms.KvHeads);
        HeadSize = Of(names.HeadSize, Terms.HeadSize);
        Vocabulary = Of(names.Vocabulary, Terms.VocabularySize);
        Tied = Of(names.Tied, Terms.Tied);
        Gqa = Of(names.Gqa, Terms.Gqa);
        Ratio = Guess(names.Ratio, Terms.Ratio);
        X = Guess(names.X, Terms.X);
        ParametersTotal = Of(names.ParametersTotal, Terms.ParametersTotal);
        Parameters = Of(names.Parameters, Terms.Parameters);
        if (CountsTotal && ParametersTotal is not null && (names.ParametersTotal is not null || names.Parameters is null))
        {
            // The table has both counts, so 'parameters' is what the word means, and 'counting' chooses between them.
            (Parameters, NonEmbedding) = (ParametersTotal, Parameters);
        }

        if (Parameters is null && names.Parameters is null && Underivable() is { } reason)
        {
            Missing(Terms.Parameters.Name, reason, named: false);
        }

        Tokens = Of(names.Tokens, Terms.Tokens, required: true);
        Loss = Of(names.Loss, Terms.Loss, required: true);
        Weight = names.Weight is { } weight ? Quantity(weight, "weight") : null;
        Shape = Text(names.Shape) ?? IndexOf(Terms.Shape.Name);
        Seed = IndexOf(Terms.Seed.Name);
        LearningRateFactor = IndexOf(Terms.LearningRateFactor.Name);
        Baseline = IndexOf(Terms.Baseline.Name);
        Run = Text(names.Run) ?? IndexOf("training_run");
        Group = [.. names.Group.Select(g => Text(g) ?? -1)];
        Covariates = [.. reading.Covariates.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key, Quantity(c.Value, c.Key)))];
        Where = reading.Where is { } where ? Formula(where, "where", ExpressionType.Truth) : null;
        FindTwice();
    }

    /// <summary>N by the chosen rule; null where it follows from other quantities.</summary>
    public RunQuantity? Parameters { get; }

    /// <summary>The non-embedding count beside a chosen total one.</summary>
    public RunQuantity? NonEmbedding { get; }

    public RunQuantity? ParametersTotal { get; }

    public RunQuantity? Tokens { get; }

    public RunQuantity? Loss { get; }

    public RunQuantity? X { get; }

    public RunQuantity? Ratio { get; }

    public RunQuantity? Gqa { get; }

    public RunQuantity? Layers { get; }

    public RunQuantity? Hidden { get; }

    public RunQuantity? Intermediate { get; }

    public RunQuantity? Heads { get; }

    public RunQuantity? KvHeads { get; }

    public RunQuantity? HeadSize { get; }

    public RunQuantity? Vocabulary { get; }

    public RunQuantity? Tied { get; }

    public RunQuantity? Weight { get; }

    /// <summary>Positions of columns of text; −1 for none.</summary>
    public int Shape { get; }

    /// <inheritdoc cref="Shape"/>
    public int Seed { get; }

    /// <inheritdoc cref="Shape"/>
    public int Run { get; }

    /// <summary>Position of the column; −1 for none.</summary>
    public int LearningRateFactor { get; }

    /// <inheritdoc cref="LearningRateFactor"/>
    public int Baseline { get; }

    public IReadOnlyList<int> Group { get; }

    public IReadOnlyList<(string Name, RunQuantity? Quantity)> Covariates { get; }

    public Expression? Where { get; }

    public bool CountsTotal => _reading.Counting == ParameterCounting.Total;

    private int IndexOf(string name)
    {
        for (int i = 0; i < _columns.Count; i++)
        {
            if (_columns[i] == name)
            {
                return i;
            }
        }

        return -1;
    }

    private RunQuantity? Of(string? given, Term term, bool required = false)
    {
        if (given is not null)
        {
            return Quantity(given, term.Name);
        }

        int column = IndexOf(term.Name);
        if (column < 0 && required)
        {
            Missing(term.Name, "", named: false);
        }

        return column < 0 ? null : new RunQuantity(term.Name, term.Name, column, null);
    }

    /// <summary>Words so short that tables of other people have them for other things.</summary>
    private RunQuantity? Guess(string? given, Term term) => Of(given, term) is { } quantity ? quantity with { Guessed = given is null } : null;

    private RunQuantity? Quantity(string given, string word)
    {
        int column = IndexOf(given);
        return column >= 0 ? new RunQuantity(word, given, column, null)
            : Formula(given, word, ExpressionType.Number) is { } formula ? new RunQuantity(word, given, -1, formula)
            : null;
    }

    private Expression? Formula(string given, string word, ExpressionType type)
    {
        try
        {
            return ExpressionParser.Parse(given, _columns, type);
        }
        catch (ExpressionException e) when (e.Missing == given)
        {
            Missing(given, "", named: true);
        }
        catch (ExpressionException e)
        {
            string neither = type == ExpressionType.Number ? "is neither a column nor a formula" : "is no comparison";
            _findings.Add(new RunTableFinding("SCAL7111", $"{word}: '{Word.Cut(given)}' {neither}: at column {e.At}, {e.Message}.", e.Missing ?? given)
            {
                Candidates = e.Missing is null ? null : e.Candidates,
                Hint = type == ExpressionType.Number
                    ? "A formula is for example 'step * batch', 'ln(lr)' or '`an odd name` / 2'."
                    : "A comparison is for example \"loss < 10 and data == 'c4'\".",
            });
        }

        return null;
    }

    /// <summary>Position of a column of text; null where none is asked for, −1 where it is not there.</summary>
    private int? Text(string? given)
    {
        if (given is null)
        {
            return null;
        }

        int column = IndexOf(given);
        if (column < 0)
        {
            Missing(given, "", named: true);
        }

        return column;
    }

    /// <param name="name">The column that is not there.</param>
    /// <param name="reason">What else is to be said.</param>
    /// <param name="named">Whether the name is the user's.</param>
    private void Missing(string name, string reason, bool named)
    {
        string has = string.Join(", ", _columns.Take(40).Select(c => Word.Cut(c))) + (_columns.Count > 40 ? $" and {_columns.Count - 40} more" : "");
        string hint = _columns.Count == 1 && _columns[0].IndexOfAny([';', '\t', '|']) >= 0
            ? "Separate the columns by commas."
            : named ? "Name one of these."
            : $"Write 'columns: {{ {Word.Cut(name)}: NAME }}' if the table calls it otherwise.";
        _findings.Add(new RunTableFinding("SCAL7102", $"The table has no column '{Word.Cut(name)}'{reason}. It has: {has}.", name) { Hint = hint });
    }

    /// <summary>Why N does not follow from other quantities, in words; null where it does.</summary>
    private string? Underivable()
    {
        var shape = Lacking([
            (Layers, "layers"), (Hidden, "hidden"), (Intermediate, "intermediate"), (Heads, "heads"), (KvHeads ?? Gqa, "kv_heads (or gqa)")]);
        var embedding = Lacking([(Vocabulary, "vocabulary"), (Tied, "tied")]);
        var total = Lacking([(ParametersTotal, "parameters_total"), (Hidden, "hidden"), (Vocabulary, "vocabulary"), (Tied, "tied")]);
        if (shape.Count + (CountsTotal ? embedding.Count : 0) == 0 || (!CountsTotal && total.Count == 0))
        {
            return null;
        }

        // With nothing of a shape in the table, a lecture on shapes would hide the misspelt name.
        return CountsTotal ? Told([.. shape, .. embedding], 7)
            : ParametersTotal is not null ? Told(total, 4)
            : Told(shape, 5);
    }

    private static List<string> Lacking(IEnumerable<(RunQuantity? Quantity, string Name)> parts) => [.. parts.Where(p => p.Quantity is null).Select(p => p.Name)];

    private static string Told(List<string> lacking, int parts) =>
        lacking.Count >= parts - 1 ? "" : $", and it does not follow from the shape, which lacks {string.Join(", ", lacking)}";

    /// <summary>Two quantities that are one column are a slip of the pen; heads that share nothing are not.</summary>
    private void FindTwice()
    {
        RunQuantity?[] quantities =
            [Parameters, NonEmbedding, ParametersTotal, Tokens, Loss, X, Ratio, Gqa, Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, Vocabulary, Tied];
        RunQuantity?[] covariates = [.. Covariates.Select(c => c.Quantity)];
        foreach (var list in new[] { quantities, covariates })
        {
            foreach (var same in list.OfType<RunQuantity>().Where(q => q.ReadsColumns).Distinct().GroupBy(q => q.Text, StringComparer.Ordinal).Where(g => g.Count() > 1))
            {
                string[] words = [.. same.Select(q => q.Word)];
                if (!words.SequenceEqual([Terms.Heads.Name, Terms.KvHeads.Name]))
                {
                    _findings.Add(new RunTableFinding("SCAL7115", $"{string.Join(" and ", words)} are {(words.Length == 2 ? "both" : "all")} '{Word.Cut(same.Key)}'.")
                    {
                        Hint = "Give each quantity a column or formula of its own.",
                    });
                }
            }
        }
    }
}
