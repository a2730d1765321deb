// `train` with a program of the user: what it is given, what its points become, and every way in which it can go wrong.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Train;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

public sealed class ExternalTrainerTests : IDisposable
{
    private static readonly DecoderShape Shape = TorchStages.Small with { Vocabulary = 128_256 };

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Points_become_rows_as_those_of_the_built_in_trainer()
    {
        long asked = TokensAsked();
        var result = Train($$"""
            printf '%s\n' '{"version": 1, "tokens": {{asked}}, "loss": 2.5, "annealed": true, "loss_standard_error": 0.01, "seconds": 8, "unique_tokens": 70000}' \
              '' '{"version": 1, "tokens": {{asked / 2}}, "loss": 3, "annealed": false, "steps": 7, "recipe": "mine"}' >"$SCALING_RESULT"
            """);

        var table = result.Table("runs.csv");
        Assert.Equal(new TrainStage().Declaration.Outputs[0].Columns.Select(c => c.Name), table.Columns);
        var (half, whole) = (table[0], table[1]);
        Assert.Equal((asked, 2.5, true, 20.0, 0.01), (whole.Whole("tokens"), whole.Number("loss"), whole.Truth("annealed"), whole.Number("tokens_per_parameter"), whole.Number("loss_standard_error")));
        Assert.Equal((asked / 2, 3.0, false, 10.0, 7), (half.Whole("tokens"), half.Number("loss"), half.Truth("annealed"), Math.Round(half.Number("tokens_per_parameter"), 2), half.Whole("steps")));
        Assert.Equal((Shape.Id, "mine", "", "70000"), (half.Text("shape"), half.Text("recipe"), half.Text("token_order"), whole.Text("unique_tokens")));
        Assert.Equal($"sh {{files/train.sh}}", whole.Text("recipe"));
        Assert.Equal(half.Text("training_run"), whole.Text("training_run"));
        Assert.Equal((8.0, asked / 8.0), (result.Table("timings.csv")[0].Number("seconds"), result.Table("timings.csv")[0].Number("tokens_per_second")));
        Assert.Equal(Shape, HuggingFaceReading.Of(result.Text("config.json")).Shape);
        Assert.False(File.Exists(Path.Combine(result.Folder, "weights.safetensors")));
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void The_program_is_given_the_shape_the_tokens_and_where_things_lie()
    {
        Train("""cp "$1" "$2/config"; cp "$3" "$2/request"; pwd >"$2/folder"; """ + Point(), "{config}", "{work}", "{request}");

        var request = JsonNode.Parse(File.ReadAllText(_folder["work/work/request"]))!;
        Assert.Equal(Shape, HuggingFaceReading.Of(File.ReadAllText(_folder["work/work/config"])).Shape);
        Assert.Equal((1, Shape.Id, Shape.Hidden, 3), ((int)request["version"]!, (string)request["shape"]!["shape"]!, (int)request["shape"]!["hidden"]!, (int)request["seed"]!));
        Assert.Equal((64, "bytes", "text:*.txt", "cosine"), ((int)request["context"]!, (string)request["tokenizer"]!, (string)request["corpus"]!, (string)request["schedule"]!));
        Assert.Equal((long)request["tokens"]!, (long)request["steps"]! * 256);
        Assert.Equal(0.3 / 16, (double)request["learning_rate"]!, 12);
        Assert.Equal(20240520, BitConverter.ToInt32(File.ReadAllBytes((string)request["training_shard"]!)));
        Assert.Equal(_folder["work/call"], File.ReadAllText(_folder["work/work/folder"]).TrimEnd());
        Assert.Equal([_folder["work/call/config.json"], _folder["work/call/result.jsonl"], _folder["work/work"]], new[] { "config", "result", "work" }.Select(w => (string)request[w]!));
    }

    [Fact]
    public void A_program_that_is_stopped_gets_SIGTERM_with_all_it_started_and_finds_its_work_folder_again()
    {
        using var stop = new CancellationTokenSource();
        var waited = Stopwatch.StartNew();
        string script = $$"""
            if [ -e "$SCALING_WORK/checkpoint" ]; then {{Point()}}; exit; fi
            sh -c 'trap "echo child >>\"$SCALING_WORK/terminated\"; exit" TERM; echo $$ >"$SCALING_WORK/child"; while :; do sleep 0.05; done' &
            trap 'touch "$SCALING_WORK/checkpoint"; wait; exit 3' TERM
            while [ ! -s "$SCALING_WORK/child" ]; do sleep 0.02; done
            touch "$SCALING_WORK/ready"
            while :; do sleep 0.05; done
            """;
        _ = Task.Run(() =>
        {
            SpinWait.SpinUntil(() => File.Exists(_folder["work/work/ready"]), TimeSpan.FromSeconds(30));
            stop.Cancel();
        });

        Assert.Throws<OperationCanceledException>(() => Train(script, stop.Token));
        Assert.Equal("child\n", File.ReadAllText(_folder["work/work/terminated"]));
        Assert.False(Directory.Exists($"/proc/{File.ReadAllText(_folder["work/work/child"]).Trim()}"));
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(30));

        Assert.Single(Train(script).Table("runs.csv").Rows);
    }

    [Fact]
    public void What_a_program_leaves_running_ends_with_it()
    {
        Train("""sleep 300 & echo $! >"$SCALING_WORK/left"; """ + Point());

        string left = $"/proc/{File.ReadAllText(_folder["work/work/left"]).Trim()}/stat";
        Assert.True(SpinWait.SpinUntil(() => !File.Exists(left) || File.ReadAllText(left).Contains(") Z", StringComparison.Ordinal), TimeSpan.FromSeconds(10)));
    }

    [Theory]
    [InlineData("NaN")]
    [InlineData("-Infinity")]
    [InlineData("null")]
    [InlineData("\"nan\"")]
    [InlineData("12.77")] // ln 128256 = 11.76, and a nat
    public void A_run_that_diverged_is_a_result_without_a_loss(string loss)
    {
        var result = Train($$"""echo '{"version": 1, "tokens": 2560, "loss": {{loss}}, "annealed": false, "steps": 9}' >"$SCALING_RESULT"; exit 1""");

        var row = result.Table("runs.csv")[0];
        Assert.Equal(("", "9", "2560"), (row.Text("loss"), row.Text("diverged_at"), row.Text("tokens")));
        Assert.Equal("SCAL8005", Assert.Single(result.Warnings).Code);
    }

    [Fact]
    public void A_program_that_fails_is_told_with_its_last_lines()
    {
        var failure = Fails("SCAL8503", "for i in $(seq 1 40); do echo line $i; done; echo 'CUDA out of memory' >&2; exit 7");

        Assert.Contains("ended with exit code 7", failure.Message);
        Assert.Contains("CUDA out of memory", failure.Message);
        Assert.Contains("line 40", failure.Message);
        Assert.DoesNotContain("line 5\n", failure.Message);
    }

    [Fact]
    public void A_program_that_a_signal_ends_is_told() => Assert.Contains("ended by signal 9", Fails("SCAL8503", "kill -9 $$").Message);

    [Fact]
    public void A_program_without_a_result_is_told() => Assert.Equal(_folder["work/call/result.jsonl"], Fails("SCAL8504", "true").Location!.File);

    [Theory]
    [InlineData("no", "no JSON object")]
    [InlineData("[1]", "no JSON object")]
    [InlineData("""{"tokens": 1, "loss": 1, "annealed": true}""", "version is absent")]
    [InlineData("""{"version": 2, "tokens": 1, "loss": 1, "annealed": true}""", "version is 2")]
    [InlineData("""{"version": 1, "tokens": 1.5, "loss": 1, "annealed": true}""", "tokens are 1.5")]
    [InlineData("""{"version": 1, "tokens": 5, "annealed": true}""", "loss is absent")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": -2, "annealed": true}""", "loss is -2")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": 2, "annealed": "yes"}""", "annealed is \"yes\"")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": 2, "annealed": true, "accuracy": 54.9}""", "accuracy is 54.9")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": 2, "annealed": true, "seconds": 0}""", "seconds is 0, where a number above 0")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": 2, "annealed": true, "learning_rate": 0}""", "learning_rate is 0")]
    [InlineData("""{"version": 1, "tokens": 5, "loss": 2, "annealed": true, "bytes_per_token": 0}""", "bytes_per_token is 0")]
    [InlineData("""{"version": 1, "tokens": 4, "loss": 2, "annealed": true}""", "tells of 4 tokens, as line 1 does")]
    public void A_wrong_line_is_told_with_its_place(string line, string what)
    {
        var failure = Fails("SCAL8505", $$"""
            echo '{"version": 1, "tokens": 4, "loss": 2, "annealed": true}' >"$SCALING_RESULT"
            cat >>"$SCALING_RESULT" <<'END'

            {{line}}
            END
            """);

        Assert.Contains(what, failure.Message);
        Assert.Equal((_folder["work/call/result.jsonl"], 3), (failure.Location!.File, failure.Location.Line));
    }

    [Fact]
    public void Unknown_fields_and_runs_that_stop_short_are_warned_of()
    {
        var result = Train("""echo '{"version": 1, "tokens": 64, "loss": 2, "annealed": true, "los": 3}' >"$SCALING_RESULT" """);

        Assert.Equal(["SCAL8506", "SCAL8507"], result.Warnings.Select(w => w.Code));
        Assert.Contains("los", result.Warnings[0].Message);
        Assert.Single(result.Table("runs.csv").Rows);
    }

    [Theory]
    [InlineData("SCAL8502", "there is no program 'no-such-trainer'", "PATH", "no-such-trainer")]
    [InlineData("SCAL8502", "there is no program 'python3 train.py'", "[python3, train.py]", "python3 train.py")]
    [InlineData("SCAL8502", "there is no program './train.sh'", "{files/train.sh}", "./train.sh")]
    [InlineData("SCAL8501", "'{reqest}' is no placeholder", "'{request}'", "sh", "{reqest}")]
    [InlineData("SCAL8501", "{files/other.sh} names no file", "files:", "sh", "{files/other.sh}")]
    public void A_command_that_cannot_be_started_is_told(string code, string message, string hint, params string[] command)
    {
        var failure = Assert.Throws<StageFailedException>(() => Runner().Run(Settings(command), row: Row())).Diagnostics[0];

        Assert.Equal(code, failure.Code);
        Assert.Contains(message, failure.Message);
        Assert.Contains(hint, failure.Hint);
    }

    [Fact]
    public void Questions_that_the_program_would_not_be_asked_are_refused()
    {
        _folder.Write("train.sh", Point());
        var settings = Settings(["sh", "{files/train.sh}"]);
        settings["multiple_choice"] = Files("q.jsonl", "", _folder.Write("q.jsonl", """{"context": "The sky is", "choices": ["blue", "green"], "answer": 0}"""));

        var failure = Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: Row())).Diagnostics[0];

        Assert.Equal("SCAL8508", failure.Code);
        Assert.Contains("multiple_choice: 'q.jsonl'", failure.Message);
    }

    [Fact]
    public void Braces_of_the_programs_own_are_left_alone()
    {
        Train("""printf %s "$1" >"$SCALING_WORK/word"; """ + Point(), """{"lr": {rate}, "{}": ${HOME}}""");

        Assert.Equal("""{"lr": {rate}, "{}": ${HOME}}""", File.ReadAllText(_folder["work/work/word"]));
    }

    private static string Point() => """echo "{\"version\": 1, \"tokens\": """ + TokensAsked() + """, \"loss\": 2, \"annealed\": true}" >"$SCALING_RESULT" """;

    /// <summary>20 tokens a parameter in whole steps of 4 × 64, as the request has it.</summary>
    private static long TokensAsked() => (long)Math.Round(20.0 * Shape.Parameters / 256) * 256;

    private Diagnostic Fails(string code, string script)
    {
        var failure = Assert.Throws<StageFailedException>(() => Train(script)).Diagnostics[0];
        Assert.Equal(code, failure.Code);
        Assert.NotNull(failure.Hint);
        return failure;
    }

    private StageResult Train(string script, params string[] arguments) => Train(script, default, arguments);

    private StageResult Train(string script, CancellationToken stop, params string[] arguments)
    {
        _folder.Write("train.sh", script);
        return Runner().Run(Settings(["sh", "{files/train.sh}", .. arguments]), row: Row(), stop: stop);
    }

    private StageRunner Runner() => new(new TrainStage(), _folder);

    private static Dictionary<string, string> Row() => TorchStages.Row(Shape, 3);

    private JsonObject Settings(string[] command) => new()
    {
        ["corpus"] = Files("text:*.txt", "text", _folder.Write("corpus.txt", string.Concat(Enumerable.Range(0, 6000).Select(i => $"The number {1000 + i * 37 % 90_000} comes next.\n")))),
        ["tokens_per_parameter"] = new JsonArray(20),
        ["batch"] = 4,
        ["trainer"] = new JsonObject
        {
            ["command"] = new JsonArray([.. command.Select(w => (JsonNode)w)]),
            ["files"] = Files("train.sh", "", _folder["train.sh"]),
        },
    };

    private static JsonObject Files(string text, string scheme, string path) => new() { ["text"] = text, ["scheme"] = scheme, ["paths"] = new JsonArray(path) };
}
