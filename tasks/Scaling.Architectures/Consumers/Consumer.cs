// The programs that a found shape may be meant for, each with the rules that decide whether it takes the shape.
namespace Scaling.Architectures;

/// <summary>A program that loads or trains models, as of one version.</summary>
/// <param name="Name">Lower case, as a pipeline names it.</param>
/// <param name="Title">As a sentence names it.</param>
/// <param name="Version">What the rules were read in.</param>
/// <param name="Rules">Those that refuse first.</param>
public sealed record Consumer(string Name, string Title, string Version, IReadOnlyList<ConsumerRule> Rules)
{
    /// <summary>Every consumer that a pipeline can name.</summary>
    public static IReadOnlyList<Consumer> All { get; } =
    [
        new("transformers-4", "transformers 4", "4.45 and later, which read head_dim", [GroupRules.Transformers]),
        new("transformers-5", "transformers 5", "5.0 and later", [GroupRules.Transformers, WidthRules.HiddenOverHeads]),

        // It reads config.json with the installed transformers, which is version 5 from 0.19.1 on: name that beside it.
        new(
            "vllm", "vLLM", "0.10 to 0.20, Llama", [
                GroupRules.Vllm, ParallelRules.VllmHeads, ParallelRules.VllmKvHeads, ParallelRules.VllmMlp, WidthRules.FlashAttention, WidthRules.TensorCores, WidthRules.Tiles,
            ]),
        new("llama.cpp", "llama.cpp", "2026, Llama", [GroupRules.Ggml, WidthRules.LlamaCppLayers, WidthRules.KBlocks, WidthRules.Blocks]),
        new(
            "megatron", "Megatron-LM", "commit d98e8a64 (August 2026)",
            [ParallelRules.MegatronHeads, ParallelRules.MegatronKvHeads, ParallelRules.MegatronMlp, WidthRules.TensorCores, WidthRules.Tiles]),
        new(
            "torchtitan", "torchtitan", "0.2, whose Llama 3 takes TransformerModelArgs; later ones take any shape from a configuration in Python",
            [WidthRules.Square, WidthRules.Untied, GroupRules.Torchtitan, ParallelRules.TorchtitanHeads, ParallelRules.TorchtitanKvHeads, WidthRules.TensorCores, WidthRules.Tiles]),
        new("litgpt", "LitGPT", "0.5", [GroupRules.LitGpt, WidthRules.TensorCores, WidthRules.Tiles]),
    ];

    /// <summary>The consumer of that name; null where none is.</summary>
    /// <param name="name">As in <see cref="Name"/>.</param>
    public static Consumer? Named(string name) => All.FirstOrDefault(c => c.Name == name);

    /// <summary>The rules by which it refuses a shape; empty: it takes it.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="tensorParallel">Devices that share each layer, at least 1. Consumers that do not split layers ignore it.</param>
    public IReadOnlyList<ConsumerRule> Broken(DecoderShape shape, int tensorParallel) => Faults(RuleEffect.Refuses, shape, tensorParallel);

    /// <summary>The rules by which a shape is slower or larger there than it need be; empty: none.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="tensorParallel">As for <see cref="Broken"/>.</param>
    public IReadOnlyList<ConsumerRule> Slowed(DecoderShape shape, int tensorParallel) => Faults(RuleEffect.Slows, shape, tensorParallel);

    private List<ConsumerRule> Faults(RuleEffect effect, DecoderShape shape, int tensorParallel) =>
        [.. Rules.Where(r => r.Effect == effect && r.Fault(shape, tensorParallel) is not null)];
}
