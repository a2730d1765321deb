// What of the answer is sure, in the sentences that its reader passes on: loss, speed, and which shapes could not be told apart.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class Certainty
{
    /// <summary>Whether the picks lose less than the baseline; null without a baseline, and where a pick is the baseline and there is nothing to be sure of.</summary>
    public static string? OfLoss(SearchResult best)
    {
        if (best.Baseline is not { } baseline)
        {
            return null;
        }

        var picks = Picks(best).Where(p => p.Shape.Shape != baseline.Shape).ToList();
        if (picks.Count == 0)
        {
            return null;
        }

        var told = picks.Select(p => (p.Name, ShapeComparison.Of(best, p.Shape)!.Interval)).ToList();
        if (told.Exists(t => t.Interval is null))
        {
            return best.LawSource is null
                ? "How sure the differences in loss are **is not known**: the law holds no refits to resampled runs."
                : "How sure the differences in loss are **is not known**: the law was taken from a publication, which prints no intervals of it.";
        }

        string?[] sentences =
        [
            Sentence(i => i.High < 0, (who, lose, which) => $"{Capital(who)} **{lose} less than the baseline**: the 95 % interval of {which} lies below 0"),
            Sentence(i => i.Low > 0, (who, lose, which) => $"{Capital(who)} **{lose} more than the baseline**: the 95 % interval of {which} lies above 0"),
            Sentence(i => i.Low <= 0 && i.High >= 0, (who, lose, which) => $"Whether {who} {lose} less than the baseline **cannot be told**: the 95 % interval of {which} holds 0"),
        ];
        return string.Join(". ", sentences.OfType<string>()) + ".";

        string? Sentence(Func<Interval, bool> of, Func<string, string, string, string> words) => told.Where(t => of(t.Interval!)).Select(t => $"the {t.Name} shape").ToList() switch
        {
            [] => null,
            [var one] => words(one, "loses", "the difference"),
            var several => words(string.Join(" and ", several), "lose", "either difference"),
        };
    }

    /// <summary>How many shapes are as good as the accurate one for all that is known; null where nothing tells.</summary>
    public static string? OfChoice(Study study, SearchResult best)
    {
        if (Alike(study) is { } set)
        {
            return set.Shapes == 1
                ? $"No other of {set.Candidates} shapes is likely to lose less than the accurate one."
                : $"**{set.Shapes} of {set.Candidates} shapes cannot be told from the accurate one**: which of them loses least {(best.Misfit is null ? "the resampled law does not say (what it misses of a shape is not known)" : "the runs do not say, what the law misses of a shape counted in")}. They go from x {Quantity.Digits(set.X.Low, 3)} to {Quantity.Digits(set.X.High, 3)} "
                  + $"and from ratio {Quantity.Digits(set.Ratio.Low, 3)} to {Quantity.Digits(set.Ratio.High, 3)}.";
        }

        return best.Valley is not { } valley ? null : valley.Candidates == 1
            ? $"No other shape is predicted within {Within(best, valley)}."
            : $"**{valley.Candidates} shapes are predicted within {Within(best, valley)}** and cannot be told apart. They go from x {Quantity.Digits(valley.X.Low, 3)} to {Quantity.Digits(valley.X.High, 3)} "
              + $"and from ratio {Quantity.Digits(valley.Ratio.Low, 3)} to {Quantity.Digits(valley.Ratio.High, 3)}.";
    }

    /// <summary>Whether on a size that it had not seen the law's pick was worse than a copied shape by more than runs scatter; null where it was not, or nothing was held out.</summary>
    public static string? OfMethod(Study study)
    {
        if (study is not { Scores.HeldOut: { } held, Law: { } law } || held.All.RegretOfCopy is not { } copy || held.All.Regret - copy <= (ReportConfidence.NoiseAt(law, held.Size) ?? law.Fit?.RunNoise ?? 0))
        {
            return null;
        }

        return $"On the size that was held out ({Quantity.Count(held.Size)} parameters) **copying the best smaller shape would have been the better choice**: that shape lost {Quantity.Loss(copy)} nats more than the best measured, the law's pick {Quantity.Loss(held.All.Regret)}.";
    }

    /// <summary>
    /// The candidates that cannot be told from the accurate one: those that together hold the best with the search's confidence, by the resampled law, and where it is known what the law misses of a shape,
    /// also those whose difference that alone explains: |ΔL| ≤ 1.96·√2·misfit, as in the intervals beside it. Null where the table does not say.
    /// </summary>
    public static (int Shapes, int Candidates, Interval X, Interval Ratio)? Alike(Study study)
    {
        if (study.Candidates is not { } candidates || !RowText.Tells(candidates, "in_confidence_set"))
        {
            return null;
        }

        double missed = study.Best is { Misfit: { } misfit, Level: not LossLevel.Factor } ? 1.96 * Math.Sqrt(2) * misfit : double.NegativeInfinity;
        var inSet = candidates.Each().Where(r => r.Text("in_confidence_set") == "true" || r.Number("predicted") - study.Best!.Accurate.Predicted <= missed).ToList();
        Interval Range(string column) => new(inSet.Min(r => r.Number(column)), inSet.Max(r => r.Number(column)));
        return inSet.Count == 0 ? null : (inSet.Count, candidates.Rows.Count, Range("x"), Range("ratio"));
    }

    /// <summary>The search's shapes by name; one where they coincide.</summary>
    public static IEnumerable<(string Name, ScoredShape Shape)> Picks(SearchResult best) =>
        best.Accurate.Shape == best.Efficient.Shape ? [("accurate", best.Accurate)] : [("accurate", best.Accurate), ("efficient", best.Efficient)];

    private static string Within(SearchResult best, Valley valley) => best.Level == LossLevel.Factor
        ? $"{Quantity.Digits(100 * valley.WithinNats, 2)} % of the least loss" : $"{Quantity.Digits(valley.WithinNats, 2)} nats of the least loss";

    private static string Capital(string text) => char.ToUpperInvariant(text[0]) + text[1..];
}
