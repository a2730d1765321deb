// The console of this process: text, or events where --log-format asks for them.
using System.Text;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class CommandConsole
{
    private static RunEvents? _events;

    /// <summary>What <c>--log-format</c> takes.</summary>
    public static IReadOnlyList<string> Formats { get; } = ["text", "jsonl"];

    /// <summary>Chooses before the command line is parsed, since what is wrong with that is said in the same form.</summary>
    /// <param name="args">The command line.</param>
    public static void Choose(string[] args)
    {
        int option = Array.IndexOf(args, "--log-format");
        if (args.Contains("--log-format=jsonl") || args.Contains("--log-format:jsonl") || (option >= 0 && args.ElementAtOrDefault(option + 1) == "jsonl"))
        {
            _events = new RunEvents(Console.Error, TimeProvider.System);
            Console.SetError(new Lines(_events.Say)); // Nothing but events comes there, whoever writes.
        }
    }

    /// <summary>A console for one command.</summary>
    /// <param name="moves">Whether a line may move on a terminal; not where data is printed there meanwhile.</param>
    /// <param name="quiet">Warnings and errors alone.</param>
    public static ICommandConsole New(bool moves, bool quiet = false) => (ICommandConsole?)_events
        ?? new RunConsole(Console.Error, moves && !Console.IsErrorRedirected, TimeProvider.System) { Marks = LogMarks.Of(Environment.GetEnvironmentVariable), Quiet = quiet };

    /// <summary>Says what is wrong.</summary>
    /// <param name="findings">Any.</param>
    public static void Print(IEnumerable<Diagnostic> findings)
    {
        var console = New(moves: false);
        foreach (var finding in findings)
        {
            console.Found(finding);
        }
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
