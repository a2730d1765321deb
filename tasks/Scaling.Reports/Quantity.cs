// Numbers as a reader wants them: few digits, decimal prefixes, the unit beside them.
using System.Globalization;

namespace Scaling.Reports;

/// <summary>Text of quantities, culture-invariant. A value that is not finite is written as a dash.</summary>
public static class Quantity
{
    /// <summary>What stands for an absent or not finite value.</summary>
    public const string Absent = "–";

    private static readonly (double Factor, string Prefix)[] Prefixes = [(1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")];

    /// <summary>A count with three significant digits and the prefix k, M, B or T: 16384 is <c>16.4k</c>.</summary>
    /// <param name="value">Pure number, tokens, parameters, bytes.</param>
    public static string Count(double? value)
    {
        if (value is not { } number || !double.IsFinite(number))
        {
            return Absent;
        }

        // 999 950 rounds to 1000 thousands; it is 1M.
        double rounded = Significant(number, 3);
        var (factor, prefix) = Prefixes.FirstOrDefault(p => Math.Abs(rounded) >= p.Factor, (1, ""));
        return Digits(rounded / factor, 3) + prefix;
    }

    /// <summary>A number with so many significant digits, trailing zeros dropped, no exponent between 1e-6 and 1e15.</summary>
    /// <param name="value">Any number.</param>
    /// <param name="digits">1 to 15.</param>
    public static string Digits(double? value, int digits = 4)
    {
        if (value is not { } number || !double.IsFinite(number))
        {
            return Absent;
        }

        double size = Math.Abs(number);
        return number == 0 || size is >= 1e-6 and < 1e15
            ? Significant(number, digits).ToString("0.####################", CultureInfo.InvariantCulture)
            : number.ToString($"0.{new string('#', digits - 1)}e0", CultureInfo.InvariantCulture);
    }

    /// <summary>A loss, four decimals.</summary>
    /// <param name="nats">Nats a token.</param>
    public static string Loss(double? nats) => Fixed(nats, "0.0000");

    /// <summary>A difference of losses, signed, four decimals.</summary>
    /// <param name="nats">Nats a token.</param>
    public static string LossDifference(double? nats) => Fixed(nats, "+0.0000;−0.0000;0.0000");

    /// <summary>A difference of losses in thousandths of a nat, signed, one decimal: −0.0355 is <c>−35.5</c>.</summary>
    /// <param name="nats">Nats a token.</param>
    public static string MilliNats(double? nats) => Fixed(nats * 1000, "+0.0;−0.0;0.0");

    /// <summary>A change in per cent, signed, one decimal: 0.469 is <c>+46.9 %</c>.</summary>
    /// <param name="fraction">0 for no change.</param>
    public static string Change(double? fraction) => Fixed(fraction * 100, "+0.0 '%';−0.0 '%';0.0 '%'");

    /// <summary>A duration in s, ms or µs, three significant digits.</summary>
    /// <param name="seconds">At least 0.</param>
    public static string Duration(double? seconds) => seconds switch
    {
        null => Absent,
        { } s when !double.IsFinite(s) => Absent,
        >= 1 or 0 => $"{Digits(seconds, 3)} s",
        >= 1e-3 => $"{Digits(seconds * 1e3, 3)} ms",
        _ => $"{Digits(seconds * 1e6, 3)} µs",
    };

    /// <summary>An interval, <c>0.21 … 0.27</c>; a dash where an end is absent.</summary>
    /// <param name="low">Lower end.</param>
    /// <param name="high">Upper end.</param>
    /// <param name="digits">Significant digits.</param>
    public static string Interval(double? low, double? high, int digits = 3) =>
        low is null || high is null ? Absent : $"{Digits(low, digits)} … {Digits(high, digits)}";

    private static string Fixed(double? value, string format) =>
        value is { } number && double.IsFinite(number) ? number.ToString(format, CultureInfo.InvariantCulture) : Absent;

    /// <summary>A number to so many significant digits.</summary>
    /// <param name="value">Finite.</param>
    /// <param name="digits">1 to 15.</param>
    public static double Rounded(double value, int digits) => Significant(value, digits);

    private static double Significant(double value, int digits)
    {
        if (value == 0)
        {
            return 0;
        }

        int decimals = digits - 1 - (int)Math.Floor(Math.Log10(Math.Abs(value)));
        if (decimals is >= 0 and <= 15)
        {
            return Math.Round(value, decimals);
        }

        double scale = Math.Pow(10, -decimals);
        return decimals < 0 ? Math.Round(value / scale) * scale : value;
    }
}
