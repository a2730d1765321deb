// The first part of the report: which shape, how much better than the baseline.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportAnswer
{
    public static void Append(MarkdownDocument report, Study study, Lint lint, IReadOnlyList<string> configurations)
    {
        var best = study.Best;
        report.Heading(2, "Answer");
        report.Paragraph(
            $"For {Quantity.Count(best.Size)} parameters (non-embedding) trained on {Quantity.Count(best.Tokens)} tokens, serving {WorkloadInWords(best.Workload)}:");
        report.List(best.Accurate.Shape == best.Efficient.Shape
            ? [$"**Accurate and efficient**: {ShapeInWords(best.Accurate)}. The shape of least predicted loss is also the fastest that is no worse than the baseline. {Gain(study, best.Accurate)}"]
            :
            [
                $"**Accurate**, the least predicted loss: {ShapeInWords(best.Accurate)}. {Gain(study, best.Accurate)}",
                $"**Efficient**, {(best.Baseline is null ? "the fastest" : "the fastest that is predicted to lose no more than the baseline")}: {ShapeInWords(best.Efficient)}. {Gain(study, best.Efficient)}",
            ]);
        report.Table(Header(best), Rows(study));
        report.Paragraph(
            (configurations.Count == 0 ? "No configuration was written: no asked format can say these shapes." : $"Configurations: {string.Join(", ", configurations.Select(file => $"[`{file}`]({file})"))}.")
            + ReportConsumers.Refused(lint));
        report.Paragraph(DeviceInWords(best.Device));
    }

    private static string WorkloadInWords(Workload workload) =>
        $"{workload.Batch} {(workload.Batch == 1 ? "sequence" : "sequences")} at once that read {workload.Prompt} tokens and write {workload.Output}";

    private static string ShapeInWords(ScoredShape shape) =>
        $"{shape.Layers} layers, hidden size {shape.Hidden}, MLP {shape.Intermediate}, {shape.Heads} query and {shape.KvHeads} key/value heads of {shape.HeadSize}";

    private static string Gain(Study study, ScoredShape shape)
    {
        if (ShapeComparison.Of(study, shape) is not { } gain)
        {
            return $"Predicted: {Quantity.Loss(shape.Predicted)} nats a token, {Quantity.Count(shape.TokensPerSecond)} tokens a second. No baseline was given to hold it against.";
        }

        if (shape.Shape == study.Best.Baseline!.Shape)
        {
            return "It is the baseline itself: nothing better was found.";
        }

        string interval = gain.Interval is null ? "" : $" (95 %: {Quantity.LossDifference(gain.Interval.Low)} … {Quantity.LossDifference(gain.Interval.High)})";
        string share = gain.BetterShare is null ? "" : $", better in {Quantity.Digits(100 * gain.BetterShare, 3)} % of the resampled laws";
        return $"Against the baseline: {Quantity.LossDifference(gain.LossDifference)} nats a token{interval}{share}; {Quantity.Change(gain.SpeedChange)} tokens a second.";
    }

    private static string DeviceInWords(DeviceModel device) => device.Source == "calibrated"
        ? $"Speeds are those of {device.Name} as {device.Rows} measured shapes describe it"
          + (device.HeldOutError is { } error ? $"; shapes that were left out are met within {Quantity.Digits(100 * error, 2)} % (root mean square), and smaller differences in speed say nothing." : ".")
        : $"Speeds are those of a roofline with the peak figures of {device.Name}, not measured: their order counts, their size is too high.";

    private static List<MarkdownColumn> Header(SearchResult best)
    {
        List<MarkdownColumn> header = [new(""), MarkdownColumn.Number("accurate"), MarkdownColumn.Number("efficient")];
        if (best.Baseline is not null)
        {
            header.Add(MarkdownColumn.Number("baseline"));
        }

        return header;
    }

    private static IEnumerable<IReadOnlyList<string>> Rows(Study study)
    {
        var best = study.Best;
        List<ScoredShape> shapes = [best.Accurate, best.Efficient];
        if (best.Baseline is not null)
        {
            shapes.Add(best.Baseline);
        }

        IReadOnlyList<string> Row(string name, Func<ScoredShape, string> value) => [name, .. shapes.Select(value)];
        string Against(ScoredShape shape, Func<ShapeComparison, string> value) =>
            shape == best.Baseline || ShapeComparison.Of(study, shape) is not { } comparison ? Quantity.Absent : value(comparison);

        yield return Row("shape", s => $"`{s.Shape}`");
        yield return Row("layers", s => $"{s.Layers}");
        yield return Row("hidden size (features)", s => $"{s.Hidden}");
        yield return Row("MLP width (features)", s => $"{s.Intermediate}");
        yield return Row("heads, query / key-value × size", s => $"{s.Heads} / {s.KvHeads} × {s.HeadSize}");
        yield return Row("x = hidden / √parameters", s => Quantity.Digits(s.X, 3));
        yield return Row("ratio, MLP / attention parameters", s => Quantity.Digits(s.Ratio, 3));
        yield return Row("GQA, query heads a key/value head", s => Quantity.Digits(s.Gqa, 3));
        yield return Row("parameters, non-embedding", s => $"{s.Parameters}");
        yield return Row("parameters, all", s => $"{s.ParametersTotal}");
        yield return Row("predicted loss (nats a token)", s => Quantity.Loss(s.Predicted));
        if (best.Baseline is not null)
        {
            yield return Row("against the baseline (nats a token)", s => Against(s, c => Quantity.LossDifference(c.LossDifference)));
        }

        yield return Row("predicted speed (tokens a second)", s => Quantity.Count(s.TokensPerSecond));
        if (best.Baseline is not null)
        {
            yield return Row("against the baseline (speed)", s => Against(s, c => Quantity.Change(c.SpeedChange)));
        }

        yield return Row("time to first token", s => Quantity.Duration(s.TimeToFirstToken));
        yield return Row("time per output token", s => Quantity.Duration(s.TimePerOutputToken));
        yield return Row("KV cache (bytes a token)", s => Quantity.Digits(s.KvBytesPerToken, 7));
    }
}
