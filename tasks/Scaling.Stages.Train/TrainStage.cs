// The stage `train`: every shape trained for every token budget on the same tokens in the same order, and judged on the same held-out slice.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>
/// Trains one decoder a row. On a processor the weights, the curve and the loss are the same bytes on every run of one machine, also after a kill; on a GPU they agree but
/// for rounding, as attention's gradient is added up in no fixed order there.
/// </summary>
public sealed class TrainStage : Stage<TrainSettings>
{
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
        FanOut = new FanOut("shapes", TrainTables.Reads, [Vocabulary.Shape.Name, Vocabulary.Seed.Name, Vocabulary.LearningRateFactor.Name])
        {
            Across = "tokens_per_parameter",
            Optional = TrainTables.MayRead,
        },
        Prepare = new PrepareAction(
            ["corpus", "held_out", "tokenizer", "tokenizer_vocabulary", "tokenizer_pattern", "multiple_choice", "device"],
            [PreparedCorpus.TrainingFile, PreparedCorpus.HeldOutFile, PreparedCorpus.TokenizerFile, PreparedCorpus.FactsFile, PreparedQuestions.File]),
        UsesPipelineSeed = true,
        Outputs =
        [
            new OutputFile("runs.csv", "runs") { Columns = TrainTables.Runs },
            new OutputFile("timings.csv", "timings") { Columns = TrainTables.Timings, Volatile = true },
            new OutputFile("curve.jsonl", "curves") { Optional = true },
            new OutputFile(EventFile.Name, "events") { Optional = true },
            new OutputFile("weights.safetensors", "weights") { Optional = true },
            new OutputFile("config.json", "configs"),
            new OutputFile(PreparedCorpus.TokenizerFile, "tokenizer") { Optional = true },
        ],
    };

    /// <inheritdoc/>
    protected override void Prepare(StageContext<TrainSettings> context)
    {
        Understood(() =>
        {
            // A missing GPU is told once, before the corpus is read, and not by every row after it. The device is among what this action reads for that alone.
            NativeLibtorch.DemandDevice(context.NativeFolders, context.Settings.Device);
            PreparedCorpus.Write(context);
        });
    }

    /// <inheritdoc/>
    protected override void Run(StageContext<TrainSettings> context)
    {
        var shape = DecoderShape.FromCells(context.Row.Count, context.Row.Truth);
        if (context.Settings.Trainer is not null)
        {
            CheckFlaw(context, shape);
            new ExternalTrainer(context, PlanOf(context, shape)).Run();
            return;
        }

        using var corpus = PreparedCorpus.Read(context);
        CheckShape(context, shape, corpus.Facts);
        var questions = PreparedQuestions.Read(context);
        var settings = context.Settings;
        Understood(() =>
        {
            NativeLibtorch.Load(
                context.NativeFolders, context.CacheFolder, news => context.Warn("SCAL8205", news, $"Nothing need be done; {NativeLibtorch.FixSwitch}=0 forbids it."), settings.Device);
            using var run = new TrainingRun(
                PlanOf(context, shape), corpus.Training, weights => HeldOutLoss.Of(weights, corpus.HeldOut, settings.Context, settings.EvaluationTokens), Compute.On(settings.Device));
            var gpu = GpuUse.Of(settings.Device);
            GoOn(context, run);
            Train(context, run, gpu);
            Write(context, run, corpus.Facts, Answer(context, run, questions), gpu);
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

    /// <inheritdoc/>
    protected override IReadOnlyList<PricedQuantity> Price(StageContext<TrainSettings> context, PriceTarget target)
    {
        var shape = DecoderShape.FromCells(context.Row.Count, context.Row.Truth);
        CheckFlaw(context, shape);
        var plan = PlanOf(context, shape);
        return RunPrice.Of(plan, target, weightsAreKept: context.Settings.Trainer is null);
    }

    private static void CheckShape(StageContext<TrainSettings> context, DecoderShape shape, CorpusFacts corpus)
    {
        CheckFlaw(context, shape);
        if (shape.Vocabulary < corpus.Vocabulary)
        {
            throw new StageFailedException(
                "SCAL8004", $"Shape {shape.Id} has a vocabulary of {shape.Vocabulary} where the tokenizer '{corpus.Tokenizer}' gives tokens up to {corpus.Vocabulary - 1}.",
                $"Write 'vocabulary: {corpus.Vocabulary}' in the sweep, or more.");
        }
    }

    private static void CheckFlaw(StageContext<TrainSettings> context, DecoderShape shape)
    {
        if (shape.Flaw is { } flaw)
        {
            throw new StageFailedException("SCAL7404", $"Shape '{context.Point}' cannot be built: {flaw}.", "Take the shapes of a 'sweep', or correct the row.");
        }
    }

    private static TrainingPlan PlanOf(StageContext<TrainSettings> context, DecoderShape shape)
    {
        var settings = context.Settings;
        double size = context.Row.Text(TrainTables.Size).Length == 0 ? shape.Parameters : context.Row.Number(TrainTables.Size);
        int batch = settings.Batch ?? BatchRule.Sequences(size, settings.Context);
        int tokensAStep = checked(batch * settings.Context);
        long steps = Math.Max(1, (long)Math.Round(settings.TokensPerParameter[0] * size / tokensAStep));
        var kind = settings.Schedule == ScheduleChoice.Cosine ? ScheduleKind.Cosine : ScheduleKind.WarmupStableDecay;
        double peak = settings.LearningRate ?? LearningRateRule.Peak(shape, tokensAStep, kind);
        return new TrainingPlan
        {
            Shape = shape,
            Seed = context.Row.Whole(Vocabulary.Seed.Name),
            OrderSeed = context.PipelineSeed,
            Points = [.. Shares(settings, steps).Keys],
            Batch = batch,
            Context = settings.Context,
            Schedule = new Schedule(kind, steps, (long)(settings.Warmup * steps), peak * context.Row.Number(Vocabulary.LearningRateFactor.Name), settings.Decay),
            WeightDecay = settings.WeightDecay,
        };
    }

    /// <summary>The steps at which the run is judged, rising, with the share of the budget that each stands for.</summary>
    internal static SortedDictionary<long, double> Shares(TrainSettings settings, long steps)
    {
        var shares = new SortedDictionary<long, double>();
        foreach (double share in settings.Points.Append(1).Order())
        {
            shares[Math.Max(1, (long)Math.Round(share * steps))] = share;
        }

        return shares;
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
        while (run is { Done: false, DivergedAt: null })
        {
            run.Advance();
            double seconds = context.Time.GetElapsedTime(start).TotalSeconds;
            run.Seconds = before + seconds;
            if (seconds - told > 0.25 || run.Done)
            {
                run.Settle();
                gpu?.Look();
                context.Progress(plan.TokensAt(run.ExecutedSteps), plan.TokensAt(plan.ExecutedSteps), "tokens", string.Create(CultureInfo.InvariantCulture, $"{run.LastLoss:0.000} nats a token, {plan.TokensAt(run.ExecutedSteps) / run.Seconds:0} tokens/s"));
                told = seconds;
            }

            bool stop = context.Stop.IsCancellationRequested && run.DivergedAt is null;
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

    /// <summary>The accuracy at the end of a run; null where nothing was asked, or the run diverged.</summary>
    private static MultipleChoice? Answer(StageContext<TrainSettings> context, TrainingRun run, IReadOnlyList<ChoiceQuestion> questions) => questions.Count == 0 || !run.Done
        ? null
        : MultipleChoice.Of(run.Weights, questions, context.Settings.Context, (done, all) => context.Progress(done, all, "choices"), context.Stop);

    private static void Write(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus, MultipleChoice? answered, GpuUse? gpu)
    {
        Warn(context, run, corpus);
        WriteRuns(context, run, corpus, answered);

        var plan = run.Plan;
        double rate = plan.TokensAt(run.ExecutedSteps) / run.Seconds;
        var timings = new TableBuilder(TrainTables.Timings);
        double flops = rate * plan.FlopsPerToken;
        timings.Add(
            plan.Shape.Id, plan.Seed, context.Settings.TokensPerParameter[0], run.Seconds, rate, flops, Process.GetCurrentProcess().PeakWorkingSet64,
            gpu?.PeakMemory, flops / gpu?.FlopsPerSecond);
        timings.Build().Write(context.Output("timings.csv"));

        var curve = new StringBuilder();
        foreach (var point in run.Curve)
        {
            curve.Append(JsonSerializer.Serialize(point, StageDescriptor.Json)).Append('\n');
        }

        File.WriteAllText(context.Output("curve.jsonl"), curve.ToString());
        RunConfig.Write(context, plan.Shape, context.Output("config.json"));
        EventFile.Write(context.Output(EventFile.Name), RunEvents.Of(run, answered));
        if (run.DivergedAt is null)
        {
            run.Weights.Write(context.Output("weights.safetensors"));
        }

        if (new FileInfo(context.Prepared(PreparedCorpus.TokenizerFile)).Length > 0)
        {
            File.Copy(context.Prepared(PreparedCorpus.TokenizerFile), context.Output(PreparedCorpus.TokenizerFile));
        }
    }

    private static void Warn(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus)
    {
        var plan = run.Plan;
        if (run.DivergedAt is { } step)
        {
            context.Warn(
                "SCAL8005", $"{context.Point}: diverged at step {step} of {plan.Steps}: the loss was {run.LastLoss.ToString(CultureInfo.InvariantCulture)} nats a token. It has no loss in runs.csv and is not fitted.",
                $"Lower learning_rate (it was {plan.Schedule.Peak.ToString("G4", CultureInfo.InvariantCulture)}) or raise warmup.");
        }

        if (plan.Tokens > corpus.TrainingTokens)
        {
            context.Warn(
                "SCAL8006", $"{context.Point}: {plan.Tokens} training tokens are more than the corpus's {corpus.TrainingTokens}, which is read {(double)plan.Tokens / corpus.TrainingTokens:0.0} times.",
                "Repeated tokens teach less than new ones: name a larger corpus or lower tokens_per_parameter.");
        }

        if (run is { Done: true, Judged: [.., var last] } && last.HeldOut.Nats >= corpus.UnigramEntropy)
        {
            context.Warn(
                "SCAL8007", $"{context.Point}: its held-out loss of {last.HeldOut.Nats:0.000} nats a token is not below {corpus.UnigramEntropy:0.000}, that of knowing the tokens' frequencies alone.",
                "Raise tokens_per_parameter, lower batch, or set learning_rate.");
        }
    }

    /// <summary>The learning rate's shape, as the column <c>schedule</c> tells it.</summary>
    internal static string ScheduleText(TrainSettings settings) => settings.Schedule == ScheduleChoice.Cosine
        ? FormattableString.Invariant($"cosine to {Schedule.Floor}, warm-up {settings.Warmup}")
        : FormattableString.Invariant($"stable, 1-sqrt over {settings.Decay}, warm-up {settings.Warmup}");

    /// <summary>A row for each point; where the run diverged, one more without a loss for the point that it did not come to.</summary>
    private static void WriteRuns(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus, MultipleChoice? answered)
    {
        var (plan, settings) = (run.Plan, context.Settings);
        var shares = Shares(settings, plan.Steps);
        string schedule = ScheduleText(settings);
        string recipe = FormattableString.Invariant($"AdamW 0.9 0.95, decay {settings.WeightDecay}, clip 1, z-loss {LossGradients.ZLoss}, init sqrt(2/5d)");
        var runs = new TableBuilder(TrainTables.Runs);
        for (int i = 0; i < plan.Points.Count; i++)
        {
            long point = plan.Points[i];
            var heldOut = i < run.Judged.Count ? run.Judged[i].HeldOut : null;
            if (heldOut is null && i > run.Judged.Count)
            {
                break;
            }

            var accuracy = point == plan.Steps ? answered : null;
            runs.Add(
            [
                .. plan.Shape.Cells(), plan.Seed, settings.TokensPerParameter[0] * shares[point], plan.TokensAt(point), heldOut?.Nats, heldOut?.StandardError, context.Point,
                plan.IsAnnealedAt(point), heldOut is null ? run.DivergedAt : null, point, plan.Batch, plan.Context, plan.Schedule.Peak,
                context.Row.Number(Vocabulary.LearningRateFactor.Name), context.Row.Text(Vocabulary.Baseline.Name), context.Row.Text(Vocabulary.BaselineLoss.Name), schedule, recipe, Compute.On(settings.Device).PrecisionName, corpus.Tokenizer, corpus.BytesPerToken, heldOut?.Tokens, corpus.TrainingTokens, corpus.Corpus, corpus.HeldOut,
                run.Order.Id, accuracy?.Accuracy, accuracy?.StandardError, accuracy?.Questions,
            ]);
        }

        runs.Build().Write(context.Output("runs.csv"));
    }
}
