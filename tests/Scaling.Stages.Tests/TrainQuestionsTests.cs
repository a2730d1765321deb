// The stage `train` with multiple-choice questions.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Sdk;
using Scaling.Stages.Train;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

[Collection("torch")]
public sealed class TrainQuestionsTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_model_of_text_that_goes_on_in_one_way_finds_that_way_likelier_than_others()
    {
        // Chance gives a half; the right choice stands first and second in turn, and the wrong one is as long.
        var questions = Enumerable.Range(0, 60).Select(i =>
            i % 2 == 0 ? Question($"The number {2000 + 31 * i}", ["comes next.", "stems from x"], 0) : Question($"The number {2000 + 31 * i}", ["mosec txen.", "comes next."], 1));

        var result = Run(Settings([.. questions]));

        var run = result.Table("runs.csv")[0];
        double accuracy = run.Number("accuracy");
        Assert.True(accuracy > 0.9, $"{accuracy} of the questions");
        Assert.Equal(60, run.Whole("questions"));
        Assert.Equal(Math.Sqrt(accuracy * (1 - accuracy) / 59), run.Number("accuracy_standard_error"), 1e-12);
        Assert.Contains("accuracy", result.Text("events.out.tfevents"));
    }

    [Fact]
    public void Without_questions_the_cells_are_empty_and_with_them_only_points_before_the_end_have_none()
    {
        var settings = Settings(Question("The number 1000", ["comes next.", "is it"], 0));
        settings["points"] = new JsonArray(0.5);
        var asked = Run(settings).Table("runs.csv");
        Assert.Equal(["", "1"], asked.Each().Select(r => r.Text("questions")));
        Assert.Equal("", asked[1].Text("accuracy_standard_error"));

        settings.Remove("multiple_choice");
        Directory.Delete(_folder["prepared"], recursive: true);
        var unasked = Run(settings).Table("runs.csv");
        Assert.All(unasked.Each(), r => Assert.Equal(("", "", ""), (r.Text("accuracy"), r.Text("accuracy_standard_error"), r.Text("questions"))));
        Assert.Equal(asked[1].Text("loss"), unasked[1].Text("loss"));
    }

    [Theory]
    [InlineData("not json", "is an invalid JSON literal")]
    [InlineData("[1]", "it is no JSON object")]
    [InlineData("""{"choices": ["a", "b"], "answer": 0}""", "it has no 'context'")]
    [InlineData("""{"context": 1, "choices": ["a", "b"], "answer": 0}""", "its 'context' is 1; expected text")]
    [InlineData("""{"context": " ", "choices": ["a", "b"], "answer": 0}""", "its context is empty")]
    [InlineData("""{"context": "c", "choices": ["a"], "answer": 0}""", "it has 1 choice; expected at least two")]
    [InlineData("""{"context": "c", "choices": ["a", ""], "answer": 0}""", "choice 1 is empty or no text")]
    [InlineData("""{"context": "c", "choices": ["a", "b"], "answer": 2}""", "its answer is 2; expected a whole number from 0 to 1")]
    [InlineData("""{"context": "c", "choices": ["a", "b"], "answer": 0.5}""", "its answer is 0.5; expected a whole number from 0 to 1")]
    [InlineData("""{"context": "c", "choices": ["a", "b"], "answer": "a"}""", "its 'answer' is \"a\"; expected a whole number")]
    public void A_line_that_is_no_question_is_told_with_its_file_and_line(string line, string message)
    {
        var finding = Assert.Single(Assert.Throws<StageFailedException>(() => Run(Settings(Question("c", ["a", "b"], 0), "", line))).Diagnostics);

        Assert.Equal("SCAL8401", finding.Code);
        Assert.Equal(new SourceLocation(_folder["questions.jsonl"], 3), finding.Location);
        Assert.Contains(message, finding.Message);
        Assert.NotNull(finding.Hint);
    }

    [Fact]
    public void Many_wrong_lines_are_told_together_and_those_beyond_twenty_are_counted()
    {
        var found = Assert.Throws<StageFailedException>(() => Run(Settings([.. Enumerable.Repeat("?", 50)]))).Diagnostics;

        Assert.Equal(21, found.Count);
        Assert.StartsWith("30 more lines", found[^1].Message);
    }

    [Fact]
    public void A_file_without_questions_is_refused() => AssertFails("SCAL8402", "holds no question", Settings("", " "));

    [Fact]
    public void A_choice_longer_than_a_training_sequence_is_refused_with_its_place()
    {
        var failure = AssertFails("SCAL8404", "A choice has 71 tokens", Settings(Question("c", ["a", "b"], 0), Question("c", [new string('x', 70), "b"], 0)));

        Assert.Equal(new SourceLocation("questions.jsonl", 2), failure.Location);
    }

    [Fact]
    public void Questions_on_token_shards_take_their_tokenizer()
    {
        var settings = Settings(Question("c", ["a", "b"], 0));
        Run(settings);
        Directory.Move(_folder["prepared"], _folder["shards"]);
        settings["corpus"] = Files("tokens", _folder["shards/training.bin"]);

        AssertFails("SCAL8403", "nobody has said which tokenizer", settings);
    }

    private Diagnostic AssertFails(string code, string message, JsonObject settings)
    {
        var finding = Assert.Throws<StageFailedException>(() => Run(settings)).Diagnostics[0];
        Assert.Equal(code, finding.Code);
        Assert.Contains(message, finding.Message);
        Assert.NotNull(finding.Hint);
        return finding;
    }

    private static string Question(string context, string[] choices, int answer) => JsonSerializer.Serialize(new { context, choices, answer });

    private JsonObject Settings(params string[] lines) => new()
    {
        ["corpus"] = Files("text", _folder.Write("corpus.txt", string.Concat(Enumerable.Range(0, 6000).Select(i => $"The number {1000 + i * 37 % 90_000} comes next.\n")))),
        ["tokens_per_parameter"] = new JsonArray(20),
        ["evaluation_tokens"] = 2048,
        ["multiple_choice"] = Files("", _folder.Write("questions.jsonl", string.Join('\n', lines) + "\n")),
    };

    private static JsonObject Files(string scheme, string path) => new() { ["text"] = Path.GetFileName(path), ["scheme"] = scheme, ["paths"] = new JsonArray(path) };

    private StageResult Run(JsonObject settings) =>
        new StageRunner(new TrainStage(), _folder) { NativeFolders = TorchStages.NativeFolders }.Run(settings, row: TorchStages.Row(TorchStages.Small, 1));
}
