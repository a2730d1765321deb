// What a run costs, in closed form.
using Scaling.Architectures;
using Scaling.Sdk;
using Scaling.Torch;

namespace Scaling.Stages.Train;

internal static class RunPrice
{
    private const int BytesPerWeight = 4;

    /// <summary>Weights and the two moments of AdamW.</summary>
    private const int StatesPerWeight = 3;

    /// <summary>FLOPs of all executed steps, time on the device, and what lies on the disk.</summary>
    /// <param name="plan">The run.</param>
    /// <param name="target">A device of <see cref="Device.All"/>.</param>
    /// <param name="weightsAreKept">Weights and checkpoints are ours; those of a trainer of the user are its own business.</param>
    /// <exception cref="StageFailedException">SCAL8601: there is no such device.</exception>
    public static IReadOnlyList<PricedQuantity> Of(TrainingPlan plan, PriceTarget target, bool weightsAreKept)
    {
        var device = Device.Named(target.Device) ?? throw new StageFailedException(
            "SCAL8601", $"There is no device '{target.Device}'. There are: {string.Join(", ", Device.All.Select(d => d.Name))}.", NearestSpelling.Hint(target.Device, Device.All.Select(d => d.Name)));
        double flops = (double)plan.FlopsPerToken * plan.TokensAt(plan.ExecutedSteps);
        double weights = (double)plan.Shape.ParametersTotal * BytesPerWeight;
        PricedQuantity[] price =
        [
            new("training", flops, "FLOP"),
            new("time", flops / (device.FlopsPerSecond * target.Utilisation) / 3600, "device-hours"),
        ];
        return weightsAreKept
            ? [.. price, new("weights", weights, "bytes"), new("checkpoint", StatesPerWeight * weights, "bytes", Combining.Greatest)]
            : price;
    }
}
