// From shapes to candidates: the losses, speeds and demands of one search, so that every table of it is scored alike.
using Scaling.Architectures;
using Scaling.Laws;

namespace Scaling.Stages.Search;

/// <summary>What scores a shape.</summary>
/// <param name="Settings">What was asked.</param>
/// <param name="Law">The law.</param>
/// <param name="Forecast">Its losses.</param>
/// <param name="Threshold">What they are held against.</param>
/// <param name="Penalties">Of axes without a term.</param>
/// <param name="Speed">What serving takes.</param>
/// <param name="Objective">What makes a shape efficient.</param>
/// <param name="Demands">All but that on the loss.</param>
/// <param name="Tokens">D.</param>
internal sealed record Scoring(
    SearchSettings Settings, SearchLaw Law, LossForecast Forecast, LossThreshold Threshold, Penalties Penalties, SpeedModel Speed, Objective Objective, IReadOnlyList<Demand> Demands, double Tokens)
{
    /// <summary>
    /// Where a law is asked about a shape. Where non-embedding parameters are held, all are asked at the one size: otherwise a shape that rounding left a little larger would win by that.
    /// </summary>
    public static PenalisedPoint At(DecoderShape shape, SearchSettings settings, Penalties penalties, double tokens) =>
        new(LawPoint.Of(shape, settings.Hold == HeldQuantity.Parameters ? settings.SettledSize : shape.Parameters, tokens), penalties.Of(shape)) { Shape = shape };

    /// <summary>The same with what this search has.</summary>
    public PenalisedPoint At(DecoderShape shape) => At(shape, Settings, Penalties, Tokens);

    /// <summary>Scores shapes among each other.</summary>
    /// <param name="shapes">Each once.</param>
    /// <returns>Ranked.</returns>
    public IReadOnlyList<Candidate> Of(IReadOnlyList<DecoderShape> shapes)
    {
        var losses = Forecast.Of([.. shapes.Select(At)], Threshold, Law.Confidence);
        return ArchitectureSearch.Rank(shapes.Select((s, i) => Of(s, losses[i])));
    }

    /// <summary>The picks alone: nothing is asked of the resamples but whether the fastest shapes are feasible, from the fastest down.</summary>
    /// <param name="shapes">Each once.</param>
    public (Candidate? Accurate, Candidate? Efficient) Picks(IReadOnlyList<DecoderShape> shapes)
    {
        Candidate[] allowed = [.. shapes.Select(s => Of(s, new ForecastLoss(Forecast.Predict(At(s)), null, null, null))).Where(c => c.Allowed)];
        var efficient = allowed.OrderByDescending(c => c.Gain).ThenBy(c => c.Predicted).ThenBy(c => c.Shape.Id, StringComparer.Ordinal)
            .FirstOrDefault(c => IsProbable(Forecast.Probability(At(c.Shape), Threshold, shapes.Count)));
        return (allowed.OrderBy(c => c.Predicted).ThenByDescending(c => c.Gain).ThenBy(c => c.Shape.Id, StringComparer.Ordinal).FirstOrDefault(), efficient);
    }

    /// <summary>A shape with a known forecast.</summary>
    public Candidate Of(DecoderShape shape, ForecastLoss loss)
    {
        var serving = Speed.Of(shape);
        string[] breaks =
        [
            .. Demands.Where(d => !d.Meets(shape, serving)).Select(d => d.Name),
            .. loss.Probability is { } p && !IsProbable(p) ? (string[])[Search.Demands.Loss] : [],
        ];
        return new Candidate(shape, loss, serving, Objective.Gain(shape, serving.Speed), breaks);
    }

    /// <summary>A sum of a thousand shares may miss the whole by rounding.</summary>
    private bool IsProbable(double probability) => probability >= Settings.Probability - 1e-12;
}
