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

    /// <summary>A row that is not there.</summary>
    /// <param name="stage">Id of the stage.</param>
    /// <param name="point">As typed.</param>
    /// <param name="there">Names of its rows; null where one has none.</param>
    public static UsageException NoRow(string stage, string point, IEnumerable<string?> there)
    {
        string[] names = [.. there.OfType<string>().Take(5)];
        return names.Length == 0
            ? new UsageException("SCAL1006", $"The stage '{stage}' has no row '{point}': it has no rows.", $"Name the stage alone: {stage}.")
            : new UsageException("SCAL1006", $"The stage '{stage}' has no row '{point}'. Its rows begin: {string.Join(", ", names)}.", $"For example '{stage}@{names[0]}'; 'dotnet scaling show {stage} --json' lists all that are made.");
    }
}
