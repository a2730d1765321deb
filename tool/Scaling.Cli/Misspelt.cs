// What is wrong with a command line, with what was meant.
using System.CommandLine;
using System.CommandLine.Parsing;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Findings of a command line that cannot be parsed.</summary>
internal static class Misspelt
{
    /// <summary>The findings (SCAL1001); none where it can be worked with.</summary>
    /// <param name="parsed">Of the whole line.</param>
    public static IReadOnlyList<Diagnostic> Of(ParseResult parsed)
    {
        if (parsed.Errors.Count == 0 && parsed.Tokens.Any(t => t.Type == TokenType.Directive))
        {
            return []; // [suggest], whose words are yet to be written.
        }

        var command = parsed.CommandResult.Command;
        // An option that there is not is taken for a file: one of that name is written ./--name, or stands after --.
        string[] options = parsed.Tokens.Any(t => t.Type == TokenType.DoubleDash) ? [] : [.. parsed.UnmatchedTokens.Concat(Arguments(parsed.CommandResult)).Where(w => w.Length > 2 && w.StartsWith("--", StringComparison.Ordinal)).Distinct()];
        if (options.Length > 0)
        {
            string[] names = [.. Ancestors(parsed.CommandResult).SelectMany(c => c.Command.Options.Where(o => c == parsed.CommandResult || o.Recursive)).Where(o => !o.Hidden).Select(o => o.Name)];
            return [.. options.Select(word => new Diagnostic("SCAL1001", $"'{command.Name}' has no option '{word.Split('=', ':')[0]}'.") { Hint = NearestSpelling.Hint(word.Split('=', ':')[0], names) })];
        }

        if (command.Subcommands.Count > 0 && parsed.UnmatchedTokens is [var first, ..])
        {
            string[] names = [.. command.Subcommands.Where(c => !c.Hidden).Select(c => c.Name)];
            return [new Diagnostic("SCAL1001", $"There is no command '{first}'.") { Hint = NearestSpelling.Hint(first, names) }];
        }

        return [.. parsed.Errors.Select(error => new Diagnostic("SCAL1001", error.Message.Replace("as expected type 'System.Int32'", "as a whole number", StringComparison.Ordinal).Replace("as expected type 'System.Double'", "as a number", StringComparison.Ordinal)))];
    }

    private static IEnumerable<string> Arguments(CommandResult command) => command.Children.OfType<ArgumentResult>().SelectMany(a => a.Tokens).Select(t => t.Value);

    private static IEnumerable<CommandResult> Ancestors(CommandResult? command) => command is null ? [] : [command, .. Ancestors(command.Parent as CommandResult)];
}
