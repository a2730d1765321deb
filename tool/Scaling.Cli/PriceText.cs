// Priced quantities as lines for people.
using System.Globalization;
using Scaling.Sdk;

namespace Scaling.Cli;

internal static class PriceText
{
    /// <summary>A line a quantity: three significant digits and the unit; bytes with a decimal prefix.</summary>
    public static List<string> Lines(IEnumerable<PricedQuantity> quantities) =>
        [.. quantities.Select(q => $"{q.Name}: {Value(q.Value, q.Unit)}{(q.Combining == Combining.Greatest ? ", the greatest of an action" : "")}")];

    private static string Value(double value, string unit)
    {
        if (unit == "bytes")
        {
            return ByteCount.Text(value);
        }

        return value is 0 or (>= 0.01 and < 1e6)
            ? string.Create(CultureInfo.InvariantCulture, $"{Math.Round(value, value < 10 ? 3 : value < 100 ? 1 : 0):#,0.###} {unit}")
            : string.Create(CultureInfo.InvariantCulture, $"{value:0.00e+0} {unit}");
    }
}
