// What an action would cost, told without doing it.
namespace Scaling.Sdk;

/// <summary>How prices of actions make one price.</summary>
public enum Combining
{
    /// <summary>Added, as device-hours. The default.</summary>
    Sum,

    /// <summary>The greatest, as disk that is given back before the next action takes it.</summary>
    Greatest,
}

/// <summary>A named quantity of a price.</summary>
/// <param name="Name">For example <c>training</c>; quantities of one name and unit are combined.</param>
/// <param name="Value">Finite, at least 0.</param>
/// <param name="Unit">For example <c>FLOP</c>, <c>device-hours</c>, <c>bytes</c>.</param>
/// <param name="Combining">How those of several actions make one.</param>
public sealed record PricedQuantity(string Name, double Value, string Unit, Combining Combining = Combining.Sum);

/// <summary>On what an action is priced.</summary>
/// <param name="Device">As the user wrote it; the stage knows what it means.</param>
/// <param name="Utilisation">Share of the device's peak that is reached, above 0 and at most 1.</param>
public sealed record PriceTarget(string Device, double Utilisation);
