// What a person sees on a terminal that is sent some bytes: enough of a VT100 for what programs of lines send.
using System.Text;

namespace Scaling.EndToEnd;

/// <summary>A screen with all that has scrolled out of it. It refuses what it does not know, so that nothing is sent that nobody looked at.</summary>
/// <param name="width">Columns.</param>
/// <param name="height">Rows.</param>
public sealed class Screen(int width, int height)
{
    private const string Second = ""; // The second column of a wide character.
    private readonly List<(string[] Cells, bool Continues)> _rows = [(new string[width], false)];
    private readonly StringBuilder _sequence = new();
    private int _top;
    private int _row;
    private int _column;

    /// <summary>Whether a colour was sent.</summary>
    public bool IsColoured { get; private set; }

    /// <summary>Whether the cursor is where a prompt can stand: at the begin of a line with nothing in it or below it.</summary>
    public bool IsClean => _column == 0 && _rows.Skip(_row).All(r => Text(r.Cells).Length == 0);

    /// <summary>The most columns that a row takes.</summary>
    public int Widest => _rows.Max(r => r.Cells.TakeWhile((_, i) => r.Cells.Skip(i).Any(c => c is not (null or " "))).Count());

    /// <summary>All rows; what was broken because it was too long is one line.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        for (int i = 0; i < _rows.Count; i++)
        {
            text.Append(_rows[i].Continues ? string.Concat(_rows[i].Cells.Select(c => c ?? " ")) : Text(_rows[i].Cells) + "\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    /// <summary>Takes characters.</summary>
    /// <param name="sent">As they were sent.</param>
    public void Take(string sent)
    {
        foreach (var rune in sent.EnumerateRunes())
        {
            if (_sequence.Length > 0)
            {
                Sequence(rune.ToString());
            }
            else
            {
                Take(rune);
            }
        }
    }

    private void Take(Rune rune)
    {
        switch (rune.Value)
        {
            case '\u001b':
                _sequence.Append('\u001b');
                break;
            case '\r':
                _column = 0;
                break;
            case '\n':
                Down();
                break;
            case < ' ' or 0x7f:
                throw new InvalidOperationException($"the terminal was sent the control character {rune.Value}");
            default:
                Put(rune);
                break;
        }
    }

    /// <summary>By the columns that this machine's C library gives the characters of the tests.</summary>
    private void Put(Rune rune)
    {
        int columns = rune.Value is >= 0x300 and < 0x370 ? 0 : rune.Value is (>= 0x3041 and < 0xa4d0) or (>= 0x1f300 and < 0x1fb00) ? 2 : 1;
        if (columns == 0)
        {
            _rows[_row].Cells[_column - 1] += rune.ToString();
            return;
        }

        if (_column + columns > width)
        {
            _rows[_row] = (_rows[_row].Cells, true);
            Down();
            _column = 0;
        }

        _rows[_row].Cells[_column++] = rune.ToString();
        if (columns == 2)
        {
            _rows[_row].Cells[_column++] = Second;
        }
    }

    private void Down()
    {
        if (++_row == _rows.Count)
        {
            _rows.Add((new string[width], false));
        }

        _top = Math.Max(_top, _row - height + 1);
    }

    private void Sequence(string next)
    {
        _sequence.Append(next);
        string all = _sequence.ToString();
        if (all.Length == 2 ? next == "[" : !char.IsAsciiLetter(next[0]))
        {
            return;
        }

        _sequence.Clear();
        int number = int.TryParse(all[2..^1], out int n) ? n : 1;
        switch (next)
        {
            case "A":
                _row = Math.Max(_top, _row - number); // No way leads back to what has scrolled out.
                break;
            case "K" when all.Length == 3:
                Erase(_row, _column);
                break;
            case "J" when all.Length == 3:
                Erase(_row, _column);
                for (int row = _row + 1; row < _rows.Count; row++)
                {
                    Erase(row, 0);
                }

                break;
            case "m":
                IsColoured = true;
                break;
            default:
                throw new InvalidOperationException($"the terminal was sent the sequence ESC{all[1..]}");
        }
    }

    private void Erase(int row, int column)
    {
        Array.Clear(_rows[row].Cells, column, width - column);
        _rows[row] = (_rows[row].Cells, false);
    }

    private static string Text(string[] cells) => string.Concat(cells.Select(c => c ?? " ")).TrimEnd(' ');
}
