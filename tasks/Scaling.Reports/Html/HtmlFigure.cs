// A figure in a page: the drawing in the page's colours, its legend, its caption and its data.
using System.Security;
using System.Text;

namespace Scaling.Reports;

internal static class HtmlFigure
{
    /// <summary>Narrow, so that its text can be read on a phone; twice beside each other they fill a page.</summary>
    private const double Width = 480;
    private const double Height = 340;
    private const double TextSize = 13;

    public static string Of(FigureBlock block)
    {
        string name = Path.GetFileNameWithoutExtension(block.File);
        return $"""
            <figure id="figure-{name}">
            <figcaption><strong id="title-{name}">{SecurityElement.Escape(block.Figure.Title)}</strong></figcaption>
            <svg viewBox="0 0 {Width} {Height}" role="img" tabindex="0" aria-labelledby="title-{name}" aria-describedby="caption-{name}">
            {FigureDrawing.Of(block.Figure, Width, Height, TextSize, alone: false, Paint)}</svg>
            {Legend(block.Figure)}<p class="caption" id="caption-{name}">{HtmlText.Inline(block.Caption)}</p>
            <p class="data"><a download="{name}.csv" href="data:text/csv;charset=utf-8,{InAddress(FigureData.Of(block.Figure).ToCsv())}" aria-label="Data of the figure: {SecurityElement.Escape(block.Figure.Title)}, CSV">Data (CSV)</a></p>
            </figure>

            """;
    }

    private static string Legend(Figure figure)
    {
        var labelled = figure.Series.Where(s => s.Label is not null).ToList();
        return labelled.Count == 0
            ? ""
            : $"<ul class=\"legend\">{string.Concat(labelled.Select(s => $"<li>{FigureDrawing.Swatch(s, Paint)} {SecurityElement.Escape(s.Label)}</li>"))}</ul>\n";
    }

    /// <summary>What an address and an attribute cannot hold as it is. Everything else stays readable and short.</summary>
    private static string InAddress(string csv)
    {
        var address = new StringBuilder(csv.Length + csv.Length / 8);
        foreach (char c in csv)
        {
            address.Append(c is '%' or '#' or '\n' or '\r' or '\t' or '"' or '&' or '<' or '>' or ' ' ? $"%{(int)c:X2}" : c);
        }

        return address.ToString();
    }

    /// <summary>A colour of the palette by its name in the style sheet; any other as it is.</summary>
    private static string Paint(string color) => Palette.Names.TryGetValue(color, out string? name) ? $"var(--{name})" : color;
}
