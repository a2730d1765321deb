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

    private readonly TokenSequence _tokens;
    private readonly LossGradients _gradients;
    private readonly AdamW _optimiser;
    private readonly Func<DecoderWeights, HeldOutLoss> _judge;
    private readonly long _stepsPerLine;
    private readonly List<CurvePoint> _curve = [];
    private readonly List<JudgedPoint> _judged = [];
    private readonly CollectionPause _pause = new();
    private Tensor[] _trunk = [];
    private double _lossSum;
    private long _lossSteps;

    /// <summary>A run at its start.</summary>
    /// <param name="plan">What to do.</param>
    /// <param name="tokens">The corpus's training part, more than a window of it; not disposed.</param>
    /// <param name="judge">Tells the held-out loss of weights.</param>
    public TrainingRun(TrainingPlan plan, TokenSequence tokens, Func<DecoderWeights, HeldOutLoss> judge)
    {
        Plan = plan;
        _tokens = tokens;
        _judge = judge;
        _stepsPerLine = (plan.ExecutedSteps + CurveLines - 1) / CurveLines;
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

    /// <summary>Steps behind <see cref="Weights"/>: back on the trunk there are fewer of them.</summary>
    public long Step { get; private set; }

    /// <summary>Steps executed, those of branches included.</summary>
    public long ExecutedSteps { get; private set; }

    /// <summary>Seconds spent on them, over all processes that worked on the run.</summary>
    public double Seconds { get; set; }

    /// <summary>Training loss of the last step, nats a token, without the z-loss.</summary>
    public double LastLoss { get; private set; }

    /// <summary>At most about 50 lines in even distance, and one at each point.</summary>
    public IReadOnlyList<CurvePoint> Curve => _curve;

    /// <summary>The held-out losses so far, in the order of <see cref="TrainingPlan.Points"/>.</summary>
    public IReadOnlyList<JudgedPoint> Judged => _judged;

    /// <summary>Whether all points are judged.</summary>
    public bool Done => _judged.Count == Plan.Points.Count;

    private long NextPoint => Plan.Points[_judged.Count];

    /// <summary>
    /// The step at which the loss or its gradient ceased to be a number, or the mean loss of a line of the curve came to more than a nat above that of guessing, ln V; null while
    /// it learns. The run then ends.
    /// </summary>
    public long? DivergedAt { get; private set; }

    /// <summary>Does one step; at a point judges the weights and, where the run had left its trunk, goes back to it.</summary>
    public void Advance()
    {
        _pause.Rest();
        if (_trunk.Length == 0 && Plan.Leaves(NextPoint) && Step == Plan.Schedule.BranchesAt(NextPoint))
        {
            LeaveTrunk();
        }

        Learn();
        if (DivergedAt is not null)
        {
            return;
        }

        bool atPoint = Step == NextPoint;
        if (_lossSteps == _stepsPerLine || atPoint)
        {
            DrawLine();
        }

        if (_lossSteps == 0 && _curve[^1].Loss > Math.Log(Plan.Shape.Vocabulary) + 1)
        {
            DivergedAt = Step;
        }
        else if (atPoint)
        {
            _judged.Add(new JudgedPoint(Step, _judge(Weights)));
            if (_trunk.Length > 0)
            {
                ReturnToTrunk();
            }
        }
    }

    /// <summary>Writes the state, whole or not at all.</summary>
    /// <param name="path">Overwritten.</param>
    public void Save(string path) => Safetensors.Write(path, [.. State(), .. Trunk()], new Dictionary<string, string>
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
        _optimiser.Dispose();
        _gradients.Dispose();
        Weights.Dispose();
        Array.ForEach(_trunk, t => t.Dispose());
        _pause.Dispose();
    }

    private IEnumerable<(string Name, Tensor Tensor)> State() =>
        Weights.All.Select((p, i) => ($"weight.{i}", p)).Concat(_optimiser.State());

    private IEnumerable<(string Name, Tensor Tensor)> Trunk() => _trunk.Select((t, i) => ($"trunk.{i}", t));

    private void Learn()
    {
        using var scope = NewDisposeScope();
        var (nats, gradients) = _gradients.Of(NextBatch_BT1());
        LastLoss = nats.ToDouble();
        double norm = _optimiser.Step(gradients, Plan.Schedule.Rate(Step, NextPoint));
        Step++;
        if (!double.IsFinite(LastLoss) || !double.IsFinite(norm))
        {
            DivergedAt = Step;
            return;
        }

        ExecutedSteps++;
        _lossSum += LastLoss;
        _lossSteps++;
    }

    private void LeaveTrunk()
    {
        using var noGradients = no_grad();
        _trunk = [.. State().Select(s => s.Tensor.detach().clone().DetachFromDisposeScope())];
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

        return tensor(batch, [Plan.Batch, context + 1]);
    }

    private void DrawLine()
    {
        _curve.Add(new CurvePoint(Step, Plan.TokensAt(Step), _lossSum / _lossSteps, Plan.Schedule.Rate(Step - 1, NextPoint), NextPoint));
        (_lossSum, _lossSteps) = (0, 0);
    }

    private static string Text(IFormattable number) => number.ToString(null, CultureInfo.InvariantCulture);
}
