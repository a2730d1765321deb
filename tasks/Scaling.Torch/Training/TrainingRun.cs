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

    private readonly ushort[] _tokens;
    private readonly LossGradients _gradients;
    private readonly AdamW _optimiser;
    private readonly CosineSchedule _schedule;
    private readonly long _stepsPerLine;
    private readonly List<CurvePoint> _curve = [];
    private readonly CollectionPause _pause = new();
    private readonly Compute _compute;

    /// <summary>Loss and gradient norm of each step that was not waited for yet, in turn.</summary>
    private readonly List<Tensor> _open = [];
    private double _lossSum;

    /// <summary>A run at its start.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="tokens">The corpus's training part, more than a window of it.</param>
    /// <param name="compute">How; null is on a processor. It changes the last digits of results, and no checkpoint depends on it.</param>
    /// <exception cref="UnusableInputException">SCAL8209: the GPU's memory does not hold the weights and their moments.</exception>
    public TrainingRun(TrainingPlan plan, ushort[] tokens, Compute? compute = null)
    {
        Plan = plan;
        _tokens = tokens;
        _compute = compute ?? Compute.Cpu;
        _schedule = plan.Schedule;
        _stepsPerLine = (plan.Steps + CurveLines - 1) / CurveLines;
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
            throw DeviceMemory.TooSmall($"the weights of shape {plan.Shape.Id} and their moments, 12 bytes a parameter", e);
        }
    }

    /// <summary>What it follows.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Which windows come when.</summary>
    public TokenOrder Order { get; }

    /// <summary>As they are after <see cref="Step"/> steps.</summary>
    public DecoderWeights Weights { get; }

    /// <summary>Steps done, or handed to the device.</summary>
    public long Step { get; private set; }

    /// <summary>Seconds spent on them, over all processes that worked on the run.</summary>
    public double Seconds { get; set; }

    /// <summary>Training loss of the last step that was waited for, nats a token, without the z-loss.</summary>
    public double LastLoss { get; private set; }

    /// <summary>Sequences computed at once; it halves when the GPU's memory is full.</summary>
    public int MicroBatch => Math.Min(_gradients.MicroBatch, Plan.Batch);

    /// <summary>At most 50 lines in even distance, the last one at the end; of the steps that were waited for.</summary>
    public IReadOnlyList<CurvePoint> Curve => _curve;

    /// <summary>Whether all steps are done.</summary>
    public bool Done => Step == Plan.Steps;

    /// <summary>Does one step. A GPU may still be at it, and at steps before it, afterwards: see <see cref="Settle"/>.</summary>
    /// <exception cref="UnusableInputException">SCAL8005: the loss or its gradient is no longer a number; SCAL8209: the GPU's memory is too small for one sequence.</exception>
    public void Advance()
    {
        _pause.Rest();
        using var scope = NewDisposeScope();
        var (nats, norm, gradients) = ClippedGradients(NextBatch_BT1());
        _optimiser.Step(gradients, _schedule[Step]);
        _open.AddRange([nats.DetachFromDisposeScope(), norm.DetachFromDisposeScope()]);
        Step++;
        if (_open.Count == 2 * _compute.StepsAhead || Done)
        {
            Settle();
        }
    }

    /// <summary>Waits for the steps that the device is at, and takes their losses.</summary>
    /// <exception cref="UnusableInputException">SCAL8005, with the first step at which the loss or its gradient was no longer a number.</exception>
    public void Settle()
    {
        if (_open.Count == 0)
        {
            return;
        }

        using var scope = NewDisposeScope();
        float[] read = stack(_open).cpu().data<float>().ToArray();
        long step = Step - read.Length / 2;
        Forget();
        foreach (float[] pair in read.Chunk(2))
        {
            Take(++step, loss: pair[0], norm: pair[1]);
        }
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">Overwritten.</param>
    /// <exception cref="UnusableInputException">SCAL8005: of <see cref="Settle"/>; nothing is written then.</exception>
    public void Save(string path)
    {
        Settle();
        Safetensors.Write(path, [.. State()], new Dictionary<string, string>
        {
            ["plan"] = Plan.ToString(),
            ["step"] = Step.ToString(CultureInfo.InvariantCulture),
            ["seconds"] = Seconds.ToString("R", CultureInfo.InvariantCulture),
            ["loss_sum"] = _lossSum.ToString("R", CultureInfo.InvariantCulture),
            ["last_loss"] = LastLoss.ToString("R", CultureInfo.InvariantCulture),
            ["curve"] = JsonSerializer.Serialize(_curve),
        });
    }

    /// <summary>Goes on from a state that a run of the same plan on the same corpus has saved, on this device or another.</summary>
    /// <param name="path">As <see cref="Save"/> left it.</param>
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

        foreach (var (name, tensor) in State())
        {
            tensor.copy_(saved[name]);
        }

        Forget();
        Step = long.Parse(facts["step"], CultureInfo.InvariantCulture);
        Seconds = double.Parse(facts["seconds"], CultureInfo.InvariantCulture);
        _lossSum = double.Parse(facts["loss_sum"], CultureInfo.InvariantCulture);
        LastLoss = double.Parse(facts["last_loss"], CultureInfo.InvariantCulture);
        _curve.Clear();
        _curve.AddRange(JsonSerializer.Deserialize<List<CurvePoint>>(facts["curve"])!);
        _optimiser.RestoreSteps(Step);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        Forget();
        _optimiser?.Dispose();
        _gradients?.Dispose();
        Weights?.Dispose();
        _pause.Dispose();
    }

    internal LossGradients Gradients => _gradients;

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        Weights.All.Select((p, i) => ($"weight.{i}", p)).Concat(_optimiser.State());

    /// <summary>Windows of one token more than the context: inputs and, one further, targets.</summary>
    private Tensor NextBatch_BT1()
    {
        int context = Plan.Context;
        long[] batch = new long[Plan.Batch * (context + 1)];
        for (int b = 0; b < Plan.Batch; b++)
        {
            int start = Order[Step * Plan.Batch + b] * context;
            for (int t = 0; t <= context; t++)
            {
                batch[b * (context + 1) + t] = _tokens[start + t];
            }
        }

        var batch_BT1 = tensor(batch, [Plan.Batch, context + 1]);
        // From pinned memory the copy waits in the device's queue, behind the steps before, and the host goes on; libtorch keeps the memory until it is read.
        return _compute.Device == ComputeDevice.Cpu ? batch_BT1 : batch_BT1.pin_memory().to(_compute.TorchDevice, non_blocking: true);
    }

    /// <summary>
    /// The step's loss and gradients, in smaller micro-batches where memory is full. The means are the whole batch's either way, and what the failed attempt made is
    /// freed: until <see cref="AdamW.Step"/>, which takes no memory, nothing that outlives the step changes.
    /// </summary>
    private (Tensor Nats, Tensor Norm, Tensor[] Gradients) ClippedGradients(Tensor tokens_BT1)
    {
        while (true)
        {
            using var attempt = NewDisposeScope();
            try
            {
                var (nats, gradients) = _gradients.Of(tokens_BT1);
                var norm = _optimiser.Clip(gradients);
                return (nats.MoveToOuterDisposeScope(), norm.MoveToOuterDisposeScope(), [.. gradients.Select(g => g.MoveToOuterDisposeScope())]);
            }
            catch (ExternalException e) when (DeviceMemory.IsFull(e))
            {
                _gradients.MicroBatch = MicroBatch > 1 ? MicroBatch / 2 : throw DeviceMemory.TooSmall($"one sequence of {Plan.Context} tokens of shape {Plan.Shape.Id}", e);
            }
        }
    }

    private void Take(long step, double loss, double norm)
    {
        if (!double.IsFinite(loss) || !double.IsFinite(norm))
        {
            throw new UnusableInputException(
                "SCAL8005",
                $"Training diverged at step {step} of {Plan.Steps}: the loss is {loss.ToString(CultureInfo.InvariantCulture)}, the gradient's norm {norm.ToString(CultureInfo.InvariantCulture)}.",
                $"Lower learning_rate (it was {Plan.LearningRate.ToString(CultureInfo.InvariantCulture)}) or raise warmup.");
        }

        LastLoss = loss;
        _lossSum += loss;
        if (step % _stepsPerLine == 0 || step == Plan.Steps)
        {
            long steps = step % _stepsPerLine == 0 ? _stepsPerLine : step % _stepsPerLine;
            _curve.Add(new CurvePoint(step, step * Plan.Batch * Plan.Context, _lossSum / steps, _schedule[step - 1]));
            _lossSum = 0;
        }
    }

    private void Forget()
    {
        _open.ForEach(t => t.Dispose());
        _open.Clear();
    }
}
