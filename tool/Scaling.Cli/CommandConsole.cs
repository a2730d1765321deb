// The console of this process: text, or events where --log-format asks for them.
using System.Text;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class CommandConsole
{
    private static RunEvents? _events;
    private static RunConsole? _text;

    /// <summary>What <c>--log-format</c> takes.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["text", "jsonl"];

    /// <summary>Chooses before the command line is parsed, since what is wrong with that is said in the same form.</summary>
    /// <param name="args">The command line.</param>
    public static void Choose(string[] args)
    {
        Console.SetError(new Within(Console.Error, Try));
        int option = Array.IndexOf(args, "--log-format");
        if (args.Contains("--log-format=jsonl") || args.Contains("--log-format:jsonl") || (option >= 0 && args.ElementAtOrDefault(option + 1) == "jsonl"))
        {
            _events = new RunEvents(Console.Error, TimeProvider.System);
            Console.SetError(new Lines(_events.Say)); // Nothing but events comes there, whoever writes.
        }
    }

    /// <summary>The process's console, as it is: there is one, since only who draws a line that moves can take it away.</summary>
    public static ICommandConsole Now => (ICommandConsole?)_events ?? Text;

    private static RunConsole Text => _text ??= new RunConsole(Console.Error, !Console.IsErrorRedirected, TimeProvider.System) { Marks = LogMarks.Of(Environment.GetEnvironmentVariable), Drawing = WatchStreams };

    /// <summary>The process's console as a command wants it.</summary>
    /// <param name="moves">Whether a line may move on a terminal; not where data is printed there meanwhile.</param>
    /// <param name="quiet">Warnings and errors alone.</param>
    public static ICommandConsole For(bool moves, bool quiet = false)
    {
        if (_events is null)
        {
            (Text.Moves, Text.Quiet) = (moves, quiet);
        }

        return Now;
    }

    /// <summary>Takes a line that moves from the terminal, which comes next to the shell.</summary>
    public static void Clear() => _text?.Clear();

    /// <summary>From the first line that moves on: whoever prints, on either stream, does so on a line of its own.</summary>
    private static void WatchStreams()
    {
        Console.SetOut(new Within(Console.Out, AfterClearing));
        Console.SetError(new Within(Console.Error, AfterClearing));

        static void AfterClearing(Action write)
        {
            Clear();
            write();
        }
    }

    /// <summary>Says what is wrong.</summary>
    /// <param name="findings">Any.</param>
    public static void Print(IEnumerable<Diagnostic> findings)
    {
        foreach (var finding in findings)
        {
            Now.Found(finding);
        }
    }

    /// <summary>What is told on the way is lost where it cannot be written, on a full disk or a closed stream: what the work gives counts more.</summary>
    private static void Try(Action write)
    {
        try
        {
            write();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The next line is tried again.
        }
    }

    /// <summary>A stream, with something around each writing to it.</summary>
    private sealed class Within(TextWriter stream, Action<Action> around) : TextWriter
    {
        public override Encoding Encoding => stream.Encoding;

        public override void Write(char value) => around(() => stream.Write(value));

        public override void Write(string? value) => around(() => stream.Write(value));

        public override void WriteLine(string? value) => around(() => stream.WriteLine(value));

        public override void Flush() => around(stream.Flush);
    }

    /// <summary>Hands on what is written, line by line.</summary>
    private sealed class Lines(Action<string> take) : TextWriter
    {
        private readonly StringBuilder _line = new();

        public override Encoding Encoding => Encoding.UTF8;

        public override void Write(char value)
        {
            string? whole = null;
            lock (_line)
            {
                if (value != '\n')
                {
                    _line.Append(value);
                }
                else
                {
                    whole = _line.ToString().TrimEnd('\r');
                    _line.Clear();
                }
            }

            if (whole is { Length: > 0 })
            {
                take(whole);
            }
        }
    }
}
