// What an engine's benchmark is asked, and what it tells.
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>One run of an engine: a shape, a workload, and where things are written.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Workload">What every run serves, in which types, split over how many devices.</param>
/// <param name="Repeats">Timed runs of the workload.</param>
/// <param name="Warmup">Runs before those, not counted.</param>
/// <param name="Threads">Threads of one operation, where the engine computes on a processor.</param>
/// <param name="OnGpu">It computes on a GPU.</param>
/// <param name="Folder">Empty at the start; the model, the results and the engine's own files go there.</param>
internal sealed record EngineCall(DecoderShape Shape, Workload Workload, int Repeats, int Warmup, int Threads, bool OnGpu, string Folder)
{
    /// <summary>Starts of the engine for this shape before this one.</summary>
    public int Round { get; init; }

    /// <summary>Tokens of a sequence at its end.</summary>
    public int Context => Workload.Prompt + Workload.Output;

    /// <summary>The longest sequence that the model is said to take: SGLang keeps some positions of it for itself and would otherwise write fewer tokens than asked.</summary>
    public int Positions => Context + 16;

    /// <summary>The model's folder, for engines that read Hugging Face's files.</summary>
    public string Model => Path.Combine(Folder, "model");

    /// <summary>The model's file, for engines that read GGUF.</summary>
    public string Gguf => Path.Combine(Folder, "model.gguf");

    /// <summary>A file in the folder.</summary>
    /// <param name="name">File name.</param>
    public string At(string name) => Path.Combine(Folder, name);

    /// <summary>Output tokens a second of the batch, where it took some seconds from the prompts to the last token.</summary>
    public double Rate(double seconds) => (double)Workload.Batch * Workload.Output / seconds;
}

/// <summary>What the runs of one call took. Lists are empty where the benchmark does not tell.</summary>
internal sealed record EngineTimes
{
    /// <summary>As the engine prints it; null where it does not.</summary>
    public string? Version { get; init; }

    /// <summary>Seconds from the prompts to the first token of all sequences, a value a run.</summary>
    public IReadOnlyList<double> FirstToken { get; init; } = [];

    /// <summary>Seconds of a decode step, a value a run or one that stands for all runs.</summary>
    public IReadOnlyList<double> OutputToken { get; init; } = [];

    /// <summary>Output tokens a second over prefill and decode, a value a run.</summary>
    public required IReadOnlyList<double> OutputRates { get; init; }
}
