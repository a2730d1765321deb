// A figure as a file: light ground, legible type, title and legend, the same bytes for the same figure on every machine.
using System.Security;

namespace Scaling.Reports;

/// <summary>The picture that stands by itself, for a page of Markdown or for slides.</summary>
public static class FigureSvg
{
    private const double Width = 760;
    private const double Height = 440;
    private const double TextSize = 14;
    private const string FontFamily = "Arial, Helvetica, 'Liberation Sans', 'DejaVu Sans', sans-serif";

    /// <summary>The figure as an SVG document of 760 × 440 pixels, which scales with the page.</summary>
    /// <param name="figure">With finite points.</param>
    /// <exception cref="ArgumentException">No series has a point that can be drawn.</exception>
    public static string Draw(Figure figure) =>
        $"<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {Width} {Height}\" width=\"{Width}\" height=\"{Height}\" role=\"img\" font-family=\"{FontFamily}\">\n"
        + $"<title>{SecurityElement.Escape(figure.Title)}</title>\n"
        + FigureDrawing.Marks
        + $"<rect width=\"{Width}\" height=\"{Height}\" fill=\"{Palette.Ground}\"/>\n"
        + FigureDrawing.Of(figure, Width, Height, TextSize, alone: true, color => color)
        + "</svg>\n";
}
