// The indexes of a job array as Slurm writes them: 0-3,7,9-13:2%4.
using System.Globalization;
using System.Text;

namespace Scaling.Engine.Executors.Slurm;

/// <summary>A set of task indexes.</summary>
/// <param name="Ranges">First and last, ascending, without overlap.</param>
public sealed record ArrayIndexes(IReadOnlyList<(int First, int Last)> Ranges)
{
    /// <summary>Slurm's own bound of MaxArraySize: an index beyond it is no index, and a range of it fits in memory.</summary>
    private const int Largest = 4_000_001;

    /// <summary>How many there are.</summary>
    public int Count => Ranges.Sum(r => r.Last - r.First + 1);

    /// <summary>Ascending.</summary>
    public IEnumerable<int> Each => Ranges.SelectMany(r => Enumerable.Range(r.First, r.Last - r.First + 1));

    /// <summary>Reads what stands after the underscore of a job id, brackets and <c>%limit</c> included or not.</summary>
    /// <param name="text">For example <c>[0-3,7%2]</c> or <c>17</c>.</param>
    /// <returns>Null where it is none, or was cut short (<c>[0-3,...]</c>): then nobody knows what is missing.</returns>
    public static ArrayIndexes? TryParse(string text)
    {
        if (text.StartsWith('['))
        {
            // An opening bracket whose partner was cut off tells that more was.
            if (!text.EndsWith(']'))
            {
                return null;
            }

            text = text[1..^1];
        }

        if (text.IndexOf('%', StringComparison.Ordinal) is >= 0 and var limit)
        {
            if (Number(text[(limit + 1)..]) is null)
            {
                return null;
            }

            text = text[..limit];
        }

        var ranges = new List<(int First, int Last)>();
        foreach (string part in text.Split(','))
        {
            if (!TryAdd(part, ranges))
            {
                return null;
            }
        }

        return new ArrayIndexes(Joined(ranges));
    }

    /// <summary>Of any numbers, as few ranges as possible.</summary>
    /// <param name="indexes">In any order, with or without repetitions; 0 or more each.</param>
    public static ArrayIndexes Of(IEnumerable<int> indexes) => new(Joined([.. indexes.Select(i => (i, i))]));

    /// <summary>Whether an index is among them.</summary>
    /// <param name="index">Of a task.</param>
    public bool Contains(int index) => Ranges.Any(r => r.First <= index && index <= r.Last);

    /// <inheritdoc/>
    public bool Equals(ArrayIndexes? other) => other is not null && Ranges.SequenceEqual(other.Ranges);

    /// <inheritdoc/>
    public override int GetHashCode() => Ranges.Aggregate(0, HashCode.Combine);

    /// <summary>As sbatch and scancel take it: <c>0-3,7</c>.</summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        foreach (var (first, last) in Ranges)
        {
            text.Append(text.Length == 0 ? "" : ",").Append(CultureInfo.InvariantCulture, $"{first}");
            if (last > first)
            {
                text.Append(CultureInfo.InvariantCulture, $"-{last}");
            }
        }

        return text.ToString();
    }

    /// <summary>One of <c>7</c>, <c>0-3</c> and <c>9-13:2</c>.</summary>
    private static bool TryAdd(string part, List<(int First, int Last)> ranges)
    {
        string[] stepped = part.Split(':');
        string[] ends = stepped[0].Split('-');
        var step = stepped.Length == 1 ? 1 : Number(stepped[1]);
        if (stepped.Length > 2 || ends.Length > 2 || Number(ends[0]) is not { } first || Number(ends[^1]) is not { } last || last < first || step is not > 0)
        {
            return false;
        }

        if (step == 1)
        {
            ranges.Add((first, last));
            return true;
        }

        for (int index = first; index <= last; index += step.Value)
        {
            ranges.Add((index, index));
        }

        return true;
    }

    private static int? Number(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) && number < Largest ? number : null;

    private static List<(int First, int Last)> Joined(List<(int First, int Last)> ranges)
    {
        ranges.Sort();
        var joined = new List<(int First, int Last)>();
        foreach (var (first, last) in ranges)
        {
            if (joined.Count > 0 && first <= joined[^1].Last + 1)
            {
                joined[^1] = (joined[^1].First, Math.Max(joined[^1].Last, last));
            }
            else
            {
                joined.Add((first, last));
            }
        }

        return joined;
    }
}
