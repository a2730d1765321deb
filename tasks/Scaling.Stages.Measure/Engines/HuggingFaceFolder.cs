// A model without weights as vLLM and SGLang load it: config.json and a tokenizer, weights being drawn by the engine (--load-format dummy).
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

internal static class HuggingFaceFolder
{
    /// <summary>Token numbers that these engines' latency benchmarks draw: np.random.randint(0, 10000), whatever the vocabulary (vllm/benchmarks/latency.py, sglang/bench_one_batch.py).</summary>
    private const int DrawnTokens = 10_000;

    /// <summary>Writes it.</summary>
    public static void Write(EngineCall call)
    {
        Directory.CreateDirectory(call.Model);
        File.WriteAllText(Path.Combine(call.Model, "config.json"), HuggingFaceConfig.Of(call.Shape, new HuggingFaceOptions
        {
            MaxPositionEmbeddings = call.Positions, DataType = Compute(call), BosTokenId = 0, EosTokenId = 0,
        }));
        WordTokenizer.Write(call.Model, call.Shape.Vocabulary, call.Positions);
    }

    /// <summary>The numbers that are computed with: fp8 weights are made of bfloat16 ones.</summary>
    public static string Compute(EngineCall call) => call.Workload.Weights == DataType.Float32 ? "float32" : "bfloat16";

    /// <summary>Types and devices as both engines' flags have them.</summary>
    /// <param name="call">What is asked.</param>
    /// <param name="devices">The engine's flag of the number of devices.</param>
    /// <param name="fp8">The engine's word for an fp8 cache.</param>
    public static IEnumerable<string> Flags(EngineCall call, string devices, string fp8) =>
    [
        "--dtype", Compute(call), devices, $"{call.Workload.TensorParallel}",
        .. call.Workload.Weights == DataType.Fp8 ? ["--quantization", "fp8"] : Array.Empty<string>(),
        .. call.Workload.KvCache == DataType.Fp8 ? ["--kv-cache-dtype", fp8] : Array.Empty<string>(),
    ];

    /// <summary>Why prompts of drawn tokens do not fit the shape; null where they do.</summary>
    public static (string Found, string Hint)? RefusalOfDrawnTokens(EngineCall call, string benchmark, string other) => call.Shape.Vocabulary >= DrawnTokens ? null : (
        $"{benchmark} draws its prompts from {DrawnTokens} tokens, and the vocabulary has {call.Shape.Vocabulary}",
        $"Measure shapes with 'vocabulary: {DrawnTokens}' or more, or write 'command' with {other}, which takes any.");
}
