// STAGE@POINT: the row of that name, else those whose names begin so.
namespace Scaling.Cli;

internal static class RowNames
{
    /// <summary>The rows that a point names; none where no name begins so.</summary>
    /// <param name="among">Those to choose from.</param>
    /// <param name="name">The name of one; null where it has none.</param>
    /// <param name="point">As typed: a name that is there means that row alone, though others begin with it.</param>
    public static T[] Find<T>(IReadOnlyList<T> among, Func<T, string?> name, string point)
    {
        T[] exact = [.. among.Where(a => name(a) == point)];
        return exact.Length > 0 ? exact : [.. among.Where(a => name(a)?.StartsWith(point, StringComparison.Ordinal) ?? false)];
    }
}
