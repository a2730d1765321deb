// The numbers of a table's rows, as given and as they follow from each other.
using System.Globalization;

namespace Scaling.Laws;

/// <summary>Reads and derives. After it either something was found, or all that must be is there.</summary>
internal sealed class RunValues
{
    private readonly RunNames _names;
    private readonly RunCells _cells;
    private readonly RunFindings _findings;
    private readonly RunNotes _notes;
    private readonly RunShape[] _shapes;
    private readonly double[]? _ratio;
    private readonly double[]? _x;

    public RunValues(RunNames names, RunCells cells, RunFindings findings, RunNotes notes)
    {
        (_names, _cells, _findings, _notes) = (names, cells, findings, notes);
        var parameters = Given(names.Parameters, Bounds.Number(1, 1e18));
        Tokens = Given(names.Tokens, Bounds.Number(1, 1e18)) ?? [];
        Loss = Given(names.Loss, Bounds.Number(1e-6, 1e6)) ?? [];
        Weight = Given(names.Weight, Bounds.Number(1e-9, 1e9));
        _x = Given(names.X, Bounds.Number(1e-6, 1e6));
        _ratio = Given(names.Ratio, Bounds.Number(1e-6, 1e6));
        var nonEmbedding = Known(names.NonEmbedding, Bounds.Number(1, 1e18));
        var total = names.ParametersTotal == names.Parameters ? null : Known(names.ParametersTotal, Bounds.Number(1, 1e18));
        _shapes = Shapes();
        Covariates = [.. names.Covariates.Select(c => (c.Name, Given(c.Quantity, Bounds.Any) ?? []))];
        if (findings.Any)
        {
            return;
        }

        (Parameters, NonEmbedding, Total) = (new double[cells.Count], new double[cells.Count], new double[cells.Count]);
        for (int i = 0; i < cells.Count; i++)
        {
            Count(i, parameters?[i] ?? double.NaN, nonEmbedding?[i] ?? double.NaN, total?[i] ?? double.NaN, notes);
        }
    }

    /// <summary>N by the chosen rule.</summary>
    public double[] Parameters { get; } = [];

    /// <summary>N without embeddings; NaN where unknown.</summary>
    public double[] NonEmbedding { get; } = [];

    /// <summary>N with embeddings; NaN where unknown.</summary>
    public double[] Total { get; } = [];

    public double[] Tokens { get; }

    public double[] Loss { get; }

    public double[]? Weight { get; }

    public IReadOnlyList<(string Name, double[] Values)> Covariates { get; }

    public RunShape Shape(int row) => _shapes[row];

    /// <summary>d/√N, as given or with N without embeddings, else with what N there is.</summary>
    public double X(int row) => _x?[row] ?? _shapes[row].Hidden / Math.Sqrt(double.IsNaN(NonEmbedding[row]) ? Parameters[row] : NonEmbedding[row]);

    /// <summary>Whether <see cref="X"/> rests on an N with embeddings.</summary>
    public bool XCountsEmbeddings(int row) => _x is null && double.IsNaN(NonEmbedding[row]) && !double.IsNaN(_shapes[row].Hidden);

    public double Ratio(int row) => _ratio?[row] ?? _shapes[row].Ratio;

    /// <summary>N by the other rule.</summary>
    public double Other(int row) => _names.CountsTotal ? NonEmbedding[row] : Total[row];

    private double[]? Given(RunQuantity? quantity, Bounds bounds) => Values(quantity, bounds, empty: false);

    private double[]? Known(RunQuantity? quantity, Bounds bounds) => Values(quantity, bounds, empty: true);

    private double[]? Values(RunQuantity? quantity, Bounds bounds, bool empty)
    {
        if (quantity is { Guessed: true } && quantity.Foreign(_cells, bounds) is { } row)
        {
            _notes.Add($"The column '{quantity.Text}' is not read as {quantity.Word}: row {_cells.RowNumber(row)} holds {RunCells.Shown(_cells.Text(quantity.Column, row))} where {bounds.Expected} was expected. Name the right column under 'columns' if there is one.");
            return null;
        }

        return quantity?.Values(_cells, bounds, empty, _findings);
    }

    private RunShape[] Shapes()
    {
        var layers = Known(_names.Layers, Bounds.Count(10_000));
        var hidden = Known(_names.Hidden, Bounds.Count(1_000_000));
        var intermediate = Known(_names.Intermediate, Bounds.Count(10_000_000));
        var heads = Known(_names.Heads, Bounds.Count(65_536));
        var kvHeads = Known(_names.KvHeads, Bounds.Count(65_536));
        var headSize = Known(_names.HeadSize, Bounds.Count(65_536));
        var vocabulary = Known(_names.Vocabulary, Bounds.Count(16_777_216));
        var tied = Known(_names.Tied, Bounds.Truth);
        var gqa = Known(_names.Gqa, Bounds.Number(1, 65_536));
        var shapes = new RunShape[_cells.Count];
        for (int i = 0; i < shapes.Length; i++)
        {
            shapes[i] = new RunShape(At(layers, i), At(hidden, i), At(intermediate, i), At(heads, i), At(kvHeads, i), At(headSize, i), At(vocabulary, i), At(tied, i), At(gqa, i));
        }

        return shapes;
    }

    private static double At(double[]? values, int row) => values?[row] ?? double.NaN;

    /// <summary>N by both rules, the given before the derived.</summary>
    private void Count(int row, double parameters, double nonEmbedding, double total, RunNotes notes)
    {
        var shape = _shapes[row];
        if (shape.Flaw is { } flaw)
        {
            Contradiction(row, flaw + ".");
            return;
        }

        (nonEmbedding, total) = _names.CountsTotal ? (nonEmbedding, parameters) : (parameters, total);
        bool given = !double.IsNaN(nonEmbedding);
        double byShape = shape.NonEmbedding, byTotal = total - shape.Overhead;
        nonEmbedding = given ? nonEmbedding : !double.IsNaN(byShape) ? byShape : byTotal;
        total = !double.IsNaN(total) ? total : nonEmbedding + shape.Overhead;
        (NonEmbedding[row], Total[row]) = (nonEmbedding, total);
        Parameters[row] = _names.CountsTotal ? total : nonEmbedding;
        if (nonEmbedding < 1 || nonEmbedding > total)
        {
            Contradiction(row, nonEmbedding < 1
                ? $"{Counted(total)} parameters in all are fewer than the embeddings and norms, {Counted(shape.Overhead)}, of hidden {shape.Hidden} and vocabulary {shape.Vocabulary}."
                : $"{Counted(nonEmbedding)} parameters without embeddings are more than {Counted(total)} in all.");
        }
        else if (double.IsNaN(Parameters[row]))
        {
            Contradiction(row, "the parameters are not given, and do not follow from its shape: " + Unknown(shape));
        }

        notes.NormsOmitted(row, !given && double.IsNaN(byShape) && !double.IsNaN(byTotal) && double.IsNaN(shape.Layers));
        notes.OtherCount(row, nonEmbedding, given ? byShape : byTotal);
    }

    private void Contradiction(int row, string what) =>
        _findings.Add(() => new RunTableFinding("SCAL7116", $"Row {_cells.RowNumber(row)}: {what}")
        {
            Hint = "Correct the row, or leave it out with 'where'.",
        });

    private static string Counted(double parameters) => parameters.ToString("0", CultureInfo.InvariantCulture);

    private static string Unknown(RunShape shape)
    {
        var lacking = new (double Value, string Name)[]
        {
            (shape.Layers, "layers"), (shape.Hidden, "hidden"), (shape.Intermediate, "intermediate"), (shape.Heads, "heads"), (shape.Sharing, "kv_heads"),
            (shape.FeaturesAHead, "head_size"),
        }.Where(v => double.IsNaN(v.Value)).Select(v => v.Name).ToList();
        return lacking.Count > 0 ? $"{string.Join(", ", lacking)} unknown." : $"{shape.Heads} heads cannot share keys and values {shape.Sharing} by {shape.Sharing}.";
    }
}
