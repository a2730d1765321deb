// The stage `train`: every shape trained for every token budget on the same tokens in the same order, and judged on the same held-out slice.
using System.Globalization;
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
        Example = """
            runs:
              uses: train
              needs: shapes                # of a sweep, or a table of yours: { shapes: my/shapes.csv }
              with: { corpus: dotnet-docs, tokens_per_parameter: [10, 20], batch: 4 }
            """,
        Inputs = [new InputRole("shapes", "shapes")],
        FanOut = new FanOut("shapes", TrainTables.Reads, [Vocabulary.Shape.Name, Vocabulary.Seed.Name, Vocabulary.LearningRateFactor.Name, Vocabulary.TokensShare.Name])
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
    protected override void CheckMachine(StageContext<TrainSettings> context) => Understood(() => NativeLibtorch.DemandDevice(context.Settings.Device));

    /// <inheritdoc/>
    protected override void Prepare(StageContext<TrainSettings> context)
    {
        Understood(() =>
        {
            // A missing GPU is told once, before the corpus is read, and not by every row after it. The device is among what this action reads for that alone.
            NativeLibtorch.DemandDevice(context.Settings.Device);
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
            if (context.Settings.MultipleChoice is { } asked)
            {
                throw new StageFailedException(
                    "SCAL8508", $"multiple_choice: '{asked.Text}' is asked by the built-in trainer alone, and 'trainer' names another.",
                    "Leave multiple_choice away; the trainer may tell 'accuracy' in its result.");
            }

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
                context.NativeFolders, context.CacheFolder, news => context.Warn("SCAL8205", news, $"Nothing need be done; {NativeLibtorch.FixSwitch}=0 forbids it."), settings.Device,
                putting => context.Progress(putting.Done, putting.Total, "bytes", putting.News), context.Stop);
            using var run = new TrainingRun(
                PlanOf(context, shape), corpus.Training, weights => HeldOutLoss.Of(weights, corpus.HeldOut, settings.Context, settings.EvaluationTokens), Compute.On(settings.Device));
            var gpu = GpuUse.Of(settings.Device);
            if (context.Checkpoints.Last() is { } checkpoint)
            {
                run.Resume(checkpoint);
            }

            Train(context, run, gpu);
            RunOutputs.Write(context, run, corpus.Facts, Answer(context, run, questions), gpu);
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
        long steps = Math.Max(1, (long)Math.Round(TokensPerParameter(context) * size / tokensAStep));
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

    /// <summary>What the row's budget is: the asked one, or its share of it.</summary>
    /// <exception cref="StageFailedException">SCAL8008: the row's share is none.</exception>
    internal static double TokensPerParameter(StageContext<TrainSettings> context) => context.Row.Number(Vocabulary.TokensShare.Name) is > 0 and <= 1 and var share
        ? share * context.Settings.TokensPerParameter[0]
        : throw new StageFailedException(
            "SCAL8008", $"'{Vocabulary.TokensShare.Name}' of '{context.Point}' is {context.Row.Text(Vocabulary.TokensShare.Name)}. Expected a number above 0, at most 1.",
            "Correct the row, or leave the column out: every row is then trained on all tokens that 'tokens_per_parameter' asks for.");

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
                Save(context, run);
                double took = context.Time.GetElapsedTime(start).TotalSeconds - seconds;
                save = seconds + Math.Max(CheckpointEvery.TotalSeconds, took / CheckpointShare);
            }

            if (stop)
            {
                throw new OperationCanceledException(context.Stop);
            }
        }
    }

    private static void Save(StageContext<TrainSettings> context, TrainingRun run)
    {
        run.Settle();
        if (run.DivergedAt is null)
        {
            context.Checkpoints.Save(run.Save);
        }
    }

    /// <summary>The accuracy at the end of a run; null where nothing was asked, or the run diverged.</summary>
    private static MultipleChoice? Answer(StageContext<TrainSettings> context, TrainingRun run, IReadOnlyList<ChoiceQuestion> questions) => questions.Count == 0 || !run.Done
        ? null
        : MultipleChoice.Of(run.Weights, questions, context.Settings.Context, (done, all) => context.Progress(done, all, "choices"), context.Stop);
}
