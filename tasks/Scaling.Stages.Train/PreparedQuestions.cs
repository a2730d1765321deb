// What `train` keeps of the questions for all its rows: their tokens, and where each comes from.
using System.Text;
using System.Text.Json;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>A line of the prepared file.</summary>
/// <param name="File">Name of the user's file.</param>
/// <param name="Line">In it, from 1.</param>
/// <param name="Question">Its tokens.</param>
internal sealed record PreparedQuestion(string File, int Line, ChoiceQuestion Question);

internal static class PreparedQuestions
{
    public const string File = "questions.jsonl";

    /// <summary>Encodes questions; without any the file is empty.</summary>
    /// <param name="context">Of the prepare action.</param>
    /// <param name="questions">As <see cref="QuestionFile"/> read them.</param>
    /// <param name="tokenizer">The corpus's; null where it is not known.</param>
    /// <returns>What a shape's vocabulary must be at least.</returns>
    /// <exception cref="StageFailedException">SCAL8403: there are questions and no tokenizer.</exception>
    public static int Write(StageContext<TrainSettings> context, IReadOnlyList<Question> questions, TextTokenizer? tokenizer)
    {
        if (questions.Count > 0 && tokenizer is null)
        {
            throw new StageFailedException(
                "SCAL8403", "multiple_choice: questions are text, and nobody has said which tokenizer made the corpus's tokens.",
                "Name it: 'tokenizer: tiktoken:FILE' or 'tokenizer: sentencepiece:FILE'.");
        }

        var text = new StringBuilder();
        int vocabulary = 0;
        foreach (var question in questions)
        {
            var encoded = ChoiceQuestion.Of(tokenizer!, question.Context, question.Choices, question.Answer);
            vocabulary = Math.Max(vocabulary, 1 + encoded.Choices.Max(c => c.Tokens.Max()));
            text.Append(JsonSerializer.Serialize(new PreparedQuestion(question.File, question.Line, encoded), StageDescriptor.Json)).Append('\n');
        }

        System.IO.File.WriteAllText(context.Output(File), text.ToString());
        return vocabulary;
    }

    /// <summary>Reads what <see cref="Write"/> has written; empty where nothing was asked.</summary>
    /// <exception cref="StageFailedException">SCAL8404: choices that are longer than a training sequence.</exception>
    public static IReadOnlyList<ChoiceQuestion> Read(StageContext<TrainSettings> context)
    {
        var questions = System.IO.File.ReadLines(context.Prepared(File)).Select(line => JsonSerializer.Deserialize<PreparedQuestion>(line, StageDescriptor.Json)!).ToList();
        var tooLong = questions.Where(q => q.Question.Choices.Any(c => c.Scored > context.Settings.Context)).ToList();
        return tooLong.Count == 0
            ? [.. questions.Select(q => q.Question)]
            : throw new StageFailedException([new Diagnostic(
                "SCAL8404", $"A choice has {tooLong[0].Question.Choices.Max(c => c.Scored)} tokens where the models were trained on sequences of {context.Settings.Context}{(tooLong.Count > 1 ? $"; so have choices of {tooLong.Count - 1} more questions" : "")}.")
            {
                Location = new SourceLocation(tooLong[0].File, tooLong[0].Line),
                Hint = "Raise context, or leave such questions out.",
            }]);
    }
}
