// The columns of what `extrapolate` writes.
using Scaling.Sdk;

namespace Scaling.Stages.Extrapolate;

internal static class ExtrapolateTables
{
    public static readonly IReadOnlyList<Column> Predictions =
    [
        new("purpose", "text", "held_out or target"),
        new("size", "parameters", "the asked size; of held-out rows the mean of their size class"),
        new("shape", "text", "content id of a held-out row's shape; empty for targets"),
        new("parameters", "parameters", "N"),
        new("tokens", "tokens", "D"),
        new("x", "1", "of targets x*; empty where there is none"),
        new("ratio", "1", "of targets r*; empty where there is none"),
        new("loss", "nats a token", "measured; empty for targets"),
        new("predicted", "nats a token", "by the law; of held-out rows by its refit without their size"),
        new("predicted_low", "nats a token", "lower end of the 95 % interval of a new run's loss; empty without resamples"),
        new("predicted_high", "nats a token", "upper end"),
        new("residual", "nats a token", "measured less predicted; empty for targets"),
    ];
}
