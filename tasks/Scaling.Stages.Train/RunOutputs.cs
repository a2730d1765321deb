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
        WriteRuns(context, run, corpus, answered);
        WriteTimings(context, run, gpu);

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
    public static string ScheduleText(TrainSettings settings) => settings.Schedule == ScheduleChoice.Cosine
        ? FormattableString.Invariant($"cosine to {Schedule.Floor}, warm-up {settings.Warmup}")
        : FormattableString.Invariant($"stable, 1-sqrt over {settings.Decay}, warm-up {settings.Warmup}");

    /// <summary>A row for each point; where the run diverged, one more without a loss for the point that it did not come to.</summary>
    private static void WriteRuns(StageContext<TrainSettings> context, TrainingRun run, CorpusFacts corpus, MultipleChoice? answered)
    {
        var (plan, settings) = (run.Plan, context.Settings);
        var shares = TrainStage.Shares(settings, plan.Steps);
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
                context.Row.Number(Vocabulary.LearningRateFactor.Name), context.Row.Text(Vocabulary.Baseline.Name), context.Row.Text(Vocabulary.BaselineLoss.Name), schedule, recipe,
                Compute.On(settings.Device).PrecisionName, corpus.Tokenizer, corpus.BytesPerToken, heldOut?.Tokens, corpus.TrainingTokens, corpus.Corpus, corpus.HeldOut, run.Order.Id, accuracy?.Accuracy, accuracy?.StandardError, accuracy?.Questions,
            ]);
        }

        runs.Build().Write(context.Output("runs.csv"));
    }

    private static void WriteTimings(StageContext<TrainSettings> context, TrainingRun run, GpuUse? gpu)
    {
        var plan = run.Plan;
        double rate = plan.TokensAt(run.ExecutedSteps) / run.Seconds;
        var timings = new TableBuilder(TrainTables.Timings);
        double flops = rate * plan.FlopsPerToken;
        timings.Add(
            plan.Shape.Id, plan.Seed, context.Settings.TokensPerParameter[0], run.Seconds, rate, flops, Process.GetCurrentProcess().PeakWorkingSet64,
            gpu?.PeakMemory, flops / gpu?.FlopsPerSecond);
        timings.Build().Write(context.Output("timings.csv"));
    }
}
