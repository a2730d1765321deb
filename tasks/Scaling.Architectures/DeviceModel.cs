// What predicted speeds rest on: a data sheet's roofline, or costs fitted to measured rows.
using System.Text.Json.Serialization;

namespace Scaling.Architectures;

/// <summary>The machine behind predicted speeds, as <c>best.json</c> holds it. Exactly one of <see cref="Roofline"/> and <see cref="Costs"/> is there.</summary>
public sealed record DeviceModel
{
    /// <summary>A name of <see cref="Device"/>, of the user's own device, or the measured rows' own.</summary>
    public required string Name { get; init; }

    /// <summary><c>modelled</c> from peak figures, or <c>calibrated</c> on measured rows.</summary>
    public required string Source { get; init; }

    /// <summary>Memory of one device, bytes; null: not known, and nothing is too large.</summary>
    public double? MemoryBytes { get; init; }

    /// <summary>Three costs; null where <see cref="Costs"/> describe the machine better.</summary>
    public Roofline? Roofline { get; init; }

    /// <summary>Costs by kind of work; null where <see cref="Roofline"/> describes the machine.</summary>
    public CalibratedCosts? Costs { get; init; }

    /// <summary>Measured rows behind a calibration; 0 for a modelled device.</summary>
    public int Rows { get; init; }

    /// <summary>Root mean square relative error of the tokens per second of rows that the fit did not see (cross-validation), 0.1 for 10 %; null for a modelled device and for fewer than three rows.</summary>
    public double? HeldOutError { get; init; }

    /// <summary>Median relative error of the ratio of tokens per second between two rows that the fit did not see; null for a modelled device and for fewer than twenty rows.</summary>
    public double? HeldOutRatioError { get; init; }

    /// <summary>Predicts speeds.</summary>
    [JsonIgnore]
    public ISpeedModel Model => (ISpeedModel?)Costs ?? Roofline ?? throw new InvalidOperationException($"device '{Name}' has neither a roofline nor costs");

    /// <summary>A device by its data sheet.</summary>
    /// <param name="device">Peak figures.</param>
    public static DeviceModel Of(Device device) =>
        new() { Name = device.Name, Source = "modelled", MemoryBytes = device.MemoryBytes, Roofline = Roofline.Of(device) };
}
