// The settings of `fit`.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Fit;

/// <summary>Which law is fitted.</summary>
public enum LawChoice
{
    /// <summary>Conditional where x or the ratio takes three values within a size and budget, else Chinchilla.</summary>
    Auto,

    /// <summary>L(N, D).</summary>
    Chinchilla,

    /// <summary>L(N, D, x, ratio).</summary>
    Conditional,
}

/// <summary>What the user's table calls its columns; absent: the study's word of the same name.</summary>
public sealed record ColumnNames
{
    [Description("Column of the parameters N, counted as 'counting' says.")]
    public string? Parameters { get; init; }

    [Description("Column of the tokens D trained on.")]
    public string? Tokens { get; init; }

    [Description("Column of the held-out loss, nats a token.")]
    public string? Loss { get; init; }

    [Description("Column of hidden size over the square root of the non-embedding parameters.")]
    public string? X { get; init; }

    [Description("Column of the hidden size; gives x where the table has no column for it.")]
    public string? Hidden { get; init; }

    [Description("Column of MLP parameters over attention parameters.")]
    public string? Ratio { get; init; }

    [Description("Column that names a row's shape in residuals.csv.")]
    public string? Shape { get; init; }
}

/// <summary>The settings of <c>fit</c>.</summary>
public sealed record FitSettings
{
    [Description("A CSV file of runs, instead of a stage's.")]
    public FileSet? Table { get; init; }

    [Description("What the table calls its columns.")]
    public ColumnNames Columns { get; init; } = new();

    [Description("How the table counts parameters. The rule moves the exponent, so predictions must count alike; the law carries it.")]
    [AllowedValues("non-embedding", "total")]
    public string Counting { get; init; } = "non-embedding";

    [Description("chinchilla: L(N, D); conditional: L(N, D, x, ratio); auto: conditional where x or ratio takes three values within a size and budget.")]
    public LawChoice Law { get; init; } = LawChoice.Auto;

    [Description("How the shape's terms act on the base law.")]
    public LawForm Form { get; init; } = LawForm.Multiplicative;

    [Description("What the base law minimises: log-huber (sum of Huber losses of ln L) or least-squares (of L). The shape's terms are least squares.")]
    public ObjectiveKind Objective { get; init; } = ObjectiveKind.LogHuber;

    [Description("Half width of the Huber loss's quadratic part.")]
    [Unit("ln nats")]
    [Range(1e-6, 1.0)]
    public double Delta { get; init; } = 1e-3;

    [Description("Least and largest ratio of the rows that are fitted.")]
    [Range(1e-6, 1e6)]
    [MinLength(2)]
    public IReadOnlyList<double> RatioRange { get; init; } = [0.5, 5];

    [Description("Resamples behind the intervals; 0 for none.")]
    [Range(0, 10000)]
    public int Resamples { get; init; } = 200;

    [Description("Seed of the resamples.")]
    public int ResampleSeed { get; init; } = 20251021;
}
