// What the law misses of the loss of one shape, beyond what its resamples know.
using System.Text.Json;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>σ of one shape, with where it comes from.</summary>
/// <param name="Nats">Standard deviation, nats a token; null: unknown.</param>
/// <param name="Source">In words.</param>
internal sealed record Misfit(double? Nats, string Source)
{
    /// <summary>The setting, else held-out scores, else the fit's own scatter, each less what seeds alone scatter by.</summary>
    /// <exception cref="StageFailedException">SCAL7328: <c>scores</c> are no scores.</exception>
    public static Misfit Of(StageContext<SearchSettings> context, SearchLaw law, string scoresRole)
    {
        var scores = Scores(context, scoresRole);
        var misfit = law.Level(context.Settings) == Architectures.LossLevel.Factor
            ? new Misfit(null, "unknown: the law has no level")
            : context.Settings.Misfit is { } set ? new Misfit(set, "as set")
            : scores is not null ? FromScores(scores, law.Document.Fit)
            : FromFit(law.Document.Fit);
        if (misfit.Nats is null && context.Settings.Probability > 0.5)
        {
            context.Warn(
                "SCAL7327", $"A probability of {Table.Cell(context.Settings.Probability)} is asked for, and what the law misses of a shape is {misfit.Source}: it is taken as 0.",
                "Set 'misfit', or add 'extrapolate' with a held-out size to 'needs:'.");
        }

        return misfit;
    }

    private static Misfit FromScores(HeldOutScores scores, FitSummary? fit) => fit?.ReplicateNoise is { } noise
        ? Beyond(scores.All.ShapeError, noise, "the shape error at the held-out size, less the noise of seeds")
        : new Misfit(scores.All.ShapeError, "the shape error at the held-out size, the noise of seeds included");

    private static Misfit FromFit(FitSummary? fit) => fit is { ReplicateNoise: { } noise }
        ? Beyond(fit.RunNoise, noise, "what the runs scatter by beyond the noise of seeds")
        : new Misfit(null, "unknown: there are neither scores nor replicates");

    /// <summary>Scatter that is no more than that of seeds does not say that the law misses nothing: it says that these runs cannot tell.</summary>
    private static Misfit Beyond(double all, double noise, string source) =>
        all > noise ? new Misfit(Math.Sqrt(all * all - noise * noise), source) : new Misfit(null, "unknown: the runs scatter by no more than seeds do");

    private static HeldOutScores? Scores(StageContext<SearchSettings> context, string role)
    {
        if (context.Inputs(role) is not [var file])
        {
            return null;
        }

        try
        {
            var document = ScoresDocument.Read(file.Path);
            return document.HeldOut ?? (document.Rollout is [.., var last] ? last.AllSizes : null);
        }
        catch (JsonException e)
        {
            throw new StageFailedException("SCAL7328", $"The scores cannot be read: {e.Message}", "Expected scores.json, as 'extrapolate' writes it.");
        }
    }
}
