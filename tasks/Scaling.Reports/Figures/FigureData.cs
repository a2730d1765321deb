// What a figure shows, as a table: a row for each point, in the order in which they are drawn.
using Scaling.Sdk;

namespace Scaling.Reports;

/// <summary>
/// A figure's data as CSV: <c>series</c>, <c>label</c> where a point has one, the two axes by their titles with their units, and the ends of intervals where there are any.
/// Absent values are empty. Six significant digits: what is drawn. The study's own tables have all.
/// </summary>
public static class FigureData
{
    /// <summary>Where it lies: beside the figure.</summary>
    /// <param name="figureFile">For example <c>figures/front.svg</c>.</param>
    public static string File(string figureFile) => Path.ChangeExtension(figureFile, ".csv");

    /// <summary>The table.</summary>
    /// <param name="figure">Any.</param>
    public static Table Of(Figure figure)
    {
        (FigureSeries Series, FigurePoint Point)[] points = [.. figure.Series.SelectMany(s => figure.Drawn(s).Select(p => (s, p)))];
        bool Any(Func<FigurePoint, object?> part) => Array.Exists(points, p => part(p.Point) is not null);
        (string Column, Func<FigureSeries, FigurePoint, object?> Cell)[] columns =
        [
            ("series", (s, p) => p.Series ?? s.Label),
            .. Any(p => p.Label) ? [("label", (_, p) => p.Label)] : Array.Empty<(string, Func<FigureSeries, FigurePoint, object?>)>(),
            (Name(figure.X), (_, p) => figure.X.Categories is { } names ? names[(int)p.X] : Rounded(p.X)),
            (Name(figure.Y), (_, p) => figure.Y.Categories is { } names ? names[(int)p.Y] : Rounded(p.Y)),
            .. Any(p => p.Low) ? [("low", (_, p) => Rounded(p.Low)), ("high", (_, p) => Rounded(p.High))] : Array.Empty<(string, Func<FigureSeries, FigurePoint, object?>)>(),
            .. Any(p => p.Left) ? [("left", (_, p) => Rounded(p.Left)), ("right", (_, p) => Rounded(p.Right))] : Array.Empty<(string, Func<FigureSeries, FigurePoint, object?>)>(),
        ];
        return new Table([.. columns.Select(c => c.Column)], [.. points.Select(p => columns.Select(c => Table.Cell(c.Cell(p.Series, p.Point))).ToArray())]);
    }

    private static string Name(FigureAxis axis) => axis.Unit.Length == 0 ? axis.Title : $"{axis.Title} ({axis.Unit})";

    private static string? Rounded(double? value) => value is { } number && double.IsFinite(number) ? Quantity.Digits(number, 6) : null;
}
