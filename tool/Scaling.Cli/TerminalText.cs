// How many columns of a terminal a text takes, and the text that fits into so many.
using System.Globalization;
using System.Text;

namespace Scaling.Cli;

/// <summary>Columns and not characters: a Chinese character or an emoji takes two, a combining accent none, and a colour none.</summary>
internal static class TerminalText
{
    private const char Escape = '\u001b';

    /// <summary>First and last of what takes two columns, by Unicode's East Asian Width (W and F) and its emoji; what is rare among them counts as one.</summary>
    private static readonly (int First, int Last)[] Wide =
    [
        (0x1100, 0x115f), (0x231a, 0x231b), (0x23e9, 0x23ec), (0x2614, 0x2615), (0x26a1, 0x26a1), (0x2705, 0x2705), (0x274c, 0x274c), (0x2728, 0x2728), (0x2e80, 0x303e), (0x3041, 0x4dbf), (0x4e00, 0xa4cf), (0xa960, 0xa97f),
        (0xac00, 0xd7a3), (0xf900, 0xfaff), (0xfe30, 0xfe6f), (0xff00, 0xff60), (0xffe0, 0xffe6), (0x1f300, 0x1f64f), (0x1f680, 0x1f6ff), (0x1f900, 0x1f9ff), (0x1fa70, 0x1faff), (0x20000, 0x3fffd),
    ];

    /// <summary>Columns of a line, colours left aside.</summary>
    /// <param name="text">Without line ends.</param>
    public static int Columns(string text)
    {
        int columns = 0;
        bool colour = false;
        foreach (var rune in text.EnumerateRunes())
        {
            if (rune.Value == Escape || colour)
            {
                colour = rune.Value != 'm'; // Ours end so.
            }
            else
            {
                columns += Columns(rune);
            }
        }

        return columns;
    }

    /// <summary>A text that takes at most so many columns: cut at its end, with an ellipsis.</summary>
    /// <param name="text">Without colours.</param>
    /// <param name="columns">At least 0.</param>
    public static string Cut(string text, int columns) => Columns(text) <= columns ? text : columns < 1 ? "" : Head(text, columns - 1) + "…";

    /// <summary>The same, cut in its middle: names of rows differ at their ends.</summary>
    /// <param name="text">Without colours.</param>
    /// <param name="columns">At least 0.</param>
    public static string CutMiddle(string text, int columns)
    {
        if (Columns(text) <= columns || columns < 3)
        {
            return Cut(text, columns);
        }

        int tail = (columns - 1) / 2;
        return $"{Head(text, columns - 1 - tail)}…{Tail(text, tail)}";
    }

    /// <summary>Filled with blanks to so many columns.</summary>
    /// <param name="text">Any.</param>
    /// <param name="columns">At least 0.</param>
    public static string Pad(string text, int columns) => text + new string(' ', Math.Max(0, columns - Columns(text)));

    /// <summary>A text that is not ours, so that it commands no terminal.</summary>
    /// <param name="text">Without line ends.</param>
    public static string Harmless(string text) => text.Any(c => char.IsControl(c) && c != '\t') ? string.Concat(text.Select(c => char.IsControl(c) && c != '\t' ? '?' : c)) : text;

    private static string Head(string text, int columns)
    {
        var head = new StringBuilder();
        foreach (var rune in text.EnumerateRunes())
        {
            columns -= Columns(rune);
            if (columns < 0)
            {
                break;
            }

            head.Append(rune);
        }

        return head.ToString();
    }

    private static string Tail(string text, int columns)
    {
        var runes = text.EnumerateRunes().ToArray();
        int from = runes.Length;
        while (from > 0 && columns - Columns(runes[from - 1]) is >= 0 and var left)
        {
            columns = left;
            from--;
        }

        return string.Concat(runes[from..]);
    }

    private static int Columns(Rune rune) =>
        rune.Value is >= ' ' and < 0x300 ? 1
        : Rune.GetUnicodeCategory(rune) is UnicodeCategory.NonSpacingMark or UnicodeCategory.EnclosingMark or UnicodeCategory.Format or UnicodeCategory.Control ? 0
        : Array.Exists(Wide, w => rune.Value >= w.First && rune.Value <= w.Last) ? 2 : 1;
}
