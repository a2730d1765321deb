// A figure as OxyPlot lays it out: axes, ticks, grid, curves and legend. Points and their bars are drawn by FigureDrawing, which keeps them apart from one another.
using System.Globalization;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Scaling.Reports;

/// <summary>Builds the model.</summary>
internal static class FigureModel
{
    /// <summary>The look of all figures, in one place.</summary>
    /// <param name="figure">With a point to draw.</param>
    /// <param name="textSize">Pixels.</param>
    /// <param name="alone">With title and legend, for a picture that stands by itself.</param>
    public static PlotModel Of(Figure figure, double textSize, bool alone)
    {
        var model = new PlotModel
        {
            Title = alone ? figure.Title : null,
            TitleFontSize = textSize * 16 / 14,
            TitleFontWeight = FontWeights.Bold,
            TitleHorizontalAlignment = TitleHorizontalAlignment.CenteredWithinView,
            DefaultFontSize = textSize,
            TextColor = SvgCanvas.Ink,
            Background = OxyColors.Undefined,
            PlotAreaBorderColor = SvgCanvas.Rule,
            Padding = alone ? new OxyThickness(12, 10, 16, 10) : new OxyThickness(2, 8, 10, 2),
            Culture = CultureInfo.InvariantCulture,
        };
        model.Axes.Add(Axis(figure.X, AxisPosition.Bottom));
        model.Axes.Add(Axis(figure.Y, AxisPosition.Left));
        foreach (var series in figure.Series)
        {
            Add(model, figure, series);
        }

        if (alone && figure.Series.Any(s => s.Label is not null))
        {
            model.Legends.Add(new Legend
            {
                LegendPlacement = LegendPlacement.Outside,
                LegendPosition = LegendPosition.RightTop,
                LegendFontSize = textSize * 13 / 14,
                LegendMargin = 12,
                LegendLineSpacing = 9,
                LegendSymbolLength = 24,
            });
        }

        return model;
    }

    private static Axis Axis(FigureAxis axis, AxisPosition position)
    {
        Axis drawn = axis switch
        {
            { Categories: { } names } => Named(names, position),
            { Logarithmic: true } => new LogarithmicAxis(),
            _ => new LinearAxis(),
        };
        drawn.Position = position;
        drawn.Title = axis.Title;
        drawn.Unit = axis.Unit.Length == 0 ? null : axis.Unit;
        drawn.TitleFormatString = "{0}, {1}";
        drawn.AxisTitleDistance = 10;
        drawn.MajorGridlineStyle = LineStyle.Solid;
        drawn.MajorGridlineColor = SvgCanvas.Grid;
        drawn.TickStyle = TickStyle.Outside;
        drawn.TicklineColor = SvgCanvas.Rule;
        drawn.MajorTickSize = 4;
        drawn.MinorTickSize = 0;
        drawn.IntervalLength = position == AxisPosition.Left ? 38 : 60;
        drawn.MaximumPadding = 0.05;
        drawn.MinimumPadding = 0.05;
        if (axis.Categories is null)
        {
            drawn.LabelFormatter = Tick;
        }

        return drawn;
    }

    /// <summary>On the axis up the first name stands at the top.</summary>
    private static CategoryAxis Named(IReadOnlyList<string> names, AxisPosition position)
    {
        var axis = new CategoryAxis { IsTickCentered = true, GapWidth = 1 };
        axis.Labels.AddRange(names);
        if (position == AxisPosition.Left)
        {
            (axis.StartPosition, axis.EndPosition) = (1, 0);
        }

        return axis;
    }

    /// <summary>Tick labels: 2500000 is 2.5M, and what floating point leaves behind is rounded away.</summary>
    private static string Tick(double value) => Math.Abs(value) >= 10_000
        ? Quantity.Count(value)
        : Math.Round(value, 10).ToString("0.##########", CultureInfo.InvariantCulture).Replace('-', '−');

    private static void Add(PlotModel model, Figure figure, FigureSeries series)
    {
        var color = SvgCanvas.ColorOf(series.Color);
        var points = figure.Drawn(series).ToList();
        if (series.Band)
        {
            var area = new AreaSeries { Fill = OxyColor.FromAColor(SvgCanvas.BandAlpha, color), Color = OxyColors.Transparent, Color2 = OxyColors.Transparent, StrokeThickness = 0, MinimumSegmentLength = 0 };
            area.Points.AddRange(points.Where(HasInterval).Select(p => new DataPoint(p.X, p.Low!.Value)));
            area.Points2.AddRange(points.Where(HasInterval).Select(p => new DataPoint(p.X, p.High!.Value)));
            model.Series.Add(area);
        }

        if (series.Stroke != Stroke.None)
        {
            var line = new LineSeries { Color = color, StrokeThickness = 2, Dashes = series.Stroke == Stroke.Dashed ? [5, 3] : null };
            line.Points.AddRange(points.Select(p => new DataPoint(p.X, p.Y)));
            model.Series.Add(line);
        }

        model.Series.Add(Reach(points));
        if (series.Label is not null)
        {
            model.Series.Add(Entry(series, color));
        }
    }

    private static bool HasInterval(FigurePoint point) => point is { Low: not null, High: not null };

    /// <summary>What the axes have to reach; invisible.</summary>
    private static LineSeries Reach(List<FigurePoint> points)
    {
        var reach = new LineSeries { Color = OxyColors.Transparent, StrokeThickness = 0 };
        foreach (var p in points)
        {
            reach.Points.AddRange(new[] { (p.X, p.Y), (p.X, p.Low), (p.X, p.High), (p.Left, p.Y), ((double?)p.Right, (double?)p.Y) }
                .Where(end => end.Item1 is { } x && end.Item2 is { } y && double.IsFinite(x) && double.IsFinite(y))
                .Select(end => new DataPoint(end.Item1!.Value, end.Item2!.Value)));
        }

        return reach;
    }

    /// <summary>A series of the legend alone.</summary>
    private static LineSeries Entry(FigureSeries series, OxyColor color) => new()
    {
        Title = series.Label,
        Color = series.Stroke == Stroke.None ? OxyColors.Transparent : color,
        StrokeThickness = series.Stroke == Stroke.None ? 0 : 2,
        Dashes = series.Stroke == Stroke.Dashed ? [5, 3] : null,
        MarkerType = Form(series.Mark),
        MarkerSize = 4.5,
        MarkerFill = series.Mark is Mark.Ring ? OxyColors.Transparent : color,
        MarkerStroke = series.Mark is Mark.Ring or Mark.Cross ? color : OxyColors.Transparent,
        MarkerStrokeThickness = series.Mark is Mark.Ring or Mark.Cross ? 2 : 0,
    };

    private static MarkerType Form(Mark mark) => mark switch
    {
        Mark.None => MarkerType.None,
        Mark.Circle or Mark.Ring => MarkerType.Circle,
        Mark.Triangle => MarkerType.Triangle,
        Mark.Square => MarkerType.Square,
        Mark.Diamond => MarkerType.Diamond,
        Mark.Star => MarkerType.Star,
        _ => MarkerType.Cross,
    };
}
