// What consumers demand of widths, head sizes and depth.
namespace Scaling.Architectures;

internal static class WidthRules
{
    public static readonly ConsumerRule HiddenOverHeads = new(
        "hidden-over-heads", RuleEffect.Refuses, "The hidden size is a multiple of the number of query heads, even where head_dim is given.",
        "transformers 5, LlamaConfig.validate_architecture",
        (shape, _) => shape.Hidden % shape.Heads == 0 ? null : $"hidden size {shape.Hidden} is no multiple of {shape.Heads} heads");

    public static readonly ConsumerRule Square = new(
        "square", RuleEffect.Refuses, "The hidden size is the number of query heads times the head size.",
        "torchtitan 0.2.2, Attention.__init__ of models/llama3/model/model.py: head_dim = dim // n_heads",
        (shape, _) => shape.Hidden == shape.QueryWidth ? null : $"hidden size {shape.Hidden} is not {shape.Heads} heads of {shape.HeadSize}, and its head size is the hidden size over the heads");

    public static readonly ConsumerRule Untied = new(
        "untied", RuleEffect.Refuses, "Input and output embeddings are two matrices.",
        "torchtitan 0.2.2, Transformer.__init__ of models/llama3/model/model.py, which knows no other",
        (shape, _) => shape.Tied ? "its embeddings are tied" : null);

    /// <summary>The array of a model's layers has that length.</summary>
    public static readonly ConsumerRule LlamaCppLayers = new(
        "layers", RuleEffect.Refuses, "There are at most 512 layers.", "llama.cpp, LLAMA_MAX_LAYERS of src/llama-hparams.h",
        (shape, _) => shape.Layers <= 512 ? null : $"{shape.Layers} layers are more than 512");

    /// <summary>Rows of q, k, v, gate and up are d long, of o n·h, of down f.</summary>
    public static readonly ConsumerRule KBlocks = Rows(
        "k-quant-blocks", 256, "Rows are whole blocks of 256 weights (hidden size, heads times head size, intermediate size): where not, K-quants fall back to larger types.");

    public static readonly ConsumerRule Blocks = Rows(
        "quant-blocks", 32, "Rows are whole blocks of 32 weights (hidden size, heads times head size, intermediate size): where not, weights stay float16.");

    public static readonly ConsumerRule FlashAttention = new(
        "flash-attention", RuleEffect.Slows, "The head size is a multiple of 8 and at most 256: FlashAttention takes no other, and the backends that do are slower.",
        "vLLM, FlashAttentionBackend.supports_head_size; before 0.11 32, 64, 96, 128, 160, 192, 224 and 256 alone",
        (shape, _) => shape.HeadSize % 8 == 0 && shape.HeadSize <= 256 ? null : $"head size {shape.HeadSize} is {(shape.HeadSize > 256 ? "above 256" : "no multiple of 8")}");

    public static readonly ConsumerRule TensorCores = Widths(
        "tensor-cores", 64, "Hidden and intermediate sizes, the latter on each device, are multiples of 64: tensor cores of the A100 and later are most efficient there in 16 bits.");

    public static readonly ConsumerRule Tiles = Widths(
        "tiles", 128, "Hidden and intermediate sizes, the latter on each device, are multiples of 128: products are computed in tiles so wide, and the last one is computed whole.");

    private static ConsumerRule Rows(string name, int block, string sentence) => new(
        name, RuleEffect.Slows, sentence, "llama.cpp, tensor_type_fallback of src/llama-quant.cpp",
        (shape, _) => Unfit([("hidden size", shape.Hidden), ("query width", shape.QueryWidth), ("intermediate size", shape.Intermediate)], block));

    private static ConsumerRule Widths(string name, int multiple, string sentence) => new(
        name, RuleEffect.Slows, sentence, "NVIDIA, Matrix Multiplication Background User's Guide (February 2023), tensor core requirements and tile quantization",
        (shape, t) => shape.Intermediate % t != 0
            ? $"intermediate size {shape.Intermediate} is no multiple of {t} devices"
            : Unfit([("hidden size", shape.Hidden), (t == 1 ? "intermediate size" : $"intermediate size over {t} devices", shape.Intermediate / t)], multiple));

    private static string? Unfit(IEnumerable<(string Name, long Value)> widths, int multiple)
    {
        var unfit = widths.Where(w => w.Value % multiple != 0).Select(w => $"{w.Name} {w.Value}").ToList();
        return unfit.Count == 0 ? null : $"{string.Join(" and ", unfit)} {(unfit.Count == 1 ? "is no multiple" : "are no multiples")} of {multiple}";
    }
}
