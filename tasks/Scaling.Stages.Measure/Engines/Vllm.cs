// vLLM's offline benchmarks: flags and JSON as vllm/benchmarks/latency.py and throughput.py of https://github.com/vllm-project/vllm have them.
using System.Text.RegularExpressions;

namespace Scaling.Stages.Measure;

internal abstract partial class VllmBenchmark : EngineBenchmark
{
    public override Engine Engine => Engine.Vllm;

    public override void Prepare(EngineCall call) => HuggingFaceFolder.Write(call);

    public override string? Version(string line) => EngineLine().Match(line) is { Success: true } match ? match.Groups[1].Value : null;

    /// <summary>What both take: the model, its types, and no more sequences at once than the workload has.</summary>
    protected static IEnumerable<string> Common(EngineCall call, string result) =>
    [
        "--model", call.Model, "--load-format", "dummy", .. HuggingFaceFolder.Flags(call, "--tensor-parallel-size", "fp8"),
        "--max-model-len", $"{call.Positions}", "--max-num-seqs", $"{call.Workload.Batch}", "--no-enable-prefix-caching", "--disable-detokenize", "--seed", "0",
        "--input-len", $"{call.Workload.Prompt}", "--output-json", result,
    ];

    [GeneratedRegex(@"LLM engine \(v([^)\s]+)\)")]
    private static partial Regex EngineLine();
}

/// <summary>
/// <c>vllm bench latency</c>: one batch from its prompts to its last token, again and again. It does not tell the first token apart, so it is called twice, for the whole
/// output and for a single token.
/// </summary>
internal sealed class VllmLatency : VllmBenchmark
{
    public override IReadOnlyList<string> Command => ["vllm", "bench", "latency"];

    public override (string Found, string Hint)? Refusal(EngineCall call) => HuggingFaceFolder.RefusalOfDrawnTokens(call, "'vllm bench latency'", "[vllm, bench, throughput]");

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) => [Of(call, call.Workload.Output, "whole.json"), Of(call, 1, "first.json")];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var (whole, first) = (Latencies(outputs[0]), Latencies(outputs[1]));
        return new EngineTimes
        {
            FirstToken = first,
            OutputToken = EngineSamples.Steps(call, first, whole),
            OutputRates = [.. whole.Select(call.Rate)],
        };
    }

    private static IReadOnlyList<double> Latencies(EngineOutput output) => EngineJson.PositiveList(EngineJson.Object(output), "latencies");

    private static EngineCommand Of(EngineCall call, int output, string file) => new(
        [
            .. Common(call, call.At(file)), "--skip-tokenizer-init", "--output-len", $"{output}", "--batch-size", $"{call.Workload.Batch}",
            "--num-iters-warmup", $"{call.Warmup}", "--num-iters", $"{call.Repeats}",
        ],
        call.At(file));
}

/// <summary><c>vllm bench throughput</c>: as many batches of requests as there are repeats, handed over at once and served without a pause; one rate for all.</summary>
internal sealed class VllmThroughput : VllmBenchmark
{
    public override IReadOnlyList<string> Command => ["vllm", "bench", "throughput"];

    public override (string Found, string Hint)? Refusal(EngineCall call) => null;

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) =>
    [
        new(
            [
                .. Common(call, call.At("throughput.json")), "--dataset-name", "random", "--output-len", $"{call.Workload.Output}",
                "--num-prompts", $"{(long)call.Workload.Batch * call.Repeats}",
            ],
            call.At("throughput.json")),
    ];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var result = EngineJson.Object(outputs[0]);
        double requests = EngineJson.Positive(result, "num_requests"), tokens = EngineJson.Positive(result, "total_num_tokens");
        EngineSamples.CheckTokens(tokens, requests * call.Context);
        return new EngineTimes { OutputRates = [tokens / EngineJson.Positive(result, "elapsed_time") * call.Workload.Output / call.Context] };
    }
}
