// What the reader of a table should know and what stops nothing: how many rows, and the first of them.
using System.Globalization;

namespace Scaling.Laws;

internal sealed class RunNotes(RunCells cells)
{
    private readonly List<string> _notes = [];
    private Tally _norms;
    private Tally _counts;
    private double _counted;
    private double _derived;

    /// <summary>In words; each kind once.</summary>
    public IReadOnlyList<string> Words()
    {
        var words = new List<string>();
        if (_norms.Rows > 0)
        {
            words.Add($"Parameters of norms are not known without layers and stay in N ({Told(_norms)}).");
        }

        if (_counts.Rows > 0)
        {
            words.Add(string.Create(
                CultureInfo.InvariantCulture,
                $"The columns of shapes give another N without embeddings, {_derived:G4} where {_counted:G4} is read ({Told(_counts)}); check 'counting' and whether the MLP is gated."));
        }

        return [.. words, .. _notes];
    }

    public void Add(string note) => _notes.Add(note);

    /// <summary>Remembers that norms count as parameters of a row.</summary>
    public void NormsOmitted(int row, bool omitted) => _norms = omitted ? _norms.With(row) : _norms;

    /// <summary>Remembers a row whose N differs by more than 5 % from what follows from its shape: biases and odd norms are below that.</summary>
    public void OtherCount(int row, double counted, double derived)
    {
        if (Math.Abs(derived - counted) > 0.05 * counted)
        {
            (_counted, _derived) = _counts.Rows == 0 ? (counted, derived) : (_counted, _derived);
            _counts = _counts.With(row);
        }
    }

    /// <summary><c>3 of 50 rows, first row 7</c>.</summary>
    public string Told(Tally tally) => tally.Rows == cells.Count ? "all rows" : $"{tally.Rows} of {cells.Count} rows, first row {cells.RowNumber(tally.First)}";

    /// <summary>How many rows, and the first.</summary>
    /// <param name="Rows">How many.</param>
    /// <param name="First">From 0; of no meaning without any.</param>
    internal readonly record struct Tally(int Rows, int First)
    {
        public Tally With(int row) => new(Rows + 1, Rows == 0 ? row : First);

        public static Tally Of(int count, Func<int, bool> applies)
        {
            var tally = default(Tally);
            for (int i = 0; i < count; i++)
            {
                tally = applies(i) ? tally.With(i) : tally;
            }

            return tally;
        }
    }
}
