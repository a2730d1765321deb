// What a run leaves: its rows, times, curve, configuration and weights, and what its user should know.
using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

internal static class RunOutputs
{
    public static void Write(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus, MultipleChoice? answered, GpuUse? gpu)
    {
        Warn(context, run, corpus);
        WriteRuns(context, Rows(context, run, corpus, answered));
        WriteTimings(context, run.Plan, run.Plan.TokensAt(run.ExecutedSteps), run.Seconds, Process.GetCurrentProcess().PeakWorkingSet64, gpu);

        var curve = new StringBuilder();
        foreach (var point in run.Curve)
        {
            curve.Append(JsonSerializer.Serialize(point, StageDescriptor.Json)).Append('\n');
        }

        File.WriteAllText(context.Output("curve.jsonl"), curve.ToString());
        RunConfig.Write(context, run.Plan.Shape, context.Output("config.json"));
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
            WarnOfDivergence(context, plan, step, run.LastLoss);
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

    /// <summary>Says at which step a run ceased to learn; its row stays, without a loss.</summary>
    public static void WarnOfDivergence(StageContext<TrainSettings> context, TrainingPlan plan, long step, double loss) => context.Warn(
        "SCAL8005", $"{context.Point}: diverged at step {step} of {plan.Steps}: the loss was {loss.ToString(CultureInfo.InvariantCulture)} nats a token. It has no loss in runs.csv and is not fitted.",
        $"Lower learning_rate (it was {plan.Schedule.Peak.ToString("G4", CultureInfo.InvariantCulture)}) or raise warmup.");

    /// <summary>The cells of a row of runs.csv that follow from what was asked, by column; the others are the trainer's to tell.</summary>
    public static Dictionary<string, object?> AskedCells(StageContext<TrainSettings> context, TrainingPlan plan)
    {
        var cells = Vocabulary.ShapeTerms.Select(t => t.Name).Zip(plan.Shape.Cells()).ToDictionary(c => c.First, c => (object?)c.Second);
        cells["seed"] = plan.Seed;
        cells["training_run"] = context.Point;
        cells["batch"] = plan.Batch;
        cells["context"] = plan.Context;
        cells["learning_rate"] = plan.Schedule.Peak;
        cells["learning_rate_factor"] = context.Row.Number(Vocabulary.LearningRateFactor.Name);
        cells["baseline"] = context.Row.Text(Vocabulary.Baseline.Name);
        cells["baseline_loss"] = context.Row.Text(Vocabulary.BaselineLoss.Name);
        cells["schedule"] = ScheduleText(context.Settings);
        return cells;
    }

    /// <summary>Writes runs.csv; a column that a row does not tell is empty.</summary>
    public static void WriteRuns(StageContext<TrainSettings> context, IEnumerable<Dictionary<string, object?>> rows)
    {
        var runs = new TableBuilder(TrainTables.Runs);
        foreach (var cells in rows)
        {
            runs.Add([.. TrainTables.Runs.Select(column => cells.GetValueOrDefault(column.Name))]);
        }

        runs.Build().Write(context.Output("runs.csv"));
    }

    /// <summary>Writes timings.csv.</summary>
    /// <param name="context">Of the row.</param>
    /// <param name="plan">What was asked.</param>
    /// <param name="tokens">Trained on, those of branches included.</param>
    /// <param name="seconds">That this took, above 0.</param>
    /// <param name="peakMemory">Bytes of the process; null where it is not known.</param>
    /// <param name="gpu">Null on a processor.</param>
    public static void WriteTimings(StageContext<TrainSettings> context, TrainingPlan plan, long tokens, double seconds, object? peakMemory, GpuUse? gpu)
    {
        double rate = tokens / seconds, flops = rate * plan.FlopsPerToken;
        var timings = new TableBuilder(TrainTables.Timings);
        timings.Add(
            plan.Shape.Id, plan.Seed, TrainStage.TokensPerParameter(context), seconds, rate, flops, peakMemory, gpu?.PeakMemory, flops / gpu?.FlopsPerSecond);
        timings.Build().Write(context.Output("timings.csv"));
    }

    /// <summary>The learning rate's shape, as the column <c>schedule</c> tells it.</summary>
    private static string ScheduleText(TrainSettings settings) => settings.Schedule == ScheduleChoice.Cosine
        ? FormattableString.Invariant($"cosine to {Schedule.Floor}, warm-up {settings.Warmup}")
        : FormattableString.Invariant($"stable, 1-sqrt over {settings.Decay}, warm-up {settings.Warmup}");

    /// <summary>A row for each point; where the run diverged, one more without a loss for the point that it did not come to.</summary>
    private static IEnumerable<Dictionary<string, object?>> Rows(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus, MultipleChoice? answered)
    {
        var (plan, settings) = (run.Plan, context.Settings);
        var shares = TrainStage.Shares(settings, plan.Steps);
        foreach (var (point, heldOut) in plan.Points.Zip(run.Judged.Select(j => (HeldOutLoss?)j.HeldOut).Append(null)))
        {
            var cells = AskedCells(context, plan);
            cells["tokens_per_parameter"] = TrainStage.TokensPerParameter(context) * shares[point];
            cells["tokens"] = plan.TokensAt(point);
            cells["loss"] = heldOut?.Nats;
            cells["loss_standard_error"] = heldOut?.StandardError;
            cells["annealed"] = plan.IsAnnealedAt(point);
            cells["diverged_at"] = heldOut is null ? run.DivergedAt : null;
            cells["steps"] = point;
            cells["recipe"] = FormattableString.Invariant($"AdamW 0.9 0.95, decay {settings.WeightDecay}, clip 1, z-loss {LossGradients.ZLoss}, init sqrt(2/5d)");
            cells["precision"] = Compute.On(settings.Device).PrecisionName;
            cells["tokenizer"] = corpus.Tokenizer;
            cells["bytes_per_token"] = corpus.BytesPerToken;
            cells["evaluation_tokens"] = heldOut?.Tokens;
            cells["unique_tokens"] = corpus.TrainingTokens;
            cells["corpus"] = corpus.Corpus;
            cells["held_out"] = corpus.HeldOut;
            cells["token_order"] = run.Order.Id;
            if (point == plan.Steps)
            {
                cells["accuracy"] = answered?.Accuracy;
                cells["accuracy_standard_error"] = answered?.StandardError;
                cells["questions"] = answered?.Questions;
            }

            yield return cells;
        }
    }
}
