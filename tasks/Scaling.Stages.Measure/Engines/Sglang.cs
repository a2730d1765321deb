// SGLang's offline benchmarks: flags and JSON Lines as sglang/bench_one_batch.py and bench_offline_throughput.py of https://github.com/sgl-project/sglang have them.
using System.Text.Json;

namespace Scaling.Stages.Measure;

internal abstract class SglangBenchmark : EngineBenchmark
{
    public override Engine Engine => Engine.Sglang;

    public override void Prepare(EngineCall call) => HuggingFaceFolder.Write(call);

    protected static IEnumerable<string> Common(EngineCall call, string result) =>
    [
        "--model-path", call.Model, "--load-format", "dummy", .. HuggingFaceFolder.Flags(call, "--tp-size", "fp8_e4m3"), .. call.OnGpu ? Array.Empty<string>() : ["--device", "cpu"],
        "--context-length", $"{call.Positions}", "--disable-radix-cache", "--result-filename", result,
    ];
}

/// <summary><c>sglang.bench_one_batch</c>: one batch, prefill and decode steps timed apart, without a scheduler. The batch size is named once for every run.</summary>
internal sealed class SglangOneBatch : SglangBenchmark
{
    public override IReadOnlyList<string> Command => ["python3", "-m", "sglang.bench_one_batch"];

    public override (string Found, string Hint)? Refusal(EngineCall call) =>
        HuggingFaceFolder.RefusalOfDrawnTokens(call, "'sglang.bench_one_batch'", "[python3, -m, sglang.bench_offline_throughput]");

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) =>
    [
        new(
            [
                .. Common(call, call.At("one-batch.jsonl")), "--run-name", call.Shape.Id, "--input-len", $"{call.Workload.Prompt}", "--output-len", $"{call.Workload.Output}",
                "--batch-size", .. Enumerable.Repeat($"{call.Workload.Batch}", call.Warmup + call.Repeats),
            ],
            call.At("one-batch.jsonl")),
    ];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var runs = EngineSamples.Timed(call, EngineJson.Lines(outputs[0]));
        return new EngineTimes
        {
            FirstToken = [.. runs.Select(First)],
            OutputToken = [.. runs.Select(r => (Whole(r) - First(r)) / (call.Workload.Output - 1))],
            OutputRates = [.. runs.Select(r => call.Rate(Whole(r)))],
        };
    }

    private static double First(JsonElement run) => EngineJson.Positive(run, "prefill_latency");

    private static double Whole(JsonElement run) => EngineJson.Positive(run, "total_latency");
}

/// <summary>
/// <c>sglang.bench_offline_throughput</c>: as many batches of requests as there are repeats, handed to the engine at once; one rate for all. Its requests are made of a file of
/// conversations that we write, since what it would take otherwise is downloaded.
/// </summary>
internal sealed class SglangOfflineThroughput : SglangBenchmark
{
    public override IReadOnlyList<string> Command => ["python3", "-m", "sglang.bench_offline_throughput"];

    public override (string Found, string Hint)? Refusal(EngineCall call) => null;

    public override void Prepare(EngineCall call)
    {
        base.Prepare(call);
        var random = new Random(1);
        using var stream = File.Create(call.At("requests.json"));
        using var json = new Utf8JsonWriter(stream);
        json.WriteStartArray();
        for (long i = 0; i < Requests(call); i++)
        {
            json.WriteStartObject();
            json.WriteStartArray("conversations");
            foreach (int words in (int[])[call.Workload.Prompt, call.Workload.Output]) // What is asked, and an answer of the length that is wanted.
            {
                json.WriteStartObject();
                json.WriteString("value", string.Join(' ', Enumerable.Range(0, words).Select(_ => $"t{random.Next(call.Shape.Vocabulary)}")));
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    public override IReadOnlyList<EngineCommand> Commands(EngineCall call) =>
    [
        new(
            [
                .. Common(call, call.At("throughput.jsonl")), "--max-running-requests", $"{call.Workload.Batch}", "--dataset-name", "sharegpt", "--dataset-path", call.At("requests.json"),
                "--sharegpt-output-len", $"{call.Workload.Output}", "--num-prompts", $"{Requests(call)}",
            ],
            call.At("throughput.jsonl")),
    ];

    public override EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs)
    {
        var result = EngineJson.Lines(outputs[0])[^1];
        double output = EngineJson.Positive(result, "total_output_tokens");
        EngineSamples.CheckTokens(output + EngineJson.Positive(result, "total_input_tokens"), EngineJson.Positive(result, "successful_requests") * call.Context);
        return new EngineTimes { OutputRates = [output / EngineJson.Positive(result, "total_latency")] };
    }

    private static long Requests(EngineCall call) => (long)call.Workload.Batch * call.Repeats;
}
