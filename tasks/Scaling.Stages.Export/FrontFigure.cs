// The figure of the front: every candidate by loss and by what makes a shape efficient.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class FrontFigure
{
    /// <summary>More candidates than this are thinned: the cloud looks the same and the file stays small.</summary>
    private const int DrawnCandidates = 1500;

    private const string Pale = "#b8b8b8";

    /// <summary>Shapes of known loss beyond these have no colour left; the table has all.</summary>
    private const int MostKnown = 3;

    private static readonly int[] KnownColours = [3, 4, 6];

    /// <summary>Speed across, or the objective where it is another: fewer seconds, bytes or hours are better.</summary>
    public static StudyFigure? Of(Study study)
    {
        if (study.Best is not { } best || (study.Candidates is null && study.Front is null))
        {
            return null;
        }

        var series = new List<FigureSeries>();
        if (study.Candidates is { } candidates)
        {
            int step = 1 + (candidates.Rows.Count - 1) / DrawnCandidates;
            bool Meets(Row row) => !candidates.Has("feasible") || row.Text("feasible") != "false";
            var rest = candidates.Each().Where((_, i) => i % step == 0).ToLookup(Meets);
            series.Add(new("does not meet every demand", [.. rest[false].Select(row => PointOf(best, row))]) { Color = Pale, Mark = Mark.Cross });
            series.Add(new("meets every demand", [.. rest[true].Select(row => PointOf(best, row))]) { Color = Palette.Groups[5] });
            series.RemoveAll(s => s.Points.Count == 0);
        }

        if (study.Front is { } front)
        {
            series.Add(new("front", [.. front.Each().Select(row => OnFront(best, front, row)).OrderBy(p => p.X)]) { Color = Palette.Blue, Stroke = Stroke.Solid });
        }

        series.AddRange(Known(study, best));
        if (best.Baseline is { } baseline)
        {
            series.Add(new("baseline", [PointOf(best, baseline)]) { Mark = Mark.Square });
        }

        series.Add(new("accurate", [PointOf(best, best.Accurate)]) { Color = Palette.Vermilion, Mark = Mark.Star });
        series.Add(new("efficient", [PointOf(best, best.Efficient)]) { Color = Palette.Green, Mark = Mark.Star });
        var points = series.SelectMany(s => s.Points).ToList();
        bool known = series.Exists(s => s.Stroke == Stroke.Dashed);
        var across = points.Select(p => p.X).Where(s => s > 0).ToList();
        bool wide = across.Count > 0 && across.Max() > 20 * across.Min();
        var (title, unit) = best.Objective switch
        {
            SearchObjective.Throughput => ("predicted speed", "tokens a second"),
            SearchObjective.Latency => ("predicted time of a batch", "s"),
            SearchObjective.DecodeBytes => ("bytes read", "a decoded token"),
            _ => ("training and serving", "device-hours"),
        };
        var figure = new Figure($"Shapes of {Quantity.Count(best.Size)} parameters", new FigureAxis(title, unit, wide), new FigureAxis("predicted loss", SearchWords.LossUnit(best)), series);
        string caption = best.Objective == SearchObjective.Throughput
            ? "Every candidate by predicted speed and loss. On the front no shape is both faster and of less loss; right and down is better."
            : $"Every candidate by {SearchWords.Objective(best.Objective)} and predicted loss. No shape is better in both than one on the front; left and down is better.";
        string bars = (points.Exists(p => p.Low < p.High), points.Exists(p => p.Left < p.Right)) switch
        {
            (true, true) => " Bars are 95 % intervals of both.",
            (true, false) => $" Bars are 95 % intervals of the loss{(best.Baseline is null ? "" : ", of its difference to the baseline's")}.",
            (false, true) => " Bars are 95 % intervals of the speed.",
            _ => "",
        };
        return new StudyFigure(ExportTables.Front, figure, caption + bars + (known ? " Shapes of known loss stand at what is predicted of them and, beyond the dashes, at what is known." : ""));
    }

    /// <summary>Shapes of known loss that are held against the search's own baseline, so that its level is theirs: at their predicted loss, joined with the known one.</summary>
    private static IEnumerable<FigureSeries> Known(Study study, SearchResult best)
    {
        if (best is not { Objective: SearchObjective.Throughput, Baseline: { } baseline, Level: not LossLevel.Factor } || study.References is not { } table || !table.Has("tokens_per_second"))
        {
            return [];
        }

        var references = Reference.Of(study);
        string? yardstick = references.FirstOrDefault(r => r.IsYardstick && r.Row.Text("shape") == baseline.Shape)?.Name;
        return references.Where(r => !r.IsYardstick && r.Against == yardstick && r is { Known: not null, Predicted: not null } && RowText.Optional(r.Row, "tokens_per_second") > 0).Take(MostKnown).Select((r, i) =>
        {
            double speed = r.Row.Number("tokens_per_second");
            FigurePoint At(double difference, string what) => new(speed, baseline.Predicted + difference) { Label = r.Name, Series = $"{r.Name}, {what}" };
            return new FigureSeries(r.Name, [At(r.Predicted!.Value, "predicted"), At(r.Known!.Value, "known")]) { Color = Palette.Groups[KnownColours[i]], Mark = Mark.Diamond, Stroke = Stroke.Dashed };
        });
    }

    private static FigurePoint PointOf(SearchResult best, Row row) =>
        new(row.Number(best.Objective == SearchObjective.Throughput ? "tokens_per_second" : "objective"), row.Number("predicted")) { Label = row.Text("shape") };

    private static FigurePoint PointOf(SearchResult best, ScoredShape shape) => WithBars(
        new(best.Objective == SearchObjective.Throughput ? shape.TokensPerSecond : shape.Objective ?? double.NaN, shape.Predicted) { Label = shape.Shape }, best,
        (shape.PredictedLow, shape.PredictedHigh), (shape.TokensPerSecondLow, shape.TokensPerSecondHigh));

    private static FigurePoint OnFront(SearchResult best, Table front, Row row)
    {
        double? End(string column) => front.Has(column) ? RowText.Optional(row, column) : null;
        return WithBars(PointOf(best, row), best, (End("predicted_low"), End("predicted_high")), (End("tokens_per_second_low"), End("tokens_per_second_high")));
    }

    /// <summary>Intervals of the loss, and of the speed where it stands across.</summary>
    private static FigurePoint WithBars(FigurePoint point, SearchResult best, (double? Low, double? High) loss, (double? Low, double? High) speed)
    {
        bool speeds = best.Objective == SearchObjective.Throughput;
        return point with { Low = loss.Low, High = loss.High, Left = speeds ? speed.Low : null, Right = speeds ? speed.High : null };
    }
}
