// How many rounds are taken: warm-up lasts until the machine no longer drifts.
using Scaling.Architectures;
using Scaling.Torch;

namespace Scaling.Stages.Measure;

/// <summary>The rounds that count, and those before them.</summary>
/// <param name="Rounds">The last of all that were taken, as many as repeats were asked for.</param>
/// <param name="Warmup">Rounds before those, not counted.</param>
/// <param name="Drift">The rounds that count still drift: warm-up has lasted as long as it may.</param>
internal sealed record SettledRounds(MeasuredRounds Rounds, int Warmup, bool Drift)
{
    /// <summary>Warm-up lasts at most so many times as long as was asked for.</summary>
    public const int MostWarmup = 5;

    /// <summary>Takes rounds until the last <paramref name="repeats"/> show no drift.</summary>
    /// <param name="workload">What the shapes do.</param>
    /// <param name="warmup">The fewest rounds that do not count; 0: the first that are taken count, whatever they show.</param>
    /// <param name="repeats">Rounds that count, at least 3.</param>
    /// <param name="next">Takes round i, counted from 0, of at least so many in all.</param>
    public static SettledRounds Take(Workload workload, int warmup, int repeats, Func<int, int, IReadOnlyDictionary<DecoderShape, WorkloadTime>> next)
    {
        var rounds = new List<IReadOnlyDictionary<DecoderShape, WorkloadTime>>();
        while (true)
        {
            rounds.Add(next(rounds.Count, Math.Max(rounds.Count + 1, warmup + repeats)));
            int before = rounds.Count - repeats;
            if (before < warmup)
            {
                continue;
            }

            var last = new MeasuredRounds(workload, rounds[before..]);
            bool drift = last.Drift();
            if (!drift || before >= MostWarmup * warmup)
            {
                return new SettledRounds(last, before, drift);
            }
        }
    }

    /// <summary>The shapes in the order of a round: another one in each, so that none has always the same before it. The same round has the same order every time.</summary>
    /// <param name="shapes">All.</param>
    /// <param name="round">From 0.</param>
    public static IReadOnlyList<DecoderShape> Order(IReadOnlyList<DecoderShape> shapes, int round)
    {
        DecoderShape[] order = [.. shapes];
        new Random(round).Shuffle(order);
        return order;
    }
}
