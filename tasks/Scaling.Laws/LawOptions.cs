// What is fitted, and how: with these and the same runs a refit is the same fit.
namespace Scaling.Laws;

/// <summary>Which law.</summary>
public enum LawKind
{
    /// <summary>L(N, D) alone.</summary>
    Chinchilla,

    /// <summary>L(N, D) with the shape's terms.</summary>
    Conditional,

    /// <summary>
    /// (E + A/N^a + B/D^a)·(1 + γ·(d/L)^a), one exponent throughout, for runs whose width and depth move together (Bian, Yan, Venkataraman 2025,
    /// arXiv 2501.18107).
    /// </summary>
    WidthOverDepth,
}

/// <summary>Which form of the conditional law.</summary>
public enum FormChoice
{
    /// <summary>As <see cref="LawForm.Multiplicative"/>.</summary>
    Multiplicative,

    /// <summary>As <see cref="LawForm.Additive"/>.</summary>
    Additive,

    /// <summary>As <see cref="LawForm.Joint"/>.</summary>
    Joint,

    /// <summary>As <see cref="LawForm.Quadratic"/>.</summary>
    Quadratic,

    /// <summary>As <see cref="LawForm.Valley"/>; multiplicative where the runs do not vary both x and the ratio.</summary>
    Valley,

    /// <summary>The form that predicts each size best from the smaller ones; the largest size to be scored on must not be among the runs.</summary>
    Auto,
}

/// <summary>A term beyond x and the ratio. Of the factor forms each multiplies the loss by exp(c·z); of the additive form it adds c·z nats.</summary>
public enum LawTerm
{
    /// <summary>z = ln(GQA/centre).</summary>
    Gqa,

    /// <summary>z = ln(x/centre)·ln(r/centre).</summary>
    Interaction,

    /// <summary>Two terms, z = ln(x/centre)·ln(N/largest size) and the same of r: an optimum that moves with N.</summary>
    Drift,

    /// <summary>z = a covariate of the user less its mean.</summary>
    Covariate,

    /// <summary>z = 1 for the rows of a hyper-parameter group, else 0.</summary>
    Offset,
}

/// <summary>What the base law minimises.</summary>
public enum ObjectiveKind
{
    /// <summary>Σ Huber_δ(ln L̂ − ln L): ½r² for |r| ≤ δ, else δ(|r| − ½δ).</summary>
    LogHuber,

    /// <summary>½ Σ (L̂ − L)².</summary>
    LeastSquares,
}

/// <summary>How the fit treated what it was given; with it a refit on fewer rows is the same fit.</summary>
public sealed record LawOptions
{
    /// <summary>Default: conditional.</summary>
    public LawKind Law { get; init; } = LawKind.Conditional;

    /// <summary>Default: multiplicative. Of effect for a conditional law alone.</summary>
    public FormChoice Form { get; init; } = FormChoice.Multiplicative;

    /// <summary>Terms beyond x and the ratio: gqa, interaction, drift. Default: none.</summary>
    public IReadOnlyList<LawTerm> Terms { get; init; } = [];

    /// <summary>Names of the runs' covariates. Default: none.</summary>
    public IReadOnlyList<string> Covariates { get; init; } = [];

    /// <summary>What the base law minimises. Default: the sum of log-Huber losses.</summary>
    public ObjectiveKind Objective { get; init; } = ObjectiveKind.LogHuber;

    /// <summary>δ of the Huber loss, in ln L; 1e-6 to 1. Default: 1e-3.</summary>
    public double Delta { get; init; } = 1e-3;

    /// <summary>Only rows with a ratio in this range are fitted (those without one are). Default: 0.5 to 5, the paper's.</summary>
    public Interval RatioRange { get; init; } = new(0.5, 5);

    /// <summary>Resamples for intervals; 0 to 10 000. Default: 1000.</summary>
    public int Resamples { get; init; } = 1000;

    /// <summary>Seed of the resamples. Default: 20251021.</summary>
    public int ResampleSeed { get; init; } = 20251021;
}
