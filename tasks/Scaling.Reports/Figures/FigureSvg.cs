// Draws a figure as SVG with OxyPlot: light ground, legible type, the same bytes for the same figure on every machine.
using System.Globalization;
using System.Net;
using OxyPlot;
using OxyPlot.Axes;
using OxyPlot.Legends;
using OxyPlot.Series;

namespace Scaling.Reports;

/// <summary>The look of all figures, in one place.</summary>
public static class FigureSvg
{
    private const double Width = 760;
    private const double Height = 440;
    private const double TextSize = 14;

    /// <summary>OxyPlot takes one name; the list of substitutes replaces it in the finished document.</summary>
    private const string OneFont = "Arial";
    private const string FontFamily = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";

    private static readonly OxyColor Ink = OxyColor.Parse(Palette.Ink);
    private static readonly OxyColor Grid = OxyColor.FromRgb(0xe4, 0xe4, 0xe4);

    /// <summary>The figure as an SVG document of 760 × 440 pixels, which scales with the page.</summary>
    /// <param name="figure">With finite points.</param>
    /// <exception cref="ArgumentException">No series has a point that can be drawn.</exception>
    public static string Draw(Figure figure)
    {
        if (!figure.Series.Any(s => s.Points.Any(p => CanBeDrawn(figure, p))))
        {
            throw new ArgumentException($"figure '{figure.Title}' has no point to draw");
        }

        var exporter = new SvgExporter { Width = Width, Height = Height, UseVerticalTextAlignmentWorkaround = true, TextMeasurer = new TextMetrics() };
        return WithNameAndFonts(exporter.ExportToString(Model(figure)), figure.Title);
    }

    private static PlotModel Model(Figure figure)
    {
        var model = new PlotModel
        {
            Title = figure.Title,
            TitleFontSize = 16,
            TitleFontWeight = FontWeights.Bold,
            TitleHorizontalAlignment = TitleHorizontalAlignment.CenteredWithinView,
            DefaultFont = OneFont,
            DefaultFontSize = TextSize,
            TextColor = Ink,
            Background = OxyColors.White,
            PlotAreaBorderColor = OxyColor.Parse(Palette.Grey),
            Padding = new OxyThickness(12, 10, 16, 10),
            Culture = CultureInfo.InvariantCulture,
        };
        model.Axes.Add(Axis(figure.X, AxisPosition.Bottom));
        model.Axes.Add(Axis(figure.Y, AxisPosition.Left));
        foreach (var series in figure.Series)
        {
            Add(model, figure, series);
        }

        if (figure.Series.Any(s => s.Label is not null))
        {
            model.Legends.Add(new Legend
            {
                LegendPlacement = LegendPlacement.Outside,
                LegendPosition = LegendPosition.RightTop,
                LegendFontSize = 13,
                LegendMargin = 12,
                LegendLineSpacing = 9,
                LegendSymbolLength = 24,
            });
        }

        return model;
    }

    private static Axis Axis(FigureAxis axis, AxisPosition position)
    {
        Axis drawn = axis.Logarithmic ? new LogarithmicAxis() : new LinearAxis();
        drawn.Position = position;
        drawn.Title = axis.Title;
        drawn.Unit = axis.Unit.Length == 0 ? null : axis.Unit;
        drawn.TitleFormatString = "{0}, {1}";
        drawn.AxisTitleDistance = 14;
        drawn.MajorGridlineStyle = LineStyle.Solid;
        drawn.MajorGridlineColor = Grid;
        drawn.TickStyle = TickStyle.Outside;
        drawn.TicklineColor = OxyColor.Parse(Palette.Grey);
        drawn.MinorTickSize = 0;
        drawn.MaximumPadding = 0.05;
        drawn.MinimumPadding = 0.05;
        drawn.LabelFormatter = Tick;
        return drawn;
    }

    /// <summary>Tick labels: 2500000 is 2.5M, and what floating point leaves behind is rounded away.</summary>
    private static string Tick(double value) => Math.Abs(value) >= 10_000
        ? Quantity.Count(value)
        : Math.Round(value, 10).ToString("0.##########", CultureInfo.InvariantCulture);

    private static void Add(PlotModel model, Figure figure, FigureSeries series)
    {
        var points = series.Points.Where(p => CanBeDrawn(figure, p)).ToList();
        var color = OxyColor.Parse(series.Color);
        AddErrorBars(model, points, color);
        var drawn = new LineSeries
        {
            Title = series.Label,
            Color = series.Stroke == Stroke.None ? OxyColors.Transparent : color,
            StrokeThickness = series.Stroke == Stroke.None ? 0 : 2,
            Dashes = series.Stroke == Stroke.Dashed ? [5, 3] : null,
            MarkerType = Form(series.Mark),
            MarkerSize = Size(series.Mark),
            MarkerFill = series.Mark is Mark.Ring ? OxyColors.Transparent : color,
            MarkerStroke = series.Mark is Mark.Ring or Mark.Cross ? color : OxyColors.White,
            MarkerStrokeThickness = series.Mark is Mark.Ring or Mark.Cross ? 2 : 0.8,
        };
        drawn.Points.AddRange(points.Select(p => new DataPoint(p.X, p.Y)));
        model.Series.Add(drawn);
    }

    private static void AddErrorBars(PlotModel model, List<FigurePoint> points, OxyColor color)
    {
        foreach (var point in points)
        {
            AddBar(model, color, new DataPoint(point.X, point.Low ?? double.NaN), new DataPoint(point.X, point.High ?? double.NaN));
            AddBar(model, color, new DataPoint(point.Left ?? double.NaN, point.Y), new DataPoint(point.Right ?? double.NaN, point.Y));
        }
    }

    private static void AddBar(PlotModel model, OxyColor color, DataPoint from, DataPoint to)
    {
        if (from.IsDefined() && to.IsDefined())
        {
            var bar = new LineSeries { Color = color, StrokeThickness = 1.2 };
            bar.Points.AddRange([from, to]);
            model.Series.Add(bar);
        }
    }

    private static bool CanBeDrawn(Figure figure, FigurePoint point) =>
        double.IsFinite(point.X) && double.IsFinite(point.Y)
        && (!figure.X.Logarithmic || point.X > 0) && (!figure.Y.Logarithmic || point.Y > 0);

    private static MarkerType Form(Mark mark) => mark switch
    {
        Mark.None => MarkerType.None,
        Mark.Circle or Mark.Ring => MarkerType.Circle,
        Mark.Triangle => MarkerType.Triangle,
        Mark.Square => MarkerType.Square,
        Mark.Diamond or Mark.Star => MarkerType.Diamond,
        _ => MarkerType.Cross,
    };

    private static double Size(Mark mark) => mark switch
    {
        Mark.Ring => 9,
        Mark.Star => 8,
        _ => 4.5,
    };

    /// <summary>OxyPlot names one font and gives the picture no name and no view box.</summary>
    private static string WithNameAndFonts(string svg, string title)
    {
        int root = svg.IndexOf("<svg ", StringComparison.Ordinal);
        int content = svg.IndexOf('>', root) + 1;
        string start = svg[root..content].Replace("<svg ", $"<svg viewBox=\"0 0 {Width} {Height}\" role=\"img\" ");
        return (start + $"\n  <title>{WebUtility.HtmlEncode(title)}</title>" + svg[content..])
            .Replace($"font-family=\"{OneFont}\"", $"font-family=\"{FontFamily}\"")
            .ReplaceLineEndings("\n").TrimEnd('\n') + "\n";
    }
}
