// The stage `export`: the report of a study, and configurations of the two shapes that its search found.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>Needs a search's result or a law; every other table of the study makes the report say more.</summary>
public sealed class ExportStage : Stage<ExportSettings>
{
    /// <inheritdoc/>
    public override StageDeclaration Declaration { get; } = new()
    {
        Type = "export",
        Summary = "Writes the study's report, and the shapes that a search found as model configurations.",
        Example = """
            config:
              uses: export
              needs: [best, runs, law, larger, speed]
              with: { formats: [huggingface] }
            """,
        Inputs = ExportTables.Inputs,
        Outputs = ExportTables.Outputs,
    };

    /// <inheritdoc/>
    protected override void Run(StageContext<ExportSettings> context)
    {
        var study = Study.Read(context);
        var lint = Lint.None;
        IReadOnlyList<string> configurations = [];
        if (study.Best is { } best)
        {
            CheckSettings(context.Settings, best);
            lint = Lint.Of(study, best, context.Settings);
            configurations = WriteConfigurations(context, study);
            WarnOfRefusals(context, lint);
            WarnOfLength(context, best.Workload);
            lint.ToTable().Write(context.Output(ExportTables.Lint));
        }

        var figures = StudyFigures.Of(study);
        foreach (var figure in figures)
        {
            File.WriteAllText(context.Output(figure.File), FigureSvg.Draw(figure.Figure));
            FigureData.Of(figure.Figure).Write(context.Output(FigureData.File(figure.File)));
        }

        var report = Report.Of(study, lint, context.Settings.Title, configurations, figures);
        File.WriteAllText(context.Output(ExportTables.Report), MarkdownText.Of(report));
        File.WriteAllText(context.Output(ExportTables.Page), HtmlPage.Of(report));
        StudySummary.Of(study, context.Settings.Title).Write(context.Output(StageSummary.FileName));
    }

    /// <summary>The files that were written: not those whose format cannot say the shape.</summary>
    private static List<string> WriteConfigurations(StageContext<ExportSettings> context, Study study)
    {
        var written = new List<string>();
        foreach (string pick in ExportTables.Picks)
        {
            var shape = study.Pick(pick).ToShape();
            foreach (var format in ConfigurationFormat.All.Where(f => context.Settings.Formats.Contains(f.Name)))
            {
                string file = ExportTables.Configuration(pick, format);
                var unsaid = format.Consumer is null ? [] : Consumer.Named(format.Consumer)!.Broken(shape, tensorParallel: 1);
                if (unsaid.Count > 0)
                {
                    context.Warn(
                        "SCAL7508",
                        $"The format '{format.Name}' cannot say the {pick} shape, and {file} is not written: {string.Join("; ", unsaid.Select(r => r.Fault(shape, 1)))}.",
                        context.Settings.Consumers.Contains(format.Consumer) ? "'lint.csv' has the nearest shape that it can say." : $"Add '{format.Consumer}' to 'consumers' for the nearest shape that it can say.");
                    continue;
                }

                File.WriteAllText(context.Output(file), format.Text(shape, context.Settings));
                written.Add(file);
            }
        }

        return written;
    }

    private static void WarnOfRefusals(StageContext<ExportSettings> context, Lint lint)
    {
        foreach (var finding in lint.Refusals.Where(f => f.Broken.Count > 0))
        {
            string cost = finding.Nearest is { } near
                ? $"{(near.LossDifference is { } loss ? $"{Quantity.LossDifference(loss)} nats a token, " : "")}{Quantity.Change(near.SpeedChange)} tokens a second"
                : "";
            context.Warn(
                "SCAL7501",
                $"{finding.Consumer.Title} refuses the {finding.Pick} shape: {lint.Faults(finding)}.",
                finding.Nearest is { } nearest
                    ? $"The nearest shape that it takes is {ReportConsumers.InWords(finding.Shape, nearest.Shape)} ({cost})."
                    : "No shape of this size is taken there: leave it out of 'consumers'.");
        }
    }

    private static void CheckSettings(ExportSettings settings, SearchResult best)
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

        foreach (var format in ConfigurationFormat.All.Where(f => f.WholeRopeTheta && settings.Formats.Contains(f.Name) && settings.RopeTheta % 1 != 0))
        {
            found.Add(new Diagnostic("SCAL7509", $"'rope_theta' is {Table.Cell(settings.RopeTheta)}. Expected a whole number: the format '{format.Name}' takes no other.")
            {
                Hint = $"Round it, or leave '{format.Name}' out of 'formats'.",
            });
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
