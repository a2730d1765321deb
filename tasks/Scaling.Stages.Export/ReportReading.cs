// The last part of the report: how to read it, and which table came from where.
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportReading
{
    public static void Append(ReportDocument report, Study study)
    {
        report.Heading(2, "How to read this");
        report.List(
        [
            "Loss is the mean cross-entropy on text that no run trained on, in nats a token; it compares only runs with the same tokenizer and the same held-out text. A difference of 0.01 nats is 1 % in perplexity.",
            "Parameters are counted without embeddings and norms (N), unless they are called all. x is the hidden size over √N, the ratio the MLP's parameters over the attention's.",
            "An interval of a pick's loss holds what noise in the runs does to the law, where it was refitted to resampled runs, and what the law is taken to miss of a shape. Intervals of the law's own coefficients hold the noise alone.",
            "What the law has no term for (depth, head size, GQA) is held at one value in the search, or costs what its user stated. A gain that comes from such a change is not a prediction of this study.",
            "Speeds depend on the workload: at another batch or length two shapes may trade places.",
        ]);
        report.Heading(2, "Where it comes from");
        report.Table(
            [new("file"), new("written by"), ReportColumn.Number("rows"), new("SHA-256, first 16 digits")],
            study.Sources.Select(s => (IReadOnlyList<string>)[$"`{s.File}`", s.Stage, s.Rows?.ToString() ?? Quantity.Absent, $"`{s.Digest}`"]));
    }
}
