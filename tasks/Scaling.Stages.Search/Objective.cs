// What makes a candidate efficient, as a number.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>The objective with what it takes.</summary>
/// <param name="Kind">Which.</param>
/// <param name="Workload">What is served.</param>
/// <param name="TrainingHours">Device-hours of training a shape; of effect for the lifetime's cost alone.</param>
/// <param name="ServedTokens">Tokens over the lifetime, likewise.</param>
internal sealed record Objective(SearchObjective Kind, Workload Workload, Func<DecoderShape, double> TrainingHours, double ServedTokens)
{
    private const double SecondsAnHour = 3600;

    /// <summary>The objective that the settings ask for.</summary>
    /// <param name="context">Of the stage.</param>
    /// <param name="tokens">D.</param>
    /// <param name="speed">Workload, and the device's peak.</param>
    /// <exception cref="StageFailedException">SCAL7324: the lifetime's cost lacks the tokens served, or the peak that training is priced by.</exception>
    public static Objective Of(StageContext<SearchSettings> context, double tokens, SpeedModel speed)
    {
        var settings = context.Settings;
        if (settings.Objective != SearchObjective.LifetimeCost)
        {
            return new Objective(settings.Objective, speed.Workload, _ => 0, 0);
        }

        var found = new List<Diagnostic>();
        if (settings.ServedTokens is null)
        {
            found.Add(new Diagnostic("SCAL7324", "'objective: lifetime_cost' does not know how many tokens are served.") { Hint = "Set 'served_tokens', for example 'served_tokens: 10000B'." });
        }

        if (speed.PeakFlops is null)
        {
            found.Add(new Diagnostic("SCAL7324", "'objective: lifetime_cost' does not know the device's peak, by which training is priced.") { Hint = "Set 'device' or 'own_device'." });
        }

        if (found.Count > 0)
        {
            throw new StageFailedException(found);
        }

        double perHour = speed.PeakFlops!.Value * settings.TrainingUtilisation * SecondsAnHour;
        return new Objective(settings.Objective, speed.Workload, s => TrainingCost.FlopsPerToken(s, settings.TrainingContext) * tokens / perHour, settings.ServedTokens!.Value);
    }

    /// <summary>As <see cref="Candidate.Gain"/>.</summary>
    public double Gain(DecoderShape shape, Speed speed) => Kind switch
    {
        SearchObjective.Throughput => speed.TokensPerSecond,
        SearchObjective.Latency => -speed.Latency,
        SearchObjective.DecodeBytes => -InferenceCost.DecodeBytes(shape, Workload.Of(speed.Batch), Workload.MeanContext) / speed.Batch,

        // Tokens a second are those of all devices together, and each of them is paid for.
        _ => -(TrainingHours(shape) + ServedTokens / speed.TokensPerSecond * Workload.TensorParallel / SecondsAnHour),
    };
}
