// A benchmark program of an inference engine: how it is called, and how its result is read. One class a program.
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>A command of an engine with the files that it is to leave.</summary>
/// <param name="Words">Arguments after the words of <c>command</c>.</param>
/// <param name="Result">Where it writes its result; null where it prints it.</param>
internal sealed record EngineCommand(IReadOnlyList<string> Words, string? Result);

/// <summary>A result of a command.</summary>
/// <param name="Source">For messages: the file's path, or the engine's output.</param>
/// <param name="Text">JSON, or lines of JSON.</param>
internal sealed record EngineOutput(string Source, string Text);

internal abstract class EngineBenchmark
{
    /// <summary>Every benchmark that can be called; the first one of an engine is called where <c>command</c> is absent.</summary>
    public static IReadOnlyList<EngineBenchmark> All { get; } =
        [new VllmLatency(), new VllmThroughput(), new SglangOneBatch(), new SglangOfflineThroughput(), new LlamaBatchedBench(), new LlamaBench()];

    /// <summary>The engine whose program it is.</summary>
    public abstract Engine Engine { get; }

    /// <summary>Words that call it where the user writes none.</summary>
    public abstract IReadOnlyList<string> Command { get; }

    /// <summary>The word of a command by which it is known: its last component, without a path.</summary>
    public string Word => Command[^1];

    /// <summary>The workload as it is really served, where the engine has types of its own.</summary>
    public virtual Workload Served(Workload asked) => asked;

    /// <summary>Why it cannot measure this, as a sentence, and what to do; null where it can.</summary>
    public abstract (string Found, string Hint)? Refusal(EngineCall call);

    /// <summary>Writes the model for it.</summary>
    public abstract void Prepare(EngineCall call);

    /// <summary>What is to be run, one after the other.</summary>
    public abstract IReadOnlyList<EngineCommand> Commands(EngineCall call);

    /// <summary>Reads its results.</summary>
    /// <param name="call">As <see cref="Commands"/> got it.</param>
    /// <param name="outputs">A result a command, in that order.</param>
    /// <exception cref="FormatException">A result is not what the engine documents; the message says what was found.</exception>
    public abstract EngineTimes Read(EngineCall call, IReadOnlyList<EngineOutput> outputs);

    /// <summary>The version that the engine prints among its own lines; null where it prints none.</summary>
    public virtual string? Version(string line) => null;
}
