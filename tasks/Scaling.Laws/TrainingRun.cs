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
}
