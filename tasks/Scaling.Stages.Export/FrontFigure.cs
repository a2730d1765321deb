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

    /// <summary>Speed across, or the objective where it is another: fewer seconds, bytes or hours are better.</summary>
    public static StudyFigure? Of(Study study)
    {
        if (study.Candidates is null && study.Front is null)
        {
            return null;
        }

        var best = study.Best;
        var series = new List<FigureSeries>();
        if (study.Candidates is { } candidates)
        {
            int step = 1 + (candidates.Rows.Count - 1) / DrawnCandidates;
            var rest = candidates.Each().Where((_, i) => i % step == 0);
            series.Add(new("candidates", [.. rest.Select(row => PointOf(best, row))]) { Color = Pale });
        }

        if (study.Front is { } front)
        {
            series.Add(new("front", [.. front.Each().Select(row => OnFront(best, front, row)).OrderBy(p => p.X)]) { Color = Palette.Blue, Stroke = Stroke.Solid });
        }

        if (best.Baseline is { } baseline)
        {
            series.Add(new("baseline", [PointOf(best, baseline)]) { Mark = Mark.Square });
        }

        series.Add(new("accurate", [PointOf(best, best.Accurate)]) { Color = Palette.Vermilion, Mark = Mark.Star });
        series.Add(new("efficient", [PointOf(best, best.Efficient)]) { Color = Palette.Green, Mark = Mark.Star });
        var points = series.SelectMany(s => s.Points).ToList();
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
        string bars = (points.Exists(p => p.Low is not null), points.Exists(p => p.Left is not null)) switch
        {
            (true, true) => " Bars are 95 % intervals of both.",
            (true, false) => $" Bars are 95 % intervals of the loss{(best.Baseline is null ? "" : ", of its difference to the baseline's")}.",
            (false, true) => " Bars are 95 % intervals of the speed.",
            _ => "",
        };
        return new StudyFigure(ExportTables.Front, figure, caption + bars);
    }

    private static FigurePoint PointOf(SearchResult best, Row row) =>
        new(row.Number(best.Objective == SearchObjective.Throughput ? "tokens_per_second" : "objective"), row.Number("predicted"));

    private static FigurePoint PointOf(SearchResult best, ScoredShape shape) => WithBars(
        new(best.Objective == SearchObjective.Throughput ? shape.TokensPerSecond : shape.Objective ?? double.NaN, shape.Predicted), best,
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
