// Where a law is asked for its loss.
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>A model and its training, as far as a law has terms for it. Null: the law's best value, or the runs' mean where it has none.</summary>
/// <param name="Parameters">N, > 0, counted as the law's document says.</param>
/// <param name="Tokens">D, > 0.</param>
public readonly record struct LawPoint(double Parameters, double Tokens)
{
    /// <summary>d/√N.</summary>
    public double? X { get; init; }

    /// <summary>MLP parameters over attention parameters.</summary>
    public double? Ratio { get; init; }

    /// <summary>Query heads a key/value head.</summary>
    public double? Gqa { get; init; }

    /// <summary>Hidden size over layers.</summary>
    public double? WidthOverDepth { get; init; }

    /// <summary>Hyper-parameter group; null: the group of most runs.</summary>
    public string? Group { get; init; }

    /// <summary>Values of <see cref="LawOptions.Covariates"/>, in that order.</summary>
    public IReadOnlyList<double>? Covariates { get; init; }

    /// <summary>A shape held at an N and D.</summary>
    /// <param name="shape">Its own N is of no effect but in x.</param>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    public static LawPoint Of(DecoderShape shape, double parameters, double tokens) => new(parameters, tokens)
    {
        X = shape.X,
        Ratio = shape.Ratio,
        Gqa = shape.Gqa,
        WidthOverDepth = (double)shape.Hidden / shape.Layers,
    };

    /// <summary>The point of a run.</summary>
    /// <param name="run">Any.</param>
    public static LawPoint Of(TrainingRun run) => new(run.Parameters, run.Tokens)
    {
        X = run.X,
        Ratio = run.Ratio,
        Gqa = run.Gqa,
        WidthOverDepth = run.WidthOverDepth,
        Group = run.Group,
        Covariates = run.Covariates,
    };
}
