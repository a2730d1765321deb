// What OxyPlot draws on: SVG with few bytes, whose colours a page can change for a dark ground.
using System.Globalization;
using System.Security;
using System.Text;
using OxyPlot;

namespace Scaling.Reports;

/// <summary>Coordinates have one decimal. Texts inherit their font.</summary>
/// <param name="paint">A colour of <see cref="Palette"/>, <c>#rrggbb</c>, as CSS has it.</param>
internal sealed class SvgCanvas(Func<string, string> paint) : ClippingRenderContext
{
    /// <summary>Opacity of a band, of 255.</summary>
    public const byte BandAlpha = 46;

    /// <summary>Text.</summary>
    public static readonly OxyColor Ink = ColorOf(Palette.Ink);

    /// <summary>Borders and ticks.</summary>
    public static readonly OxyColor Rule = ColorOf(Palette.Grey);

    /// <summary>Lines of the grid.</summary>
    public static readonly OxyColor Grid = ColorOf(Palette.Grid);

    private readonly StringBuilder _svg = new();
    private OxyRect _clip;
    private int _clips;

    public static OxyColor ColorOf(string color) => OxyColor.Parse(color);

    /// <summary>What was drawn.</summary>
    public override string ToString() => _svg.ToString();

    /// <summary>Adds to what was drawn.</summary>
    public void Append(string svg) => _svg.Append(svg);

    /// <summary>A coordinate.</summary>
    public static string N(double value)
    {
        string text = Math.Round(value, 1).ToString("0.#", CultureInfo.InvariantCulture);
        return text == "-0" ? "0" : text;
    }

    public override OxySize MeasureText(string text, string fontFamily, double fontSize, double fontWeight) => TextMetrics.Measure(text, fontSize, fontWeight);

    public override void DrawLine(IList<ScreenPoint> points, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode, double[]? dashArray, LineJoin lineJoin)
    {
        if (points.Count > 1 && stroke.IsVisible() && thickness > 0)
        {
            _svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{Path(points)}\" style=\"fill:none;stroke:{Css(stroke)};stroke-width:{N(thickness)}");
            _svg.Append(dashArray is null ? "" : ";stroke-dasharray:" + string.Join(' ', dashArray.Select(d => N(d * thickness)))).Append("\"/>\n");
        }
    }

    public override void DrawPolygon(
        IList<ScreenPoint> points, OxyColor fill, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode, double[]? dashArray, LineJoin lineJoin)
    {
        bool lined = stroke.IsVisible() && thickness > 0;
        if (points.Count > 1 && (fill.IsVisible() || lined))
        {
            _svg.Append(CultureInfo.InvariantCulture, $"<path d=\"{Path(points)}Z\" style=\"fill:{(fill.IsVisible() ? Css(fill) : "none")}");
            _svg.Append(fill.IsVisible() && fill.A < 255 ? $";fill-opacity:{(fill.A / 255.0).ToString("0.##", CultureInfo.InvariantCulture)}" : "");
            _svg.Append(lined ? $";stroke:{Css(stroke)};stroke-width:{N(thickness)}" : "").Append("\"/>\n");
        }
    }

    public override void DrawText(
        ScreenPoint p, string text, OxyColor fill, string fontFamily, double fontSize, double fontWeight, double rotation,
        HorizontalAlignment horizontalAlignment, VerticalAlignment verticalAlignment, OxySize? maxSize)
    {
        if (string.IsNullOrEmpty(text))
        {
            return;
        }

        string anchor = horizontalAlignment switch { HorizontalAlignment.Left => "start", HorizontalAlignment.Center => "middle", _ => "end" };
        double height = TextMetrics.Measure(text, fontSize, fontWeight).Height;
        double down = verticalAlignment switch { VerticalAlignment.Top => height, VerticalAlignment.Middle => height / 2, _ => 0 };
        string place = rotation == 0 ? $"x=\"{N(p.X)}\" y=\"{N(p.Y + down)}\"" : $"transform=\"translate({N(p.X)},{N(p.Y)}) rotate({N(rotation)})\" y=\"{N(down)}\"";
        _svg.Append($"<text {place} text-anchor=\"{anchor}\" font-size=\"{N(fontSize)}\"{(fontWeight > FontWeights.Normal ? " font-weight=\"700\"" : "")} style=\"fill:{Css(fill)}\">{SecurityElement.Escape(text)}</text>\n");
    }

    public override void DrawEllipse(OxyRect extents, OxyColor fill, OxyColor stroke, double thickness, EdgeRenderingMode edgeRenderingMode) =>
        _svg.Append($"<ellipse cx=\"{N(extents.Center.X)}\" cy=\"{N(extents.Center.Y)}\" rx=\"{N(extents.Width / 2)}\" ry=\"{N(extents.Height / 2)}\" style=\"fill:{(fill.IsVisible() ? Css(fill) : "none")}{(stroke.IsVisible() && thickness > 0 ? $";stroke:{Css(stroke)};stroke-width:{N(thickness)}" : "")}\"/>\n");

    protected override void SetClip(OxyRect clippingRectangle)
    {
        // Nested pictures, so that no name is needed: several figures stand in one page.
        _clip = clippingRectangle;
        _clips++;
        _svg.Append($"<svg x=\"{N(_clip.Left)}\" y=\"{N(_clip.Top)}\" width=\"{N(_clip.Width)}\" height=\"{N(_clip.Height)}\" viewBox=\"{N(_clip.Left)} {N(_clip.Top)} {N(_clip.Width)} {N(_clip.Height)}\">\n");
    }

    protected override void ResetClip()
    {
        if (_clips > 0)
        {
            _clips--;
            _svg.Append("</svg>\n");
        }
    }

    private string Css(OxyColor color) => paint($"#{color.R:x2}{color.G:x2}{color.B:x2}");

    private static string Path(IList<ScreenPoint> points) => "M" + string.Join('L', points.Select(p => $"{N(p.X)} {N(p.Y)}"));
}
