// The batch and the context at which the faster of two shapes becomes the slower.
using Scaling.Architectures;

namespace Scaling.Stages.Search;

internal static class TradePlaces
{
    private const int Most = 1_000_000;

    /// <summary>Neighbours on the grid differ by a tenth: who overtakes and falls back in between is not seen.</summary>
    private const double Step = 1.1;

    /// <summary>Every pair of the named shapes.</summary>
    /// <param name="speed">The model; measured rows are of one workload alone and are not asked.</param>
    /// <param name="accurate">The accurate pick.</param>
    /// <param name="efficient">The efficient pick.</param>
    /// <param name="baseline">Null without one.</param>
    /// <returns>Empty for a pair of equal shapes.</returns>
    public static IReadOnlyList<TradePlace> Of(SpeedModel speed, DecoderShape accurate, DecoderShape efficient, DecoderShape? baseline)
    {
        var pairs = new List<(string, DecoderShape, string, DecoderShape)> { ("accurate", accurate, "efficient", efficient) };
        if (baseline is not null)
        {
            pairs.Add(("efficient", efficient, "baseline", baseline));
            pairs.Add(("accurate", accurate, "baseline", baseline));
        }

        return [.. pairs.Where(p => p.Item2 != p.Item4).Select(p => Of(speed, p.Item1, p.Item2, p.Item3, p.Item4))];
    }

    private static TradePlace Of(SpeedModel speed, string first, DecoderShape one, string second, DecoderShape other)
    {
        double? Lead(Workload workload) => speed.At(one, workload) is { } a && speed.At(other, workload) is { } b ? a.TokensPerSecond - b.TokensPerSecond : null;

        // A batch beyond what fits is served as what fits: nothing changes from there on.
        var workload = speed.Workload;
        int fits = Math.Max(Capacity(speed, one), Capacity(speed, other));
        var (byBatch, batch) = Overtaking(b => b <= fits ? Lead(workload.Of(b)) : null);
        var (byPrompt, prompt) = Overtaking(s => Lead(workload with { Prompt = s }));
        return new TradePlace(first, second, byBatch ? first : second, batch, byPrompt ? first : second, prompt);
    }

    private static int Capacity(SpeedModel speed, DecoderShape shape) => ServingMemory.LargestBatch(shape, speed.Workload.Of(Most), speed.Machine.MemoryBytes);

    /// <summary>Whether the first leads at 1, and the least whole number from which it is no longer so; a tie goes to the second.</summary>
    /// <param name="lead">Tokens a second of the first less those of the second; null: beyond what fits.</param>
    private static (bool First, int? At) Overtaking(Func<int, double?> lead)
    {
        bool atOne = lead(1) > 0;
        int last = 1;
        while (last < Most)
        {
            int next = Math.Min(Most, Math.Max(last + 1, (int)(last * Step)));
            if (lead(next) is not { } here)
            {
                // The last that fits lies between the two; it may be beyond a change of places.
                return (atOne, next - last > 1 && LastThatFits(lead, last, next) is var end && lead(end) > 0 != atOne ? Bisect(lead, atOne, last, end) : null);
            }

            if (here > 0 != atOne)
            {
                return (atOne, Bisect(lead, atOne, last, next));
            }

            last = next;
        }

        return (atOne, null);
    }

    private static int Bisect(Func<int, double?> lead, bool atOne, int same, int changed)
    {
        while (changed - same > 1)
        {
            int middle = same + (changed - same) / 2;
            (same, changed) = lead(middle) > 0 == atOne ? (middle, changed) : (same, middle);
        }

        return changed;
    }

    private static int LastThatFits(Func<int, double?> lead, int fits, int not)
    {
        while (not - fits > 1)
        {
            int middle = fits + (not - fits) / 2;
            (fits, not) = lead(middle) is null ? (fits, middle) : (middle, not);
        }

        return fits;
    }
}
