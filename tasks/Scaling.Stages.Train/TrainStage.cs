// The stage `train`: every shape trained for every token budget on the same tokens in the same order, and judged on the same held-out slice.
using System.Diagnostics;
using System.Text;
using System.Text.Json;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>Trains one decoder a row. The weights, the curve and the loss are the same bytes on every run of one machine, also after a kill.</summary>
public sealed class TrainStage : Stage<TrainSettings>
{
    private const string Schedule = "cosine to 0.1";

    /// <summary>No setting: it changes no result, and every setting enters the key. A checkpoint of a small model takes milliseconds.</summary>
    private static readonly TimeSpan CheckpointEvery = TimeSpan.FromSeconds(2);

    /// <summary>The most of its time that a run spends on checkpoints: those of 100 million parameters hold 1.2 GB.</summary>
    private const double CheckpointShare = 0.02;

    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "train",
        Summary = "Trains a LLaMA-like decoder for every shape and token budget and tells its held-out loss.",
        Inputs = [new InputRole("shapes", "shapes")],
        FanOut = new FanOut("shapes", TrainTables.Reads, [Vocabulary.Shape.Name, Vocabulary.Seed.Name]) { Across = "tokens_per_parameter" },
        Prepare = new PrepareAction(["corpus", "tokenizer", "device"], [PreparedCorpus.Training, PreparedCorpus.HeldOut, PreparedCorpus.Facts]),
        UsesPipelineSeed = true,
        Outputs =
        [
            new OutputFile("runs.csv", "runs") { Columns = TrainTables.Runs },
            new OutputFile("timings.csv", "timings") { Columns = TrainTables.Timings, Volatile = true },
            new OutputFile("curve.jsonl", "curves"),
            new OutputFile("weights.safetensors", "weights"),
        ],
    };

    /// <inheritdoc/>
    protected override void Prepare(StageContext<TrainSettings> context)
    {
        // Reads the device for this alone: a missing GPU is told once, before the corpus is read, and not by every row after it.
        Understood(() => NativeLibtorch.DemandDevice(context.NativeFolders, context.Settings.Device));
        PreparedCorpus.Write(context);
    }

    /// <inheritdoc/>
    protected override void Run(StageContext<TrainSettings> context)
    {
        var shape = DecoderShape.FromCells(context.Row.Count, context.Row.Truth);
        CheckShape(context, shape);
        var corpus = PreparedCorpus.Read(context);
        Understood(() =>
        {
            NativeLibtorch.Load(
                context.NativeFolders, context.CacheFolder, news => context.Warn("SCAL8205", news, $"Nothing need be done; {NativeLibtorch.FixSwitch}=0 forbids it."), context.Settings.Device);
            using var run = new TrainingRun(PlanOf(context, shape), corpus.Training, Compute.On(context.Settings.Device));
            var gpu = GpuUse.Of(context.Settings.Device);
            GoOn(context, run);
            Train(context, run, gpu);
            Write(context, run, corpus, HeldOutLoss.Of(run.Weights, corpus.HeldOut, context.Settings.Context, context.Settings.EvaluationTokens), gpu);
        });
    }

    /// <summary>What the room of torch finds unusable is the user's to know.</summary>
    private static void Understood(Action work)
    {
        try
        {
            work();
        }
        catch (UnusableInputException e)
        {
            throw new StageFailedException(e.Code, e.Message, e.Hint);
        }
    }

    private static void CheckShape(StageContext<TrainSettings> context, DecoderShape shape)
    {
        if (shape.Flaw is { } flaw)
        {
            throw new StageFailedException("SCAL7404", $"Shape '{context.Point}' cannot be built: {flaw}.", "Take the shapes of a 'sweep', or correct the row.");
        }

        if (shape.Vocabulary < Corpus.Vocabulary)
        {
            throw new StageFailedException(
                "SCAL8004", $"Shape {shape.Id} has a vocabulary of {shape.Vocabulary} where the tokenizer 'bytes' gives {Corpus.Vocabulary} different tokens.",
                $"Write 'vocabulary: {Corpus.Vocabulary}' in the sweep.");
        }
    }

    private static TrainingPlan PlanOf(StageContext<TrainSettings> context, DecoderShape shape)
    {
        var settings = context.Settings;
        int tokensAStep = settings.Batch * settings.Context;
        return new TrainingPlan
        {
            Shape = shape,
            Seed = context.Row.Whole(Vocabulary.Seed.Name),
            OrderSeed = context.PipelineSeed,
            Steps = Math.Max(1, (long)Math.Round(settings.TokensPerParameter[0] * shape.Parameters / tokensAStep)),
            Batch = settings.Batch,
            Context = settings.Context,
            LearningRate = settings.LearningRate ?? LearningRateRule.Peak(shape, tokensAStep),
            Warmup = settings.Warmup,
            WeightDecay = settings.WeightDecay,
        };
    }

    private static string Checkpoint(StageContext<TrainSettings> context) => Path.Combine(context.WorkFolder, "checkpoint.safetensors");

    /// <summary>From the last checkpoint, where there is one.</summary>
    private static void GoOn(StageContext<TrainSettings> context, TrainingRun run)
    {
        try
        {
            if (File.Exists(Checkpoint(context)))
            {
                run.Resume(Checkpoint(context));
            }
        }
        catch (FormatException e)
        {
            context.Warn("SCAL8008", $"{context.Point}: {e.Message}; it starts again.");
        }
    }

    /// <summary>Steps to the end; writes a checkpoint every few seconds and when asked to stop.</summary>
    private static void Train(StageContext<TrainSettings> context, TrainingRun run, GpuUse? gpu)
    {
        var plan = run.Plan;
        long start = context.Time.GetTimestamp();
        double before = run.Seconds, save = CheckpointEvery.TotalSeconds, told = 0;
        while (!run.Done)
        {
            run.Advance();
            double seconds = context.Time.GetElapsedTime(start).TotalSeconds;
            run.Seconds = before + seconds;
            if (seconds - told > 0.25 || run.Done)
            {
                run.Settle();
                gpu?.Look();
                context.Progress(run.Step * (double)plan.Batch * plan.Context, plan.Tokens, "tokens", $"{run.LastLoss:0.000} nats a token");
                told = seconds;
            }

            bool stop = context.Stop.IsCancellationRequested;
            if (stop || seconds > save)
            {
                run.Save(Checkpoint(context));
                double took = context.Time.GetElapsedTime(start).TotalSeconds - seconds;
                save = seconds + Math.Max(CheckpointEvery.TotalSeconds, took / CheckpointShare);
            }

            if (stop)
            {
                throw new OperationCanceledException(context.Stop);
            }
        }
    }

    private static void Write(StageContext<TrainSettings> context, TrainingRun run, Corpus corpus, HeldOutLoss heldOut, GpuUse? gpu)
    {
        var (plan, settings) = (run.Plan, context.Settings);
        double budget = settings.TokensPerParameter[0];
        if (plan.Tokens > corpus.Training.Length)
        {
            context.Warn(
                "SCAL8006", $"{context.Point}: {plan.Tokens} training tokens are more than the corpus's {corpus.Training.Length}, which is read {(double)plan.Tokens / corpus.Training.Length:0.0} times.",
                "Repeated tokens teach less than new ones: name a larger corpus or lower tokens_per_parameter.");
        }

        if (heldOut.Nats >= corpus.UnigramEntropy)
        {
            context.Warn(
                "SCAL8007", $"{context.Point}: its held-out loss of {heldOut.Nats:0.000} nats a token is not below {corpus.UnigramEntropy:0.000}, that of knowing the tokens' frequencies alone.",
                "Raise tokens_per_parameter, lower batch, or set learning_rate.");
        }

        var runs = new TableBuilder(TrainTables.Runs);
        runs.Add(
        [
            .. plan.Shape.Cells(), plan.Seed, budget, plan.Tokens, heldOut.Nats, heldOut.StandardError, plan.Steps, plan.Batch, plan.Context,
            plan.LearningRate, Schedule, Compute.On(settings.Device).PrecisionName, "bytes", heldOut.Tokens, corpus.Training.Length, run.Order.Id,
        ]);
        runs.Build().Write(context.Output("runs.csv"));

        double rate = plan.Tokens / run.Seconds;
        var timings = new TableBuilder(TrainTables.Timings);
        double flops = rate * plan.FlopsPerToken;
        timings.Add(
            plan.Shape.Id, plan.Seed, budget, run.Seconds, rate, flops, Process.GetCurrentProcess().PeakWorkingSet64,
            gpu?.PeakMemory, flops / gpu?.FlopsPerSecond);
        timings.Build().Write(context.Output("timings.csv"));

        var curve = new StringBuilder();
        foreach (var point in run.Curve)
        {
            curve.Append(JsonSerializer.Serialize(point, StageDescriptor.Json)).Append('\n');
        }

        File.WriteAllText(context.Output("curve.jsonl"), curve.ToString());
        run.Weights.Write(context.Output("weights.safetensors"));
    }
}
