// What a pipeline can say to `measure`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Sdk;
using Scaling.Torch;
using DataType = Scaling.Architectures.DataType;

namespace Scaling.Stages.Measure;

/// <summary>What is asked of every shape.</summary>
public sealed record WorkloadSettings
{
    [Description("Tokens read, a sequence.")]
    [Unit("tokens"), Range(1, 1_048_576)]
    public int Prompt { get; init; } = 128;

    [Description("Tokens written, a sequence; the prompt gives the first.")]
    [Unit("tokens"), Range(2, 1_048_576)]
    public int Output { get; init; } = 64;

    [Description("Sequences at once.")]
    [Unit("sequences"), Range(1, 65_536)]
    public int Batch { get; init; } = 8;
}

/// <summary>How shapes are timed.</summary>
public sealed record MeasureSettings
{
    [Description("What is asked of every shape. Which shape is faster depends on it.")]
    public WorkloadSettings Workload { get; init; } = new();

    [Description("Timed runs of every shape, in turn with the other shapes; their medians count.")]
    [Unit("runs"), Range(3, 10_000)]
    public int Repeats { get; init; } = 9;

    [Description("Runs before those, not counted; up to five times as many where the speed still drifts.")]
    [Unit("runs"), Range(0, 10_000)]
    public int Warmup { get; init; } = 2;

    [Description("Threads of one operation.")]
    [Unit("threads"), Range(1, 1024)]
    public int Threads { get; init; } = 1;

    [Description("What serves the shapes.")]
    [Choice("torch", "the decoder that is built in")]
    [Choice("vllm", "vLLM, installed here")]
    [Choice("sglang", "SGLang, installed here")]
    [Choice("llama.cpp", "llama.cpp, installed here")]
    public Engine Engine { get; init; } = Engine.Torch;

    [Description("The engine's benchmark program with flags of yours, a list of words; no shell reads them. Absent: the engine's own, found on the PATH.")]
    public IReadOnlyList<string> Command { get; init; } = [];

    [Description("Devices that share every layer, with vllm or sglang.")]
    [Unit("devices"), Range(1, 1024)]
    public int TensorParallel { get; init; } = 1;

    [Description("Format of weights, keys and values.")]
    [Choice("float32", "anywhere")]
    [Choice("bfloat16", "on a GPU or an engine")]
    [Choice("fp8", "with vllm or sglang")]
    public DataType DataType { get; init; } = DataType.Float32;

    [Description("Where it computes.")]
    [Choice("cpu", "this machine's processor")]
    [Choice("cuda", "its first NVIDIA GPU")]
    public ComputeDevice Device { get; init; } = ComputeDevice.Cpu;
}
