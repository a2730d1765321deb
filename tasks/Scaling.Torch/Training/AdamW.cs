// AdamW with global clipping, a few native calls a step for all parameters together.
using TorchSharp;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>
/// AdamW (Loshchilov and Hutter, arXiv 1711.05101) with β = (0.9, 0.95), ε = 1e-8; decay on the blocks' matrices alone; gradients clipped to norm 1 in all.
/// TorchSharp's own optimiser walks the parameters one by one; TorchScript reaches ATen's fused one.
/// </summary>
internal sealed class AdamW : IDisposable
{
    private const string Script = """
        def clip(grads: List[Tensor]) -> Tensor:
            norm = torch.linalg_vector_norm(torch.stack(torch._foreach_norm(grads)))
            torch._foreach_mul_(grads, torch.clamp(1.0 / (norm + 1e-6), max=1.0))
            return norm

        def update(params: List[Tensor], grads: List[Tensor], means: List[Tensor], squares: List[Tensor], steps: List[Tensor], lr: float, decay: float) -> Tensor:
            torch._foreach_add_(steps, 1)
            none: List[Tensor] = []
            torch._fused_adamw_(params, grads, means, squares, none, steps, lr=lr, beta1=0.9, beta2=0.95, weight_decay=decay, eps=1e-8, amsgrad=False, maximize=False)
            return steps[0]

        """;

    private readonly jit.CompilationUnit _script = jit.compile(Script);
    private readonly Tensor[] _parameters;
    private readonly Tensor[] _means;
    private readonly Tensor[] _squares;
    private readonly Tensor[] _steps;
    private readonly int _decayed;
    private readonly double _decay;

    public AdamW(DecoderWeights weights, double decay)
    {
        _parameters = [.. weights.All];
        _decayed = weights.Matrices.Count();
        _decay = decay;
        _means = [.. _parameters.Select(p => zeros(p.shape, device: weights.Device).DetachFromDisposeScope())];
        _squares = [.. _parameters.Select(p => zeros(p.shape, device: weights.Device).DetachFromDisposeScope())];
        _steps = [.. _parameters.Select(_ => zeros(Array.Empty<long>(), device: weights.Device).DetachFromDisposeScope())];
    }

    /// <summary>Scales gradients so that their norm in all is at most 1, and gives the norm from before. It changes nothing else.</summary>
    public Tensor Clip(Tensor[] gradients)
    {
        using var noGradients = no_grad();
        return _script.invoke<Tensor>("clip", [gradients]);
    }

    /// <summary>Moves the parameters against their clipped gradients.</summary>
    public void Step(Tensor[] gradients, double learningRate)
    {
        using var noGradients = no_grad();
        Update(gradients, .._decayed, learningRate, _decay);
        Update(gradients, _decayed.., learningRate, 0);
    }

    /// <summary>What must be kept to go on: two moments a parameter. Their count of steps is the run's.</summary>
    public IEnumerable<(string Name, Tensor Tensor)> State() =>
        _means.Select((m, i) => ($"mean.{i}", m)).Concat(_squares.Select((s, i) => ($"square.{i}", s)));

    /// <summary>Goes on after that many steps, the moments being restored.</summary>
    public void RestoreSteps(long steps)
    {
        foreach (var step in _steps)
        {
            step.fill_(steps);
        }
    }

    public void Dispose()
    {
        foreach (var tensor in _means.Concat(_squares).Concat(_steps))
        {
            tensor.Dispose();
        }

        _script.Dispose();
    }

    private void Update(Tensor[] gradients, Range range, double learningRate, double decay)
    {
        // Cut here and not in the script: TorchScript drops a fused or _foreach call on a slice of a list when nobody reads its result.
        // TorchSharp keeps only the native handle of a scalar argument: without these references a collection could free it before the call.
        using Scalar lr = learningRate, pull = decay;
        _script.invoke("update", _parameters[range], gradients[range], _means[range], _squares[range], _steps[range], lr, pull);
    }
}
