// A culture in which text that forgets its culture shows.
using System.Globalization;

namespace Scaling.TestKit.Conformance;

/// <summary>Decimal commas and days first, made by hand: a process without ICU knows no culture but the invariant one.</summary>
internal static class DecimalCommas
{
    public static CultureInfo Culture { get; } = Make();

    private static CultureInfo Make()
    {
        var culture = (CultureInfo)CultureInfo.InvariantCulture.Clone();
        culture.NumberFormat.NumberDecimalSeparator = ",";
        culture.NumberFormat.NumberGroupSeparator = ".";
        culture.NumberFormat.PercentDecimalSeparator = ",";
        culture.NumberFormat.NegativeSign = "−";
        culture.DateTimeFormat.ShortDatePattern = "dd.MM.yyyy";
        return CultureInfo.ReadOnly(culture);
    }
}
