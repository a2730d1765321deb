// Which of many intervals overlap, in letters: two have a letter in common exactly where they do.
using Scaling.Laws;

namespace Scaling.Stages.Export;

/// <summary>The compact letter display (Piepho 2004) of intervals: a letter for every largest set of intervals of which any two overlap.</summary>
internal static class SharedLetters
{
    /// <summary>Letters of each interval, the sets of greatest numbers first: <c>a</c>, or <c>a, b</c>.</summary>
    /// <param name="intervals">Any number; those that touch overlap.</param>
    public static IReadOnlyList<string> Of(IReadOnlyList<Interval> intervals)
    {
        // Intervals that overlap in pairs share a point, and the lower end of one of them is such a point.
        var sets = intervals.Select(v => v.Low).Distinct().OrderDescending()
            .Select(point => Enumerable.Range(0, intervals.Count).Where(i => intervals[i].Contains(point)).ToHashSet()).ToList();
        var largest = sets.Where(s => !sets.Exists(o => o.Count > s.Count && s.IsSubsetOf(o))).ToList();
        return [.. Enumerable.Range(0, intervals.Count).Select(i => string.Join(", ", Enumerable.Range(0, largest.Count).Where(l => largest[l].Contains(i)).Select(Name)))];
    }

    /// <summary>a … z, then aa, ab, …</summary>
    /// <param name="number">From 0.</param>
    private static string Name(int number) => (number < 26 ? "" : Name(number / 26 - 1)) + (char)('a' + number % 26);
}
