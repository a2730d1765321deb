// The search itself, without files: score every shape of a space, hold it against a baseline, keep the Pareto front.
using Scaling.Architectures;

namespace Scaling.Stages.Search;

/// <summary>A scored shape.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Predicted">Loss, nats a token.</param>
/// <param name="Speed">What serving takes.</param>
/// <param name="Feasible">Predicted loss is at most the baseline's.</param>
/// <param name="OnFront">No other candidate is as good in loss and tokens per second and better in one.</param>
public sealed record Candidate(DecoderShape Shape, double Predicted, Speed Speed, bool Feasible, bool OnFront);

/// <summary>argmax over shapes P of tokens per second, subject to L(P | N, D) ≤ L_t (arXiv 2510.18245, equation of its §4).</summary>
public static class ArchitectureSearch
{
    /// <summary>Scores shapes.</summary>
    /// <param name="shapes">Each once.</param>
    /// <param name="loss">Predicted loss, nats a token.</param>
    /// <param name="speed">Predicted speed.</param>
    /// <param name="threshold">L_t, the baseline's predicted loss; null for none.</param>
    /// <returns>By rising loss; equal losses by falling speed, then by shape.</returns>
    public static IReadOnlyList<Candidate> Score(
        IEnumerable<DecoderShape> shapes, Func<DecoderShape, double> loss, Func<DecoderShape, Speed> speed, double? threshold)
    {
        List<Candidate> candidates = [.. shapes
            .Select(s => (Shape: s, Loss: loss(s)))
            .Select(s => new Candidate(s.Shape, s.Loss, speed(s.Shape), threshold is null || s.Loss <= threshold, false))
            .OrderBy(c => c.Predicted)
            .ThenByDescending(c => c.Speed.TokensPerSecond)
            .ThenBy(c => c.Shape.Id, StringComparer.Ordinal)];
        MarkFront(candidates);
        return candidates;
    }

    /// <summary>The candidate of least predicted loss.</summary>
    /// <param name="candidates">As <see cref="Score"/> gives them, at least one.</param>
    public static Candidate MostAccurate(IReadOnlyList<Candidate> candidates) => candidates[0];

    /// <summary>The fastest feasible candidate, of equally fast ones that of least loss; null where none is feasible.</summary>
    /// <param name="candidates">As <see cref="Score"/> gives them.</param>
    public static Candidate? MostEfficient(IReadOnlyList<Candidate> candidates) =>
        candidates.Where(c => c.Feasible).MaxBy(c => c.Speed.TokensPerSecond);

    /// <summary>Goes up in loss: a candidate is on the front if it is faster than every one before it, or equals the last on the front in both.</summary>
    private static void MarkFront(List<Candidate> byLoss)
    {
        Candidate? last = null;
        for (int i = 0; i < byLoss.Count; i++)
        {
            var c = byLoss[i];
            bool equal = last is not null && c.Predicted == last.Predicted && c.Speed.TokensPerSecond == last.Speed.TokensPerSecond;
            if (last is null || equal || c.Speed.TokensPerSecond > last.Speed.TokensPerSecond)
            {
                last = byLoss[i] = c with { OnFront = true };
            }
        }
    }
}
