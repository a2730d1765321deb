// The training loss of a batch and its gradient: by autograd, and for small batches of short sequences written out, as the layers of tiny decoders cost less than their bookkeeping.
//
// Axes: B batch, T positions of queries, S positions of keys, Z = B·T, D hidden, F intermediate, V vocabulary, N query heads, K key/value heads,
// G = N/K, P = N + K, M = N + 2K, H head size, Q = N·H, R = M·H, C = B·K, X = G·T. A name that begins with d_ is the gradient of what follows.
using System.Globalization;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Gradients of cross-entropy with the z-loss. Both ways compute the same and differ in float32's last digits; the plan alone decides which one is taken.</summary>
public sealed class LossGradients : IDisposable
{
    /// <summary>Weight of the square of the logits' log-sum-exp, which keeps the logits from drifting (PaLM, arXiv 2204.02311, section 5).</summary>
    public const double ZLoss = 1e-5;

    /// <summary>
    /// The most scores of attention a layer, B·N·T², that the written-out way keeps: 2 MB. On one core of an AMD EPYC it took 0.48 to 0.67 of autograd's time with 32k parameters or
    /// fewer, 0.9 with 705k and 16 × 64, and 1.3 with 705k and 16 × 128, four times this bound, where the scores leave the cache.
    /// </summary>
    public const int MostScores = 1 << 19;

    /// <summary>The most tokens, B·T, that autograd keeps the activations of.</summary>
    public const int MostTokens = 1 << 13;

    /// <summary>The same on a GPU, which smaller products leave idle; halved where its memory is too small.</summary>
    public const int MostTokensOnGpu = 1 << 16;

    /// <summary>The most logits, B·T·V, on a GPU: 1 GB in float32, and some 4 GB with what their gradient takes.</summary>
    public const int MostLogitsOnGpu = 1 << 28;

    /// <summary>
    /// Forward and backward of the decoder without autograd, which with its finer operations took a third of the time. Attention has features before positions: a product whose result has
    /// rows of 8 numbers takes four times as long as its transpose, and the tiled kernel of scaled_dot_product_attention consists of such. The G query heads
    /// of a key/value head stand side by side, so that nothing is repeated. Parameters and gradients have the order of DecoderWeights.All.
    /// </summary>
    private static readonly string Script = $$"""
        def norm(x_ZD: Tensor, scale_D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            root_Z1 = torch.rsqrt(torch.mean(x_ZD * x_ZD, [-1], True) + {{Text(Decoder.NormEpsilon)}})
            unit_ZD = x_ZD * root_Z1
            return unit_ZD * scale_D, unit_ZD, root_Z1

        def norm_backward(d_y_ZD: Tensor, unit_ZD: Tensor, root_Z1: Tensor, scale_D: Tensor) -> Tuple[Tensor, Tensor]:
            along_ZD = d_y_ZD * unit_ZD
            along_Z1 = torch.mv(along_ZD, scale_D).unsqueeze(1)
            d_x_ZD = torch.addcmul(d_y_ZD * scale_D, unit_ZD, along_Z1, value=-1.0 / scale_D.size(0)).mul_(root_Z1)
            return d_x_ZD, torch.sum(along_ZD, [0])

        def rotate(x_BPHT: Tensor, cos_PHT: Tensor, sin_PHT: Tensor, direction: int) -> Tensor:
            return (x_BPHT * cos_PHT).addcmul_(torch.roll(x_BPHT, [x_BPHT.size(2) // 2], [2]), sin_PHT, value=direction)

        def attend(qkv_ZR: Tensor, b: int, cos_PHT: Tensor, sin_PHT: Tensor, mask_SGT: Tensor) -> List[Tensor]:
            p, h, t = cos_PHT.size(0), cos_PHT.size(1), cos_PHT.size(2)
            g = mask_SGT.size(1)
            k = qkv_ZR.size(1) // h - p
            n = p - k
            qkv_BMHT = qkv_ZR.view([b, t, -1]).transpose(1, 2).contiguous().view([b, p + k, h, t])
            qk_BPHT = rotate(qkv_BMHT.narrow(1, 0, p), cos_PHT, sin_PHT, 1)
            q_CHX = qk_BPHT.narrow(1, 0, n).view([b, k, g, h, t]).transpose(2, 3).reshape([b * k, h, g * t])
            k_CHS = qk_BPHT.narrow(1, n, k).reshape([b * k, h, t])
            v_CHS = qkv_BMHT.narrow(1, p, k).reshape([b * k, h, t])
            share_CSX = torch.softmax(torch.bmm(k_CHS.transpose(1, 2), q_CHX).add_(mask_SGT.view([t, g * t])), 1)
            heads_CHX = torch.bmm(v_CHS, share_CSX)
            heads_ZQ = heads_CHX.view([b, k, h, g, t]).permute([0, 4, 1, 3, 2]).reshape([b * t, n * h])
            return [heads_ZQ, q_CHX, k_CHS, v_CHS, share_CSX]

        def attend_backward(d_heads_ZQ: Tensor, kept: List[Tensor], b: int, cos_PHT: Tensor, sin_PHT: Tensor) -> Tensor:
            q_CHX, k_CHS, v_CHS, share_CSX = kept[1], kept[2], kept[3], kept[4]
            h, t = k_CHS.size(1), k_CHS.size(2)
            k = k_CHS.size(0) // b
            g = q_CHX.size(2) // t
            d_heads_CHX = d_heads_ZQ.view([b, t, k, g, h]).permute([0, 2, 4, 3, 1]).reshape([b * k, h, g * t])
            d_v_CHS = torch.bmm(d_heads_CHX, share_CSX.transpose(1, 2))
            d_share_CSX = torch.bmm(v_CHS.transpose(1, 2), d_heads_CHX)
            d_score_CSX = torch._softmax_backward_data(d_share_CSX, share_CSX, 1, 6)
            d_q_BNHT = torch.bmm(k_CHS, d_score_CSX).view([b, k, h, g, t]).transpose(2, 3).reshape([b, k * g, h, t])
            d_k_BKHT = torch.bmm(q_CHX, d_score_CSX.transpose(1, 2)).view([b, k, h, t])
            d_qk_BPHT = rotate(torch.cat([d_q_BNHT, d_k_BKHT], 1), cos_PHT, sin_PHT, -1)
            d_qkv_BMHT = torch.cat([d_qk_BPHT, d_v_CHS.view([b, k, h, t])], 1)
            return d_qkv_BMHT.view([b, -1, t]).transpose(1, 2).reshape([b * t, -1])

        def gradients(parameters: List[Tensor], tokens_BT1: Tensor, cos_PHT: Tensor, sin_PHT: Tensor, mask_SGT: Tensor) -> List[Tensor]:
            layers = (len(parameters) - 2) // 6
            embedding_VD = parameters[4 * layers]
            norms = parameters[4 * layers + 1 : 6 * layers + 2]
            tied = len(parameters) == 6 * layers + 2
            head_VD = embedding_VD if tied else parameters[-1]
            b, t = tokens_BT1.size(0), tokens_BT1.size(1) - 1
            inputs_Z = tokens_BT1.narrow(1, 0, t).reshape([-1])
            targets_Z1 = tokens_BT1.narrow(1, 1, t).reshape([-1, 1])

            x_ZD = torch.embedding(embedding_VD, inputs_Z)
            kept: List[List[Tensor]] = []
            for i in range(layers):
                a_ZD, a_unit_ZD, a_root_Z1 = norm(x_ZD, norms[2 * i])
                attended = attend(torch.mm(a_ZD, parameters[4 * i].t()), b, cos_PHT, sin_PHT, mask_SGT)
                x_ZD = torch.addmm(x_ZD, attended[0], parameters[4 * i + 1].t())
                m_ZD, m_unit_ZD, m_root_Z1 = norm(x_ZD, norms[2 * i + 1])
                gate_ZF, up_ZF = torch.mm(m_ZD, parameters[4 * i + 2].t()).chunk(2, 1)
                open_ZF = torch.silu(gate_ZF)
                inner_ZF = open_ZF * up_ZF
                x_ZD = torch.addmm(x_ZD, inner_ZF, parameters[4 * i + 3].t())
                kept.append(attended)
                kept.append([a_ZD, a_unit_ZD, a_root_Z1, m_ZD, m_unit_ZD, m_root_Z1, gate_ZF, up_ZF, open_ZF, inner_ZF])

            f_ZD, f_unit_ZD, f_root_Z1 = norm(x_ZD, norms[2 * layers])
            logits_ZV = torch.mm(f_ZD, head_VD.t())
            logs_ZV = torch.log_softmax(logits_ZV, 1)
            target_Z1 = torch.gather(logs_ZV, 1, targets_Z1)
            log_sum_Z1 = torch.gather(logits_ZV, 1, targets_Z1) - target_Z1
            nats = -torch.mean(target_Z1)

            # Of the mean of (log_sum - logit of the target) + ZLoss * log_sum ** 2; log_sum's own gradient is the softmax.
            each = 1.0 / (b * t)
            d_logits_ZV = logs_ZV.exp_().mul_(log_sum_Z1 * ({{Text(2 * ZLoss)}} * each) + each)
            d_logits_ZV.scatter_add_(1, targets_Z1, torch.full_like(target_Z1, -each))
            d_head_VD = torch.mm(d_logits_ZV.t(), f_ZD)
            d_x_ZD, d_scale_D = norm_backward(torch.mm(d_logits_ZV, head_VD), f_unit_ZD, f_root_Z1, norms[2 * layers])
            d_matrices: List[Tensor] = []
            d_norms = [d_scale_D]
            for j in range(layers):
                i = layers - 1 - j
                attended = kept[2 * i]
                a_ZD, a_unit_ZD, a_root_Z1, m_ZD, m_unit_ZD, m_root_Z1, gate_ZF, up_ZF, open_ZF, inner_ZF = kept[2 * i + 1]
                d_down_DF = torch.mm(d_x_ZD.t(), inner_ZF)
                d_inner_ZF = torch.mm(d_x_ZD, parameters[4 * i + 3])
                d_gate_up_ZY = torch.cat([torch.silu_backward(d_inner_ZF * up_ZF, gate_ZF), d_inner_ZF * open_ZF], 1)
                d_gate_up_YD = torch.mm(d_gate_up_ZY.t(), m_ZD)
                d_before_ZD, d_m_scale_D = norm_backward(torch.mm(d_gate_up_ZY, parameters[4 * i + 2]), m_unit_ZD, m_root_Z1, norms[2 * i + 1])
                d_x_ZD = d_before_ZD.add_(d_x_ZD)
                d_output_DQ = torch.mm(d_x_ZD.t(), attended[0])
                d_qkv_ZR = attend_backward(torch.mm(d_x_ZD, parameters[4 * i + 1]), attended, b, cos_PHT, sin_PHT)
                d_qkv_RD = torch.mm(d_qkv_ZR.t(), a_ZD)
                d_before_ZD, d_a_scale_D = norm_backward(torch.mm(d_qkv_ZR, parameters[4 * i]), a_unit_ZD, a_root_Z1, norms[2 * i])
                d_x_ZD = d_before_ZD.add_(d_x_ZD)
                d_matrices = [d_qkv_RD, d_output_DQ, d_gate_up_YD, d_down_DF] + d_matrices
                d_norms = [d_a_scale_D, d_m_scale_D] + d_norms

            d_embedding_VD = d_head_VD if tied else torch.zeros_like(embedding_VD)
            d_embedding_VD.index_add_(0, inputs_Z, d_x_ZD)
            all = d_matrices + [d_embedding_VD] + d_norms
            if not tied:
                all.append(d_head_VD)
            all.append(nats)
            return all

        """;

    private readonly Decoder _decoder;
    private readonly Tensor[] _parameters;
    private readonly jit.CompilationUnit _script = jit.compile(Script);
    private readonly Tensor _cos_PHT;
    private readonly Tensor _sin_PHT;
    private readonly Tensor _mask_SGT;
    private readonly int _context;
    private readonly bool _writtenOut;
    private int _microBatch;

    /// <summary>Of a decoder's loss by its parameters.</summary>
    /// <param name="weights">Owned by the caller.</param>
    /// <param name="context">T, tokens a sequence.</param>
    /// <param name="compute">Where the weights lie; null is a processor.</param>
    public LossGradients(DecoderWeights weights, int context, Compute? compute = null)
    {
        compute ??= Compute.Cpu;
        var shape = weights.Shape;
        _context = context;
        double scores = (double)shape.Heads * context * context;
        _writtenOut = compute is { Device: ComputeDevice.Cpu, Precision: Precision.Full } && scores <= MostScores;
        MicroBatch = Math.Max(1, (int)(_writtenOut ? MostScores / scores
            : compute.Device == ComputeDevice.Cpu ? MostTokens / context
            : Math.Min(MostTokensOnGpu, MostLogitsOnGpu / shape.Vocabulary) / context));
        _parameters = [.. weights.All];
        _decoder = new Decoder(weights, context, compute.Precision);
        using var scope = NewDisposeScope(); // after the decoder, whose tables would end with it
        // One table a head makes rotating one sweep through memory; those of the queries carry the 1/√H of the scores.
        var scale_P11 = cat([full([shape.Heads, 1, 1], 1 / Math.Sqrt(shape.HeadSize), float32), ones(shape.KvHeads, 1, 1)]);
        var (cos_T1H, sin_T1H) = Decoder.RotaryTables(shape.HeadSize, _writtenOut ? context : 1);
        _cos_PHT = (cos_T1H.permute(1, 2, 0) * scale_P11).contiguous().DetachFromDisposeScope();
        _sin_PHT = (sin_T1H.permute(1, 2, 0) * scale_P11).contiguous().DetachFromDisposeScope();
        var future_ST = full([cos_T1H.shape[0], cos_T1H.shape[0]], float.NegativeInfinity).tril(-1);
        _mask_SGT = future_ST.unsqueeze(1).repeat(1, shape.Heads / shape.KvHeads, 1).DetachFromDisposeScope();
    }

    /// <summary>
    /// Sequences computed at once, at least 1; memory grows with it. Another one changes the results in float32's last digits, so the default follows from shape and context alone.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">Set to less than 1.</exception>
    public int MicroBatch
    {
        get => _microBatch;
        set
        {
            ArgumentOutOfRangeException.ThrowIfLessThan(value, 1);
            _microBatch = value;
        }
    }

    /// <summary>Called before each micro-batch with its sequences; tests let it fail as a full GPU does.</summary>
    internal Action<long>? Computing { get; set; }

    /// <summary>
    /// Cross-entropy of a batch, nats a token without the z-loss, and the gradient of each parameter in the order of <see cref="DecoderWeights.All"/>, both of the whole batch:
    /// micro-batches, the last of which may be smaller, count by their sequences.
    /// </summary>
    /// <param name="tokens_BT1">Windows of one token more than the context: inputs and, one further, targets.</param>
    public (Tensor Nats, Tensor[] Gradients) Of(Tensor tokens_BT1)
    {
        long batch = tokens_BT1.shape[0];
        if (batch <= MicroBatch)
        {
            return OfOne(tokens_BT1);
        }

        using var noGradients = no_grad();
        var (nats, gradients) = (zeros(Array.Empty<long>(), device: tokens_BT1.device), _parameters.Select(p => zeros_like(p)).ToArray());
        for (long start = 0; start < batch; start += MicroBatch)
        {
            using var scope = NewDisposeScope();
            long sequences = Math.Min(MicroBatch, batch - start);
            double share = (double)sequences / batch;
            var (partNats, partGradients) = OfOne(tokens_BT1.narrow(0, start, sequences));
            nats.add_(partNats, share);
            foreach (var (sum, part) in gradients.Zip(partGradients))
            {
                sum.add_(part, share);
            }
        }

        return (nats, gradients);
    }

    /// <summary>The same at once, by autograd over <see cref="Decoder.Logits"/>. Cross-entropy is log Σ exp(logits) less the target's logit, so the z-loss costs nothing more.</summary>
    /// <param name="tokens_BT1">As above.</param>
    public (Tensor Nats, Tensor[] Gradients) ByAutograd(Tensor tokens_BT1)
    {
        using var withGradients = enable_grad();
        var logits_BTV = _decoder.Logits(tokens_BT1.narrow(1, 0, _context));
        var targets_BT1 = tokens_BT1.narrow(1, 1, _context).unsqueeze(-1);
        var logSum_BT1 = logits_BTV.logsumexp(-1, keepdim: true);
        var nats = (logSum_BT1 - logits_BTV.gather(-1, targets_BT1)).mean();
        return (nats.detach(), [.. autograd.grad([nats + logSum_BT1.square().mean() * ZLoss], _parameters)]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        _cos_PHT.Dispose();
        _sin_PHT.Dispose();
        _mask_SGT.Dispose();
        _script.Dispose();
        _decoder.Dispose();
    }

    private (Tensor Nats, Tensor[] Gradients) OfOne(Tensor tokens_BT1)
    {
        Computing?.Invoke(tokens_BT1.shape[0]);
        return _writtenOut ? WrittenOut(tokens_BT1) : ByAutograd(tokens_BT1);
    }

    private (Tensor Nats, Tensor[] Gradients) WrittenOut(Tensor tokens_BT1)
    {
        using var noGradients = no_grad();
        var results = _script.invoke<Tensor[]>("gradients", _parameters, tokens_BT1, _cos_PHT, _sin_PHT, _mask_SGT);
        return (results[^1], results[..^1]);
    }

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
