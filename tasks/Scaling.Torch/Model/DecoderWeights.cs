// The parameters of a decoder: how they start, how they are named for Hugging Face.
//
// Axes: V vocabulary, D hidden, F intermediate, N query heads, K key/value heads, H head size, Q = N·H.
using Scaling.Architectures;
using TorchSharp;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>What one decoder block learns. q, k and v are one matrix, as are gate and up: one product instead of two or three.</summary>
/// <param name="AttentionNorm_D">Scale of the norm before attention.</param>
/// <param name="Qkv_MD">Query, key and value heads, in this order: M = (N + 2K)·H rows.</param>
/// <param name="Output_DQ">From the heads back to the residual stream.</param>
/// <param name="MlpNorm_D">Scale of the norm before the MLP.</param>
/// <param name="GateUp_2FD">Gate, then up.</param>
/// <param name="Down_DF">Back to the residual stream.</param>
public sealed record BlockWeights(Tensor AttentionNorm_D, Tensor Qkv_MD, Tensor Output_DQ, Tensor MlpNorm_D, Tensor GateUp_2FD, Tensor Down_DF);

/// <summary>All parameters of a decoder: float32, or views of numbers that were made before.</summary>
public sealed class DecoderWeights : IDisposable
{
    /// <summary>
    /// Fresh weights: matrices and embeddings N(0, σ) with σ = √(2/(5d)) (Nguyen and Salazar, arXiv 1910.05895), what writes to the residual stream scaled by 1/√(2L)
    /// (GPT-2), norms 1. At d = 1000 that is the usual σ = 0.02; at d = 20 it is 0.14, and the usual 0.02 leaves such a model on its first plateau for so long
    /// that chance decides its loss (8640 parameters, 20 tokens a parameter: 2.54, 2.67, 2.28, 2.36 nats at rates 0.003 to 0.024, against 2.21, 2.02, 1.94, 1.93).
    /// </summary>
    /// <param name="shape">Any shape.</param>
    /// <param name="seed">The row's seed. Same seed and shape, same bytes on every device.</param>
    /// <param name="device">Where they lie; null is the CPU.</param>
    public DecoderWeights(DecoderShape shape, long seed, torch.Device? device = null)
    {
        Shape = shape;
        Device = device ?? CPU;
        using var scope = NewDisposeScope();
        using var random = new Generator(unchecked((ulong)seed), CPU);
        long d = shape.Hidden;
        double spread = Math.Sqrt(2.0 / (5 * d));
        double residual = spread / Math.Sqrt(2.0 * shape.Layers);

        Tensor Matrix(long rows, long columns, double spread) => Keep(randn([rows, columns], generator: random) * spread);
        Tensor Norm() => Keep(ones(d));
        Tensor Keep(Tensor start) => start.to(Device).requires_grad_().MoveToOuterDisposeScope();

        Embedding_VD = Matrix(shape.Vocabulary, d, spread);
        Blocks = [.. Enumerable.Range(0, shape.Layers).Select(_ => new BlockWeights(
            Norm(), Matrix(shape.QueryWidth + 2 * shape.KvWidth, d, spread), Matrix(d, shape.QueryWidth, residual),
            Norm(), Matrix(2L * shape.Intermediate, d, spread), Matrix(d, shape.Intermediate, residual)))];
        FinalNorm_D = Norm();
        Head_VD = shape.Tied ? Embedding_VD : Matrix(shape.Vocabulary, d, spread);
    }

    /// <summary>
    /// Weights that are views of a vector, one after the other, for decoders that are timed and take turns in the same memory. Norms are ones of their own, float32: as small as the other numbers they
    /// would make features that float32 cannot hold in full, and processors are slow with those.
    /// </summary>
    /// <param name="shape">Any shape.</param>
    /// <param name="numbers_P">At least <see cref="NumbersOf"/>, where the weights shall lie and in the numbers they shall have.</param>
    public DecoderWeights(DecoderShape shape, Tensor numbers_P)
    {
        Shape = shape;
        Device = numbers_P.device;
        using var scope = NewDisposeScope();
        long d = shape.Hidden, start = 0;

        Tensor Matrix(long rows, long columns)
        {
            var view = numbers_P.narrow(0, start, rows * columns).view(rows, columns).MoveToOuterDisposeScope();
            start += Piece(rows, columns);
            return view;
        }

        Tensor Norm() => ones(d, device: Device).MoveToOuterDisposeScope();

        Embedding_VD = Matrix(shape.Vocabulary, d);
        Blocks = [.. Enumerable.Range(0, shape.Layers).Select(_ => new BlockWeights(
            Norm(), Matrix(shape.QueryWidth + 2 * shape.KvWidth, d), Matrix(d, shape.QueryWidth), Norm(), Matrix(2L * shape.Intermediate, d), Matrix(d, shape.Intermediate)))];
        FinalNorm_D = Norm();
        Head_VD = shape.Tied ? Embedding_VD : Matrix(shape.Vocabulary, d);
    }

    /// <summary>Numbers that a shape's weights take of a vector, each matrix beginning at a cache line.</summary>
    /// <param name="shape">Any shape.</param>
    public static long NumbersOf(DecoderShape shape) =>
        (shape.Tied ? 1 : 2) * Piece(shape.Vocabulary, shape.Hidden)
        + shape.Layers * (Piece(shape.QueryWidth + 2 * shape.KvWidth, shape.Hidden) + Piece(shape.Hidden, shape.QueryWidth)
            + Piece(2L * shape.Intermediate, shape.Hidden) + Piece(shape.Hidden, shape.Intermediate));

    /// <summary>What was built.</summary>
    public DecoderShape Shape { get; }

    /// <summary>Where they lie.</summary>
    public torch.Device Device { get; }

    /// <summary>Input embeddings.</summary>
    public Tensor Embedding_VD { get; }

    /// <summary>One a layer.</summary>
    public IReadOnlyList<BlockWeights> Blocks { get; }

    /// <summary>Scale of the norm before the head.</summary>
    public Tensor FinalNorm_D { get; }

    /// <summary>Output embeddings; <see cref="Embedding_VD"/> itself where the shape is tied.</summary>
    public Tensor Head_VD { get; }

    /// <summary>The projections of the blocks: what weight decay pulls on.</summary>
    public IEnumerable<Tensor> Matrices => Blocks.SelectMany(b => new[] { b.Qkv_MD, b.Output_DQ, b.GateUp_2FD, b.Down_DF });

    /// <summary>Embeddings and norms: what weight decay leaves alone.</summary>
    public IEnumerable<Tensor> Undecayed =>
        [Embedding_VD, .. Blocks.SelectMany(b => new[] { b.AttentionNorm_D, b.MlpNorm_D }), FinalNorm_D, .. Shape.Tied ? Array.Empty<Tensor>() : [Head_VD]];

    /// <summary>Every parameter once, in a fixed order.</summary>
    public IEnumerable<Tensor> All => Matrices.Concat(Undecayed);

    /// <summary>
    /// Views under the names of Hugging Face's LlamaForCausalLM; <c>lm_head.weight</c> only where it is a matrix of its own. Writing to a view writes to the weights.
    /// </summary>
    public IReadOnlyList<(string Name, Tensor View)> Named()
    {
        var named = new List<(string, Tensor)> { ("model.embed_tokens.weight", Embedding_VD.detach()) };
        for (int i = 0; i < Blocks.Count; i++)
        {
            var block = Blocks[i];
            string prefix = $"model.layers.{i}.";
            var qkv_MD = block.Qkv_MD.detach();
            var gateUp_2FD = block.GateUp_2FD.detach();
            named.AddRange(
            [
                (prefix + "input_layernorm.weight", block.AttentionNorm_D.detach()),
                (prefix + "self_attn.q_proj.weight", qkv_MD.narrow(0, 0, Shape.QueryWidth)),
                (prefix + "self_attn.k_proj.weight", qkv_MD.narrow(0, Shape.QueryWidth, Shape.KvWidth)),
                (prefix + "self_attn.v_proj.weight", qkv_MD.narrow(0, Shape.QueryWidth + Shape.KvWidth, Shape.KvWidth)),
                (prefix + "self_attn.o_proj.weight", block.Output_DQ.detach()),
                (prefix + "post_attention_layernorm.weight", block.MlpNorm_D.detach()),
                (prefix + "mlp.gate_proj.weight", gateUp_2FD.narrow(0, 0, Shape.Intermediate)),
                (prefix + "mlp.up_proj.weight", gateUp_2FD.narrow(0, Shape.Intermediate, Shape.Intermediate)),
                (prefix + "mlp.down_proj.weight", block.Down_DF.detach()),
            ]);
        }

        named.Add(("model.norm.weight", FinalNorm_D.detach()));
        if (!Shape.Tied)
        {
            named.Add(("lm_head.weight", Head_VD.detach()));
        }

        return named;
    }

    /// <summary>Writes the weights as Hugging Face reads them.</summary>
    /// <param name="path">A safetensors file, overwritten.</param>
    public void Write(string path)
    {
        using var scope = NewDisposeScope();
        Safetensors.Write(path, Named(), new Dictionary<string, string> { ["format"] = "pt" });
    }

    /// <summary>A matrix's numbers, up to the next 128 bytes even where a number has two.</summary>
    private static long Piece(long rows, long columns) => (rows * columns + 63) / 64 * 64;

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var parameter in All)
        {
            parameter.Dispose();
        }
    }
}
