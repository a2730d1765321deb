// The engines that can time a shape.
using System.Text.Json.Serialization;

namespace Scaling.Stages.Measure;

/// <summary>What serves the decoder while it is timed.</summary>
public enum Engine
{
    /// <summary>The decoder that is built in, on TorchSharp.</summary>
    Torch,

    /// <summary>vLLM, <c>vllm bench</c>.</summary>
    Vllm,

    /// <summary>SGLang, <c>sglang.bench_one_batch</c>.</summary>
    Sglang,

    /// <summary>llama.cpp, <c>llama-batched-bench</c>.</summary>
    [JsonStringEnumMemberName("llama.cpp")]
    LlamaCpp,
}
