// Options of sbatch as a user adds them, and which of them are said otherwise: by a key of 'resources:', or by the tool.
using System.Text.RegularExpressions;

namespace Scaling.Engine.Executors;

/// <summary>
/// An option of sbatch (Slurm 24.11, <c>sbatch --help</c>). Long names may be cut short, as getopt lets them: <c>--part=gpu</c> is <c>--partition</c>.
/// This finds mistakes; it is no fence, as whoever writes a pipeline may run anything anyway.
/// </summary>
internal static partial class SbatchFlag
{
    private static readonly (string Long, char Short, string Key)[] SaidByKeys =
    [
        ("partition", 'p', "partition"), ("account", 'A', "account"), ("qos", 'q', "qos"), ("constraint", 'C', "constraint"), ("exclude", 'x', "exclude"), ("gres", '\0', "gres"),
        ("nodes", 'N', "nodes"), ("ntasks", 'n', "tasks_per_node"), ("ntasks-per-node", '\0', "tasks_per_node"), ("cpus-per-task", 'c', "cpus"), ("mem", '\0', "mem"), ("time", 't', "time"),
    ];

    /// <summary>They give the tool its jobs' names, logs, answers and ends; with others it would lose its jobs.</summary>
    private static readonly (string Long, char Short)[] SaidByTool =
    [
        ("array", 'a'), ("job-name", 'J'), ("output", 'o'), ("error", 'e'), ("input", 'i'), ("open-mode", '\0'), ("chdir", 'D'), ("signal", '\0'), ("requeue", '\0'), ("no-requeue", '\0'),
        ("parsable", '\0'), ("wrap", '\0'), ("wait", 'W'), ("test-only", '\0'), ("clusters", 'M'), ("quiet", 'Q'), ("verbose", 'v'), ("help", 'h'), ("usage", '\0'), ("version", 'V'),
    ];

    /// <summary>
    /// Whether a text is one option in one word, as it stands in a script: <c>--name</c>, <c>--name=value</c>, <c>-n</c> or <c>-nvalue</c>. A value may hold blanks, but nothing that looks like a second option.
    /// </summary>
    /// <param name="text">One line.</param>
    public static bool IsOne(string text) => Form().IsMatch(text) && !text.Split([' ', '\t']).Skip(1).Any(word => word.StartsWith('-'));

    /// <summary>The key of <c>resources:</c> that says the same; null for none.</summary>
    /// <param name="text">One option.</param>
    public static string? KeyOf(string text) => SaidByKeys.FirstOrDefault(s => Is(text, s.Long, s.Short)).Key;

    /// <summary>Whether the tool gives that option itself.</summary>
    /// <param name="text">One option.</param>
    public static bool IsOfTool(string text) => SaidByTool.Any(s => Is(text, s.Long, s.Short));

    private static bool Is(string text, string longName, char shortName) =>
        text.StartsWith("--", StringComparison.Ordinal) ? longName.StartsWith(text[2..].Split('=')[0], StringComparison.Ordinal) : text[1] == shortName;

    [GeneratedRegex(@"^(--[A-Za-z][A-Za-z0-9-]*(=.+)?|-[A-Za-z]([^\s=].*)?)\z", RegexOptions.ExplicitCapture)]
    private static partial Regex Form();
}
