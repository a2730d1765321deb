// The stage `train` on small text, as a worker runs it.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Train;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

[Collection("torch")]
public sealed class TrainTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly TemporaryFolder _other = new();

    public void Dispose()
    {
        _folder.Dispose();
        _other.Dispose();
    }

    [Fact]
    public void A_run_writes_its_loss_its_curve_its_times_and_its_weights()
    {
        var result = Runner(_folder).Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1));

        var table = result.Table("runs.csv");
        var run = table[0];
        Assert.Equal(new TrainStage().Declaration.Outputs[0].Columns.Select(c => c.Name), table.Columns);
        Assert.Equal(TorchStages.Small.Id, run.Text("shape"));
        Assert.Equal(TorchStages.Small.Parameters, run.Whole("parameters"));
        Assert.Equal(run.Whole("steps") * 4 * 64, run.Whole("tokens"));
        Assert.InRange(run.Whole("tokens"), 20 * TorchStages.Small.Parameters - 128, 20 * TorchStages.Small.Parameters + 128);
        Assert.Equal(0.3 / 16, run.Number("learning_rate"), 12);
        Assert.Equal(2048, run.Whole("evaluation_tokens"));

        double unigram = JsonDocument.Parse(File.ReadAllText(_folder["prepared/corpus.json"])).RootElement.GetProperty("unigram_entropy").GetDouble();
        Assert.True(run.Number("loss") < unigram - 0.5, $"{run.Number("loss")} nats where frequencies alone give {unigram}");
        Assert.True(run.Number("loss_standard_error") > 0);

        string[] curve = result.Text("curve.jsonl").TrimEnd('\n').Split('\n');
        var last = JsonDocument.Parse(curve[^1]).RootElement;
        Assert.InRange(curve.Length, 10, 50);
        Assert.Equal(run.Whole("tokens"), last.GetProperty("tokens").GetInt64());
        Assert.Equal(["step", "tokens", "loss", "learning_rate", "point"], last.EnumerateObject().Select(p => p.Name));
        Assert.All(["loss/training", "learning_rate", "loss/held_out"], tag => Assert.Contains(tag, result.Text("events.out.tfevents")));
        var timings = result.Table("timings.csv")[0];
        Assert.True(timings.Number("tokens_per_second") > 100);
        Assert.Equal(("fp32", "", ""), (run.Text("precision"), timings.Text("peak_gpu_memory_bytes"), timings.Text("mfu")));
        Assert.True(new FileInfo(Path.Combine(result.Folder, "weights.safetensors")).Length > 4 * TorchStages.Small.ParametersTotal);
        var config = HuggingFaceReading.Of(result.Text("config.json"));
        Assert.Equal(TorchStages.Small, config.Shape);
        Assert.DoesNotContain(result.Warnings, w => w.Code != "SCAL8205");
    }

    [Fact]
    public void A_run_that_was_stopped_goes_on_and_ends_with_the_same_bytes()
    {
        var undisturbed = Runner(_folder).Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1));
        var stopped = Runner(_other);
        // Each try is stopped after its first step, as by Ctrl-C, and leaves a checkpoint of one step more.
        for (int i = 1; i <= 3; i++)
        {
            Assert.Throws<OperationCanceledException>(() => stopped.Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1), stop: new CancellationToken(canceled: true)));
        }

        Assert.Single(Directory.EnumerateFiles(_other["work"], "checkpoint.3.*"));
        var resumed = stopped.Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1));

        Assert.All(["runs.csv", "curve.jsonl", "events.out.tfevents", "weights.safetensors"], file =>
            Assert.Equal(File.ReadAllBytes(Path.Combine(undisturbed.Folder, file)), File.ReadAllBytes(Path.Combine(resumed.Folder, file))));
    }

    [Fact]
    public void A_damaged_checkpoint_is_not_gone_on_from()
    {
        var undisturbed = Runner(_folder).Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1));
        var runner = Runner(_other);
        Assert.Throws<OperationCanceledException>(() => runner.Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1), stop: new CancellationToken(canceled: true)));
        string checkpoint = Assert.Single(Directory.GetFiles(_other["work"], "checkpoint.*"));
        Damage.Do(checkpoint, "flip");
        byte[] damaged = File.ReadAllBytes(checkpoint);

        var result = runner.Run(Settings(), row: TorchStages.Row(TorchStages.Small, 1));

        // A run of more than two seconds leaves one of its own.
        Assert.All(Directory.GetFiles(_other["work"], "checkpoint.*"), file => Assert.NotEqual(damaged, File.ReadAllBytes(file)));
        Assert.Equal(undisturbed.Text("runs.csv"), result.Text("runs.csv"));
    }

    [Fact]
    public void Shapes_see_the_same_tokens_in_the_same_order_and_seeds_differ_in_their_start_alone()
    {
        var settings = Settings();
        settings["tokens_per_parameter"] = new JsonArray(1);
        var runner = Runner(_folder);
        var first = runner.Run(settings, row: TorchStages.Row(TorchStages.Small, 1)).Table("runs.csv")[0];
        var seed = runner.Run(settings, row: TorchStages.Row(TorchStages.Small, 2)).Table("runs.csv")[0];
        var wider = runner.Run(settings, row: TorchStages.Row(TorchStages.Small with { Hidden = 20 }, 1)).Table("runs.csv")[0];

        Assert.Equal(first.Text("token_order"), seed.Text("token_order"));
        Assert.Equal(first.Text("token_order"), wider.Text("token_order"));
        Assert.NotEqual(first.Text("loss"), seed.Text("loss"));
    }

    [Fact]
    public void More_tokens_than_the_corpus_holds_and_a_model_that_learns_nothing_are_warned_of()
    {
        var settings = Settings();
        settings["tokens_per_parameter"] = new JsonArray(40);
        settings["learning_rate"] = 1e-9;
        settings["batch"] = 256;

        var result = Runner(_folder).Run(settings, row: TorchStages.Row(TorchStages.Small, 1));

        Assert.Equal(["SCAL8006", "SCAL8007"], result.Warnings.Select(w => w.Code).Where(c => c != "SCAL8205"));
    }

    [Fact]
    public void One_run_gives_several_annealed_points_and_they_stay_together()
    {
        var settings = Settings();
        settings["schedule"] = "warmup-stable-decay";
        settings["points"] = new JsonArray(0.25, 0.5);

        var result = Runner(_folder).Run(settings, row: TorchStages.Row(TorchStages.Small, 1));
        var runs = result.Table("runs.csv");

        Assert.Equal([5.0, 10, 20], runs.Each().Select(r => Math.Round(r.Number("tokens_per_parameter"), 1)));
        Assert.All(runs.Each(), r => Assert.True(r.Truth("annealed")));
        Assert.Single(runs.Each().Select(r => r.Text("training_run")).Distinct());
        Assert.True(runs[2].Number("loss") < runs[0].Number("loss"));
        Assert.All([runs[0], runs[1]], branch => Assert.Contains($"loss/training to {branch.Text("steps")}", result.Text("events.out.tfevents")));
        Assert.DoesNotContain($"loss/training to {runs[2].Text("steps")}", result.Text("events.out.tfevents"));
    }

    [Fact]
    public void What_a_cosine_passes_on_its_way_is_marked()
    {
        var settings = Settings();
        settings["points"] = new JsonArray(0.5);

        var runs = Runner(_folder).Run(settings, row: TorchStages.Row(TorchStages.Small, 1)).Table("runs.csv");

        Assert.Equal([false, true], runs.Each().Select(r => r.Truth("annealed")));
    }

    [Fact]
    public void A_run_that_diverges_is_a_result_without_a_loss()
    {
        var settings = Settings();
        settings["learning_rate"] = 1000;

        var result = Runner(_folder).Run(settings, row: TorchStages.Row(TorchStages.Small, 1));
        var run = Assert.Single(result.Table("runs.csv").Each());

        Assert.Equal("", run.Text("loss"));
        Assert.InRange(run.Whole("diverged_at"), 1, 200);
        Assert.Contains(result.Warnings, w => w.Code == "SCAL8005" && w.Message.Contains($"diverged at step {run.Text("diverged_at")} of {run.Text("steps")}"));
        Assert.False(File.Exists(Path.Combine(result.Folder, "weights.safetensors")));
    }

    [Fact]
    public void Shapes_of_one_size_get_one_budget_and_a_factor_moves_the_rate_alone()
    {
        var row = TorchStages.Row(TorchStages.Small, 1);
        var usual = Runner(_folder).Run(Settings(), row: new Dictionary<string, string>(row) { ["size"] = "4500" }).Table("runs.csv")[0];
        var faster = Runner(_folder).Run(Settings(), row: new Dictionary<string, string>(row) { ["size"] = "4500", ["learning_rate_factor"] = "2" }).Table("runs.csv")[0];

        Assert.Equal(Math.Round(20 * 4500 / 256.0), usual.Whole("steps"));
        Assert.Equal(usual.Text("tokens"), faster.Text("tokens"));
        Assert.Equal(2 * usual.Number("learning_rate"), faster.Number("learning_rate"), 12);
    }

    [Fact]
    public void A_short_run_is_the_run_that_fewer_tokens_a_parameter_would_be()
    {
        var row = TorchStages.Row(TorchStages.Small, 1);
        var (half, few) = (Settings(), Settings());
        few["tokens_per_parameter"] = new System.Text.Json.Nodes.JsonArray(10);
        string Runs(System.Text.Json.Nodes.JsonObject settings, string share) => Runner(_folder).Run(settings, row: new Dictionary<string, string>(row) { ["tokens_share"] = share }).Text("runs.csv");

        Assert.Equal("10", Table.Parse(Runs(half, "0.5"))[0].Text("tokens_per_parameter"));
        string[] Cells(string csv) => [.. Table.Parse(csv) is var table ? table.Columns.Where(c => c != "training_run").Select(c => $"{c}: {table[0].Text(c)}") : []]; // A run's name tells its share.
        Assert.Equal(Cells(Runs(few, "1")), Cells(Runs(half, "0.5")));
        foreach (string share in new[] { "0", "-1", "1.5" })
        {
            var error = Assert.Throws<StageFailedException>(() => Runs(half, share)).Diagnostics[0];
            Assert.Equal("SCAL8008", error.Code);
            Assert.Contains($"is {share}. Expected", error.Message, StringComparison.Ordinal);
        }
    }

    [WithoutGpuFact]
    public void A_missing_GPU_is_told_before_anything_is_fetched_and_once_for_all_rows_before_the_corpus_is_read()
    {
        var settings = Settings();
        settings["device"] = "cuda";

        Assert.Equal("SCAL8207", Runner(_folder).CheckMachine(settings)?.Diagnostics[0].Code);
        AssertFails("SCAL8207", "no CUDA device was found", settings, TorchStages.Row(TorchStages.Small, 1));

        Assert.Null(Runner(_folder).CheckMachine(Settings()));
        Assert.Contains("device", new TrainStage().Declaration.Prepare!.Reads); // so the prepare action sees it
        Assert.Empty(Directory.GetFiles(_folder["prepared"]));
    }

    [Fact]
    public void A_vocabulary_that_the_tokenizer_exceeds_is_refused() => AssertFails(
        "SCAL8004", "vocabulary of 100", Settings(), TorchStages.Row(TorchStages.Small with { Vocabulary = 100 }, 1));

    [Fact]
    public void A_corpus_without_files_is_refused()
    {
        var settings = Settings();
        settings["corpus"]!["paths"] = new JsonArray();

        AssertFails("SCAL8001", "names no files", settings, TorchStages.Row(TorchStages.Small, 1));
    }

    [Fact]
    public void A_corpus_too_small_to_hold_anything_out_is_refused()
    {
        var settings = Settings();
        settings["corpus"]!["paths"] = new JsonArray(_folder.Write("tiny.txt", "not much\nnot much\n"));

        AssertFails("SCAL8002", "holds 9 bytes", settings, TorchStages.Row(TorchStages.Small, 1));
    }

    [Fact]
    public void A_context_longer_than_the_held_out_part_is_refused()
    {
        var settings = Settings();
        settings["context"] = 100_000;

        AssertFails("SCAL8003", "a sequence of 100000 tokens does not fit", settings, TorchStages.Row(TorchStages.Small, 1));
    }

    private void AssertFails(string code, string message, JsonObject settings, Dictionary<string, string> row)
    {
        var failure = Assert.Throws<StageFailedException>(() => Runner(_folder).Run(settings, row: row));

        Assert.Equal(code, failure.Diagnostics[0].Code);
        Assert.Contains(message, failure.Diagnostics[0].Message);
        Assert.NotNull(failure.Diagnostics[0].Hint);
    }

    private static StageRunner Runner(TemporaryFolder folder) => new(new TrainStage(), folder) { NativeFolders = TorchStages.NativeFolders };

    private JsonObject Settings() => new()
    {
        ["corpus"] = new JsonObject { ["text"] = "text:*.txt", ["scheme"] = "text", ["paths"] = new JsonArray(Text()) },
        ["tokens_per_parameter"] = new JsonArray(20),
        ["evaluation_tokens"] = 2048,
        ["batch"] = 4,
    };

    private string Text() => _folder.Write("corpus.txt", string.Concat(Enumerable.Range(0, 6000).Select(i => $"The number {1000 + i * 37 % 90_000} comes next.\n")));
}
