// The losses of shapes by a law and by each of its resamples, with what the user adds to them: a measured level, penalties, and what the law misses.
using MathNet.Numerics.Distributions;
using Scaling.Architectures;

namespace Scaling.Laws;

/// <summary>A shape at the N and D that it is asked about.</summary>
/// <param name="Point">Where the law is asked.</param>
/// <param name="Penalty">Added to its loss for what the law has no term for, nats a token.</param>
public readonly record struct PenalisedPoint(LawPoint Point, double Penalty)
{
    /// <summary>Which shape: two may lie at one point of the law, and it misses each by its own. Default: none.</summary>
    public DecoderShape? Shape { get; init; }
}

/// <summary>A shape whose loss is measured: it sets the level of all predictions.</summary>
/// <param name="At">The shape.</param>
/// <param name="Loss">Nats a token, > 0.</param>
public sealed record LossAnchor(PenalisedPoint At, double Loss);

/// <summary>What a forecast is held against.</summary>
/// <param name="Reference">A shape, such as a baseline; null for none.</param>
/// <param name="LossAtMost">Nats a token; null: what the reference loses, or anything.</param>
public sealed record LossThreshold(PenalisedPoint? Reference, double? LossAtMost);

/// <summary>What is forecast of one candidate.</summary>
/// <param name="Predicted">Loss by the law, nats a token.</param>
/// <param name="Interval">95 % of the difference to the reference, added to the reference's predicted loss; of the loss itself without one. Null: unknown.</param>
/// <param name="Probability">That its loss is at most the threshold; null without a threshold.</param>
/// <param name="Odds">How it stands among all candidates; null with too few resamples.</param>
public sealed record ForecastLoss(double Predicted, Interval? Interval, double? Probability, ShapeOdds? Odds);

/// <summary>
/// L(s) = law(s) + penalty; with an anchor a of loss ℓ (factor forms) ℓ·law(s)/law(a), (additive form) ℓ + law(s) − law(a), each with the difference of the penalties. A resample stands for what
/// the law could be; σ, what every such law misses of a shape, comes on top: P(L(s) ≤ t) is the mean over resamples b of Φ((t_b − L_b(s))/σ).
/// </summary>
/// <remarks>
/// Two shapes are missed independently, so a difference has √2 times the misfit of one; an anchored loss is such a difference. A loss that is not is missed by the level's noise too.
/// Without resamples the law itself is the only one.
/// </remarks>
public sealed class LossForecast
{
    private const double TwoSided95 = 1.959964;

    private readonly LawDocument _document;
    private readonly LossAnchor? _anchor;
    private readonly Member _law;
    private readonly Member[] _members;

    /// <summary>Prepares a forecast.</summary>
    /// <param name="law">As <c>fit</c> wrote it.</param>
    /// <param name="anchor">Null: the law's own level.</param>
    /// <param name="misfit">σ of one shape, nats a token, ≥ 0; null: unknown, and 0.</param>
    public LossForecast(LawDocument law, LossAnchor? anchor, double? misfit)
    {
        (_document, _anchor, Misfit) = (law, anchor, misfit);
        _law = new Member(law.Base, law.Shape, anchor);
        HasResamples = law.Resamples.Count >= LawDocument.LeastResamples;
        _members = HasResamples ? [.. law.ResampledLaws().Select(r => new Member(r.Base, r.Shape, anchor))] : [_law];
    }

    /// <summary>σ of one shape, nats a token; null: unknown.</summary>
    public double? Misfit { get; }

    /// <summary>Whether the law's own spread is known.</summary>
    public bool HasResamples { get; }

    /// <summary>The loss of a shape by the law, nats a token; of a law without a level and without an anchor, a factor.</summary>
    /// <param name="at">The shape.</param>
    public double Predict(PenalisedPoint at) => _law.Predict(at);

    /// <summary>Probability that a shape loses at most the threshold; 1 for the reference itself, and where there is no threshold.</summary>
    /// <param name="at">The shape.</param>
    /// <param name="threshold">What it is held against.</param>
    /// <param name="candidates">How many are asked about: of many, fewer resamples are.</param>
    public double Probability(PenalisedPoint at, LossThreshold threshold, int candidates)
    {
        if (threshold is { LossAtMost: null, Reference: null } || IsReference(at, threshold))
        {
            return 1;
        }

        double sigma = DeviationAt(threshold), sum = 0;
        int asked = Math.Min(_members.Length, ShapeDecision.Affordable(candidates));
        for (int b = 0; b < asked; b++)
        {
            sum += Share(_members[b].Limit(threshold) - _members[b].Predict(at), sigma);
        }

        return sum / asked;
    }

    /// <summary>Forecasts candidates together.</summary>
    /// <param name="candidates">Any number.</param>
    /// <param name="threshold">What they are held against.</param>
    /// <param name="confidence">Of the set of shapes that hold the best, 0 to 1.</param>
    /// <returns>A line a candidate, in their order.</returns>
    public IReadOnlyList<ForecastLoss> Of(IReadOnlyList<PenalisedPoint> candidates, LossThreshold threshold, double confidence)
    {
        double[] predicted = [.. candidates.Select(Predict)];
        var members = _members.Take(ShapeDecision.Affordable(candidates.Count)).ToArray();
        double[][] differences = [.. candidates.Select(_ => new double[members.Length])];
        double[] probability = new double[candidates.Count];
        var odds = ShapeDecision.Judge(predicted, Losses(candidates, threshold, members, differences, probability), 0.001, confidence);
        double? reference = threshold.Reference is { } r ? Predict(r) : null;
        bool limited = threshold is not { LossAtMost: null, Reference: null };
        return
        [
            .. candidates.Select((c, i) => new ForecastLoss(
                predicted[i], IsReference(c, threshold) ? new Interval(predicted[i], predicted[i]) : Interval(c, predicted[i], reference, differences[i]),
                !limited ? null : IsReference(c, threshold) ? 1 : probability[i] / members.Length, HasResamples ? odds[i] : null)),
        ];
    }

    /// <summary>The losses by each law, while what else is asked of them is noted: the same numbers serve all.</summary>
    private IEnumerable<double[]> Losses(
        IReadOnlyList<PenalisedPoint> candidates, LossThreshold threshold, Member[] members, double[][] differences, double[] probability)
    {
        double sigma = DeviationAt(threshold);
        double[] losses = new double[candidates.Count];
        for (int b = 0; b < members.Length; b++)
        {
            double limit = members[b].Limit(threshold), against = threshold.Reference is { } r ? members[b].Predict(r) : 0;
            for (int i = 0; i < losses.Length; i++)
            {
                losses[i] = members[b].Predict(candidates[i]);
                differences[i][b] = losses[i] - against;
                probability[i] += Share(limit - losses[i], sigma);
            }

            yield return losses;
        }
    }

    /// <summary>The reference's loss does not differ from its own, whatever the law misses.</summary>
    private static bool IsReference(PenalisedPoint at, LossThreshold threshold) => threshold.LossAtMost is null && threshold.Reference is { } reference && reference.Equals(at);

    private double DeviationAt(LossThreshold threshold) => threshold.LossAtMost is null ? OfDifference : OfLoss;

    private double OfDifference => Math.Sqrt(2) * (Misfit ?? 0);

    private double OfLoss => _anchor is not null ? OfDifference : Math.Sqrt(Square(Misfit ?? 0) + Square(_document.Fit?.LevelNoise ?? 0));

    private Interval? Interval(PenalisedPoint at, double predicted, double? reference, double[] differences)
    {
        // What the runs say nothing of has no interval, unless it is a difference to another shape there.
        bool level = reference is null && _anchor is null;
        if ((!HasResamples && Misfit is null) || (level && !_document.SaysSomethingOf(at.Point)))
        {
            return null;
        }

        double centre = predicted - (reference ?? 0), squares = Square(TwoSided95 * (reference is null ? OfLoss : OfDifference));
        var spread = HasResamples ? Quantiles.Central95(differences) : new Interval(centre, centre);
        return new Interval(
            predicted - Math.Sqrt(Square(Math.Max(0, centre - spread.Low)) + squares),
            predicted + Math.Sqrt(Square(Math.Max(0, spread.High - centre)) + squares));
    }

    /// <summary>Φ(gap/σ); without σ all or nothing.</summary>
    private static double Share(double gap, double sigma) => sigma > 0 ? Normal.CDF(0, 1, gap / sigma) : gap >= 0 ? 1 : 0;

    private static double Square(double v) => v * v;

    /// <summary>The law or one of its resamples.</summary>
    private sealed class Member(ChinchillaLaw basis, ShapeTerms? shape, LossAnchor? anchor)
    {
        private readonly double _atAnchor = anchor is null ? 0 : Apply(shape, anchor.At.Point, basis.Predict(anchor.At.Point.Parameters, anchor.At.Point.Tokens));
        private (double Parameters, double Tokens, double Loss) _last = (double.NaN, double.NaN, 0);

        public double Predict(in PenalisedPoint at)
        {
            // Most candidates share N and D, and powers are what a prediction takes longest for.
            if (at.Point.Parameters != _last.Parameters || at.Point.Tokens != _last.Tokens)
            {
                _last = (at.Point.Parameters, at.Point.Tokens, basis.Predict(at.Point.Parameters, at.Point.Tokens));
            }

            double loss = Apply(shape, at.Point, _last.Loss);
            return anchor is null ? loss + at.Penalty
                : (shape?.Form == LawForm.Additive ? anchor.Loss + loss - _atAnchor : anchor.Loss * (loss / _atAnchor)) + at.Penalty - anchor.At.Penalty;
        }

        public double Limit(LossThreshold threshold) => threshold.LossAtMost ?? (threshold.Reference is { } reference ? Predict(reference) : double.PositiveInfinity);

        private static double Apply(ShapeTerms? shape, in LawPoint point, double best) => shape?.Apply(best, point) ?? best;
    }
}
