// The terminal that standard error is, or is not: what it can do, and how large it is now.
using System.Runtime.InteropServices;

namespace Scaling.Cli;

/// <summary>Where lines of a command go.</summary>
/// <param name="writer">Takes text; on a terminal each call is one write.</param>
internal sealed partial class Terminal(TextWriter writer)
{
    /// <summary>Where nobody knows better.</summary>
    private const int UsualWidth = 80;
    private const int UsualHeight = 24;
    private const int StandardError = 2;

    /// <summary>Whether what stands there can be drawn over: a terminal that knows how to move its cursor.</summary>
    public bool Moves { get; private init; }

    /// <summary>Whether colours are shown.</summary>
    public bool Coloured { get; private init; }

    /// <summary>Standard error of this process.</summary>
    /// <param name="error">Takes what is written to it.</param>
    /// <param name="variable">Reads an environment variable: <c>TERM</c>, which is unset or <c>dumb</c> where there is no more than paper, and <c>NO_COLOR</c> (https://no-color.org).</param>
    public static Terminal Of(TextWriter error, Func<string, string?> variable)
    {
        bool moves = !Console.IsErrorRedirected && variable("TERM") is not (null or "" or "dumb");
        return new Terminal(error) { Moves = moves, Coloured = moves && string.IsNullOrEmpty(variable("NO_COLOR")) };
    }

    /// <summary>Columns and rows, as they are now: windows are resized.</summary>
    public static (int Width, int Height) Size => OperatingSystem.IsLinux() && Control(StandardError, GetSize, out var size) == 0 && size.Columns > 0
        ? (size.Columns, size.Rows > 0 ? size.Rows : UsualHeight)
        : (UsualWidth, UsualHeight);

    /// <summary>Writes it as it is.</summary>
    /// <param name="text">Any.</param>
    public void Write(string text) => writer.Write(text);

    private const nuint GetSize = 0x5413; // TIOCGWINSZ

    [LibraryImport("libc", EntryPoint = "ioctl")]
    private static partial int Control(int file, nuint request, out WindowSize size);

    [StructLayout(LayoutKind.Sequential)]
    private struct WindowSize
    {
        public ushort Rows;
        public ushort Columns;
        public ushort PixelsAcross;
        public ushort PixelsDown;
    }
}
