// A figure as SVG: what OxyPlot lays out, and over it every point by itself.
using System.Text;
using OxyPlot;
using OxyPlot.Axes;

namespace Scaling.Reports;

/// <summary>The inside of an SVG element. Each series' marks are a group whose <c>data-row</c> is the row of the first in <see cref="FigureData"/>.</summary>
internal static class FigureDrawing
{
    /// <summary>Definitions of the marks, once a document.</summary>
    public const string Marks =
        "<defs>"
        + "<circle id=\"m-circle\" r=\"4\"/>"
        + "<path id=\"m-triangle\" d=\"M0-5L4.6 3.4H-4.6Z\"/>"
        + "<path id=\"m-square\" d=\"M-3.7-3.7H3.7V3.7H-3.7Z\"/>"
        + "<path id=\"m-diamond\" d=\"M0-5.2L5.2 0L0 5.2L-5.2 0Z\"/>"
        + "<path id=\"m-cross\" d=\"M-3.5-3.5L3.5 3.5M3.5-3.5L-3.5 3.5\"/>"
        + "<circle id=\"m-ring\" r=\"8\"/>"
        + "<path id=\"m-star\" d=\"M0-10L2.4-3.3L9.5-3.1L3.9 1.3L5.9 8.1L0 4L-5.9 8.1L-3.9 1.3L-9.5-3.1L-2.4-3.3Z\"/>"
        + "</defs>\n";

    /// <summary>Draws it.</summary>
    /// <param name="figure">With a point to draw.</param>
    /// <param name="width">Pixels.</param>
    /// <param name="height">Pixels.</param>
    /// <param name="textSize">Pixels.</param>
    /// <param name="alone">With title and legend.</param>
    /// <param name="paint">See <see cref="SvgCanvas"/>.</param>
    /// <exception cref="ArgumentException">No series has a point that can be drawn.</exception>
    public static string Of(Figure figure, double width, double height, double textSize, bool alone, Func<string, string> paint)
    {
        if (!figure.HasPoints)
        {
            throw new ArgumentException($"figure '{figure.Title}' has no point to draw");
        }

        var canvas = new SvgCanvas(paint);
        var model = FigureModel.Of(figure, textSize, alone);
        ((IPlotModel)model).Update(true);
        ((IPlotModel)model).Render(canvas, new OxyRect(0, 0, width, height));
        int row = 0;
        foreach (var series in figure.Series)
        {
            FigurePoint[] points = [.. figure.Drawn(series)];
            canvas.Append(Bars(series, points, model.Axes[0], model.Axes[1], paint));
            canvas.Append(MarksOf(series, points, row, model.Axes[0], model.Axes[1], paint));
            row += points.Length;
        }

        return canvas.ToString();
    }

    /// <summary>A mark of a legend, in a picture of 22 × 14.</summary>
    public static string Swatch(FigureSeries series, Func<string, string> paint)
    {
        string color = paint(series.Color);
        string line = series.Stroke == Stroke.None ? "" : $"<path d=\"M0 7H22\" style=\"fill:none;stroke:{color};stroke-width:2{(series.Stroke == Stroke.Dashed ? ";stroke-dasharray:5 3" : "")}\"/>";
        string band = series.Band ? $"<path d=\"M0 1H22V13H0Z\" style=\"fill:{color};fill-opacity:.18\"/>" : "";
        string mark = series.Mark == Mark.None ? "" : $"<use href=\"#{Name(series.Mark)}\" x=\"11\" y=\"7\" style=\"{Style(series.Mark, color, paint)}\"{(series.Mark is Mark.Star or Mark.Ring ? " transform=\"translate(3.3 2.1) scale(.7)\"" : "")}/>";
        return $"<svg width=\"22\" height=\"14\" viewBox=\"0 0 22 14\" aria-hidden=\"true\">{band}{line}{mark}</svg>";
    }

    private static string MarksOf(FigureSeries series, FigurePoint[] points, int firstRow, Axis x, Axis y, Func<string, string> paint)
    {
        if (series.Mark == Mark.None || points.Length == 0)
        {
            return "";
        }

        var svg = new StringBuilder($"<g class=\"p\" data-row=\"{firstRow}\" style=\"{Style(series.Mark, paint(series.Color), paint)}\">");
        foreach (var point in points)
        {
            double across = x.Transform(point.X), up = y.Transform(point.Y);
            svg.Append($"<use href=\"#{Name(series.Mark)}\" x=\"{SvgCanvas.N(across)}\" y=\"{SvgCanvas.N(up)}\"{Scaled(point.Area, across, up)}/>");
        }

        return svg.Append("</g>\n").ToString();
    }

    /// <summary>About its own place, which stays in <c>x</c> and <c>y</c>, where the page's script looks for it.</summary>
    private static string Scaled(double area, double across, double up)
    {
        double scale = Math.Round(Math.Sqrt(area), 1); // As it is written: the move has to fit it.
        return area == 1 ? "" : $" transform=\"translate({SvgCanvas.N(across * (1 - scale))} {SvgCanvas.N(up * (1 - scale))}) scale({SvgCanvas.N(scale)})\"";
    }

    private static string Bars(FigureSeries series, FigurePoint[] points, Axis x, Axis y, Func<string, string> paint)
    {
        var path = new StringBuilder();
        foreach (var point in points)
        {
            string across = SvgCanvas.N(x.Transform(point.X)), up = SvgCanvas.N(y.Transform(point.Y));
            if (!series.Band && point is { Low: { } low, High: { } high } && Drawn(y, low) && Drawn(y, high))
            {
                path.Append($"M{across} {SvgCanvas.N(y.Transform(low))}V{SvgCanvas.N(y.Transform(high))}");
            }

            if (point is { Left: { } left, Right: { } right } && Drawn(x, left) && Drawn(x, right))
            {
                path.Append($"M{SvgCanvas.N(x.Transform(left))} {up}H{SvgCanvas.N(x.Transform(right))}");
            }
        }

        return path.Length == 0 ? "" : $"<path d=\"{path}\" style=\"fill:none;stroke:{paint(series.Color)};stroke-width:1.2\"/>\n";
    }

    private static bool Drawn(Axis axis, double value) => double.IsFinite(value) && (axis is not LogarithmicAxis || value > 0);

    private static string Name(Mark mark) => "m-" + mark.ToString().ToLowerInvariant();

    /// <summary>A pale rim keeps marks that overlap apart.</summary>
    private static string Style(Mark mark, string color, Func<string, string> paint) => mark is Mark.Ring or Mark.Cross
        ? $"fill:none;stroke:{color};stroke-width:2"
        : $"fill:{color};stroke:{paint(Palette.Ground)};stroke-width:.8";
}
