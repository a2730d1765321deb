// The part of the evidence that was timed: speeds, which of them can be told apart, and how near the machine's limits they are.
using Scaling.Laws;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportSpeed
{
    /// <summary>Longer tables are folded.</summary>
    private const int ShownRows = 12;

    public static void Append(ReportDocument report, Study study, Action<string[]> show)
    {
        var rows = Timed(study);
        if (rows.Count == 0)
        {
            return;
        }

        var table = study.Speed!;
        string[] letters = Letters(rows, table);
        report.Heading(2, "Measured speed");
        List<(ReportColumn Column, Func<int, string> Cell)> columns =
        [
            (new("shape"), i => $"`{rows[i].Text("shape")}`{(table.Has("baseline") && rows[i].Text("baseline") == "true" ? " **baseline**" : "")}"),
            (ReportColumn.Number("parameters"), i => Quantity.Count(rows[i].Number("parameters"))), (ReportColumn.Number("x"), i => Digits(rows[i], "x")),
            (ReportColumn.Number("ratio"), i => Digits(rows[i], "ratio")), (ReportColumn.Number("GQA"), i => Digits(rows[i], "gqa")),
            (ReportColumn.Number("tokens a second"), i => Quantity.Count(rows[i].Number("tokens_per_second"))), (new("alike"), i => letters[i]),
            (ReportColumn.Number("95 %"), i => IntervalOf(rows[i], "tokens_per_second") is { } v ? $"{Quantity.Count(v.Low)} … {Quantity.Count(v.High)}" : Quantity.Absent),
            (ReportColumn.Number("first token"), i => Quantity.Duration(Optional(rows[i], "time_to_first_token"))),
            (ReportColumn.Number("each token"), i => Quantity.Duration(Optional(rows[i], "time_per_output_token"))),
            (ReportColumn.Number("KV bytes a token"), i => Quantity.Digits(Optional(rows[i], "kv_bytes_per_token"), 7)),
        ];
        void AddWhereThere(string column, string heading, Func<double?, string> format)
        {
            if (table.Has(column) && rows.Exists(r => Optional(r, column) is not null))
            {
                columns.Add((ReportColumn.Number(heading), i => format(Optional(rows[i], column))));
            }
        }

        AddWhereThere("total_tokens_per_second", "read and written a second", Quantity.Count);
        AddWhereThere("peak_memory", "peak memory (bytes)", Quantity.Count);
        AddWhereThere("bandwidth_utilisation", "of the bandwidth", Share);
        AddWhereThere("flop_utilisation", "of the arithmetic", Share);
        AddWhereThere("roofline_ratio", "of the roofline", Share);
        show([ExportTables.MeasuredSpeed]);
        report.Paragraph(Explained(rows, table));
        if (rows.Count <= ShownRows)
        {
            Rows(report);
        }
        else
        {
            report.Folded($"The measured speed of {rows.Count} shapes, the fastest first", Rows);
        }

        void Rows(ReportDocument to) => to.Table([.. columns.Select(c => c.Column)], Enumerable.Range(0, rows.Count).Select(i => (IReadOnlyList<string>)[.. columns.Select(c => c.Cell(i))]));
    }

    /// <summary>The rows that have a speed, the fastest first.</summary>
    public static List<Row> Timed(Study study) => study.Speed?.Each().Where(r => !IsSkipped(r, study.Speed)).OrderByDescending(r => r.Number("tokens_per_second")).ToList() ?? [];

    /// <summary>A row that its walk over GQA did not reach has no speed.</summary>
    private static bool IsSkipped(Row row, Table table) => table.Has("source") && row.Text("source") == "skipped";

    /// <summary>Letters of the rows, by what was timed beside them where that is one shape for all.</summary>
    private static string[] Letters(List<Row> rows, Table table)
    {
        string column = IsRelative(rows, table) ? "relative_speed" : "tokens_per_second";
        Interval?[] intervals = [.. rows.Select(r => IntervalOf(r, column))];
        var letters = new Queue<string>(SharedLetters.Of([.. intervals.OfType<Interval>()]));
        return [.. intervals.Select(v => v is null ? Quantity.Absent : letters.Dequeue())];
    }

    private static bool IsRelative(List<Row> rows, Table table) =>
        table.Has("anchor") && table.Has("relative_speed_low") && table.Has("relative_speed_high") && rows.Select(r => r.Text("anchor")).Distinct().ToList() is [not ""]; // An engine's rows have none.

    private static string Explained(List<Row> rows, Table table)
    {
        var first = rows[0];
        int skipped = table.Rows.Count - rows.Count;
        string engine = table.Has("engine") && first.Text("engine") != "torch" ? $" of {$"{first.Text("engine")} {first.Text("engine_version")}".TrimEnd()}" : "";
        return $"Medians of repeated runs{engine} on {first.Text("device")} in {first.Text("data_type")}, {first.Text("threads")} {(first.Text("threads") == "1" ? "thread" : "threads")}: "
            + $"{first.Text("prompt")} tokens read, {first.Text("output")} written, batch {first.Text("batch")}. "
            + $"Shapes with a letter in common cannot be told apart: their 95 % intervals{(IsRelative(rows, table) ? " of the speed against a shape that was timed beside them" : "")} overlap."
            + (table.Has("roofline_ratio") ? " Shares are of what the machine does at best; those of the bandwidth and the roofline exceed 100 % where caches keep a small model." : "")
            + (skipped > 0 ? $" A walk over GQA left out {skipped} {(skipped == 1 ? "shape" : "shapes")}." : "")
            + " Measured once and kept: a repetition differs by about the interval.";
    }

    public static Interval? IntervalOf(Row row, string column) =>
        Optional(row, column + "_low") is { } low && Optional(row, column + "_high") is { } high ? new Interval(low, high) : null;

    private static string Share(double? share) => share is null ? Quantity.Absent : $"{Quantity.Digits(100 * share, 2)} %";
}
