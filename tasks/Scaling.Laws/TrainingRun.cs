// A row that laws are fitted to.
namespace Scaling.Laws;

/// <summary>One trained model, or one checkpoint of it, and its held-out loss.</summary>
/// <param name="Row">Position in its table, from 1.</param>
/// <param name="Parameters">N, > 0.</param>
/// <param name="Tokens">D, > 0.</param>
/// <param name="Loss">Nats a token, > 0.</param>
public sealed record TrainingRun(int Row, double Parameters, double Tokens, double Loss)
{
    /// <summary>Content id of its shape, or what the user's table calls it; empty for none.</summary>
    public string Shape { get; init; } = "";

    /// <summary>Rows of the same value are checkpoints of one training run; null: the row is a run of its own.</summary>
    public string? Run { get; init; }

    /// <summary>Seed of the initialisation as the table writes it; null where it does not tell, and then each row counts as a seed of its own.</summary>
    public string? Seed { get; init; }

    /// <summary>Rows of different values were trained with other hyper-parameters or data; empty for all of one group.</summary>
    public string Group { get; init; } = "";

    /// <summary>What the row counts in a fit beside the others, > 0. Default: 1.</summary>
    public double Weight { get; init; } = 1;

    /// <summary>d/√N with the non-embedding N wherever that is known; null where unknown.</summary>
    public double? X { get; init; }

    /// <summary>MLP parameters over attention parameters; null where unknown.</summary>
    public double? Ratio { get; init; }

    /// <summary>Query heads a key/value head, at least 1; null where unknown.</summary>
    public double? Gqa { get; init; }

    /// <summary>Hidden size over layers, > 0; null where unknown.</summary>
    public double? WidthOverDepth { get; init; }

    /// <summary>N by the rule that was not chosen: all parameters where N is without embeddings, and the other way round. > 0; null where unknown.</summary>
    public double? OtherParameters { get; init; }

    /// <summary>Factor on the learning rate that the rule gives, > 0; other than 1 the run checks the rule. Default: 1.</summary>
    public double LearningRateFactor { get; init; } = 1;

    /// <summary>Whether it is of a shape that the others are held against; it is fitted like any other. Default: false.</summary>
    public bool Baseline { get; init; }

    /// <summary>Values in the order of <see cref="RunTable.CovariateNames"/>, finite.</summary>
    public IReadOnlyList<double> Covariates { get; init; } = [];
}
