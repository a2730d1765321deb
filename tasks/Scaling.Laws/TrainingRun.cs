// A row that laws are fitted to.
namespace Scaling.Laws;

/// <summary>One trained model and its held-out loss.</summary>
/// <param name="Row">Position in its table, from 1.</param>
/// <param name="Parameters">N, > 0.</param>
/// <param name="Tokens">D, > 0.</param>
/// <param name="Loss">Nats a token, > 0.</param>
public sealed record TrainingRun(int Row, double Parameters, double Tokens, double Loss)
{
    /// <summary>Content id of its shape, or what the user's table calls it; empty for none.</summary>
    public string Shape { get; init; } = "";

    /// <summary>d/√N; null where unknown.</summary>
    public double? X { get; init; }

    /// <summary>MLP parameters over attention parameters; null where unknown.</summary>
    public double? Ratio { get; init; }

    /// <summary>Query heads a key/value head; null where unknown.</summary>
    public double? Gqa { get; init; }

    /// <summary>Hidden size over layers; null where unknown.</summary>
    public double? WidthOverDepth { get; init; }

    /// <summary>What its rows share that are checkpoints of one training run; null: it is a run of its own.</summary>
    public string? Run { get; init; }

    /// <summary>Of its penalty in the objective, > 0. Default: 1.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>N by the counting rule that was not chosen; null where unknown.</summary>
    public double? OtherParameters { get; init; }

    /// <summary>The hyper-parameters it shares with others; rows of another group get an offset. Empty where nothing was said.</summary>
    public string Group { get; init; } = "";

    /// <summary>The user's covariates, in the order of <see cref="LawOptions.Covariates"/>.</summary>
    public IReadOnlyList<double> Covariates { get; init; } = [];
}
