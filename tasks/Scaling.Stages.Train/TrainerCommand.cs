// The words of a trainer's command with its placeholders filled in, and the program found.
using System.Text.RegularExpressions;
using Scaling.Sdk;

namespace Scaling.Stages.Train;

internal static partial class TrainerCommand
{
    private static readonly string[] Known = ["config", "request", "result", "work", "files"];

    /// <summary>The program's path and its arguments.</summary>
    /// <exception cref="StageFailedException">SCAL8501: a placeholder is none; SCAL8502: there is no such program.</exception>
    public static IReadOnlyList<string> Of(TrainerSettings trainer, TrainerPaths paths)
    {
        string[] words = [.. trainer.Command.Select(word => Placeholder().Replace(word, match => Fill(match, trainer, paths)))];
        return [Program(words[0], trainer), .. words[1..]];
    }

    private static string Fill(Match match, TrainerSettings trainer, TrainerPaths paths)
    {
        string word = match.Groups["word"].Value, file = match.Groups["file"].Value;
        return (word, file) switch
        {
            ("config", "") => paths.Config,
            ("request", "") => paths.Request,
            ("result", "") => paths.Result,
            ("work", "") => paths.Work,
            ("files", not "") => NamedFile(file, trainer),
            _ when NearestSpelling.Of(word, Known) is { } near => throw new StageFailedException(
                "SCAL8501", $"trainer.command: '{match.Value}' is no placeholder. There are {{config}}, {{request}}, {{result}}, {{work}} and {{files/NAME}}.",
                near == "files" ? "Write {files/NAME}, NAME being a file that 'files' names." : $"Did you mean '{{{near}}}'?"),
            _ => match.Value, // A brace of the program's own.
        };
    }

    private static string NamedFile(string name, TrainerSettings trainer)
    {
        string[] named = [.. trainer.Files?.Paths.Where(p => p.EndsWith("/" + name, StringComparison.Ordinal)) ?? []];
        return named is [var only]
            ? only
            : throw new StageFailedException(
                "SCAL8501", $"trainer.command: {{files/{name}}} names {(named.Length == 0 ? "no file" : $"{named.Length} files")} of trainer.files{(trainer.Files is { } files ? $" ('{files.Text}')" : ", which is absent")}.",
                "Write 'files:' with the path or glob that names it, relative to the pipeline file.");
    }

    private static string Program(string word, TrainerSettings trainer)
    {
        if (UserProgram.Find(word) is { } found)
        {
            return found;
        }

        string hint = File.Exists(word) && Path.IsPathRooted(word) ? $"It is no executable file: 'chmod +x {word}', or name its interpreter first."
            : word.Contains('/', StringComparison.Ordinal) && !Path.IsPathRooted(word) ? $"It runs in a folder of its own. Write {{files/{Path.GetFileName(word)}}} with 'files: {word}', or an absolute path."
            : trainer.Command.Count == 1 && word.Contains(' ', StringComparison.Ordinal) ? $"Write the words as a list: [{string.Join(", ", word.Split(' '))}]."
            : "Install it, put it on the PATH, or write its absolute path.";
        throw new StageFailedException("SCAL8502", $"trainer.command: there is no program '{word}'.", hint);
    }

    [GeneratedRegex(@"\{(?<word>[a-z_]+)(?:/(?<file>[^{}]+))?\}")]
    private static partial Regex Placeholder();
}
