// The training loss of a batch and its gradient, written out: the layers of small decoders cost less than autograd's bookkeeping, and a causal product need not compute what it masks.
//
// Axes: B batch, T positions of queries, S positions of keys, Z = B·T, D hidden, F intermediate, Y = 2F, V vocabulary, N query heads, K key/value heads,
// G = N/K, P = N + K, M = N + 2K, H head size, Q = N·H, R = M·H, C = B·K, X = G·(queries of a block). In a product of x_ZI with w_OI, I is what comes in and O what goes out.
// A name that begins with d_ is the gradient of what follows.
using System.Globalization;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>Gradients of cross-entropy with the z-loss. Both ways compute the same and differ in float32's last digits; the plan alone decides which one is taken.</summary>
public sealed class LossGradients : IDisposable
{
    /// <summary>Weight of the square of the logits' log-sum-exp, which keeps the logits from drifting (PaLM, arXiv 2204.02311, section 5).</summary>
    public const double ZLoss = 1e-5;

    /// <summary>
    /// Scores of attention, N·T² over all layers, up to which a sequence is written out: half of them are kept for the way back, 512 MB. Autograd keeps none and takes, with 0.7M
    /// parameters, 1.1 times as long at T = 2048 and 1.5 times at 512.
    /// </summary>
    public const long MostScores = 1L << 28;

    /// <summary>Queries of a block, and scores B·N·T² up to which all are one: more operations would cost what fewer numbers save.</summary>
    private const int Block = 32, WholeScores = 1 << 18;

    /// <summary>Tokens of a micro-batch, about: enough that a product outweighs its bookkeeping, few enough that activations stay in the cache.</summary>
    private const int MicroBatchTokens = 2048;

    /// <summary>The same on a GPU, which smaller products leave idle; halved where its memory is too small.</summary>
    public const int MostTokensOnGpu = 1 << 16;

    /// <summary>The most logits, B·T·V, on a GPU: 1 GB in float32, and some 4 GB with what their gradient takes.</summary>
    public const int MostLogitsOnGpu = 1 << 28;

    /// <summary>Multiplications of a product from which on it goes to oneDNN.</summary>
    private const long LeastForOneDnn = 1 << 23;

    /// <summary>
    /// Forward and backward of the decoder without autograd. Attention has features before positions: a product whose result has rows of 8 numbers takes four times as long as its
    /// transpose, and the tiled kernel of scaled_dot_product_attention consists of such. Queries come in blocks that meet the keys up to their own alone. The G query heads
    /// of a key/value head stand side by side, so that nothing is repeated. Parameters and gradients have the order of DecoderWeights.All.
    ///
    /// Products of many numbers go to oneDNN: it has AVX-512 for AMD's processors, where MKL's mm has AVX2
    /// and half the speed. Its calls take some 20 µs more, so small ones stay with mm; and all do where one is wrong on this machine, see <see cref="OneDnnProducts"/>.
    /// </summary>
    private static string Script(long leastForOneDnn) => OneDnnProducts.Functions + $$"""
        def is_large(x_ZI: Tensor, w_OI: Tensor) -> bool:
            return x_ZI.size(0) * w_OI.numel() >= {{leastForOneDnn}}

        def product(x_ZI: Tensor, w_OI: Tensor) -> Tensor:
            if not is_large(x_ZI, w_OI):
                return torch.mm(x_ZI, w_OI.t())
            return onednn_product(x_ZI, w_OI)

        def plus_product(y_ZO: Tensor, x_ZI: Tensor, w_OI: Tensor) -> Tensor:
            if not is_large(x_ZI, w_OI):
                return torch.addmm(y_ZO, x_ZI, w_OI.t())
            return product(x_ZI, w_OI).add_(y_ZO)

        def add_product(d_w_OI: Tensor, d_y_ZO: Tensor, x_ZI: Tensor):
            if not is_large(x_ZI, d_w_OI):
                d_w_OI.addmm_(d_y_ZO.t(), x_ZI)
            else:
                d_w_OI.add_(onednn_weight_gradient(d_y_ZO, x_ZI, d_w_OI))

        def norm(x_ZD: Tensor, scale_D: Tensor) -> Tuple[Tensor, Tensor, Tensor]:
            root_Z1 = torch.rsqrt(torch.mean(x_ZD * x_ZD, [-1], True) + {{Text(Decoder.NormEpsilon)}})
            unit_ZD = x_ZD * root_Z1
            return unit_ZD * scale_D, unit_ZD, root_Z1

        def norm_backward(d_scale_D: Tensor, d_y_ZD: Tensor, unit_ZD: Tensor, root_Z1: Tensor, scale_D: Tensor) -> Tensor:
            along_ZD = d_y_ZD * unit_ZD
            along_Z1 = torch.mv(along_ZD, scale_D).unsqueeze(1)
            d_scale_D.add_(torch.sum(along_ZD, [0]))
            return torch.addcmul(d_y_ZD * scale_D, unit_ZD, along_Z1, value=-1.0 / scale_D.size(0)).mul_(root_Z1)

        def rotate(x_BPHT: Tensor, cos_PHT: Tensor, sin_PHT: Tensor, direction: int) -> Tensor:
            return (x_BPHT * cos_PHT).addcmul_(torch.roll(x_BPHT, [x_BPHT.size(2) // 2], [2]), sin_PHT, value=direction)

        def attend(qkv_ZR: Tensor, b: int, cos_PHT: Tensor, sin_PHT: Tensor, mask_SGT: Tensor) -> List[Tensor]:
            p, h, t = cos_PHT.size(0), cos_PHT.size(1), cos_PHT.size(2)
            g = mask_SGT.size(1)
            k = qkv_ZR.size(1) // h - p
            n = p - k
            block = {{Block}} if b * n * t * t > {{WholeScores}} else t
            qkv_BMHT = qkv_ZR.view([b, t, -1]).transpose(1, 2).contiguous().view([b, p + k, h, t])
            qk_BPHT = rotate(qkv_BMHT.narrow(1, 0, p), cos_PHT, sin_PHT, 1)
            q_BKHGT = qk_BPHT.narrow(1, 0, n).view([b, k, g, h, t]).transpose(2, 3)
            k_CHS = qk_BPHT.narrow(1, n, k).reshape([b * k, h, t])
            v_CHS = qkv_BMHT.narrow(1, p, k).reshape([b * k, h, t])
            heads_BTKGH = torch.empty([b, t, k, g, h])
            kept = [heads_BTKGH.view([b * t, n * h]), k_CHS, v_CHS]
            for first in range(0, t, block):
                end = min(first + block, t)
                size = end - first
                q_CHX = q_BKHGT.narrow(4, first, size).reshape([b * k, h, g * size])
                score_CSX = torch.bmm(k_CHS.narrow(2, 0, end).transpose(1, 2), q_CHX)
                score_CSX.narrow(1, first, size).add_(mask_SGT.narrow(0, 0, size).narrow(2, 0, size).reshape([size, g * size]))
                share_CSX = torch.softmax(score_CSX, 1)
                heads_CHX = torch.bmm(v_CHS.narrow(2, 0, end), share_CSX)
                heads_BTKGH.narrow(1, first, size).copy_(heads_CHX.view([b, k, h, g, size]).permute([0, 4, 1, 3, 2]))
                kept += [q_CHX, share_CSX]
            return kept

        def attend_backward(d_heads_ZQ: Tensor, kept: List[Tensor], b: int, cos_PHT: Tensor, sin_PHT: Tensor) -> Tensor:
            k_CHS, v_CHS = kept[1], kept[2]
            h, t = k_CHS.size(1), k_CHS.size(2)
            k = k_CHS.size(0) // b
            g = cos_PHT.size(0) // k - 1
            d_heads_BKHGT = d_heads_ZQ.view([b, t, k, g, h]).permute([0, 2, 4, 3, 1])
            d_q_BKGHT = torch.empty([b, k, g, h, t])
            d_k_CHS, d_v_CHS = k_CHS, v_CHS # set by the last block, which comes first
            for i in range(len(kept) - 2, 2, -2):
                q_CHX, share_CSX = kept[i], kept[i + 1]
                end, size = share_CSX.size(1), share_CSX.size(2) // g
                first = end - size
                d_heads_CHX = d_heads_BKHGT.narrow(4, first, size).reshape([b * k, h, g * size])
                block_d_v_CHS = torch.bmm(d_heads_CHX, share_CSX.transpose(1, 2))
                d_share_CSX = torch.bmm(v_CHS.narrow(2, 0, end).transpose(1, 2), d_heads_CHX)
                d_score_CSX = torch._softmax_backward_data(d_share_CSX, share_CSX, 1, 6)
                d_q_CHX = torch.bmm(k_CHS.narrow(2, 0, end), d_score_CSX)
                d_q_BKGHT.narrow(4, first, size).copy_(d_q_CHX.view([b, k, h, g, size]).transpose(2, 3))
                block_d_k_CHS = torch.bmm(q_CHX, d_score_CSX.transpose(1, 2))
                if end == t:
                    d_k_CHS, d_v_CHS = block_d_k_CHS, block_d_v_CHS
                else:
                    d_k_CHS.narrow(2, 0, end).add_(block_d_k_CHS)
                    d_v_CHS.narrow(2, 0, end).add_(block_d_v_CHS)
            d_qk_BPHT = torch.cat([d_q_BKGHT.view([b, k * g, h, t]), d_k_CHS.view([b, k, h, t])], 1)
            d_qkv_BMHT = torch.cat([rotate(d_qk_BPHT, cos_PHT, sin_PHT, -1), d_v_CHS.view([b, k, h, t])], 1)
            return d_qkv_BMHT.view([b, -1, t]).transpose(1, 2).reshape([b * t, -1])

        def add_gradients(gradients: List[Tensor], parameters: List[Tensor], tokens_BT1: Tensor, each: float, cos_PHT: Tensor, sin_PHT: Tensor, mask_SGT: Tensor) -> Tensor:
            layers = (len(parameters) - 2) // 6
            embedding_VD = parameters[4 * layers]
            first = 4 * layers + 1 # of the norms
            head = 4 * layers if len(parameters) == 6 * layers + 2 else 6 * layers + 2
            b, t = tokens_BT1.size(0), tokens_BT1.size(1) - 1
            inputs_Z = tokens_BT1.narrow(1, 0, t).reshape([-1])
            targets_Z1 = tokens_BT1.narrow(1, 1, t).reshape([-1, 1])

            x_ZD = torch.embedding(embedding_VD, inputs_Z)
            kept: List[List[Tensor]] = []
            for i in range(layers):
                a_ZD, a_unit_ZD, a_root_Z1 = norm(x_ZD, parameters[first + 2 * i])
                attended = attend(product(a_ZD, parameters[4 * i]), b, cos_PHT, sin_PHT, mask_SGT)
                x_ZD = plus_product(x_ZD, attended[0], parameters[4 * i + 1])
                m_ZD, m_unit_ZD, m_root_Z1 = norm(x_ZD, parameters[first + 2 * i + 1])
                gate_up_ZY = product(m_ZD, parameters[4 * i + 2])
                gate_ZF, up_ZF = gate_up_ZY.chunk(2, 1)
                open_ZF = torch.silu(gate_ZF)
                inner_ZF = open_ZF * up_ZF
                x_ZD = plus_product(x_ZD, inner_ZF, parameters[4 * i + 3])
                kept.append(attended)
                kept.append([a_ZD, a_unit_ZD, a_root_Z1, m_ZD, m_unit_ZD, m_root_Z1, gate_up_ZY, open_ZF, inner_ZF])

            f_ZD, f_unit_ZD, f_root_Z1 = norm(x_ZD, parameters[first + 2 * layers])
            logits_ZV = product(f_ZD, parameters[head])
            logs_ZV = torch.log_softmax(logits_ZV, 1)
            target_Z1 = torch.gather(logs_ZV, 1, targets_Z1)
            log_sum_Z1 = torch.gather(logits_ZV, 1, targets_Z1) - target_Z1
            nats = torch.sum(target_Z1) * -each

            # Of the mean of (log_sum - logit of the target) + ZLoss * log_sum ** 2; log_sum's own gradient is the softmax.
            d_logits_ZV = logs_ZV.exp_().mul_(log_sum_Z1 * ({{Text(2 * ZLoss)}} * each) + each)
            d_logits_ZV.scatter_add_(1, targets_Z1, torch.full_like(target_Z1, -each))
            add_product(gradients[head], d_logits_ZV, f_ZD)
            d_x_ZD = norm_backward(gradients[first + 2 * layers], product(d_logits_ZV, parameters[head].t()), f_unit_ZD, f_root_Z1, parameters[first + 2 * layers])
            for j in range(layers):
                i = layers - 1 - j
                attended = kept[2 * i]
                a_ZD, a_unit_ZD, a_root_Z1, m_ZD, m_unit_ZD, m_root_Z1, gate_up_ZY, open_ZF, inner_ZF = kept[2 * i + 1]
                gate_ZF, up_ZF = gate_up_ZY.chunk(2, 1)
                add_product(gradients[4 * i + 3], d_x_ZD, inner_ZF)
                d_inner_ZF = product(d_x_ZD, parameters[4 * i + 3].t())
                d_gate_up_ZY = torch.empty_like(gate_up_ZY)
                d_gate_ZF, d_up_ZF = d_gate_up_ZY.chunk(2, 1)
                torch.mul(d_inner_ZF, open_ZF, out=d_up_ZF)
                torch.silu_backward(d_inner_ZF.mul_(up_ZF), gate_ZF, grad_input=d_gate_ZF)
                add_product(gradients[4 * i + 2], d_gate_up_ZY, m_ZD)
                d_m_ZD = product(d_gate_up_ZY, parameters[4 * i + 2].t())
                d_x_ZD = norm_backward(gradients[first + 2 * i + 1], d_m_ZD, m_unit_ZD, m_root_Z1, parameters[first + 2 * i + 1]).add_(d_x_ZD)
                add_product(gradients[4 * i + 1], d_x_ZD, attended[0])
                d_qkv_ZR = attend_backward(product(d_x_ZD, parameters[4 * i + 1].t()), attended, b, cos_PHT, sin_PHT)
                add_product(gradients[4 * i], d_qkv_ZR, a_ZD)
                d_a_ZD = product(d_qkv_ZR, parameters[4 * i].t())
                d_x_ZD = norm_backward(gradients[first + 2 * i], d_a_ZD, a_unit_ZD, a_root_Z1, parameters[first + 2 * i]).add_(d_x_ZD)

            gradients[4 * layers].index_add_(0, inputs_Z, d_x_ZD)
            return nats

        def set_gradients(gradients: List[Tensor], parameters: List[Tensor], micro_batches: List[Tensor], cos_PHT: Tensor, sin_PHT: Tensor, mask_SGT: Tensor) -> Tensor:
            tokens = 0
            for tokens_BT1 in micro_batches:
                tokens += tokens_BT1.size(0) * (tokens_BT1.size(1) - 1)
            torch._foreach_zero_(gradients)
            nats = torch.zeros([])
            for tokens_BT1 in micro_batches:
                nats = nats + add_gradients(gradients, parameters, tokens_BT1, 1.0 / tokens, cos_PHT, sin_PHT, mask_SGT)
            return nats

        """;

    private readonly Decoder _decoder;
    private readonly Tensor[] _parameters;
    private readonly jit.CompilationUnit _script = jit.compile(Script(LeastForOneDnn));
    private readonly Lazy<jit.CompilationUnit> _withoutOneDnn = new(() => jit.compile(Script(long.MaxValue)));
    private readonly Tensor _cos_PHT;
    private readonly Tensor _sin_PHT;
    private readonly Tensor _mask_SGT;
    private readonly int _context;
    private readonly bool _writtenOut;
    private Tensor[] _gradients = [];
    private int _microBatch;

    /// <summary>Of a decoder's loss by its parameters.</summary>
    /// <param name="weights">Owned by the caller.</param>
    /// <param name="context">T, tokens a sequence.</param>
    /// <param name="compute">Where the weights lie; null is a processor.</param>
    /// <param name="mostScores">Scores of attention up to which the gradient is written out; 0 leaves everything to autograd.</param>
    public LossGradients(DecoderWeights weights, int context, Compute? compute = null, long mostScores = MostScores)
    {
        compute ??= Compute.Cpu;
        var shape = weights.Shape;
        _context = context;
        _writtenOut = compute is { Device: ComputeDevice.Cpu, Precision: Precision.Full } && (long)shape.Layers * shape.Heads * context * context <= mostScores;
        MicroBatch = Math.Max(1, (compute.Device == ComputeDevice.Cpu ? MicroBatchTokens : Math.Min(MostTokensOnGpu, MostLogitsOnGpu / shape.Vocabulary)) / context);
        _parameters = [.. weights.All];
        _decoder = new Decoder(weights, context, compute.Precision);
        using var scope = NewDisposeScope(); // after the decoder, whose tables would end with it
        // One table a head makes rotating one sweep through memory; those of the queries carry the 1/√H of the scores.
        var scale_P11 = cat([full([shape.Heads, 1, 1], 1 / Math.Sqrt(shape.HeadSize), float32), ones(shape.KvHeads, 1, 1)]);
        var (cos_T1H, sin_T1H) = Decoder.RotaryTables(shape.HeadSize, _writtenOut ? context : 1);
        _cos_PHT = (cos_T1H.permute(1, 2, 0) * scale_P11).contiguous().DetachFromDisposeScope();
        _sin_PHT = (sin_T1H.permute(1, 2, 0) * scale_P11).contiguous().DetachFromDisposeScope();
        long side = Math.Min(context, Math.Max(Block, (long)Math.Sqrt(WholeScores)));
        var future_ST = full([side, side], float.NegativeInfinity).tril(-1);
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
    /// micro-batches, the last of which may be smaller, count by their sequences. The next call overwrites the gradients.
    /// </summary>
    /// <param name="tokens_BT1">Windows of one token more than the context: inputs and, one further, targets.</param>
    public (Tensor Nats, Tensor[] Gradients) Of(Tensor tokens_BT1)
    {
        if (_gradients.Length == 0)
        {
            Tensor[] made = [.. _parameters.Select(p => zeros_like(p))]; // where memory does not hold all, they end with the caller's scope
            _gradients = [.. made.Select(g => g.DetachFromDisposeScope())];
        }

        var microBatches = tokens_BT1.split(MicroBatch);
        return (_writtenOut ? WrittenOut(microBatches) : AddUpByAutograd(microBatches), _gradients);
    }

    /// <summary>The same at once, by autograd over <see cref="Decoder.Logits"/>. Cross-entropy is log Σ exp(logits) less the target's logit, so the z-loss costs nothing more.</summary>
    /// <param name="tokens_BT1">As above.</param>
    public (Tensor Nats, Tensor[] Gradients) ByAutograd(Tensor tokens_BT1)
    {
        var logits_BTV = _decoder.Logits(tokens_BT1.narrow(1, 0, _context));
        var targets_BT1 = tokens_BT1.narrow(1, 1, _context).unsqueeze(-1);
        var logSum_BT1 = logits_BTV.logsumexp(-1, keepdim: true);
        var nats = (logSum_BT1 - logits_BTV.gather(-1, targets_BT1)).mean();
        return (nats.detach(), [.. autograd.grad([nats + logSum_BT1.square().mean() * ZLoss], _parameters)]);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        foreach (var gradient in _gradients)
        {
            gradient.Dispose();
        }

        _cos_PHT.Dispose();
        _sin_PHT.Dispose();
        _mask_SGT.Dispose();
        _script.Dispose();
        if (_withoutOneDnn.IsValueCreated)
        {
            _withoutOneDnn.Value.Dispose();
        }

        _decoder.Dispose();
    }

    private Tensor AddUpByAutograd(Tensor[] microBatches)
    {
        double batch = microBatches.Sum(m => m.shape[0]);
        var nats = zeros(Array.Empty<long>(), device: microBatches[0].device);
        foreach (var gradient in _gradients)
        {
            gradient.zero_();
        }

        foreach (var tokens_BT1 in microBatches)
        {
            using var scope = NewDisposeScope();
            Computing?.Invoke(tokens_BT1.shape[0]);
            double share = tokens_BT1.shape[0] / batch;
            var (partNats, partGradients) = ByAutograd(tokens_BT1);
            nats.add_(partNats, share);
            foreach (var (gradient, part) in _gradients.Zip(partGradients))
            {
                gradient.add_(part, share);
            }
        }

        return nats;
    }

    private Tensor WrittenOut(Tensor[] microBatches)
    {
        Array.ForEach(microBatches, m => Computing?.Invoke(m.shape[0]));
        using var noGradients = no_grad();
        var script = microBatches.Select(m => m.shape[0] * _context).Distinct().All(OneDnnIsRight) ? _script : _withoutOneDnn.Value;
        return script.invoke<Tensor>("set_gradients", _gradients, _parameters, microBatches, _cos_PHT, _sin_PHT, _mask_SGT);
    }

    /// <summary>Whether each product of that many rows that would go to oneDNN may: those of the way back have the weights turned round.</summary>
    private bool OneDnnIsRight(long z) => _parameters.Where(p => p.dim() == 2 && z * p.NumberOfElements >= LeastForOneDnn)
        .All(p => OneDnnProducts.AreRight(z, p.shape[1], p.shape[0]) && OneDnnProducts.AreRight(z, p.shape[0], p.shape[1]));

    private static string Text(double number) => number.ToString("R", CultureInfo.InvariantCulture);
}
