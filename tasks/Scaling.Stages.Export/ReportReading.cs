// The last part of the report: how to read it, where it comes from, and how to make it again.
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class ReportReading
{
    public static void Append(ReportDocument report, Study study)
    {
        report.Heading(2, "How to read this");
        report.Folded("What loss, parameters and intervals mean here", folded => folded.List(Notes(study)));
        report.Heading(2, "Where it comes from");
        report.Paragraph(
            "With the pipeline file, its plugins and its inputs the same, this makes the same report again, byte for byte; nothing in it depends on the day, the place or what was cached. "
            + "`verify` holds what is stored against its digests and with `--replay` repeats some of the work and compares; `why` tells what a key is made of.");
        report.Code("dotnet scaling run PIPELINE.yaml\ndotnet scaling verify PIPELINE.yaml --replay 3\ndotnet scaling why STAGE PIPELINE.yaml", "sh");
        report.Folded($"The {study.Sources.Count} files that it was made from, with their digests", folded => folded.Table(
            [new("file"), new("written by"), ReportColumn.Number("rows"), new("SHA-256, first 16 digits")],
            study.Sources.Select(s => (IReadOnlyList<string>)[$"`{s.File}`", s.Stage, s.Rows?.ToString() ?? Quantity.Absent, $"`{s.Digest}`"])));
        report.Folded("Counting rules, seeds, data and versions", folded => folded.Table([new("what"), new("which")], Facts(study)));
    }

    private static IEnumerable<string> Notes(Study study)
    {
        yield return "Loss is the mean cross-entropy on text that no run trained on, in nats a token; it compares only runs with the same tokenizer and the same held-out text. A difference of 0.01 nats is 1 % in perplexity.";
        yield return "Parameters are counted without embeddings and norms (N), unless they are called all.";
        if (study.Best is not null || study.Law?.Shape is not null)
        {
            yield return "x is the hidden size over √N, the ratio the MLP's parameters over the attention's.";
        }

        if (study.Best is null)
        {
            yield return "Intervals of the law's coefficients and curves hold what noise in the runs does to them, and nothing of what the formula gets wrong beyond the runs.";
            yield break;
        }

        yield return "An interval of a pick's loss holds what noise in the runs does to the law, where it was refitted to resampled runs, and what the law is taken to miss of a shape. Intervals of the law's own coefficients hold the noise alone.";
        yield return "What the law has no term for (depth, head size, GQA) is held at one value in the search, or costs what its user stated. A gain that comes from such a change is not a prediction of this study.";
        yield return "Speeds depend on the workload: at another batch or length two shapes may trade places.";
    }

    /// <summary>What the numbers rest on beside the tables.</summary>
    private static IEnumerable<IReadOnlyList<string>> Facts(Study study)
    {
        if (study.Law is { } law)
        {
            yield return ["how parameters are counted", law.ParametersRule];
            yield return ["how tokens are counted", law.TokensRule];
            yield return ["law", law.Source is { } source ? $"taken from {source}" : $"`law.json` version {law.Version}, {law.Options.Resamples} resamples from seed {law.Options.ResampleSeed}"];
        }

        foreach (var (column, name) in new[] { ("seed", "seeds of the runs"), ("recipe", "optimiser"), ("precision", "precision"), ("tokenizer", "tokenizer"), ("corpus", "training tokens, SHA-256"), ("held_out", "held-out tokens, SHA-256"), ("token_order", "order of the training tokens, SHA-256") })
        {
            if (Values(study.Runs, column) is { Count: > 0 } values)
            {
                yield return [name, values.Count > MostValues ? $"{values.Count} different" : string.Join(", ", values.Select(v => $"`{v}`"))];
            }
        }

        if (study.Best is { } best)
        {
            yield return ["speeds", $"{best.Device.Name}, {best.Device.Source}{(best.Device.Rows > 0 ? $" on {best.Device.Rows} rows" : "")}"];
        }

        yield return ["stage contract", $"revision {Contract.Revision}"];
        if (study.Key.Length > 0)
        {
            yield return ["key of this report", $"`{study.Key}`"];
        }
    }

    /// <summary>Columns with more values are told by how many.</summary>
    private const int MostValues = 8;

    private static List<string> Values(Table? table, string column) => table is null || !table.Has(column)
        ? []
        : [.. table.Each().Select(r => r.Text(column).Replace('`', '\'')).Where(v => v.Length > 0).Distinct(StringComparer.Ordinal).OrderBy(v => v.Length).ThenBy(v => v, StringComparer.Ordinal)];
}
