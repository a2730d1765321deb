// Numbers as people write them: 16k, 1.5M, 4Ki, 1e-3. Exact, so that every spelling of a value is the same value.
using System.Globalization;
using System.Numerics;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// A decimal number <c>Digits · 10^Exponent</c>. Spelt as digits with an optional fraction and either an exponent (<c>1.6e4</c>) or a suffix:
/// <c>k M B</c> for 10^3, 10^6, 10^9, <c>Ki Mi Gi</c> for 2^10, 2^20, 2^30. Suffixes mind their case. <c>1_000</c>, <c>0x10</c>, <c>.inf</c>
/// and <c>.nan</c> are no quantities.
/// </summary>
/// <param name="Digits">With its sign.</param>
/// <param name="Exponent">Of ten, from -1100 to 1100.</param>
internal readonly record struct Quantity(BigInteger Digits, int Exponent)
{
    /// <summary>The longest text that can be a number; a double needs no more than 17 digits.</summary>
    private const int LongestText = 64;
    private const int LargestExponent = 999;

    private static readonly (string Suffix, long Factor)[] Suffixes =
    [
        ("Ki", 1L << 10), ("Mi", 1L << 20), ("Gi", 1L << 30), ("k", 1000), ("M", 1_000_000), ("B", 1_000_000_000),
    ];

    /// <summary>Reads a quantity; false where the text is none.</summary>
    public static bool TryParse(string text, out Quantity quantity)
    {
        quantity = default;
        if (text.Length is 0 or > LongestText)
        {
            return false;
        }

        var (number, factor) = WithoutSuffix(text);
        int e = number.AsSpan().IndexOfAny('e', 'E');
        int exponent = 0;
        if (e >= 0)
        {
            const NumberStyles Signed = NumberStyles.AllowLeadingSign;
            if (factor != 1 || !int.TryParse(number.AsSpan(e + 1), Signed, CultureInfo.InvariantCulture, out exponent) || Math.Abs((long)exponent) > LargestExponent)
            {
                return false;
            }

            number = number[..e];
        }

        int point = number.IndexOf('.');
        string digits = point < 0 ? number : number.Remove(point, 1);
        string unsigned = digits.StartsWith('-') || digits.StartsWith('+') ? digits[1..] : digits;
        if (unsigned.Length == 0 || !unsigned.All(char.IsAsciiDigit) || point == 0 && unsigned != digits)
        {
            return false;
        }

        exponent -= point < 0 ? 0 : number.Length - 1 - point;
        quantity = new Quantity(BigInteger.Parse(digits, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture) * factor, exponent);
        return true;
    }

    /// <summary>Whether it has no fraction.</summary>
    public bool IsWhole => Exponent >= 0 || BigInteger.Remainder(Digits, BigInteger.Pow(10, -Exponent)).IsZero;

    /// <summary>The value where it is whole and fits 64 bits: <c>1.5k</c> does, <c>1.5</c> does not.</summary>
    public bool TryWhole(out long whole)
    {
        whole = 0;
        var value = Exponent >= 0 ? Digits * BigInteger.Pow(10, Exponent) : Digits / BigInteger.Pow(10, -Exponent);
        if (!IsWhole || value < long.MinValue || value > long.MaxValue)
        {
            return false;
        }

        whole = (long)value;
        return true;
    }

    /// <summary>The nearest double; false where it would be infinite, or zero though the number is not.</summary>
    public bool TryDouble(out double value)
    {
        value = Digits.IsZero ? 0 : double.Parse($"{Digits}e{Exponent}", CultureInfo.InvariantCulture);
        return double.IsFinite(value) && (value != 0 || Digits.IsZero);
    }

    private static (string Number, long Factor) WithoutSuffix(string text)
    {
        foreach (var (suffix, factor) in Suffixes)
        {
            if (text.EndsWith(suffix, StringComparison.Ordinal))
            {
                return (text[..^suffix.Length], factor);
            }
        }

        return (text, 1);
    }
}
