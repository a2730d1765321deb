// The stage `measure` with an engine in the place of the built-in decoder: a program that writes what llama.cpp and vLLM write.
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.TestKit;

namespace Scaling.Stages.Tests;

[Collection("torch")]
public sealed class MeasureOnEngineTests : IDisposable
{
    /// <summary>Prints a line a batch: 0.25 s for the prompts and 0.05 s a step; a model of more than a megabyte is too large for it.</summary>
    private const string BatchedBench = """
        echo "$@" >>"$(dirname "$0")/calls"
        while [ $# -gt 0 ]; do
          case "$1" in -m) model=$2;; -ntg) steps=$2;; -npl) batches=$2;; esac; shift
        done
        echo 'build: 5163 (8cf427ff) with cc'
        [ "$(stat -c %s "$model")" -lt 1000000 ] || { echo 'cudaMalloc failed: out of memory'; exit 1; }
        for batch in $(echo "$batches" | tr , ' '); do
          echo "{\"pl\": $batch, \"t_pp\": 0.25, \"t_tg\": $(echo "$steps" | awk '{print 0.05 * $1}')}"
        done
        """;

    private static readonly DecoderShape Shape = TorchStages.Small;

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void A_row_tells_the_engine_and_what_it_measured()
    {
        var table = Runner().Run(Settings("llama.cpp", BatchedBench, "llama-batched-bench"), row: TorchStages.Row(Shape)).Table("speed.csv");

        Assert.Equal(new MeasureStage().Declaration.Outputs[0].Columns.Select(c => c.Name), table.Columns);
        var speed = table[0];
        Assert.Equal(("llama.cpp", "b5163 (8cf427ff)", "cpu", "bfloat16", "measured"), (speed.Text("engine"), speed.Text("engine_version"), speed.Text("device"), speed.Text("data_type"), speed.Text("source")));
        Assert.Equal((0.25, 0.05), (speed.Number("time_to_first_token"), Math.Round(speed.Number("time_per_output_token"), 9)));
        double rate = 2 * 8 / (0.25 + 7 * 0.05);
        Assert.Equal(rate, speed.Number("tokens_per_second"), 1e-9);
        Assert.Equal(2 * rate, speed.Number("total_tokens_per_second"), 1e-9);
        Assert.Equal((6, 9), (speed.Whole("warmup"), speed.Whole("repeats")));
        Assert.Equal(("", "", ""), (speed.Text("anchor"), speed.Text("relative_speed"), speed.Text("peak_memory")));
        Assert.Equal(2 * Shape.ParametersTotal, speed.Whole("weight_bytes"));
        Assert.True(speed.Number("roofline_ratio") > 0);
        Assert.All(File.ReadAllLines(_folder["calls"]), call => Assert.Contains("-ngl 0 -t 1 -c 512 -npp 8 -ntg 7 -npl 2,2,2,2,2 ", call)); // two to warm up and a third of nine
        Assert.Equal(3, File.ReadAllLines(_folder["calls"]).Length);
    }

    [Fact]
    public void A_shape_that_is_too_large_for_the_engine_fails_alone()
    {
        var large = Shape with { Vocabulary = 100_000 };

        var failure = Assert.Throws<StageFailedException>(() =>
            Runner().RunBatch(Settings("llama.cpp", BatchedBench, "llama-batched-bench"), [TorchStages.Row(large), TorchStages.Row(Shape)]));

        Assert.Equal(("SCAL8614", true), (Assert.Single(failure.Diagnostics).Code, failure.Diagnostics[0].Message.StartsWith(large.Id, StringComparison.Ordinal)));
        Assert.False(File.Exists(_folder["output 1/speed.csv"]));
        Assert.True(File.Exists(_folder["output 2/speed.csv"]));
        Assert.Equal(4, File.ReadAllLines(_folder["calls"]).Length);
    }

    [Fact]
    public void What_an_engine_does_not_tell_is_empty()
    {
        string script = """
            while [ $# -gt 0 ]; do case "$1" in --output-json) result=$2;; --num-prompts) requests=$2;; esac; shift; done
            echo "{\"elapsed_time\": 2.0, \"num_requests\": $requests, \"total_num_tokens\": $((requests * 16))}" >"$result"
            """;

        var speed = Runner().Run(Settings("vllm", script, "throughput"), row: TorchStages.Row(Shape)).Table("speed.csv")[0];

        Assert.Equal(("vllm", "", "", "", 3), (speed.Text("engine"), speed.Text("engine_version"), speed.Text("time_to_first_token"), speed.Text("time_per_output_token"), speed.Whole("repeats")));
        Assert.Equal(3 * 2 * 8 / 2.0, speed.Number("tokens_per_second"));
    }

    [Fact]
    public void A_processor_is_measured_without_a_GPU_in_sight()
    {
        var failure = Assert.Throws<StageFailedException>(() =>
            Runner().Run(Settings("llama.cpp", "echo \"GPUs: '$CUDA_VISIBLE_DEVICES', hub: $HF_HUB_OFFLINE\"; exit 1", "llama-batched-bench"), row: TorchStages.Row(Shape)));

        Assert.Contains("GPUs: '', hub: 1", failure.Message);
        Assert.Contains("'device' is cpu", failure.Diagnostics[0].Hint);
    }

    [Theory]
    [InlineData("command", "SCAL8617")]
    [InlineData("tensor_parallel", "SCAL8617")]
    public void What_is_for_engines_is_refused_of_the_built_in_decoder(string setting, string code)
    {
        var settings = new JsonObject { [setting] = setting == "command" ? new JsonArray("vllm") : 2 };

        var failure = Assert.Throws<StageFailedException>(() => Runner().Run(settings, row: TorchStages.Row(Shape)));

        Assert.Equal(code, failure.Diagnostics[0].Code);
        Assert.StartsWith($"'{setting}' is for an inference engine", failure.Diagnostics[0].Message);
    }

    private StageRunner Runner() => new(new MeasureStage(), _folder) { NativeFolders = TorchStages.NativeFolders };

    private JsonObject Settings(string engine, string script, string word) => new()
    {
        ["engine"] = engine,
        ["command"] = new JsonArray("sh", _folder.Write("engine.sh", script), word),
        ["data_type"] = "bfloat16",
        ["workload"] = new JsonObject { ["prompt"] = 8, ["output"] = 8, ["batch"] = 2 },
    };
}
