// Lines at the end of a terminal that are drawn again and again, while lines that stay scroll away above them.
using System.Text;

namespace Scaling.Cli;

/// <summary>
/// Each drawing is one write, of the lines that changed; the cursor rests on the line below, visible, so that a process which is killed leaves whole lines and a clean prompt. Calls come one at a time.
/// </summary>
/// <remarks>
/// Spectre.Console 0.57.2 was the other choice. Its live display hides the cursor until it is ended in order, and where a window becomes smaller it erases the screen with all that had scrolled out of it
/// (https://github.com/spectreconsole/spectre.console/blob/main/src/Spectre.Console/Live/LiveDisplayRenderer.cs); it is 0.85 MB of assembly for a tool that begins in 70 ms. What we need of it are three sequences that every terminal since the
/// VT100 knows.
/// </remarks>
/// <param name="terminal">One that moves.</param>
internal sealed class LiveBlock(Terminal terminal)
{
    private const string EraseLine = "\u001b[K";
    private const string EraseBelow = "\u001b[J";
    private string[] _drawn = [];
    private int _width;

    /// <summary>Draws lines in the place of those that stand there.</summary>
    /// <param name="lines">Shorter than the terminal is wide, and fewer than it has rows.</param>
    public void Draw(IReadOnlyList<string> lines)
    {
        int width = Terminal.Size.Width;
        int rows = Rows(width);
        bool isSame = rows == _drawn.Length && width == _width;
        if (isSame && lines.SequenceEqual(_drawn))
        {
            return;
        }

        var text = new StringBuilder(Up(rows));
        for (int i = 0; i < lines.Count; i++)
        {
            text.Append(isSame && i < _drawn.Length && lines[i] == _drawn[i] ? "\n" : $"{lines[i]}{EraseLine}\n");
        }

        Write(text, lines, width, rows > lines.Count);
    }

    /// <summary>Puts a line above, which stays.</summary>
    /// <param name="line">It may be longer than the terminal is wide, or several.</param>
    public void Above(string line)
    {
        int width = Terminal.Size.Width;
        int rows = Rows(width);
        var text = new StringBuilder(Up(rows)).Append(rows > 0 ? EraseBelow : "").Append(line).Append('\n');
        string[] below = [.. _drawn.Select(drawn => TerminalText.Columns(drawn) < width ? drawn : "")]; // One that has no room any more is drawn anew soon.
        Write(text.AppendJoin("", below.Select(b => b + "\n")), below, width, erase: false);
    }

    /// <summary>Takes the lines away.</summary>
    public void Erase()
    {
        if (_drawn.Length > 0)
        {
            Write(new StringBuilder(Up(Rows(Terminal.Size.Width))), [], _width, erase: true);
        }
    }

    private void Write(StringBuilder text, IReadOnlyList<string> lines, int width, bool erase)
    {
        terminal.Write(text.Append(erase ? EraseBelow : "").ToString());
        (_drawn, _width) = ([.. lines], width);
    }

    /// <summary>What stands there takes more rows where the window became narrower: terminals break lines anew.</summary>
    private int Rows(int width) => width >= _width ? _drawn.Length : _drawn.Sum(line => Math.Max(1, (TerminalText.Columns(line) + width - 1) / width));

    private static string Up(int rows) => rows == 0 ? "" : $"\r\u001b[{rows}A";
}
