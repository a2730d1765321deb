// A LLaMA-like decoder: RMSNorm, rotary positions, grouped-query attention, SwiGLU. The query projection need not be as wide as the residual stream.
//
// Axes: B batch, T positions of the input, S positions attended to, D hidden, F intermediate, V vocabulary,
// N query heads, K key/value heads, G = N/K, M = N + 2K, H head size, Q = N·H.
using System.Globalization;
using Scaling.Architectures;
using TorchSharp;
using static TorchSharp.torch;
using static TorchSharp.torch.nn.functional;

namespace Scaling.Torch;

/// <summary>The network. It computes where its weights lie and keeps no state of its own.</summary>
public sealed class Decoder : IDisposable
{
    /// <summary>θ of the rotary positions, as <c>rope_theta</c> of the exported configuration.</summary>
    public const double RotaryBase = 10_000;

    /// <summary>ε of RMSNorm, as <c>rms_norm_eps</c> of the exported configuration.</summary>
    public const double NormEpsilon = 1e-5;

    /// <summary>Multiplications of a product from which on oneDNN is as fast as MKL with its 20 µs a call, on two cores of an EPYC: there the time has no step, so that it can be foretold.</summary>
    private const long LeastForOneDnn = 1 << 21;

    /// <summary>Positions of all sequences from which on a product may go to oneDNN: with fewer, as in a decode step, reading the weights is what it costs.</summary>
    private const int ManyPositions = 64;

    /// <summary>
    /// What TorchSharp lacks: the lookup in a matrix that may be the head as well; the norm with float32 statistics in one kernel; and attention with
    /// enable_gqa, which in bfloat16 on a GPU is flash attention: it never writes its scores and repeats no keys or values; and oneDNN's product.
    /// </summary>
    private static readonly jit.CompilationUnit Script = jit.compile(OneDnnProducts.Functions + $$"""
        def rows(matrix: Tensor, indices: Tensor) -> Tensor:
            return torch.embedding(matrix, indices)

        def norm(x_BTD: Tensor, scale_D: Tensor) -> Tensor:
            return torch.rms_norm(x_BTD, [x_BTD.size(-1)], scale_D, {{NormEpsilon.ToString("R", CultureInfo.InvariantCulture)}})

        def attend(q_BNTH: Tensor, k_BKTH: Tensor, v_BKTH: Tensor) -> Tensor:
            return torch.scaled_dot_product_attention(q_BNTH, k_BKTH, v_BKTH, None, 0.0, True, scale=None, enable_gqa=True)

        def large_product(x_BTI: Tensor, w_OI: Tensor) -> Tensor:
            return onednn_product(x_BTI.reshape([-1, x_BTI.size(2)]), w_OI).reshape([x_BTI.size(0), x_BTI.size(1), w_OI.size(0)])

        """);

    private readonly DecoderShape _shape;
    private readonly bool _mixed;
    private readonly bool _onProcessor;
    private readonly Tensor _cos_T1H;
    private readonly Tensor _sin_T1H;

    /// <summary>A network over the given weights.</summary>
    /// <param name="weights">Owned by the caller.</param>
    /// <param name="positions">The longest sequence.</param>
    /// <param name="precision">Of products and attention; the residual stream, norms, rotations and logits are float32.</param>
    public Decoder(DecoderWeights weights, int positions, Precision precision = Precision.Full)
    {
        Weights = weights;
        _mixed = precision == Precision.Mixed;
        _onProcessor = weights.Device.type == DeviceType.CPU;
        _shape = weights.Shape;
        using var scope = NewDisposeScope();
        var (cos_T1H, sin_T1H) = RotaryTables(_shape.HeadSize, positions);
        _cos_T1H = cos_T1H.to(weights.Device).MoveToOuterDisposeScope();
        _sin_T1H = sin_T1H.to(weights.Device).MoveToOuterDisposeScope();
        Positions = positions;
    }

    /// <summary>Its parameters.</summary>
    public DecoderWeights Weights { get; }

    /// <summary>The longest sequence.</summary>
    public int Positions { get; }

    /// <summary>Logits of every position, float32.</summary>
    /// <param name="tokens_BT">int64, where the weights lie.</param>
    public Tensor Logits(Tensor tokens_BT) => LogitsOf(Features(tokens_BT, null));

    /// <summary>Logits of the last position alone, shape B × V. Keys and values are added to the cache.</summary>
    /// <param name="tokens_BT">A whole prompt while the cache is empty, else one token a sequence.</param>
    /// <param name="cache">Of this shape and batch, in the numbers that products are computed in.</param>
    public Tensor NextLogits(Tensor tokens_BT, KeyValueCache cache)
    {
        if (cache.Length > 0 && tokens_BT.shape[1] != 1)
        {
            throw new ArgumentException("a cache that holds positions takes one token a sequence");
        }

        var features_BTD = Features(tokens_BT, cache);
        cache.Advance((int)tokens_BT.shape[1]);
        return LogitsOf(features_BTD.select(1, -1));
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos_T1H.Dispose();
        _sin_T1H.Dispose();
    }

    private Tensor LogitsOf(Tensor x)
    {
        var logits = Product(x, Weights.Head_VD);
        return _mixed ? logits.to(float32) : logits;
    }

    private Tensor Features(Tensor tokens_BT, KeyValueCache? cache)
    {
        int start = cache?.Length ?? 0;
        var cos_T1H = _cos_T1H.narrow(0, start, tokens_BT.shape[1]);
        var sin_T1H = _sin_T1H.narrow(0, start, tokens_BT.shape[1]);
        var x_BTD = Script.invoke<Tensor>("rows", Weights.Embedding_VD, tokens_BT);
        if (_mixed)
        {
            x_BTD = x_BTD.to(float32); // Embeddings may be bfloat16.
        }

        for (int i = 0; i < _shape.Layers; i++)
        {
            // What a layer makes on the way goes with it: kept to the end of the pass, it would be many times the cache and never be in the processor's.
            using var layer = NewDisposeScope();
            var block = Weights.Blocks[i];
            x_BTD += Attention(i, RmsNorm(x_BTD, block.AttentionNorm_D), cos_T1H, sin_T1H, cache);
            x_BTD = (x_BTD + Mlp(block, RmsNorm(x_BTD, block.MlpNorm_D))).MoveToOuterDisposeScope();
        }

        return RmsNorm(x_BTD, Weights.FinalNorm_D);
    }

    private Tensor Attention(int layer, Tensor x_BTD, Tensor cos_T1H, Tensor sin_T1H, KeyValueCache? cache)
    {
        var block = Weights.Blocks[layer];
        long b = x_BTD.shape[0], t = x_BTD.shape[1];
        int n = _shape.Heads, k = _shape.KvHeads, h = _shape.HeadSize;

        var qkv_BTMH = Product(x_BTD, block.Qkv_MD).view(b, t, n + 2 * k, h);
        var qk_BTMH = Rotate(qkv_BTMH.narrow(2, 0, n + k), cos_T1H, sin_T1H);
        var q_BNTH = qk_BTMH.narrow(2, 0, n).transpose(1, 2);
        var k_BKSH = qk_BTMH.narrow(2, n, k).transpose(1, 2);
        var v_BKSH = qkv_BTMH.narrow(2, n + k, k).transpose(1, 2);
        if (cache is not null)
        {
            (k_BKSH, v_BKSH) = cache.Append(layer, k_BKSH, v_BKSH);
        }

        var heads_BTQ = t == 1
            ? AttendOne(q_BNTH, k_BKSH, v_BKSH).reshape(b, 1, _shape.QueryWidth)
            : AttendCausally(q_BNTH, k_BKSH, v_BKSH).transpose(1, 2).reshape(b, t, _shape.QueryWidth);
        return Product(heads_BTQ, block.Output_DQ);
    }

    /// <summary>Many positions, each sees itself and those before it.</summary>
    private Tensor AttendCausally(Tensor q_BNTH, Tensor k_BKTH, Tensor v_BKTH) => _mixed
        ? Script.invoke<Tensor>("attend", q_BNTH, k_BKTH, v_BKTH)
        : scaled_dot_product_attention(q_BNTH, ForEachQuery(k_BKTH), ForEachQuery(v_BKTH), is_casual: true);

    /// <summary>
    /// One new position sees all: the G query heads of a key/value head stand where positions would, so keys and values are read once and not copied G times.
    /// </summary>
    private Tensor AttendOne(Tensor q_BN1H, Tensor k_BKSH, Tensor v_BKSH) =>
        scaled_dot_product_attention(q_BN1H.reshape(q_BN1H.shape[0], _shape.KvHeads, _shape.Heads / _shape.KvHeads, _shape.HeadSize), k_BKSH, v_BKSH);

    /// <summary>Repeats each key/value head for its G query heads; TorchSharp's attention has no enable_gqa.</summary>
    private Tensor ForEachQuery(Tensor kv_BKTH)
    {
        if (_shape.Heads == _shape.KvHeads)
        {
            return kv_BKTH;
        }

        long b = kv_BKTH.shape[0], t = kv_BKTH.shape[2];
        int group = _shape.Heads / _shape.KvHeads;
        return kv_BKTH.unsqueeze(2).expand(b, _shape.KvHeads, group, t, _shape.HeadSize).reshape(b, _shape.Heads, t, _shape.HeadSize);
    }

    /// <summary>down(silu(gate(x)) · up(x)).</summary>
    private Tensor Mlp(BlockWeights block, Tensor x_BTD)
    {
        var gateUp_BT2F = Product(x_BTD, block.GateUp_2FD);
        var gate_BTF = gateUp_BT2F.narrow(-1, 0, _shape.Intermediate);
        var up_BTF = gateUp_BT2F.narrow(-1, _shape.Intermediate, _shape.Intermediate);
        return Product(silu(gate_BTF) * up_BTF, block.Down_DF);
    }

    /// <summary>x / √(mean(x²) + ε) · scale.</summary>
    private Tensor RmsNorm(Tensor x_BTD, Tensor scale_D) => _mixed
        ? Script.invoke<Tensor>("norm", x_BTD, scale_D)
        : x_BTD * (x_BTD.square().mean([-1], keepdim: true) + NormEpsilon).rsqrt() * scale_D;

    /// <summary>x · weightᵀ, in the network's precision.</summary>
    private Tensor Product(Tensor x, Tensor weight) =>
        _mixed ? linear(x.to(bfloat16), weight.to(bfloat16)) : IsLarge(x, weight) ? Script.invoke<Tensor>("large_product", x, weight) : linear(x, weight);

    /// <summary>Whether oneDNN's product is worth its calls and its own copy of the weights: see <see cref="LossGradients"/>. Where gradients are kept, autograd has the other.</summary>
    private bool IsLarge(Tensor x, Tensor weight) =>
        _onProcessor && x.shape is [var b, var t, _] && b * t >= ManyPositions && b * t * weight.NumberOfElements >= LeastForOneDnn && !is_grad_enabled()
        && OneDnnProducts.AreRight(b * t, weight.shape[1], weight.shape[0]);

    /// <summary>
    /// Hugging Face's half-split convention: feature i turns with feature i + H/2. With s = (−sin, sin) that is x·cos + roll(x, H/2)·s.
    /// </summary>
    private Tensor Rotate(Tensor x_BTMH, Tensor cos_T1H, Tensor sin_T1H)
    {
        var turned_BTMH = (x_BTMH * cos_T1H).addcmul(x_BTMH.roll(_shape.HeadSize / 2, -1), sin_T1H, 1); // float32, as the tables are
        return _mixed ? turned_BTMH.to(bfloat16) : turned_BTMH;
    }

    /// <summary>Cosines and sines of the rotary angles, the sines of the first half negated.</summary>
    internal static (Tensor Cos_T1H, Tensor Sin_T1H) RotaryTables(int headSize, int positions)
    {
        int half = headSize / 2;
        var frequency = pow(RotaryBase, arange(half, float64) * (-1.0 / half));
        var angle = arange(positions, float64).unsqueeze(1) * frequency;
        var (cos, sin) = (angle.cos(), angle.sin());
        return (cat([cos, cos], 1).unsqueeze(1).to(float32), cat([-sin, sin], 1).unsqueeze(1).to(float32));
    }
}
