// A training run: one step after the other, and a checkpoint from which another process goes on bit for bit.
//
// Axes: B batch, T context.
using System.Globalization;
using System.Text.Json;
using TorchSharp;
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
    private double _lossSum;

    /// <summary>A run at its start.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="tokens">The corpus's training part, more than a window of it.</param>
    public TrainingRun(TrainingPlan plan, ushort[] tokens)
    {
        FreedMemory.Keep();
        Plan = plan;
        _tokens = tokens;
        _schedule = plan.Schedule;
        _stepsPerLine = (plan.Steps + CurveLines - 1) / CurveLines;
        Order = new TokenOrder(tokens.Length, plan.Context, plan.OrderSeed);
        Weights = new DecoderWeights(plan.Shape, plan.Seed);
        _gradients = new LossGradients(Weights, plan.Context);
        _optimiser = new AdamW(Weights, plan.WeightDecay);
    }

    /// <summary>What it follows.</summary>
    public TrainingPlan Plan { get; }

    /// <summary>Which windows come when.</summary>
    public TokenOrder Order { get; }

    /// <summary>As they are after <see cref="Step"/> steps.</summary>
    public DecoderWeights Weights { get; }

    /// <summary>Steps done.</summary>
    public long Step { get; private set; }

    /// <summary>Seconds spent on them, over all processes that worked on the run.</summary>
    public double Seconds { get; set; }

    /// <summary>Training loss of the last step, nats a token, without the z-loss.</summary>
    public double LastLoss { get; private set; }

    /// <summary>At most 50 lines in even distance, the last one at the end.</summary>
    public IReadOnlyList<CurvePoint> Curve => _curve;

    /// <summary>Whether all steps are done.</summary>
    public bool Done => Step == Plan.Steps;

    /// <summary>Does one step.</summary>
    /// <exception cref="UnusableInputException">SCAL8005: the loss or its gradient is no longer a number.</exception>
    public void Advance()
    {
        _pause.Rest();
        using var scope = NewDisposeScope();
        var (nats, gradients) = _gradients.Of(NextBatch_BT1());
        LastLoss = nats.ToDouble();
        double norm = _optimiser.Step(gradients, _schedule[Step]);
        if (!double.IsFinite(LastLoss) || !double.IsFinite(norm))
        {
            throw new UnusableInputException(
                "SCAL8005",
                $"Training diverged at step {Step + 1} of {Plan.Steps}: the loss is {LastLoss.ToString(CultureInfo.InvariantCulture)}, the gradient's norm {norm.ToString(CultureInfo.InvariantCulture)}.",
                $"Lower learning_rate (it was {Plan.LearningRate.ToString(CultureInfo.InvariantCulture)}) or raise warmup.");
        }

        Step++;
        _lossSum += LastLoss;
        if (Step % _stepsPerLine == 0 || Done)
        {
            DrawLine();
        }
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">Overwritten.</param>
    public void Save(string path) => Safetensors.Write(path, [.. State()], new Dictionary<string, string>
    {
        ["plan"] = Plan.ToString(),
        ["step"] = Step.ToString(CultureInfo.InvariantCulture),
        ["seconds"] = Seconds.ToString("R", CultureInfo.InvariantCulture),
        ["loss_sum"] = _lossSum.ToString("R", CultureInfo.InvariantCulture),
        ["last_loss"] = LastLoss.ToString("R", CultureInfo.InvariantCulture),
        ["curve"] = JsonSerializer.Serialize(_curve),
    });

    /// <summary>Goes on from a state that a run of the same plan on the same corpus has saved.</summary>
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
        _optimiser.Dispose();
        _gradients.Dispose();
        Weights.Dispose();
        _pause.Dispose();
    }

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

        return tensor(batch, [Plan.Batch, context + 1]);
    }

    private void DrawLine()
    {
        long steps = Step % _stepsPerLine == 0 ? _stepsPerLine : Step % _stepsPerLine;
        _curve.Add(new CurvePoint(Step, Step * Plan.Batch * Plan.Context, _lossSum / steps, _schedule[Step - 1]));
        _lossSum = 0;
    }
}
