// Reports that are alike: the same text, and numbers that differ by what another processor's rounding leaves.
using System.Globalization;
using System.Text.RegularExpressions;

namespace Scaling.EndToEnd;

internal static partial class ReportText
{
    /// <summary>Least digits of what is compared: numbers have six at most, and those of resampled laws differ by a little more than those of fits.</summary>
    private const double Tolerance = 2e-3;

    /// <summary>Digests and keys differ with the last bit of a number and with every build.</summary>
    public static string WithoutDigests(string text) => Digest().Replace(text, m => new string('0', m.Length));

    /// <summary>Compares.</summary>
    public static void AssertAlike(string expected, string actual, string file)
    {
        (expected, actual) = (WithoutDigests(expected), WithoutDigests(actual));
        if (expected == actual)
        {
            return;
        }

        MatchCollection there = Number().Matches(expected), here = Number().Matches(actual);
        string[] textsThere = Number().Split(expected), textsHere = Number().Split(actual);
        for (int i = 0; i < Math.Min(textsThere.Length, textsHere.Length); i++)
        {
            Assert.True(textsThere[i] == textsHere[i], $"{file}, after '{Before(textsThere, there, i)}': '{Some(textsThere[i])}' is now '{Some(textsHere[i])}'");
            if (i < Math.Min(there.Count, here.Count) && there[i].Value != here[i].Value)
            {
                double kept = Value(there[i]), made = Value(here[i]);
                Assert.True(Math.Abs(kept - made) <= Tolerance * Math.Max(Math.Abs(kept), 0.1), $"{file}, after '{Some(textsThere[i])}': {kept} is now {made}");
            }
        }

        Assert.Equal(textsThere.Length, textsHere.Length);
    }

    private static double Value(Match number) => double.Parse(number.ValueSpan, NumberStyles.Float, CultureInfo.InvariantCulture);

    private static string Before(string[] texts, MatchCollection numbers, int i) => i == 0 ? "" : Some(texts[i - 1]) + numbers[i - 1].Value;

    private static string Some(string text) => text.Length > 120 ? text[^120..] : text;

    /// <summary>Hex of 16 digits and more.</summary>
    [GeneratedRegex("\\b[0-9a-f]{16,64}\\b")]
    private static partial Regex Digest();

    [GeneratedRegex(@"\d+(?:\.\d+)?(?:e-?\d+)?")]
    private static partial Regex Number();
}
