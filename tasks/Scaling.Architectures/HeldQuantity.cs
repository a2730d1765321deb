// What the shapes of a search have in common: equal in one sense is never equal in every sense.
using System.Text.Json.Serialization;

namespace Scaling.Architectures;

/// <summary>A quantity that candidates share with their baseline.</summary>
public enum HeldQuantity
{
    /// <summary>N, non-embedding parameters. The default.</summary>
    [JsonStringEnumMemberName("parameters")]
    Parameters,

    /// <summary>All parameters, embeddings and norms included.</summary>
    [JsonStringEnumMemberName("parameters_total")]
    ParametersTotal,

    /// <summary>FLOPs a trained token (<see cref="TrainingCost"/>); with equal training tokens, those of the training.</summary>
    [JsonStringEnumMemberName("train_flops")]
    TrainFlops,

    /// <summary>Bytes of a decode step at the workload's mean context (<see cref="InferenceCost.DecodeBytes"/>).</summary>
    [JsonStringEnumMemberName("decode_bytes")]
    DecodeBytes,
}

/// <summary>A held quantity of shapes, with what it depends on beside the shape. Every one rises with d, f and n, and is linear in f.</summary>
/// <param name="Quantity">Which.</param>
/// <param name="Workload">Of the decode step; null for the others.</param>
/// <param name="TrainingContext">T of training, tokens; 0 for the others.</param>
public sealed record HeldMeasure(HeldQuantity Quantity, Workload? Workload = null, int TrainingContext = 0)
{
    /// <summary>Non-embedding parameters.</summary>
    public static HeldMeasure Parameters { get; } = new(HeldQuantity.Parameters);

    /// <summary>Its value for a shape: parameters, FLOPs a token, or bytes.</summary>
    /// <param name="shape">The shape; f may be 0.</param>
    public double Of(DecoderShape shape) => Quantity switch
    {
        HeldQuantity.Parameters => shape.Parameters,
        HeldQuantity.ParametersTotal => shape.ParametersTotal,
        HeldQuantity.TrainFlops => TrainingCost.FlopsPerToken(shape, TrainingContext),
        _ => InferenceCost.DecodeBytes(shape, Workload!, Workload!.MeanContext),
    };

    /// <summary>The most non-embedding parameters that a shape of that value can have: each of them counts at least so much.</summary>
    /// <param name="value">Of the quantity.</param>
    public double MostParameters(double value) => Quantity switch
    {
        HeldQuantity.TrainFlops => value / 6,
        HeldQuantity.DecodeBytes => value / Workload!.Weights.Bytes(),
        _ => value,
    };
}
