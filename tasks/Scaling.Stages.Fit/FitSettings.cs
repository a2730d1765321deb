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

    /// <summary>L(N, D, hidden/layers), one exponent throughout.</summary>
    WidthOverDepth,
}

/// <summary>Terms of the law beyond x and the ratio.</summary>
public enum ExtraTermChoice
{
    /// <summary>Query heads a key/value head: the loss times (gqa/mean)^c.</summary>
    Gqa,

    /// <summary>x and the ratio together: ln x·ln ratio.</summary>
    Interaction,

    /// <summary>An optimum that moves with N: ln x·ln N and ln ratio·ln N.</summary>
    Drift,
}

/// <summary>The settings of <c>fit</c>.</summary>
public sealed record FitSettings
{
    [Description("A file of runs, instead of a stage's: CSV with a header, Parquet, or JSON Lines.")]
    public FileSet? Table { get; init; }

    [Description("Which rows count: comparisons of columns, joined by and, or, not. A text stands in single quotes. Absent: all.")]
    public string? Where { get; init; }

    [Description("What the table calls its columns: names, or formulas over columns such as 'step * batch'. shape, run and group are names alone.")]
    public ColumnNames Columns { get; init; } = new();

    [Description("What else may move the loss: a name of yours, and a column or formula.")]
    public IReadOnlyDictionary<string, string> Covariates { get; init; } = new Dictionary<string, string>();

    [Description("Which parameters N counts. The rule moves the exponent, so predictions must count alike; the law carries it.")]
    [Choice("non-embedding", "all but the embedding and the output matrix")]
    [Choice("total", "all of them")]
    [AllowedValues("non-embedding", "total")]
    public string Counting { get; init; } = "non-embedding";

    [Description("Which law is fitted: what the loss depends on.")]
    [Choice("auto", "conditional where x or the ratio takes three values within a size and budget, else chinchilla")]
    [Choice("chinchilla", "L(N, D)")]
    [Choice("conditional", "L(N, D, x, ratio)")]
    [Choice("width-over-depth", "L(N, D, hidden/layers), one exponent throughout")]
    public LawChoice Law { get; init; } = LawChoice.Auto;

    [Description("How the shape's terms act on the base law.")]
    [Choice("multiplicative", "a factor of x times one of the ratio")]
    [Choice("additive", "a term of x plus one of the ratio")]
    [Choice("joint", "a factor of x·ratio")]
    [Choice("quadratic", "a factor quadratic in their logarithms")]
    [Choice("valley", "a factor whose optimum moves with N, learnt with a weak prior: what a sweep's design plans with")]
    [Choice("auto", "the form that predicts each size best from the smaller ones, of the first four")]
    public FormChoice Form { get; init; } = FormChoice.Multiplicative;

    [Description("Terms beyond x and the ratio, of the conditional law. gqa also of chinchilla.")]
    [Choice("gqa", "query heads a key/value head")]
    [Choice("interaction", "x and the ratio together")]
    [Choice("drift", "an optimum that moves with N")]
    public IReadOnlyList<ExtraTermChoice> Terms { get; init; } = [];

    [Description("What the base law minimises. The shape's terms are least squares.")]
    [Choice("log-huber", "the sum of Huber losses of ln L")]
    [Choice("least-squares", "the sum of squares of L")]
    public ObjectiveKind Objective { get; init; } = ObjectiveKind.LogHuber;

    [Description("Half width of the Huber loss's quadratic part.")]
    [Unit("ln nats")]
    [Range(1e-6, 1.0)]
    public double Delta { get; init; } = 1e-3;

    [Description("Least and largest ratio of the rows that are fitted. Absent: 0.5 to 5, the paper's, and with 'form: valley' all.")]
    [Unit("1")]
    [Range(1e-6, 1e6)]
    [MinLength(2)]
    public IReadOnlyList<double>? RatioRange { get; init; }

    [Description("Resamples behind the intervals; 0 for none.")]
    [Unit("1")]
    [Range(0, 10000)]
    public int Resamples { get; init; } = 1000;

    [Description("Seed of the resamples.")]
    [Unit("1")]
    public int ResampleSeed { get; init; } = 20251021;

    [Description("Losses this near to the best are as good, in the decision.")]
    [Unit("nats a token")]
    [Range(0.0, 100.0)]
    public double Epsilon { get; init; } = 0.001;

    [Description("Probability with which the decision's confidence set holds the best shape.")]
    [Unit("1")]
    [Range(0.01, 0.999)]
    public double Confidence { get; init; } = 0.8;
}
