// The first part of the report: which shape, how much better than the baseline.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportAnswer
{
    public static void Append(ReportDocument report, Study study, SearchResult best, Lint lint, IReadOnlyList<string> configurations)
    {
        report.Heading(2, "Answer");
        report.Paragraph(
            $"For {Quantity.Count(best.Size)} parameters (non-embedding) trained on {Quantity.Count(best.Tokens)} tokens, serving {SearchWords.Served(best.Workload)}:");
        string efficient = $"{SearchWords.Efficient(best.Objective)}{(SearchWords.Threshold(best) is { } limit ? $" that is predicted to lose {limit}" : " of all, whatever it loses: there is no baseline to hold it against")}";
        report.Answers(best.Accurate.Shape == best.Efficient.Shape
            ? [AnswerOf("Accurate and efficient", $"the least predicted loss and also {efficient}", best, best.Accurate)]
            : [AnswerOf("Accurate", "the least predicted loss", best, best.Accurate), AnswerOf("Efficient", efficient, best, best.Efficient)]);
        string sure = string.Join(" ", new[] { Certainty.OfLoss(best), ReportReferences.IsDoubted(study, best) ? ReportReferences.Doubt(study, best) : null, Certainty.OfChoice(study, best), Certainty.OfMethod(study) }.OfType<string>());
        if (sure.Length > 0)
        {
            report.Paragraph(sure);
        }

        report.Paragraph(SearchWords.Speeds(best.Device) + Measured(best));
        var (first, more) = Rows(best);
        report.Table(Header(best), first);
        report.Folded("More of these shapes: x and ratio, latencies, cache and memory", folded => folded.Table(Header(best), more));
        report.Paragraph(
            (configurations.Count == 0 ? "No configuration was written: no asked format can say these shapes." : $"Configurations: {string.Join(", ", configurations.Select(file => $"[`{file}`]({file})"))}.")
            + ReportConsumers.Refused(lint));
    }

    private static Answer AnswerOf(string name, string about, SearchResult best, ScoredShape shape) => new(name, about, ShapeInWords(shape), Gain(best, shape)) { Figures = [.. Figures(best, shape)] };

    /// <summary>What <see cref="Gain"/> says in words; nothing where the pick is the baseline.</summary>
    private static IEnumerable<AnswerFigure> Figures(SearchResult best, ScoredShape shape)
    {
        if (ShapeComparison.Of(best, shape) is not { } gain)
        {
            yield return new AnswerFigure(Quantity.Loss(shape.Predicted), $"{SearchWords.LossUnit(best)}, predicted", shape.PredictedLow is null ? null : $"95 %: {RowText.Interval(shape.PredictedLow, shape.PredictedHigh, Quantity.Loss)}");
            yield return new AnswerFigure(Quantity.Count(shape.TokensPerSecond), "tokens a second", Speeds(shape));
            yield break;
        }

        if (shape.Shape == best.Baseline!.Shape)
        {
            yield break;
        }

        yield return new AnswerFigure(
            Quantity.LossDifference(gain.LossDifference), $"{SearchWords.DifferenceUnit(best)} against the baseline", gain.Interval is { } i ? $"95 %: {RowText.Interval(i.Low, i.High, Quantity.LossDifference)}" : null);
        if (Odds(best, shape) is { } odds)
        {
            yield return new AnswerFigure(SearchWords.Share(odds), best.LossAtMost is null ? "probability that it is no worse" : "probability that it is within the limit");
        }

        yield return new AnswerFigure(Quantity.Change(gain.SpeedChange), "tokens a second against the baseline", Speeds(shape));
    }

    private static string? Speeds(ScoredShape shape) =>
        shape.TokensPerSecondLow is null ? null : $"95 % of its {Quantity.Count(shape.TokensPerSecond)}: {RowText.Interval(shape.TokensPerSecondLow, shape.TokensPerSecondHigh, Quantity.Count)}";

    private static double? Odds(SearchResult best, ScoredShape shape) => SearchWords.KnowsOdds(best) ? shape.ProbabilityFeasible : null;

    /// <summary>Which of the shapes were timed themselves, in a sentence with a space before it; empty where none was.</summary>
    private static string Measured(SearchResult best)
    {
        var timed = new[] { ("the accurate shape", best.Accurate), ("the efficient shape", best.Efficient), ("the baseline", best.Baseline) }
            .Where(s => s.Item2?.Source == "measured").Select(s => s.Item1).ToList();
        return timed.Count == 0 ? "" : $" Measured themselves: {string.Join(", ", timed)}.";
    }

    private static string ShapeInWords(ScoredShape shape) => $"{shape.Layers} layers, {SearchWords.Widths(shape)}";

    private static string Gain(SearchResult best, ScoredShape shape)
    {
        if (ShapeComparison.Of(best, shape) is not { } gain)
        {
            return $"Predicted: {Quantity.Loss(shape.Predicted)} {SearchWords.LossUnit(best)}, {Quantity.Count(shape.TokensPerSecond)} tokens a second. No baseline was given to hold it against.";
        }

        if (shape.Shape == best.Baseline!.Shape)
        {
            return "It is the baseline itself: nothing better was found.";
        }

        string interval = gain.Interval is null ? "" : $" (95 %: {RowText.Interval(gain.Interval.Low, gain.Interval.High, Quantity.LossDifference)})";
        string share = Odds(best, shape) is not { } p ? "" : $", {(best.LossAtMost is null ? "no worse" : "within the limit")} with a probability of {SearchWords.Share(p)}";
        return $"Against the baseline: {Quantity.LossDifference(gain.LossDifference)} {SearchWords.DifferenceUnit(best)}{interval}{share}; {Quantity.Change(gain.SpeedChange)} tokens a second.";
    }

    private static List<ReportColumn> Header(SearchResult best)
    {
        List<ReportColumn> header = [new(""), ReportColumn.Number("accurate"), ReportColumn.Number("efficient")];
        if (best.Baseline is not null)
        {
            header.Add(ReportColumn.Number("baseline"));
        }

        return header;
    }

    /// <summary>What a reader compares first, and the rest.</summary>
    private static (IReadOnlyList<string>[] First, IReadOnlyList<string>[] More) Rows(SearchResult best)
    {
        List<ScoredShape> shapes = [best.Accurate, best.Efficient];
        if (best.Baseline is not null)
        {
            shapes.Add(best.Baseline);
        }

        IReadOnlyList<string> Row(string name, Func<ScoredShape, string> value) => [name, .. shapes.Select(value)];
        IEnumerable<IReadOnlyList<string>> Known(Func<ScoredShape, object?> value, string name, Func<ScoredShape, string> text) => shapes.Any(s => value(s) is not null) ? [Row(name, text)] : [];
        IEnumerable<IReadOnlyList<string>> Against(string name, Func<ShapeComparison, string> value) => best.Baseline is null
            ? []
            : [Row(name, s => s == best.Baseline || ShapeComparison.Of(best, s) is not { } comparison ? Quantity.Absent : value(comparison))];

        IReadOnlyList<string>[] first =
        [
            Row("layers", s => $"{s.Layers}"),
            Row("hidden size (features)", s => $"{s.Hidden}"),
            Row("MLP width (features)", s => $"{s.Intermediate}"),
            Row("heads, query / key-value × size", s => $"{s.Heads} / {s.KvHeads} × {s.HeadSize}"),
            Row("parameters, non-embedding", s => $"{s.Parameters}"),
            Row($"predicted loss ({SearchWords.LossUnit(best)})", s => Quantity.Loss(s.Predicted)),
            .. Against($"against the baseline ({SearchWords.DifferenceUnit(best)})", c => Quantity.LossDifference(c.LossDifference)),
            .. Known(s => Odds(best, s), $"probability that it loses {(best.LossAtMost is { } most ? $"at most {Quantity.Loss(most)}" : "no more than the baseline")}", s => SearchWords.Share(s.ProbabilityFeasible)),
            Row("predicted speed (tokens a second)", s => Quantity.Count(s.TokensPerSecond)),
            .. Against("against the baseline (speed)", c => Quantity.Change(c.SpeedChange)),
            .. best.Objective == SearchObjective.Throughput ? [] : Known(s => s.Objective, SearchWords.Objective(best.Objective), s => SearchWords.Value(best.Objective, s.Objective)),
        ];
        IReadOnlyList<string>[] more =
        [
            Row("shape", s => $"`{s.Shape}`"),
            Row("x = hidden / √parameters", s => Quantity.Digits(s.X, 3)),
            Row("ratio, MLP / attention parameters", s => Quantity.Digits(s.Ratio, 3)),
            Row("GQA, query heads a key/value head", s => Quantity.Digits(s.Gqa, 3)),
            Row("parameters, all", s => $"{s.ParametersTotal}"),
            .. Known(s => s == best.Baseline ? null : s.PredictedLow, best.Baseline is null ? "95 % of the loss" : "95 % of the loss, the baseline's being as predicted", s => s == best.Baseline ? Quantity.Absent : RowText.Interval(s.PredictedLow, s.PredictedHigh, Quantity.Loss)),
            .. Known(s => s.TokensPerSecondLow, "95 % of the speed", s => RowText.Interval(s.TokensPerSecondLow, s.TokensPerSecondHigh, Quantity.Count)),
            Row("time to first token", s => Quantity.Duration(s.TimeToFirstToken)),
            Row("time per output token", s => Quantity.Duration(s.TimePerOutputToken)),
            Row("KV cache (bytes a token)", s => Quantity.Digits(s.KvBytesPerToken, 7)),
            .. Known(s => s.MemoryBytes, "memory on one device (bytes)", s => Quantity.Count(s.MemoryBytes)),
            .. Known(s => s.Batch, "sequences served at once", s => s.Batch is { } batch ? $"{batch}{(batch < best.Workload.Batch ? " (more do not fit)" : "")}" : Quantity.Absent),
        ];
        return (first, more);
    }
}
