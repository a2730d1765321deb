// Other engines in the place of the built-in decoder: how they are called, what is read of what they write, and every way in which that can go wrong.
using System.Diagnostics;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Stages.Measure;
using Scaling.TestKit;
using Engine = Scaling.Stages.Measure.Engine;

namespace Scaling.Stages.Tests;

public sealed class EngineTests : IDisposable
{
    private static readonly DecoderShape Shape = new(2, 64, 96, 6, 2, 16, 32_000, Tied: true);

    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public Task Every_benchmark_is_called_with_the_shape_and_the_workload()
    {
        var text = new System.Text.StringBuilder();
        var workload = new Workload(4096, 1024, 32) { Weights = DataType.Fp8, KvCache = DataType.Fp8, TensorParallel = 2 };
        foreach (var benchmark in EngineBenchmark.All)
        {
            var asked = benchmark switch
            {
                LlamaBench => new Workload(4096, 1024, 1),
                LlamaBatchedBench => new Workload(4096, 1024, 32),
                _ => workload,
            };
            foreach (var command in benchmark.Commands(Call(asked, repeats: 3, warmup: 1, onGpu: true)))
            {
                text.AppendJoin(' ', [.. benchmark.Command, .. command.Words]).Append("\n\n");
            }
        }

        return Snapshot.Match(text.ToString().Replace(_folder.Path, "FOLDER"));
    }

    [Fact]
    public void On_a_processor_engines_are_told_so()
    {
        string Words(EngineBenchmark benchmark) => string.Join(' ', benchmark.Commands(Call(new(8, 4, 1)))[0].Words);

        Assert.Contains("-ngl 0 -t 2", Words(new LlamaBench()));
        Assert.Contains("-ngl 0 -t 2", Words(new LlamaBatchedBench()));
        Assert.Contains("--device cpu", Words(new SglangOneBatch()));
    }

    [Fact]
    public void Engines_that_read_Hugging_Faces_files_get_the_shape_and_a_word_for_every_token()
    {
        var call = Call(new(8, 4, 2));
        new VllmLatency().Prepare(call);

        Assert.Equal(Shape, HuggingFaceReading.Of(File.ReadAllText(Path.Combine(call.Model, "config.json"))).Shape);
        var tokenizer = JsonNode.Parse(File.ReadAllText(Path.Combine(call.Model, "tokenizer.json")))!;
        var words = tokenizer["model"]!["vocab"]!.AsObject();
        Assert.Equal((32_000, "WordLevel", "WhitespaceSplit"), (words.Count, (string)tokenizer["model"]!["type"]!, (string)tokenizer["pre_tokenizer"]!["type"]!));
        Assert.Equal(31_999, (int)words["t31999"]!);
    }

    [Fact]
    public void Requests_for_SGLang_have_as_many_words_as_tokens_are_asked_for()
    {
        var call = Call(new(8, 4, 2), repeats: 3);
        new SglangOfflineThroughput().Prepare(call);

        var requests = JsonNode.Parse(File.ReadAllText(call.At("requests.json")))!.AsArray();
        Assert.Equal(6, requests.Count);
        Assert.All(requests, r => Assert.Equal([8, 4], r!["conversations"]!.AsArray().Select(c => ((string)c!["value"]!).Split(' ').Length)));
        Assert.Equal(6, requests.Select(r => (string)r!["conversations"]![0]!["value"]!).Distinct().Count());
    }

    [Fact]
    public void The_two_latencies_of_vLLM_give_the_first_token_the_step_and_the_rates()
    {
        var result = Result(new VllmLatency(), new(512, 128, 8), 5, 0, "vllm-latency.whole.json", "vllm-latency.first.json");

        Assert.Equal(0.100, result.TimeToFirstToken!.Value, 12);
        Assert.Equal((2.000 - 0.100) / 127, result.TimePerOutputToken!.Value, 12);
        Assert.Equal(8 * 128 / 2.000, result.OutputTokensPerSecond.Value, 9);
        Assert.Equal(8 * 640 / 2.000, result.TotalTokensPerSecond, 9);
        Assert.Equal((8 * 128 / 2.030, 8 * 128 / 1.980), (result.Samples.Min(), result.Samples.Max()));
    }

    [Fact]
    public void The_throughput_of_vLLM_counts_the_tokens_that_were_written()
    {
        var result = Result(new VllmThroughput(), new(512, 128, 8), 5, 0, "vllm-throughput.json");

        Assert.Equal((512.0, 2560.0), (result.OutputTokensPerSecond.Value, result.TotalTokensPerSecond));
        Assert.Null(result.TimeToFirstToken);
        Assert.Null(result.TimePerOutputToken);
    }

    [Fact]
    public void The_batches_of_SGLang_are_read_without_those_that_warm_up()
    {
        var result = Result(new SglangOneBatch(), new(512, 128, 8), 3, 1, "sglang-one-batch.jsonl");

        Assert.Equal(0.10, result.TimeToFirstToken!.Value, 12);
        Assert.Equal(1.90 / 127, result.TimePerOutputToken!.Value, 12);
        Assert.Equal(8 * 128 / 2.00, result.OutputTokensPerSecond.Value, 9);
        Assert.Equal(3, result.Samples.Count);
    }

    [Fact]
    public void The_throughput_of_SGLang_is_read()
    {
        var result = Result(new SglangOfflineThroughput(), new(512, 128, 8), 5, 0, "sglang-offline-throughput.jsonl");

        Assert.Equal((512.0, 2560.0), (result.OutputTokensPerSecond.Value, result.TotalTokensPerSecond));
    }

    [Fact]
    public void The_batches_that_llama_cpps_readme_shows_are_read()
    {
        // speed_tg there is the decode alone, 2 × 128 over t_tg; the first token comes of the prompt, hence 129 written.
        var result = Result(new LlamaBatchedBench(), new(128, 129, 2), 1, 0, "llama-batched-bench.readme.jsonl");

        Assert.Equal(0.422602, result.TimeToFirstToken!.Value, 12);
        Assert.Equal(1 / 23.050371 * 2, result.TimePerOutputToken!.Value, 6);
        Assert.Equal(2 * 129 / 11.528713, result.OutputTokensPerSecond.Value, 5);
    }

    [Fact]
    public void Prompt_and_generation_of_llama_bench_give_the_step_by_their_difference()
    {
        var result = Result(new LlamaBench(), new(512, 129, 1), 4, 1, "llama-bench.pg.jsonl");

        Assert.Equal("b5163 (8cf427ff)", result.Version);
        Assert.Equal((0.0716329 + 0.0717452) / 2, result.TimeToFirstToken!.Value, 9); // the middle two of the last four
        Assert.InRange(1 / result.TimePerOutputToken!.Value, 117, 120); // its README measures 118.9 from an empty cache
        Assert.Equal(4, result.Samples.Count);
    }

    [Fact]
    public void A_test_of_generation_from_an_empty_cache_is_not_taken_for_the_workload()
    {
        var wrong = Assert.Throws<FormatException>(() => Result(new LlamaBench(), new(512, 129, 1), 5, 0, "llama-bench.readme.jsonl"));

        Assert.Equal("it has 0 tests of a prompt of 512 with 128 tokens generated, where one was expected", wrong.Message);
    }

    [Fact]
    public void Calls_for_one_shape_are_told_together()
    {
        var calls = new[] { 1.0, 3, 2 }.Select(r => new EngineTimes { OutputRates = [r], FirstToken = [r], Version = r == 3 ? "0.11.0" : null }).ToList();

        var result = EngineResult.Of(Engine.Vllm, new(3, 1, 1), calls);

        Assert.Equal((2.0, 2.0, 8.0, "0.11.0"), (result.OutputTokensPerSecond.Value, result.TimeToFirstToken, result.TotalTokensPerSecond, result.Version));
        Assert.Null(result.TimePerOutputToken);
    }

    [Fact]
    public void A_program_that_writes_what_vLLM_writes_is_run_twice_and_read()
    {
        var times = Run(Engine.Vllm, $$"""
            echo 'INFO 11-25 04:00:00 [core.py:77] Initializing a V1 LLM engine (v0.11.0) with config: model=...'
            while [ $# -gt 0 ]; do
              case "$1" in --output-len) length=$2;; --output-json) result=$2;; --model) [ -e "$2/config.json" ] || exit 9;; esac; shift
            done
            if [ "$length" = 1 ]; then cp '{{Captured("vllm-latency.first.json")}}' "$result"; else cp '{{Captured("vllm-latency.whole.json")}}' "$result"; fi
            """, new(512, 128, 8), "latency");

        Assert.Equal((5, 5, "0.11.0"), (times.FirstToken.Count, times.OutputRates.Count, times.Version));
        Assert.False(Directory.Exists(_folder["work/engine"]));
    }

    [Fact]
    public void A_program_that_prints_what_llama_cpp_prints_is_read()
    {
        var times = Run(Engine.LlamaCpp, $"""
            while [ $# -gt 0 ]; do case "$1" in -m) head -c 4 "$2" | grep -q GGUF || exit 9;; esac; shift; done
            cat '{Captured("llama-batched-bench.readme.jsonl")}'
            """, new(128, 129, 2), "llama-batched-bench", repeats: 1);

        Assert.Equal("b5163 (8cf427ff)", times.Version);
        Assert.Equal(0.422602, Assert.Single(times.FirstToken));
    }

    [Fact]
    public void An_engine_that_is_not_there_is_told()
    {
        var failure = Assert.Throws<StageFailedException>(() => EngineRun.Of(Engine.Vllm, ["no-such-vllm", "bench", "latency"])).Diagnostics[0];

        Assert.Equal(("SCAL8612", "There is no program 'no-such-vllm', which measures with this engine."), (failure.Code, failure.Message));
        Assert.Contains("'command: [/path/to/no-such-vllm, bench, latency]'", failure.Hint);
        Assert.Contains("no such module", Fails("SCAL8612", "echo \"/usr/bin/python3: Error while finding module specification for 'sglang.bench_one_batch' (ModuleNotFoundError: No module named 'sglang')\"; exit 1").Message);
    }

    [Fact]
    public void A_command_that_names_no_benchmark_of_the_engine_is_told()
    {
        var failure = Assert.Throws<StageFailedException>(() => EngineRun.Of(Engine.Vllm, ["llama-bench"])).Diagnostics[0];

        Assert.Equal("SCAL8611", failure.Code);
        Assert.Contains("'latency', 'throughput'", failure.Message);
    }

    [Fact]
    public void An_engine_that_fails_is_told_with_its_last_lines_and_how_it_was_called()
    {
        var failure = Fails("SCAL8613", "for i in $(seq 1 40); do echo line $i; done; echo 'ValueError: unknown flag' >&2; exit 2");

        Assert.Contains("'llama-batched-bench' ended with exit code 2", failure.Message);
        Assert.Contains("ValueError: unknown flag", failure.Message);
        Assert.DoesNotContain("line 5\n", failure.Message);
        Assert.Contains("-npp 128 -ntg 128 -npl 2", failure.Hint);
    }

    [Theory]
    [InlineData("true", "ended without a result. It printed nothing")]
    [InlineData("kill -TERM $$", "ended by signal 15")]
    public void An_engine_without_a_result_is_told(string script, string what) => Assert.Contains(what, Fails("SCAL8613", script).Message);

    [Theory]
    [InlineData("echo 'torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.'; exit 1")]
    [InlineData("echo 'ggml_backend_cuda_buffer_type_alloc_buffer: allocating 16384.00 MiB on device 0: cudaMalloc failed: out of memory'; exit 1")]
    [InlineData("echo 'ValueError: No available memory for the cache blocks. Try increasing gpu_memory_utilization'; exit 1")]
    [InlineData("echo 'skipping (8, 512, 128) due to max batch size limit'")]
    [InlineData("kill -KILL $$")]
    public void Too_little_memory_is_told_as_such(string script) => Assert.Contains("Lower 'batch'", Fails("SCAL8614", script).Hint);

    [Theory]
    [InlineData("""echo '{"pl": 2, "t_pp": 1'""", "no line of it is a JSON object")]
    [InlineData("""echo '{"pl": 1, "t_pp": 1, "t_tg": 1}'""", "it tells of 0 runs, where 1 were asked for")]
    [InlineData("""echo '{"pl": 2, "t_pp": 1}'""", "it has no t_tg")]
    [InlineData("""echo '{"pl": 2, "t_pp": null, "t_tg": 1}'""", "its t_pp is null, where a number above 0 was expected")]
    [InlineData("""echo '{"pl": 2, "t_pp": 0, "t_tg": 1}'""", "its t_pp is 0, where a number above 0 was expected")]
    public void A_result_of_another_form_is_told(string script, string what) => Assert.Contains(what, Fails("SCAL8615", script).Message);

    [Fact]
    public void A_throughput_over_other_prompts_than_asked_is_told()
    {
        var failure = Assert.Throws<FormatException>(() => Result(new VllmThroughput(), new(1024, 128, 8), 5, 0, "vllm-throughput.json"));

        Assert.Equal("it served 25600 tokens, where 46080 were asked for", failure.Message);
    }

    [Fact]
    public void What_a_benchmark_cannot_measure_is_refused_before_it_runs()
    {
        (string Found, string Hint) Refused(EngineBenchmark benchmark, Workload workload, int vocabulary = 32_000) =>
            benchmark.Refusal(Call(workload) with { Shape = Shape with { Vocabulary = vocabulary } })!.Value;

        Assert.Contains("draws its prompts from 10000 tokens, and the vocabulary has 256", Refused(new VllmLatency(), new(8, 4, 1), 256).Found);
        Assert.Contains("bench_offline_throughput", Refused(new SglangOneBatch(), new(8, 4, 1), 256).Hint);
        Assert.Contains("one sequence at a time", Refused(new LlamaBench(), new(8, 4, 2)).Found);
        Assert.Contains("no fp8", Refused(new LlamaBatchedBench(), new(8, 4, 2) { Weights = DataType.Fp8 }).Found);
        Assert.Contains("2 devices", Refused(new LlamaBatchedBench(), new(8, 4, 2) { TensorParallel = 2 }).Found);
        Assert.Null(new VllmThroughput().Refusal(Call(new(8, 4, 2)) with { Shape = Shape with { Vocabulary = 256 } }));
    }

    [Fact]
    public void An_engine_that_is_stopped_gets_SIGTERM()
    {
        using var stop = new CancellationTokenSource();
        var waited = Stopwatch.StartNew();
        _ = Task.Run(() =>
        {
            SpinWait.SpinUntil(() => File.Exists(_folder["ready"]), TimeSpan.FromSeconds(30));
            stop.Cancel();
        });

        Assert.Throws<OperationCanceledException>(() => Run(
            Engine.LlamaCpp, $"trap 'touch \"{_folder["terminated"]}\"; exit 1' TERM; touch \"{_folder["ready"]}\"; while :; do sleep 0.05; done", new(128, 129, 2), "llama-batched-bench", 1, stop.Token));
        Assert.True(File.Exists(_folder["terminated"]));
        Assert.True(waited.Elapsed < TimeSpan.FromSeconds(25));
    }

    [Fact]
    public void Shapes_take_turns_and_one_that_fails_leaves_the_others_to_go_on()
    {
        var order = new List<string>();
        var rows = new[] { "a", "b", "c" }.Select(name => (Context(name, default), Call(new(8, 4, 1), repeats: 7))).ToList();

        var measured = EngineRounds.Measure(rows, (row, call) =>
        {
            order.Add($"{row.Point}{call.Repeats}");
            return row.Point == "b" ? throw new StageFailedException("SCAL8614", "too large") : new EngineTimes { OutputRates = [1] };
        });

        Assert.Equal("a3 b3 c3 a3 c3 a3 c3", string.Join(' ', order));
        Assert.Equal([3, 0, 3], measured.Select(m => m.Calls.Count));
        Assert.Equal("SCAL8614", measured[1].Failure!.Diagnostics[0].Code);
    }

    private Diagnostic Fails(string code, string script)
    {
        var failure = Assert.Throws<StageFailedException>(() => Run(Engine.LlamaCpp, script, new(128, 129, 2), "llama-batched-bench", 1)).Diagnostics[0];
        Assert.Equal(code, failure.Code);
        Assert.NotNull(failure.Hint);
        return failure;
    }

    private EngineTimes Run(Engine engine, string script, Workload workload, string word, int repeats = 5, CancellationToken stop = default)
    {
        return EngineRun.Of(engine, ["sh", _folder.Write("engine.sh", script), word]).Measure(Context(Shape.Id, stop), Call(workload, repeats));
    }

    private StageContext<MeasureSettings> Context(string point, CancellationToken stop) => new(new ActionContext
    {
        Settings = [], Point = point, OutputFolder = _folder.Path, WorkFolder = _folder["work"], CacheFolder = _folder["cache"],
        Progress = _ => { }, Report = _ => { }, Publish = () => { }, Stop = stop,
    });

    private static EngineResult Result(EngineBenchmark benchmark, Workload workload, int repeats, int warmup, params string[] captured) => EngineResult.Of(
        benchmark.Engine, workload,
        [benchmark.Read(new EngineCall(Shape, workload, repeats, warmup, 1, true, "/nowhere"), [.. captured.Select(c => new EngineOutput(c, File.ReadAllText(Captured(c))))])]);

    private EngineCall Call(Workload workload, int repeats = 3, int warmup = 0, bool onGpu = false)
    {
        Directory.CreateDirectory(_folder["work/engine"]);
        return new(Shape, workload, repeats, warmup, 2, onGpu, _folder["work/engine"]);
    }

    private static string Captured(string name) => Path.Combine(Repository.Root, "tests/Scaling.Stages.Tests/Engines", name);
}
