// What `export` takes and writes: roles, files, kinds.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class ExportTables
{
    public const string Report = "report.md";
    public const string Page = "report.html";
    public const string Lint = "lint.csv";
    public const string LossAgainstX = "figures/loss-x.svg";
    public const string LossAgainstRatio = "figures/loss-ratio.svg";
    public const string AccuracyAgainstLoss = "figures/accuracy-loss.svg";
    public const string PredictedAgainstMeasured = "figures/predicted-measured.svg";
    public const string Front = "figures/front.svg";
    public const string References = "figures/references.svg";
    public const string Residuals = "figures/residuals.svg";
    public const string Regret = "figures/regret.svg";
    public const string SpeedAgainstBatch = "figures/speed-batch.svg";
    public const string SpeedAgainstPrompt = "figures/speed-prompt.svg";
    public const string MeasuredSpeed = "figures/speed-measured.svg";
    public const string LearningCurves = "figures/learning-curves.svg";
    public const string LossAgainstSize = "figures/loss-size.svg";
    public const string Design = "figures/design.svg";
    public const string Chosen = "figures/chosen.svg";
    public const string Compared = "compared";
    public const string Curves = "curves";

    /// <summary>In the order of the report.</summary>
    private static readonly string[] Figures =
    [
        Design, Chosen, LossAgainstX, LossAgainstRatio, LossAgainstSize, AccuracyAgainstLoss, PredictedAgainstMeasured, Residuals, Regret, Front, References, SpeedAgainstBatch, SpeedAgainstPrompt, MeasuredSpeed,
        LearningCurves,
    ];

    /// <summary>The two shapes that a search picks, as folders and tables name them.</summary>
    public static readonly IReadOnlyList<string> Picks = ["accurate", "efficient"];

    /// <summary>What the report knows, by role; each role is named as the kind that it takes. The second word is the stage that writes it, for the report's last table.</summary>
    public static readonly IReadOnlyList<(string Role, string Stage, string File)> Sources =
    [
        ("best", "search", "best.json"),
        ("candidates", "search", "candidates.csv"),
        ("front", "search", "front.csv"),
        ("sensitivity", "search", "sensitivity.csv"),
        ("scored_references", "search", "references.csv"),
        ("runs", "train", "runs.csv"),
        ("law", "fit", "law.json"),
        ("residuals", "fit", "residuals.csv"),
        ("predictions", "extrapolate", "predictions.csv"),
        ("scores", "extrapolate", "scores.json"),
        ("speed", "measure", "speed.csv"),
        ("rounds", "sweep", "rounds.csv"),
        ("forecast", "sweep", "forecast.csv"),
        ("design", "sweep", "design.csv"),
    ];

    /// <summary>Beside them other searches, which have the kind of the one that is exported and are bound by name.</summary>
    public static readonly IReadOnlyList<InputRole> Inputs =
        [.. Sources.Select(s => new InputRole(s.Role, s.Role, Cardinality.Optional)), new InputRole(Curves, Curves, Cardinality.Many), new InputRole(Compared, "best", Cardinality.Many)];

    /// <summary>A row for each rule of a consumer that a pick breaks.</summary>
    public static readonly IReadOnlyList<Column> LintColumns =
    [
        new("pick", "text", "accurate or efficient"),
        new("consumer", "text", "as the setting consumers names it"),
        new("rule", "text", "the rule's name, one within its consumer"),
        new("effect", "text", "refuses: the consumer does not take the shape; slows: it takes it, and is slower or larger than it need be"),
        new("sentence", "text", "what the rule demands"),
        new("fault", "text", "what is wrong with the shape"),
        new("source", "text", "where the rule stands"),
        new(Vocabulary.Hidden.Name, Vocabulary.Hidden.Unit, "of the nearest shape that breaks no rule of that effect, within 1 % of the parameters; as the next empty where there is none"),
        new(Vocabulary.Intermediate.Name, Vocabulary.Intermediate.Unit, "likewise"),
        new(Vocabulary.Heads.Name, Vocabulary.Heads.Unit, "likewise"),
        new(Vocabulary.KvHeads.Name, Vocabulary.KvHeads.Unit, "likewise"),
        new(Vocabulary.HeadSize.Name, Vocabulary.HeadSize.Unit, "likewise; another than the pick's only where its own will not do"),
        new(Vocabulary.Tied.Name, Vocabulary.Tied.Unit, "likewise"),
        new("loss_difference", "nats a token", "the law's loss of the nearest shape less the pick's, at equal parameters and tokens; empty without a law"),
        new("speed_change", "1", "tokens a second of the nearest shape over the pick's, less 1, by the search's device and workload"),
    ];

    public static readonly IReadOnlyList<OutputFile> Outputs =
    [
        .. ConfigurationFormat.All.SelectMany(f => Picks, (f, pick) => new OutputFile(Configuration(pick, f), f.Kind) { Optional = true }),
        new(Report, "report"),
        new(Page, "report_page"),
        StageSummary.Output,
        new(Lint, "lint") { Columns = LintColumns, Optional = true },
        .. Figures.SelectMany(file => new OutputFile[] { new(file, "figure") { Optional = true }, new(FigureData.File(file), "figure_data") { Optional = true } }),
    ];

    /// <summary>The file of a pick in a format.</summary>
    /// <param name="pick">One of <see cref="Picks"/>.</param>
    /// <param name="format">Its format.</param>
    public static string Configuration(string pick, ConfigurationFormat format) => $"{pick}/{format.File}";
}
