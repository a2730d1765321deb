// A training run: one step after the other, and a checkpoint from which another process goes on bit for bit.
//
// Axes: B batch, T context.
using System.Globalization;
using System.Runtime.InteropServices;
using System.Text.Json;
using static TorchSharp.torch;

namespace Scaling.Torch;

/// <summary>The state of a run. Whatever decides a step is either in the plan, in the corpus, or in the checkpoint: weights, moments, the step, the curve so far.</summary>
public sealed class TrainingRun : IDisposable
{
    private const int CurveLines = 50;

    private readonly TokenSequence _tokens;
    private readonly LossGradients _gradients;
    private readonly AdamW _optimiser;
    private readonly Func<DecoderWeights, HeldOutLoss> _judge;
    private readonly long _stepsPerLine;
    private readonly List<CurvePoint> _curve = [];
    private readonly List<JudgedPoint> _judged = [];
    private readonly CollectionPause _pause = new();
    private readonly Compute _compute;

    /// <summary>Loss and gradient norm of each step that was not waited for yet, in turn.</summary>
    private readonly List<Tensor> _open = [];
    private Tensor[] _trunk = [];
    private double _lossSum;
    private long _lossSteps;

    /// <summary>A run at its start.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="tokens">The corpus's training part, more than a window of it; not disposed.</param>
    /// <param name="judge">Tells the held-out loss of weights.</param>
    /// <param name="compute">How; null is on a processor. It changes the last digits of results, and no checkpoint depends on it.</param>
    /// <exception cref="UnusableInputException">SCAL8209: the GPU's memory does not hold the weights and their moments.</exception>
    public TrainingRun(TrainingPlan plan, TokenSequence tokens, Func<DecoderWeights, HeldOutLoss> judge, Compute? compute = null)
    {
        FreedMemory.Keep();
        Plan = plan;
        _tokens = tokens;
        _judge = judge;
        _compute = compute ?? Compute.Cpu;
        _stepsPerLine = (plan.ExecutedSteps + CurveLines - 1) / CurveLines;
        Order = new TokenOrder(tokens.Length, plan.Context, plan.OrderSeed);
        try
        {
            Weights = new DecoderWeights(plan.Shape, plan.Seed, _compute.TorchDevice);
            _gradients = new LossGradients(Weights, plan.Context, _compute);
            _optimiser = new AdamW(Weights, plan.WeightDecay);
        }
        catch (ExternalException e) when (DeviceMemory.IsFull(e))
        {
            Dispose();
            throw DeviceMemory.TooSmall($"the weights of shape {plan.Shape.Id} , their moments and gradients, 16 bytes a parameter", e);
        }
    }

    /// <summary>What it follows.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Which windows come when.</summary>
    public TokenOrder Order { get; }

    /// <summary>As they are after <see cref="Step"/> steps.</summary>
    public DecoderWeights Weights { get; }

    /// <summary>Steps behind <see cref="Weights"/>, those that a GPU is still at included: back on the trunk there are fewer of them.</summary>
    public long Step { get; private set; }

    /// <summary>Steps executed and waited for, those of branches included.</summary>
    public long ExecutedSteps { get; private set; }

    /// <summary>Seconds spent on them, over all processes that worked on the run.</summary>
    public double Seconds { get; set; }

    /// <summary>Training loss of the last step that was waited for, nats a token, without the z-loss.</summary>
    public double LastLoss { get; private set; }

    /// <summary>Sequences computed at once; it halves when the GPU's memory is full.</summary>
    public int MicroBatch => Math.Min(_gradients.MicroBatch, Plan.Batch);

    /// <summary>At most about 50 lines in even distance, and one at each point.</summary>
    public IReadOnlyList<CurvePoint> Curve => _curve;

    /// <summary>The held-out losses so far, in the order of <see cref="TrainingPlan.Points"/>.</summary>
    public IReadOnlyList<JudgedPoint> Judged => _judged;

    /// <summary>Whether all points are judged.</summary>
    public bool Done => _judged.Count == Plan.Points.Count;

    private long NextPoint => Plan.Points[_judged.Count];

    /// <summary>
    /// The step at which the loss or its gradient ceased to be a number, or the mean loss of a line of the curve, or the held-out loss of a point, came to more than
    /// <see cref="TrainingPlan.GreatestLoss"/>; null while it learns. The run then ends, and the point is not judged.
    /// </summary>
    public long? DivergedAt { get; private set; }

    /// <summary>
    /// Does one step; at a point judges the weights and, where the run had left its trunk, goes back to it. Between points a GPU may be at it, and at steps before it,
    /// when the call returns: see <see cref="Settle"/>.
    /// </summary>
    /// <exception cref="UnusableInputException">SCAL8209: the GPU's memory is too small for one sequence.</exception>
    public void Advance()
    {
        _pause.Rest();
        if (_trunk.Length == 0 && Plan.Leaves(NextPoint) && Step == Plan.Schedule.BranchesAt(NextPoint))
        {
            LeaveTrunk();
        }

        Learn();
        bool atPoint = Step == NextPoint;
        if (atPoint || _open.Count == 2 * _compute.StepsAhead)
        {
            Settle();
        }

        if (atPoint && DivergedAt is null)
        {
            var heldOut = _judge(Weights);
            if (!(heldOut.Nats <= Plan.GreatestLoss)) // also where it is no number
            {
                DivergedAt = Step;
                return;
            }

            _judged.Add(new JudgedPoint(Step, heldOut));
            if (_trunk.Length > 0)
            {
                ReturnToTrunk();
            }
        }
    }

    /// <summary>Waits for the steps that the device is at, and takes their losses; of the first at which the run diverged nothing but that it did.</summary>
    public void Settle()
    {
        if (_open.Count == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        float[] read = stack(_open).cpu().data<float>().ToArray();
        Forget();
        long step = Step - read.Length / 2;
        for (int i = 0; i < read.Length && DivergedAt is null; i += 2)
        {
            Take(++step, loss: read[i], norm: read[i + 1]);
        }
    }

    /// <summary>Writes the state, whole or not at all; of a run that has diverged it writes nothing.</summary>
    /// <param name="path">Overwritten.</param>
    public void Save(string path)
    {
        Settle();
        if (DivergedAt is null)
        {
            var facts = new Dictionary<string, string>
            {
                ["plan"] = Plan.ToString(),
                ["step"] = Text(Step),
                ["executed_steps"] = Text(ExecutedSteps),
                ["seconds"] = Text(Seconds),
                ["loss_sum"] = Text(_lossSum),
                ["loss_steps"] = Text(_lossSteps),
                ["last_loss"] = Text(LastLoss),
                ["curve"] = JsonSerializer.Serialize(_curve),
                ["judged"] = JsonSerializer.Serialize(_judged),
            };
            Safetensors.Write(path, [.. State(), .. Trunk()], facts);
        }
    }

    /// <summary>Goes on from a state that a run of the same plan on the same corpus has saved, on this device or another.</summary>
    /// <param name="path">As <see cref="Save"/> left it, byte for byte.</param>
    /// <exception cref="FormatException">The file is no such state; the run is as before.</exception>
    public void Resume(string path)
    {
        using var scope = NewDisposeScope();
        using var noGradients = no_grad();
        var (saved, facts) = Safetensors.Read(path);
        if (facts.GetValueOrDefault("plan") != Plan.ToString())
        {
            throw new FormatException($"{path} is no checkpoint of this run");
        }

        long Whole(string fact) => long.Parse(facts[fact], CultureInfo.InvariantCulture);
        double Number(string fact) => double.Parse(facts[fact], CultureInfo.InvariantCulture);
        if (saved.ContainsKey("trunk.0"))
        {
            LeaveTrunk();
        }

        foreach (var (name, tensor) in State().Concat(Trunk()))
        {
            tensor.copy_(saved[name]);
        }

        Forget();
        (Step, ExecutedSteps, Seconds, LastLoss) = (Whole("step"), Whole("executed_steps"), Number("seconds"), Number("last_loss"));
        (_lossSum, _lossSteps) = (Number("loss_sum"), Whole("loss_steps"));
        _curve.Clear();
        _curve.AddRange(JsonSerializer.Deserialize<List<CurvePoint>>(facts["curve"])!);
        _judged.Clear();
        _judged.AddRange(JsonSerializer.Deserialize<List<JudgedPoint>>(facts["judged"])!);
        _optimiser.RestoreSteps(Step);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        _optimiser?.Dispose();
        _gradients?.Dispose();
        Weights?.Dispose();
        Array.ForEach(_trunk, t => t.Dispose());
        _pause.Dispose();
    }

    /// <summary>For tests.</summary>
    internal LossGradients Gradients => _gradients;

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        Weights.All.Select((p, i) => ($"weight.{i}", p)).Concat(_optimiser.State());

    private IEnumerable<(string Name, Tensor Tensor)> Trunk() => _trunk.Select((t, i) => ($"trunk.{i}", t));

    private void Learn()
    {
        using var scope = NewDisposeScope();
        var (nats, norm, gradients) = ClippedGradients();
        _optimiser.Step(gradients, Plan.Schedule.Rate(Step, NextPoint));
        _open.AddRange([nats.DetachFromDisposeScope(), norm.DetachFromDisposeScope()]);
        Step++;
    }

    /// <summary>
    /// The step's loss and gradients, in smaller micro-batches where memory is full. The means are the whole batch's either way, and what the failed attempt made is
    /// freed: until <see cref="AdamW.Step"/>, which takes no memory, nothing that outlives the step changes.
    /// </summary>
    private (Tensor Nats, Tensor Norm, Tensor[] Gradients) ClippedGradients()
    {
        while (true)
        {
            using var attempt = NewDisposeScope();
            try
            {
                var (nats, gradients) = _gradients.Of(NextBatch_BT1());
                var norm = _optimiser.Clip(gradients);
                return (nats.MoveToOuterDisposeScope(), norm.MoveToOuterDisposeScope(), gradients);
            }
            catch (ExternalException e) when (DeviceMemory.IsFull(e))
            {
                _gradients.MicroBatch = MicroBatch > 1 ? MicroBatch / 2 : throw DeviceMemory.TooSmall($"one sequence of {Plan.Context} tokens of shape {Plan.Shape.Id}", e);
            }
        }
    }

    private void Take(long step, double loss, double norm)
    {
        LastLoss = loss;
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            DivergedAt = step;
            return;
        }

        ExecutedSteps++;
        _lossSum += loss;
        _lossSteps++;
        if (_lossSteps == _stepsPerLine || step == NextPoint)
        {
            DrawLine(step);
        }
    }

    private void Forget()
    {
        _open.ForEach(t => t.Dispose());
        _open.Clear();
    }

    private void LeaveTrunk()
    {
        using var noGradients = no_grad();
        _trunk = [.. State().Select(s => s.Tensor.detach().to(CPU, copy: true).DetachFromDisposeScope())];
    }

    private void ReturnToTrunk()
    {
        using var noGradients = no_grad();
        foreach (var (state, trunk) in State().Select(s => s.Tensor).Zip(_trunk))
        {
            state.copy_(trunk);
            trunk.Dispose();
        }

        _trunk = [];
        Step = Plan.Schedule.BranchesAt(_judged[^1].Step);
        _optimiser.RestoreSteps(Step);
    }

    /// <summary>Windows of one token more than the context: inputs and, one further, targets.</summary>
    private Tensor NextBatch_BT1()
    {
        int context = Plan.Context;
        long[] batch = new long[Plan.Batch * (context + 1)];
        for (int b = 0; b < Plan.Batch; b++)
        {
            _tokens.CopyTo((long)Order[Step * Plan.Batch + b] * context, batch.AsSpan(b * (context + 1), context + 1));
        }

        var batch_BT1 = tensor(batch, [Plan.Batch, context + 1]);
        // From pinned memory the copy waits in the device's queue, behind the steps before, and the host goes on; libtorch keeps the memory until it is read.
        return _compute.Device == ComputeDevice.Cpu ? batch_BT1 : batch_BT1.pin_memory().to(_compute.TorchDevice, non_blocking: true);
    }

    private void DrawLine(long step)
    {
        _curve.Add(new CurvePoint(step, Plan.TokensAt(step), _lossSum / _lossSteps, Plan.Schedule.Rate(step - 1, NextPoint), NextPoint));
        (_lossSum, _lossSteps) = (0, 0);
        DivergedAt = _curve[^1].Loss > Plan.GreatestLoss ? step : null;
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
