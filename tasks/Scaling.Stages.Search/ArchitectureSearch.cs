// The search itself, without files: order scored shapes, keep the Pareto front, and pick.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Stages.Search;

/// <summary>A scored shape.</summary>
/// <param name="Shape">The shape.</param>
/// <param name="Loss">Its forecast loss.</param>
/// <param name="Serving">What serving it takes.</param>
/// <param name="Gain">The objective, its sign turned where less is better.</param>
/// <param name="Breaks">Names of the demands that it does not meet.</param>
public sealed record Candidate(DecoderShape Shape, ForecastLoss Loss, Serving Serving, double Gain, IReadOnlyList<string> Breaks)
{
    /// <summary>Predicted loss, nats a token.</summary>
    public double Predicted => Loss.Predicted;

    /// <summary>The objective in its own unit.</summary>
    public double Objective => Math.Abs(Gain);

    /// <summary>It can be served as asked, whatever it loses.</summary>
    public bool Allowed => Breaks.All(b => b == Demands.Loss);

    /// <summary>It meets every demand.</summary>
    public bool Feasible => Breaks.Count == 0;

    /// <summary>No other allowed candidate is as good in loss and objective and better in one.</summary>
    public bool OnFront { get; init; }
}

/// <summary>argmax over shapes P of the objective, subject to P(L(P | N, D) ≤ L_t) ≥ p and what else is demanded (arXiv 2510.18245, equation of its §4, there with tokens a second and p = ½).</summary>
public static class ArchitectureSearch
{
    /// <summary>Orders candidates and marks the front.</summary>
    /// <param name="candidates">Each shape once.</param>
    /// <returns>By rising loss; equal losses by falling gain, then by shape.</returns>
    public static IReadOnlyList<Candidate> Rank(IEnumerable<Candidate> candidates)
    {
        List<Candidate> byLoss = [.. candidates.OrderBy(c => c.Predicted).ThenByDescending(c => c.Gain).ThenBy(c => c.Shape.Id, StringComparer.Ordinal)];
        MarkFront(byLoss);
        return byLoss;
    }

    /// <summary>The allowed candidate of least predicted loss; null where none is allowed.</summary>
    /// <param name="ranked">As <see cref="Rank"/> gives them.</param>
    public static Candidate? MostAccurate(IReadOnlyList<Candidate> ranked) => ranked.FirstOrDefault(c => c.Allowed);

    /// <summary>The feasible candidate of most gain, of equal ones that of least loss; null where none is feasible.</summary>
    /// <param name="ranked">As <see cref="Rank"/> gives them.</param>
    public static Candidate? MostEfficient(IEnumerable<Candidate> ranked) => ranked.Where(c => c.Feasible).MaxBy(c => c.Gain);

    /// <summary>Goes up in loss: a candidate is on the front if it gains more than every one before it, or equals the last on the front in both.</summary>
    private static void MarkFront(List<Candidate> byLoss)
    {
        Candidate? last = null;
        for (int i = 0; i < byLoss.Count; i++)
        {
            var c = byLoss[i];
            bool equal = last is not null && c.Predicted == last.Predicted && c.Gain == last.Gain;
            if (c.Allowed && (last is null || equal || c.Gain > last.Gain))
            {
                last = byLoss[i] = c with { OnFront = true };
            }
        }
    }
}
