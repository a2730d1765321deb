// Times as people write them: 30s, 10m, 2h, 1d; and as they read them.
using System.Globalization;

namespace Scaling.Engine.Pipelines;

/// <summary>A number and a unit: <c>s</c> seconds, <c>m</c> minutes, <c>h</c> hours, <c>d</c> days. From one millisecond to a year.</summary>
public static class Duration
{
    private static readonly TimeSpan Longest = TimeSpan.FromDays(366);

    /// <summary>A time as people read it, to two places: <c>4.2 s</c>, <c>3 min 07 s</c>, <c>2 h 10 min</c>, <c>3.5 days</c>.</summary>
    /// <param name="seconds">At least 0.</param>
    public static string InWords(double seconds) => seconds switch
    {
        < 60 => string.Create(CultureInfo.InvariantCulture, $"{seconds:0.0} s"),
        < 3600 => $"{(int)seconds / 60} min {(int)seconds % 60:00} s",
        < 172_800 => $"{(int)seconds / 3600} h {(int)seconds % 3600 / 60:00} min",
        _ => string.Create(CultureInfo.InvariantCulture, $"{seconds / 86_400:0.0} days"),
    };

    /// <summary>Reads a duration; false where the text is none.</summary>
    /// <param name="text">As typed.</param>
    /// <param name="duration">What it says.</param>
    public static bool TryParse(string text, out TimeSpan duration)
    {
        duration = default;
        TimeSpan unit = text.Length < 2 ? TimeSpan.Zero : text[^1] switch
        {
            's' => TimeSpan.FromSeconds(1),
            'm' => TimeSpan.FromMinutes(1),
            'h' => TimeSpan.FromHours(1),
            'd' => TimeSpan.FromDays(1),
            _ => TimeSpan.Zero,
        };
        if (unit == TimeSpan.Zero
            || !double.TryParse(text.AsSpan(..^1), NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out double count)
            || count * unit.TotalMilliseconds < 1 || count * unit.TotalDays > Longest.TotalDays)
        {
            return false;
        }

        duration = count * unit;
        return true;
    }
}
