// The part of the report on the search: what was asked, what each demand leaves, and the front between loss and speed.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;
using static Scaling.Stages.Export.RowText;

namespace Scaling.Stages.Export;

internal static class ReportSearch
{
    /// <summary>The front's first rows; front.csv has the others.</summary>
    private const int FrontRows = 20;

    public static void Append(ReportDocument report, Study study, SearchResult best)
    {
        report.Heading(2, "Search");
        report.Paragraph(
            $"Sought was {SearchWords.Efficient(best.Objective)} of all shapes with {SearchWords.Held(best)}{(SearchWords.Threshold(best) is { } limit ? $" that are predicted to lose {limit}" : "")}.");
        report.List(Question(best));
        AppendDemands(report, study, best);
        AppendFront(report, study, best);
    }

    private static IEnumerable<string> Question(SearchResult best)
    {
        if (best.Layers.Count > 0)
        {
            yield return $"Shapes: {SearchWords.Span([.. best.Layers.Select(l => (double)l)])} layers, heads of {SearchWords.Span([.. best.HeadSize.Select(h => (double)h)])}, GQA {SearchWords.Span(best.Gqa)}, "
                + (best.MultipleOf is { } multiple ? $"hidden and MLP sizes in multiples of {multiple}." : "as a table of shapes gave them.");
        }

        yield return $"Serving: {SearchWords.Served(best.Workload)}; {SearchWords.Formats(best.Workload)}, on {best.Device.Name}.";
        yield return best.Level switch
        {
            LossLevel.Baseline => $"Losses are set by the baseline's measured loss, {Quantity.Loss(best.Baseline?.Predicted)} nats a token: the law says how far another shape's loss lies from it.",
            LossLevel.Factor => "The law has no level, and no measured loss sets one: losses are known up to a common factor alone, and only ratios between shapes mean something.",
            _ => "Losses are the law's own, in nats a token.",
        };
        if (SearchWords.Threshold(best) is not null)
        {
            yield return best.Misfit is { } misfit
                ? $"The law is taken to miss the loss of a shape by {Quantity.Digits(misfit, 2)} nats ({best.MisfitSource}), as a standard deviation, and the difference of two shapes by √2 of it."
                : $"What the law misses of a shape's loss is {(best.MisfitSource.Length > 0 ? best.MisfitSource : "unknown")}. It was taken as nothing{(SearchWords.KnowsOdds(best) ? ", so that every probability here is too sure" : ": a shape counts as no worse where its predicted loss is no greater")}.";
        }

        if (best.Penalties.Count > 0)
        {
            var terms = best.Penalties.OrderBy(p => p.Key, StringComparer.Ordinal).Select(p => $"{Quantity.Digits(p.Value, 3)} nats for each doubling of {Axis(p.Key)}").ToList();
            yield return $"The law has no term for {(terms.Count == 1 ? "this axis" : "these axes")}. Away from the runs' value every shape was charged {string.Join(", ", terms)}: **stated, not measured**.";
        }
    }

    private static string Axis(string name) => name switch { "gqa" => "GQA", "head_size" => "the head size", _ => $"the {name}" };

    private static void AppendDemands(ReportDocument report, Study study, SearchResult best)
    {
        if (best.Constraints.Count == 0)
        {
            if (study.Candidates is { } table)
            {
                report.Paragraph($"{table.Rows.Count} shapes were held against one another.");
            }

            return;
        }

        report.Paragraph($"What each demand leaves{(study.Candidates is { } candidates ? $" of {candidates.Rows.Count} shapes" : "")}:");
        report.Table(
            [new("shapes that"), ReportColumn.Number("by themselves"), ReportColumn.Number("with all above")],
            best.Constraints.Select(c => (IReadOnlyList<string>)[c.Demand, $"{c.Meet}", $"{c.Left}"]));
    }

    private static void AppendFront(ReportDocument report, Study study, SearchResult best)
    {
        if (study.Front is not { } front)
        {
            return;
        }

        bool byObjective = best.Objective != SearchObjective.Throughput && Tells(front, "objective");
        report.Paragraph($"The front, by rising loss{(front.Rows.Count > FrontRows ? $" (the first {FrontRows} of {front.Rows.Count} shapes; `front.csv` has all)" : "")}:");
        (ReportColumn Column, bool Shown, Func<Row, string> Cell)[] columns =
        [
            (new("shape"), true, row => Name(row.Text("shape"), best)),
            (ReportColumn.Number("hidden"), true, row => row.Text("hidden")),
            (ReportColumn.Number("MLP"), true, row => row.Text("intermediate")),
            (ReportColumn.Number("heads"), true, row => $"{row.Text("heads")} / {row.Text("kv_heads")}"),
            (ReportColumn.Number("GQA"), true, row => Digits(row, "gqa")),
            (ReportColumn.Number("x"), true, row => Digits(row, "x")),
            (ReportColumn.Number("ratio"), true, row => Digits(row, "ratio")),
            (ReportColumn.Number($"predicted loss ({SearchWords.LossUnit(best)})"), true, row => Quantity.Loss(Optional(row, "predicted"))),
            (ReportColumn.Number("95 %"), Tells(front, "predicted_low"), row => Interval(Optional(row, "predicted_low"), Optional(row, "predicted_high"), Quantity.Loss)),
            (ReportColumn.Number("against the baseline"), best.Baseline is not null, row => Quantity.LossDifference(Optional(row, "loss_difference"))),
            (ReportColumn.Number("probability of no more than asked"), SearchWords.KnowsOdds(best) && Tells(front, "probability_feasible"), row => SearchWords.Share(Optional(row, "probability_feasible"))),
            (ReportColumn.Number(SearchWords.Objective(best.Objective)), byObjective, row => SearchWords.Value(best.Objective, Optional(row, "objective"))),
            (ReportColumn.Number("tokens a second"), true, row => Count(row, "tokens_per_second")),
            (ReportColumn.Number("95 %"), Tells(front, "tokens_per_second_low"), row => Interval(Optional(row, "tokens_per_second_low"), Optional(row, "tokens_per_second_high"), Quantity.Count)),
            (ReportColumn.Number("KV bytes a token"), true, row => Quantity.Digits(Optional(row, "kv_bytes_per_token"), 7)),
        ];
        var shown = columns.Where(c => c.Shown).ToList();
        report.Table([.. shown.Select(c => c.Column)], front.Each().Take(FrontRows).Select(row => (IReadOnlyList<string>)[.. shown.Select(c => c.Cell(row))]));
    }

    private static string Name(string shape, SearchResult best)
    {
        var names = new[] { (best.Accurate.Shape, "accurate"), (best.Efficient.Shape, "efficient"), (best.Baseline?.Shape, "baseline") }
            .Where(n => n.Item1 == shape).Select(n => n.Item2).ToList();
        return names.Count == 0 ? $"`{shape}`" : $"`{shape}` **{string.Join(", ", names)}**";
    }
}
