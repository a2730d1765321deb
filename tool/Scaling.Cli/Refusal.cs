// What a program is answered by a command that could not: in the form of the command, else as scaling.refused/1. JSON.md says which.
using System.CommandLine;
using System.Text.Json.Nodes;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class Refusal
{
    private const string Json = "--json";

    /// <summary>Answers a program where it asked to be, unless the command has answered already; and ends the events of a run that could not begin.</summary>
    /// <param name="parsed">The command line, also one with mistakes.</param>
    /// <param name="exit">What the tool ends with.</param>
    /// <param name="findings">Why; none where it was interrupted.</param>
    public static void Answer(ParseResult parsed, int exit, IReadOnlyList<Diagnostic> findings)
    {
        string command = parsed.CommandResult.Command.Name;
        if (command == "run")
        {
            CommandConsole.Now.Conclude(new RunEnd(null, exit, 0));
        }

        if (!IsAsked(parsed))
        {
            return;
        }

        string? path = command is "run" or "check" ? new Commands.Invocation(parsed, default).PipelinePath : null;
        if (command == "run")
        {
            RunCommand.Answer(new RunEnd(null, exit, 0), path, findings);
        }
        else
        {
            JsonText.Print(command == "check" ? LookCommands.CheckSchema : "scaling.refused/1", new JsonObject { ["path"] = path, ["exit_code"] = exit, ["findings"] = JsonText.Of(findings) });
        }
    }

    /// <summary>By the words as they stand: a command line with mistakes has no values.</summary>
    private static bool IsAsked(ParseResult parsed)
    {
        var options = parsed.CommandResult.Command.Options;
        return options.FirstOrDefault(o => o.Name == Json) is { } json
            ? parsed.GetResult(json) is { Implicit: false, Tokens: not [{ Value: "false" }] }
            : options.FirstOrDefault(o => o.Name == "--format") is { } format
                ? parsed.GetResult(format) is { Tokens: [{ Value: "json" }] }
                : parsed.UnmatchedTokens.Contains(Json);
    }
}
