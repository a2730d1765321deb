// A command line as a person types it into a shell.
namespace Scaling.Cli;

internal static class CommandLine
{
    /// <summary>Words with quotes where a shell would read something into them.</summary>
    /// <param name="words">In their order.</param>
    public static string Of(IEnumerable<string> words) => string.Join(' ', words.Select(Quoted));

    /// <summary>One word.</summary>
    /// <param name="word">As a program takes it.</param>
    public static string Quoted(string word) => word.Length > 0 && word.All(c => char.IsAsciiLetterOrDigit(c) || "-_./:=@,+~%^".Contains(c) || c > 127) && word[0] != '~' ? word : $"'{word.Replace("'", "'\\''", StringComparison.Ordinal)}'";
}
