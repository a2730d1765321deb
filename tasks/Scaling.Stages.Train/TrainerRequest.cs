// What a trainer of the user is asked: the shape, the tokens, the hyper-parameters, and where things lie. TRAINER.md lists the fields.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

/// <summary>Paths that a trainer is given.</summary>
/// <param name="Config">Hugging Face configuration of the shape.</param>
/// <param name="Request">The request itself.</param>
/// <param name="Result">Where the trainer writes its points.</param>
/// <param name="Work">A folder that survives a kill.</param>
internal sealed record TrainerPaths(string Config, string Request, string Result, string Work);

internal static class TrainerRequest
{
    /// <summary>Version of request and result.</summary>
    public const int Version = 1;

    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, NewLine = "\n", Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static void Write(StageContext<TrainSettings> context, TrainingPlan plan, CorpusFacts facts, TrainerPaths paths)
    {
        var settings = context.Settings;
        var shape = new JsonObject();
        foreach (var (term, value) in Vocabulary.ShapeTerms.Zip(plan.Shape.Cells()))
        {
            shape[term.Name] = JsonSerializer.SerializeToNode(value);
        }

        var request = new JsonObject
        {
            ["version"] = Version,
            ["point"] = context.Point,
            ["shape"] = shape,
            ["seed"] = plan.Seed,
            ["pipeline_seed"] = context.PipelineSeed,
            ["tokens_per_parameter"] = TrainStage.TokensPerParameter(context),
            ["tokens"] = plan.Tokens,
            ["steps"] = plan.Steps,
            ["batch"] = plan.Batch,
            ["context"] = plan.Context,
            ["points"] = new JsonArray([.. plan.Points.Select(p => (JsonNode)p)]),
            ["schedule"] = JsonSerializer.SerializeToNode(settings.Schedule, SettingsSchema.Json),
            ["learning_rate"] = plan.Schedule.Peak,
            ["warmup_steps"] = plan.Schedule.Warmup,
            ["decay"] = plan.Schedule.Decay,
            ["weight_decay"] = plan.WeightDecay,
            ["evaluation_tokens"] = settings.EvaluationTokens,
            ["corpus"] = settings.Corpus.Text,
            ["tokenizer"] = facts.Tokenizer,
            ["tokenizer_file"] = new FileInfo(context.Prepared(PreparedCorpus.TokenizerFile)).Length > 0 ? context.Prepared(PreparedCorpus.TokenizerFile) : null,
            ["training_shard"] = context.Prepared(PreparedCorpus.TrainingFile),
            ["held_out_shard"] = context.Prepared(PreparedCorpus.HeldOutFile),
            ["config"] = paths.Config,
            ["result"] = paths.Result,
            ["work"] = paths.Work,
        };
        File.WriteAllText(paths.Request, request.ToJsonString(Indented) + "\n");
    }
}
