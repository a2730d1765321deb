// llama.cpp's benchmarks: flags and JSON Lines as tools/llama-bench and tools/batched-bench of https://github.com/ggml-org/llama.cpp have them.
using System.Text.Json;
using System.Text.RegularExpressions;
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

internal abstract partial class LlamaCppBenchmark : EngineBenchmark
{
    /// <summary>More than any model has: all layers on the GPU.</summary>
    private const int AllLayers = 999;

    public override Engine Engine => Engine.LlamaCpp;

    /// <summary>The cache is float16, llama.cpp's default, which is as wide as bfloat16; llama-bench takes no float32.</summary>
    public override Workload Served(Workload asked) => asked with { KvCache = DataType.Bfloat16 };

    public override (string Found, string Hint)? Refusal(EngineCall call) =>
        call.Workload.Weights == DataType.Fp8 || call.Workload.KvCache == DataType.Fp8 ? ("llama.cpp has no fp8, neither of weights nor of the cache", "Write 'bfloat16', or take another engine.")
        : call.Workload.TensorParallel > 1 ? ($"llama.cpp splits no layer over {call.Workload.TensorParallel} devices here", "Write 'tensor_parallel: 1', or take vllm or sglang.")
        : null;

    public override void Prepare(EngineCall call) => RandomLlama.Write(call.Gguf, call.Shape, call.Workload.Weights == DataType.Float32 ? GgufType.F32 : GgufType.Bf16, call.Positions);

    public override string? Version(string line) => BuildLine().Match(line) is { Success: true } match ? $"b{match.Groups[1].Value} ({match.Groups[2].Value})" : null;

    protected static IEnumerable<string> Common(EngineCall call) =>
        ["-m", call.Gguf, "-ngl", $"{(call.OnGpu ? AllLayers : 0)}", .. call.OnGpu ? Array.Empty<string>() : ["-t", $"{call.Threads}"]];

    [GeneratedRegex(@"^build: (\d+) \(([0-9a-f]+)\)")]
    private static partial Regex BuildLine();
}

/// <summary><c>llama-batched-bench</c>: a batch of prompts, then decode steps of one token a sequence, each timed apart. The batch is named once for every run.</summary>
internal sealed class LlamaBatchedBench : LlamaCppBenchmark
{
    /// <summary>A sequence's part of the context is rounded up to it (llama.cpp's padding of the cache); a context that is too small would be skipped in silence.</summary>
    private const int ContextMultiple = 256;

    public override IReadOnlyList<string> Command => ["llama-batched-bench"];

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) =>
    [
        new(
            [
                .. Common(call), "-c", $"{(long)call.Workload.Batch * ((call.Context + ContextMultiple - 1) / ContextMultiple * ContextMultiple)}",
                "-npp", $"{call.Workload.Prompt}", "-ntg", $"{call.Workload.Output - 1}",
                "-npl", string.Join(',', Enumerable.Repeat(call.Workload.Batch, call.Warmup + call.Repeats)), "--output-format", "jsonl",
            ],
            null),
    ];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var runs = EngineSamples.Timed(call, [.. EngineJson.Lines(outputs[0]).Where(r => EngineJson.Whole(r, "pl") == call.Workload.Batch)]);
        return new EngineTimes
        {
            FirstToken = [.. runs.Select(First)],
            OutputToken = [.. runs.Select(r => Rest(r) / (call.Workload.Output - 1))],
            OutputRates = [.. runs.Select(r => call.Rate(First(r) + Rest(r)))],
        };
    }

    private static double First(JsonElement run) => EngineJson.Positive(run, "t_pp");

    private static double Rest(JsonElement run) => EngineJson.Positive(run, "t_tg");
}

/// <summary>
/// <c>llama-bench</c>: one sequence. Its test of generation (<c>-n</c>) begins with an empty cache, so it is asked for the prompt alone (<c>-p</c>) and for prompt and generation
/// in one (<c>-pg</c>); a decode step is the difference.
/// </summary>
internal sealed class LlamaBench : LlamaCppBenchmark
{
    public override IReadOnlyList<string> Command => ["llama-bench"];

    public override (string Found, string Hint)? Refusal(EngineCall call) => call.Workload.Batch == 1 ? base.Refusal(call) : (
        $"llama-bench serves one sequence at a time, and the batch has {call.Workload.Batch}; its own '--batch-size' counts tokens of a prompt",
        "Write 'batch: 1', or 'command' with llama-batched-bench.");

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) =>
    [
        new(
            [
                .. Common(call), "-p", $"{call.Workload.Prompt}", "-n", "0", "-pg", $"{call.Workload.Prompt},{call.Workload.Output - 1}",
                "-r", $"{call.Warmup + call.Repeats}", "-o", "jsonl",
            ],
            null),
    ];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var tests = EngineJson.Lines(outputs[0]);
        var (first, whole) = (Seconds(call, tests, 0), Seconds(call, tests, call.Workload.Output - 1));
        return new EngineTimes
        {
            Version = EngineJson.Whole(tests[0], "build_number") is { } number ? $"b{number} ({EngineJson.Text(tests[0], "build_commit")})" : null,
            FirstToken = first,
            OutputToken = EngineSamples.Steps(call, first, whole),
            OutputRates = [.. whole.Select(call.Rate)],
        };
    }

    private static IReadOnlyList<double> Seconds(EngineCall call, IReadOnlyList<JsonElement> tests, int generated)
    {
        var test = tests.Where(t => EngineJson.Whole(t, "n_prompt") == call.Workload.Prompt && EngineJson.Whole(t, "n_gen") == generated).ToList();
        return test is [var only]
            ? EngineSamples.Timed(call, [.. EngineJson.PositiveList(only, "samples_ns").Select(ns => ns / 1e9)])
            : throw new FormatException($"it has {test.Count} tests of a prompt of {call.Workload.Prompt} with {generated} tokens generated, where one was expected");
    }
}
