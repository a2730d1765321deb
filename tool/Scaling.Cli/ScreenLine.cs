// One line of a terminal, put together from parts that may have a colour, and never longer than the terminal is wide.
using System.Text;

namespace Scaling.Cli;

/// <summary>A colour says nothing that the words do not say.</summary>
internal enum Colour
{
    /// <summary>As the terminal has it. The default.</summary>
    None,

    /// <summary>Done.</summary>
    Green,

    /// <summary>Failed.</summary>
    Red,

    /// <summary>A warning, or stopped.</summary>
    Yellow,

    /// <summary>Needs no attention.</summary>
    Dim,
}

/// <summary>What does not fit is cut.</summary>
/// <param name="width">Columns; at least 0.</param>
/// <param name="coloured">Whether colours are shown.</param>
internal sealed class ScreenLine(int width, bool coloured)
{
    private readonly StringBuilder _text = new();

    /// <summary>Columns that are left.</summary>
    public int Left { get; private set; } = width;

    /// <summary>A part of the line.</summary>
    /// <param name="text">Control characters are shown as <c>?</c>.</param>
    /// <param name="colour">Default: none.</param>
    public ScreenLine Add(string text, Colour colour = Colour.None)
    {
        string fits = TerminalText.Cut(TerminalText.Harmless(text).Replace('\t', ' '), Left);
        Left -= TerminalText.Columns(fits);
        _text.Append(Paint(fits, coloured ? colour : Colour.None));
        return this;
    }

    public override string ToString() => _text.ToString().TrimEnd(' ');

    /// <summary>A text in a colour.</summary>
    /// <param name="text">Any.</param>
    /// <param name="colour">Of it.</param>
    public static string Paint(string text, Colour colour) => colour == Colour.None || text.Length == 0 ? text : $"\u001b[{Code(colour)}m{text}\u001b[0m";

    private static string Code(Colour colour) => colour switch
    {
        Colour.Green => "32", Colour.Red => "31", Colour.Yellow => "33", _ => "2",
    };
}
