// From a law to a choice: how probable it is that a shape is the best, near the best, and what choosing it is expected to cost.
namespace Scaling.Laws;

/// <summary>What is known of one candidate.</summary>
/// <param name="Predicted">Loss, nats a token.</param>
/// <param name="LossDifference">To the least predicted loss among the candidates, nats a token, ≥ 0.</param>
/// <param name="ExpectedRegret">Mean over the resamples of its loss less the least, nats a token, ≥ 0.</param>
/// <param name="ProbabilityBest">Share of the resamples in which it is the best. Depends on how finely the candidates are spaced.</param>
/// <param name="ProbabilityWithin">Share of the resamples in which it is within ε of the best. Does not.</param>
/// <param name="InConfidenceSet">Whether it is among the shapes of least expected regret that hold the best with the asked probability.</param>
public sealed record ShapeOdds(
    double Predicted, double LossDifference, double ExpectedRegret, double ProbabilityBest, double ProbabilityWithin, bool InConfidenceSet);

/// <summary>
/// The resampled laws stand for what the law could be. The confidence set takes candidates by rising expected regret until together they are the
/// best in the asked share of the resamples. By regret and not by that share itself: a candidate with near neighbours is seldom the very best,
/// however good it is. All candidates are held at one N and D, so what the base law does not know cancels; noise of a run is not in it.
/// </summary>
public static class ShapeDecision
{
    /// <summary>A few seconds' worth; more candidates get fewer resamples, down to <see cref="LeastResamples"/>.</summary>
    private const int MostPredictions = 20_000_000;

    private const int LeastResamples = 100;

    /// <summary>The shapes that were trained, each once, by rising expected regret.</summary>
    /// <param name="law">As of <see cref="Of"/>.</param>
    /// <param name="parameters">N of all candidates.</param>
    /// <param name="tokens">D.</param>
    /// <param name="runs">Any number.</param>
    /// <param name="epsilon">As of <see cref="Of"/>.</param>
    /// <param name="confidence">As of <see cref="Of"/>.</param>
    /// <returns>Empty where <see cref="Of"/> is null.</returns>
    public static IReadOnlyList<(LawPoint Candidate, bool Baseline, ShapeOdds Odds)> OfRuns(
        LawDocument law, double parameters, double tokens, IReadOnlyList<TrainingRun> runs, double epsilon, double confidence)
    {
        LawPoint[] candidates =
        [
            .. runs.Select(Candidate).Distinct().OrderBy(p => p.X).ThenBy(p => p.Ratio).ThenBy(p => p.Gqa).ThenBy(p => p.WidthOverDepth),
        ];
        var odds = Of(law, parameters, tokens, candidates, epsilon, confidence) ?? [];
        var baselines = runs.Where(r => r.Baseline).Select(Candidate).ToHashSet();
        return [.. candidates.Zip(odds, (c, o) => (c, baselines.Contains(c), o)).OrderBy(p => p.o.ExpectedRegret).ThenBy(p => p.o.Predicted)];
    }

    private static LawPoint Candidate(TrainingRun run) => new(1, 1) { X = run.X, Ratio = run.Ratio, Gqa = run.Gqa, WidthOverDepth = run.WidthOverDepth };

    /// <summary>Judges candidates.</summary>
    /// <param name="law">With resamples and a shape.</param>
    /// <param name="parameters">N of all candidates.</param>
    /// <param name="tokens">D.</param>
    /// <param name="candidates">At least one; their own N and D are of no effect.</param>
    /// <param name="epsilon">ε, nats a token. Default: 0.001, twice what a seed moves.</param>
    /// <param name="confidence">0 to 1. Default: 0.8.</param>
    /// <returns>A line a candidate, in their order; null where the law has too few resamples or tells no shapes apart.</returns>
    public static IReadOnlyList<ShapeOdds>? Of(
        LawDocument law, double parameters, double tokens, IReadOnlyList<LawPoint> candidates, double epsilon = 0.001, double confidence = 0.8)
    {
        if (law.Shape is not { Form: not LawForm.None } || law.Resamples.Count < LawDocument.LeastResamples || candidates.Count == 0)
        {
            return null;
        }

        LawPoint[] points = [.. candidates.Select(c => c with { Parameters = parameters, Tokens = tokens })];
        double best = law.Predict(parameters, tokens);
        double[] losses = new double[points.Length];
        var resampled = law.ResampledLaws().Take(Affordable(points.Length)).Select(resample =>
        {
            for (int i = 0; i < losses.Length; i++)
            {
                losses[i] = resample.Shape!.Apply(best, points[i]);
            }

            return losses;
        });
        return Judge([.. points.Select(law.Predict)], resampled, epsilon, confidence);
    }

    /// <summary>How many resamples of so many candidates are judged in a few seconds.</summary>
    /// <param name="candidates">How many, at least 0.</param>
    public static int Affordable(int candidates) => Math.Max(LeastResamples, MostPredictions / Math.Max(1, candidates));

    /// <summary>Judges candidates by losses that are known.</summary>
    /// <param name="predicted">By the law, nats a token, one a candidate.</param>
    /// <param name="resampled">By each resample, nats a token, one a candidate; a resample's array is read before the next is asked for.</param>
    /// <param name="epsilon">ε, nats a token.</param>
    /// <param name="confidence">0 to 1.</param>
    /// <returns>A line a candidate, in their order.</returns>
    public static IReadOnlyList<ShapeOdds> Judge(double[] predicted, IEnumerable<double[]> resampled, double epsilon, double confidence)
    {
        int n = predicted.Length;
        double[] regret = new double[n];
        int[] wins = new int[n], near = new int[n];
        int resamples = 0;
        foreach (double[] losses in resampled)
        {
            if (n == 0)
            {
                break;
            }

            int winner = 0;
            for (int i = 1; i < n; i++)
            {
                winner = losses[i] < losses[winner] ? i : winner;
            }

            double least = losses[winner];
            wins[winner]++;
            resamples++;
            for (int i = 0; i < n; i++)
            {
                regret[i] += losses[i] - least;
                near[i] += losses[i] - least <= epsilon ? 1 : 0;
            }
        }

        bool[] inSet = new bool[n];
        double held = 0, low = predicted.DefaultIfEmpty().Min();
        foreach (int i in Enumerable.Range(0, n).OrderBy(i => regret[i]).ThenBy(i => predicted[i]))
        {
            inSet[i] = true;
            held += (double)wins[i] / resamples;
            if (held >= confidence - 1e-12)
            {
                break;
            }
        }

        return
        [
            .. Enumerable.Range(0, n).Select(i => new ShapeOdds(
                predicted[i], predicted[i] - low, regret[i] / resamples, (double)wins[i] / resamples, (double)near[i] / resamples, inSet[i])),
        ];
    }
}
