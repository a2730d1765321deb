// Prices of many actions as one.
using Scaling.Sdk;

namespace Scaling.Engine.Workers;

/// <summary>Combines priced quantities.</summary>
public static class Prices
{
    /// <summary>One quantity a name and unit, in the order in which they first come.</summary>
    /// <param name="quantities">Of any number of actions or stages.</param>
    public static IReadOnlyList<PricedQuantity> Combined(IEnumerable<PricedQuantity> quantities) =>
    [
        .. quantities.GroupBy(q => (q.Name, q.Unit, q.Combining))
            .Select(same => new PricedQuantity(same.Key.Name, same.Key.Combining == Combining.Sum ? same.Sum(q => q.Value) : same.Max(q => q.Value), same.Key.Unit, same.Key.Combining)),
    ];
}
