// The law that a search rests on, and what of it its runs do not determine.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>A law with the axes that its runs leave open.</summary>
/// <param name="Document">With shape terms.</param>
/// <param name="Open">Of <c>x</c> and <c>ratio</c> those whose optimum the runs do not determine.</param>
internal sealed record SearchLaw(LawDocument Document, IReadOnlyList<string> Open)
{
    /// <summary>With its resamples an open axis is wide already; the set that holds the best is asked for with more confidence.</summary>
    public double Confidence => Open.Count > 0 ? 0.95 : 0.8;

    /// <summary>Reads the law and says what is doubtful in it.</summary>
    /// <exception cref="StageFailedException">
    /// SCAL7309, SCAL7310: it cannot be read or tells no shapes apart; SCAL7323: it has no level, and a setting needs one; SCAL7326: what is needed is not identified, and the pipeline asks to stop.
    /// </exception>
    public static SearchLaw Read(StageContext<SearchSettings> context, string role)
    {
        LawDocument law;
        try
        {
            law = LawDocument.Read(context.Input(role));
        }
        catch (FormatException e)
        {
            throw new StageFailedException("SCAL7309", $"The law cannot be read: {e.Message}.", "Expected law.json, as 'fit' writes it.");
        }

        if (law.Shape is not { Form: not LawForm.None })
        {
            throw new StageFailedException(
                "SCAL7310", "The law predicts the same loss for every shape: it is a Chinchilla law.", "Fit with 'law: conditional' on runs that differ in x and ratio.");
        }

        if (law.ParametersRule != "non-embedding")
        {
            context.Warn(
                "SCAL7311", $"The law counts parameters as '{law.ParametersRule}', the search as 'non-embedding'.", "Fit on the column 'parameters' of runs.csv.");
        }

        RefuseWithoutLevel(context.Settings, law);
        return new SearchLaw(law, Doubts(context, law));
    }

    /// <summary>What losses are measured in.</summary>
    public LossLevel Level(SearchSettings settings) =>
        settings.Baseline?.Loss is not null ? LossLevel.Baseline : Document.HasLevel ? LossLevel.Law : LossLevel.Factor;

    private static void RefuseWithoutLevel(SearchSettings settings, LawDocument law)
    {
        if (law.HasLevel)
        {
            return;
        }

        bool anchored = settings.Baseline?.Loss is not null;
        (bool Set, string Name)[] needy =
        [
            (settings.Hold != HeldQuantity.Parameters, "hold"),
            (!anchored && settings.LossAtMost is not null, "loss_at_most"),
            (!anchored && settings.Misfit > 0, "misfit"),
            (!anchored && settings.Penalties is { } p && (p.Gqa > 0 || p.Layers > 0 || p.HeadSize > 0), "penalties"),
        ];
        string[] set = [.. needy.Where(n => n.Set).Select(n => $"'{n.Name}'")];
        if (set.Length > 0)
        {
            throw new StageFailedException(
                "SCAL7323", $"The law has no level: it says by which factor shapes differ at one size, in no nats and at no other size, and {string.Join(", ", set)} {(set.Length == 1 ? "needs" : "need")} more.",
                set is ["'hold'"] ? "Write 'hold: parameters', or give a law that was fitted on several sizes." : "Set 'baseline.loss', the baseline's measured loss; 'hold' other than parameters needs a law of several sizes.");
        }
    }

    private static List<string> Doubts(StageContext<SearchSettings> context, LawDocument law)
    {
        var settings = context.Settings;
        bool resamples = law.Resamples.Count >= LawDocument.LeastResamples;
        var open = new List<string>();
        var stops = new List<Diagnostic>();
        void Consider(string quantity, string? axis, bool needed, bool told)
        {
            if (!told || law.Verdict(quantity) is not { Identification: Identification.NotIdentified } verdict)
            {
                return;
            }

            string message = $"The law's runs do not determine {quantity}: {verdict.Reason}";
            if (needed && settings.NotIdentified == Doubt.Stop)
            {
                stops.Add(new Diagnostic("SCAL7326", message) { Hint = "Train more seeds or a wider grid, or write 'not_identified: warn' to search nonetheless." });
                return;
            }

            string widened = axis is null ? ""
                : resamples ? $" The confidence set is therefore taken at 95 %, and intervals and probabilities hold what the resamples say of {axis}."
                : $" Without resamples the search therefore holds {axis} near the baseline, unless '{axis}' is set.";
            context.Warn("SCAL7307", message, $"Train more seeds or a wider grid before believing the pick.{widened}");
            if (axis is not null)
            {
                open.Add(axis);
            }
        }

        Consider("x_star", "x", needed: true, told: true);
        Consider("r_star", "ratio", needed: true, told: true);

        // Differences at one size and budget need no base law; a level does, and so do shapes of several sizes.
        bool anchored = settings.Baseline?.Loss is not null, sizes = settings.Hold != HeldQuantity.Parameters;
        string prediction = law.Ranges.TokensPerParameter.Contains(settings.TokensPerParameter) ? "prediction_along_ray" : "prediction_off_ray";
        Consider(prediction, null, needed: sizes || (settings.LossAtMost is not null && !anchored), told: sizes || (!anchored && law.HasLevel));
        return stops.Count == 0 ? open : throw new StageFailedException(stops);
    }
}
