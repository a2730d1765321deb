// The word the user probably meant.
namespace Scaling.Sdk;

/// <summary>Suggestions for misspelt words, by edit distance (insert, delete, replace, swap of neighbours).</summary>
public static class NearestSpelling
{
    /// <summary>The candidate nearest to <paramref name="word"/>, or null where none is near enough (a third of its length, at least 1).</summary>
    /// <param name="word">What was found.</param>
    /// <param name="candidates">What would have been right. Of equally near ones the first wins.</param>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        int limit = Math.Max(1, word.Length / 3);
        string? nearest = null;
        foreach (string candidate in candidates)
        {
            if (Math.Abs(candidate.Length - word.Length) > limit)
            {
                continue;
            }

            int distance = Distance(word.ToLowerInvariant(), candidate.ToLowerInvariant());
            if (distance <= limit)
            {
                nearest = candidate;
                limit = distance - 1;
            }
        }

        return nearest;
    }

    /// <summary><c>Did you mean 'fit'?</c>, or null where nothing is near.</summary>
    /// <param name="word">What was found.</param>
    /// <param name="candidates">What would have been right.</param>
    public static string? Hint(string word, IEnumerable<string> candidates) =>
        Of(word, candidates) is { } nearest ? $"Did you mean '{nearest}'?" : null;

    private static int Distance(string a, string b)
    {
        int[] beforeLast = new int[b.Length + 1];
        int[] last = [.. Enumerable.Range(0, b.Length + 1)];
        for (int i = 1; i <= a.Length; i++)
        {
            int[] current = new int[b.Length + 1];
            current[0] = i;
            for (int j = 1; j <= b.Length; j++)
            {
                int replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                current[j] = Math.Min(replace, 1 + Math.Min(last[j], current[j - 1]));
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                {
                    current[j] = Math.Min(current[j], beforeLast[j - 2] + 1);
                }
            }

            (beforeLast, last) = (last, current);
        }

        return last[b.Length];
    }
}
