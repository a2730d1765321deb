// The console of this process: text, or events where --log-format asks for them.
using System.Runtime.InteropServices;
using System.Text;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static partial class CommandConsole
{
    private const int StandardOutput = 1;
    private const int StandardError = 2;
    private const int Stop = 19;
    private static RunEvents? _events;
    private static RunConsole? _text;
    private static PosixSignalRegistration? _suspend;

    /// <summary>What <c>--log-format</c> takes.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["text", "jsonl"];

    /// <summary>Chooses before the command line is parsed, since what is wrong with that is said in the same form.</summary>
    /// <param name="args">The command line.</param>
    public static void Choose(string[] args)
    {
        if (OperatingSystem.IsLinux() && !Console.IsOutputRedirected)
        {
            Console.SetOut(Writer(new TerminalStream(StandardOutput)));
        }

        Console.SetError(new Within(OperatingSystem.IsLinux() && !Console.IsErrorRedirected ? Writer(new TerminalStream(StandardError)) : Console.Error, Try));
        int option = Array.IndexOf(args, "--log-format");
        if (args.Contains("--log-format=jsonl") || args.Contains("--log-format:jsonl") || (option >= 0 && args.ElementAtOrDefault(option + 1) == "jsonl"))
        {
            _events = new RunEvents(Console.Error, TimeProvider.System);
            Console.SetError(new Lines(_events.Say)); // Nothing but events comes there, whoever writes.
        }
    }

    /// <summary>The process's console, as it is: there is one, since only who draws a line that moves can take it away.</summary>
    public static ICommandConsole Now => (ICommandConsole?)_events ?? Text;

    private static RunConsole Text => _text ??= new RunConsole(Terminal.Of(Console.Error, Environment.GetEnvironmentVariable), TimeProvider.System) { Marks = LogMarks.Of(Environment.GetEnvironmentVariable), Drawing = WatchStreams };

    /// <summary>The process's console as a command wants it.</summary>
    /// <param name="moves">Whether lines may move on a terminal; not where data is printed there meanwhile.</param>
    /// <param name="telling">How much is said.</param>
    public static ICommandConsole For(bool moves, Telling telling = Telling.Usual)
    {
        if (_events is null)
        {
            (Text.Moves, Text.Telling) = (moves, telling);
        }

        return Now;
    }

    /// <summary>Takes what moves from the terminal, which comes next to the shell.</summary>
    public static void End() => _text?.End();

    /// <summary>From the first line that moves on: whoever prints, on either stream, does so on a line of its own, and so does the shell that the process is stopped for.</summary>
    private static void WatchStreams()
    {
        if (OperatingSystem.IsLinux())
        {
            _suspend = PosixSignalRegistration.Create(PosixSignal.SIGTSTP, _ => _text?.Without(StopHere)); // .NET does not stop a process that handles it.
        }

        Console.SetOut(new Within(Console.Out, AfterClearing));
        Console.SetError(new Within(Console.Error, AfterClearing));

        static void StopHere() => _ = Signal(Environment.ProcessId, Stop);

        static void AfterClearing(Action write)
        {
            if (_text is { } text)
            {
                text.Without(write); // Under its lock: a redraw between the two would leave a block behind.
            }
            else
            {
                write();
            }
        }
    }

    /// <summary>What is drawn at once goes out at once, or it flickers.</summary>
    private static StreamWriter Writer(TerminalStream terminal)
    {
        const int atOnce = 1 << 16;
        var encoding = Console.OutputEncoding;
        return new StreamWriter(terminal, encoding is UTF8Encoding ? new UTF8Encoding(encoderShouldEmitUTF8Identifier: false) : encoding, atOnce) { AutoFlush = true };
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

    [LibraryImport("libc", EntryPoint = "kill")]
    private static partial int Signal(int process, int signal);

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
