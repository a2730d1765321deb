// Sizes as people read them.
using System.Globalization;

namespace Scaling.Cli;

internal static class ByteCount
{
    private static readonly string[] Units = ["B", "kB", "MB", "GB", "TB", "PB"];

    /// <summary>Three digits and a decimal prefix: <c>999 B</c>, <c>1.5 kB</c>, <c>128 MB</c>.</summary>
    /// <param name="bytes">At least 0.</param>
    public static string Text(double bytes)
    {
        int unit = 0;
        for (; bytes >= 999.5 && unit < Units.Length - 1; unit++)
        {
            bytes /= 1000;
        }

        return string.Create(CultureInfo.InvariantCulture, $"{Math.Round(bytes, unit == 0 || bytes >= 99.95 ? 0 : bytes >= 9.995 ? 1 : 2)} {Units[unit]}");
    }
}
