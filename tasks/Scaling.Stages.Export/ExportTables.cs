// What `export` takes and writes: roles, files, kinds.
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class ExportTables
{
    public const string Accurate = "accurate/config.json";
    public const string Efficient = "efficient/config.json";
    public const string Report = "report.md";
    public const string LossAgainstX = "figures/loss-x.svg";
    public const string LossAgainstRatio = "figures/loss-ratio.svg";
    public const string AccuracyAgainstLoss = "figures/accuracy-loss.svg";
    public const string PredictedAgainstMeasured = "figures/predicted-measured.svg";
    public const string Front = "figures/front.svg";

    /// <summary>What the report knows, by role; each role is named as the kind that it takes. The second word is the stage that writes it, for the report's last table.</summary>
    public static readonly IReadOnlyList<(string Role, string Stage, string File)> Sources =
    [
        ("best", "search", "best.json"),
        ("candidates", "search", "candidates.csv"),
        ("front", "search", "front.csv"),
        ("runs", "train", "runs.csv"),
        ("law", "fit", "law.json"),
        ("residuals", "fit", "residuals.csv"),
        ("predictions", "extrapolate", "predictions.csv"),
        ("scores", "extrapolate", "scores.json"),
        ("speed", "measure", "speed.csv"),
    ];

    public static readonly IReadOnlyList<InputRole> Inputs =
        [.. Sources.Select(s => new InputRole(s.Role, s.Role, s.Role == "best" ? Cardinality.One : Cardinality.Optional))];

    public static readonly IReadOnlyList<OutputFile> Outputs =
    [
        new(Accurate, "config"),
        new(Efficient, "config"),
        new(Report, "report"),
        new(LossAgainstX, "figure") { Optional = true },
        new(LossAgainstRatio, "figure") { Optional = true },
        new(AccuracyAgainstLoss, "figure") { Optional = true },
        new(PredictedAgainstMeasured, "figure") { Optional = true },
        new(Front, "figure") { Optional = true },
    ];
}
