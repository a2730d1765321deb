// The user's multiple-choice questions: JSON Lines of context, choices and answer.
using System.Text.Json;
using Scaling.Sdk;

namespace Scaling.Stages.Train;

/// <summary>A question as the user wrote it.</summary>
/// <param name="File">Name of the file, without its folder.</param>
/// <param name="Line">From 1.</param>
/// <param name="Context">What is read first.</param>
/// <param name="Choices">What may follow.</param>
/// <param name="Answer">Position of the right choice, from 0.</param>
internal sealed record Question(string File, int Line, string Context, IReadOnlyList<string> Choices, int Answer);

internal static class QuestionFile
{
    /// <summary>More wrong lines than this are counted.</summary>
    private const int MostTold = 20;

    /// <summary>Reads the files; empty lines are passed over.</summary>
    /// <param name="files">As the setting names them.</param>
    /// <exception cref="StageFailedException">SCAL8401: lines that are no questions, each with its place; SCAL8402: there is no question.</exception>
    public static IReadOnlyList<Question> Read(FileSet files)
    {
        var questions = new List<Question>();
        var wrong = new List<Diagnostic>();
        foreach (string path in files.Paths)
        {
            int number = 0;
            foreach (string line in File.ReadLines(path))
            {
                number++;
                try
                {
                    if (!string.IsNullOrWhiteSpace(line))
                    {
                        questions.Add(Parse(line, Path.GetFileName(path), number));
                    }
                }
                catch (Exception e) when (e is JsonException or FormatException)
                {
                    wrong.Add(new Diagnostic("SCAL8401", $"This is no multiple-choice question: {e.Message}")
                    {
                        Location = new SourceLocation(path, number),
                        Hint = """Expected a line such as {"context": "The sky is", "choices": ["blue", "green"], "answer": 0}, the answer counted from 0.""",
                    });
                }
            }
        }

        if (wrong.Count > MostTold)
        {
            wrong[MostTold] = new Diagnostic("SCAL8401", $"{wrong.Count - MostTold} more lines of '{files.Text}' are no questions either.");
        }

        return wrong.Count > 0 ? throw new StageFailedException([.. wrong.Take(MostTold + 1)])
            : questions.Count > 0 ? questions
            : throw new StageFailedException("SCAL8402", $"multiple_choice: '{files.Text}' holds no question.", "Name JSON Lines with a question a line, or leave multiple_choice away.");
    }

    private static Question Parse(string line, string file, int number)
    {
        using var document = JsonDocument.Parse(line, new JsonDocumentOptions { AllowDuplicateProperties = false });
        var root = document.RootElement;
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new FormatException("it is no JSON object.");
        }

        string context = Member(root, "context", JsonValueKind.String, "text").GetString()!;
        var choices = Member(root, "choices", JsonValueKind.Array, "a list of texts").EnumerateArray().ToList();
        if (string.IsNullOrWhiteSpace(context))
        {
            throw new FormatException("its context is empty, so that nothing tells what the choice's first token follows.");
        }

        if (choices.Count < 2)
        {
            throw new FormatException($"it has {choices.Count} {(choices.Count == 1 ? "choice" : "choices")}; expected at least two.");
        }

        int empty = choices.FindIndex(c => c.ValueKind != JsonValueKind.String || string.IsNullOrWhiteSpace(c.GetString()));
        if (empty >= 0)
        {
            throw new FormatException($"choice {empty} is empty or no text.");
        }

        var answer = Member(root, "answer", JsonValueKind.Number, "a whole number");
        return answer.TryGetInt32(out int right) && right >= 0 && right < choices.Count
            ? new Question(file, number, context, [.. choices.Select(c => c.GetString()!)], right)
            : throw new FormatException($"its answer is {answer.GetRawText()}; expected a whole number from 0 to {choices.Count - 1}.");
    }

    private static JsonElement Member(JsonElement root, string name, JsonValueKind kind, string expected) =>
        !root.TryGetProperty(name, out var value) ? throw new FormatException($"it has no '{name}'.")
        : value.ValueKind == kind ? value
        : throw new FormatException($"its '{name}' is {value.GetRawText()}; expected {expected}.");
}
