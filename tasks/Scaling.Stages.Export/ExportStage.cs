// The stage `export`: configurations of the two shapes that a search found, and the report of the study that found them.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>Needs a search's result; every other table of the study makes the report say more.</summary>
public sealed class ExportStage : Stage<ExportSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "export",
        Summary = "Writes the found shapes as model configurations and the study's report.",
        Inputs = ExportTables.Inputs,
        Outputs = ExportTables.Outputs,
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<ExportSettings> context)
    {
        var study = Study.Read(context);
        CheckTokens(context.Settings, study.Best);
        WriteConfig(context, ExportTables.Accurate, "accurate", study.Best.Accurate.ToShape());
        WriteConfig(context, ExportTables.Efficient, "efficient", study.Best.Efficient.ToShape());
        WarnOfLength(context, study.Best.Workload);

        var figures = StudyFigures.Of(study);
        foreach (var figure in figures)
        {
            File.WriteAllText(context.Output(figure.File), FigureSvg.Draw(figure.Figure));
        }

        File.WriteAllText(context.Output(ExportTables.Report), Report.Of(study, context.Settings.Title, figures));
    }

    private static void WriteConfig(StageContext<ExportSettings> context, string file, string pick, DecoderShape shape)
    {
        File.WriteAllText(context.Output(file), HuggingFaceConfig.Of(shape, context.Settings.ToOptions()));
        if (!HuggingFaceConfig.TransformersFiveTakes(shape))
        {
            context.Warn(
                "SCAL7501",
                $"transformers 5 refuses {file}: hidden size {shape.Hidden} is no multiple of {shape.Heads} heads. transformers 4 and vLLM read head_dim and take it.",
                $"To load the {pick} shape there, search among hidden sizes that are multiples of the number of heads.");
        }
    }

    private static void CheckTokens(ExportSettings settings, SearchResult best)
    {
        int vocabulary = Math.Min(best.Accurate.Vocabulary, best.Efficient.Vocabulary);
        var found = new List<Diagnostic>();
        foreach (var (name, id) in new[] { ("bos_token_id", settings.BosTokenId), ("eos_token_id", settings.EosTokenId) })
        {
            if (id >= vocabulary)
            {
                found.Add(new Diagnostic("SCAL7503", $"'{name}' is {id}. Expected a token of the vocabulary, 0 to {vocabulary - 1}.")
                {
                    Hint = "Leave it out where the tokenizer has no such token.",
                });
            }
        }

        if (found.Count > 0)
        {
            throw new StageFailedException(found);
        }
    }

    private static void WarnOfLength(StageContext<ExportSettings> context, Workload workload)
    {
        int longest = workload.Prompt + workload.Output;
        if (longest > context.Settings.MaxPositionEmbeddings)
        {
            context.Warn(
                "SCAL7502",
                $"'max_position_embeddings' is {context.Settings.MaxPositionEmbeddings}, and the search's workload is {longest} tokens long ({workload.Prompt} read, {workload.Output} written).",
                $"Write at least {longest}.");
        }
    }
}
