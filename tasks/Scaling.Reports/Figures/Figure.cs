// A figure as data: axes with units, series of points and lines. How it is drawn stands in FigureSvg.
namespace Scaling.Reports;

/// <summary>An axis.</summary>
/// <param name="Title">What is shown, for example <c>held-out loss</c>.</param>
/// <param name="Unit">For example <c>nats a token</c>; empty for a pure number.</param>
/// <param name="Logarithmic">Ticks by factors instead of steps; every value is then above 0.</param>
public sealed record FigureAxis(string Title, string Unit, bool Logarithmic = false)
{
    /// <summary>Names instead of numbers: a point's value is the position of one, from 0; on the axis up the first stands at the top. Null for numbers.</summary>
    public IReadOnlyList<string>? Categories { get; init; }
}

/// <summary>The form of a point.</summary>
public enum Mark
{
    /// <summary>No mark: the series is a line.</summary>
    None,

    /// <summary>A disc.</summary>
    Circle,

    /// <summary>A filled triangle.</summary>
    Triangle,

    /// <summary>A filled square.</summary>
    Square,

    /// <summary>A filled diamond.</summary>
    Diamond,

    /// <summary>A diagonal cross.</summary>
    Cross,

    /// <summary>A ring, for a point that encloses others.</summary>
    Ring,

    /// <summary>A larger star, for the one point to look at.</summary>
    Star,
}

/// <summary>How the points of a series are joined.</summary>
public enum Stroke
{
    /// <summary>Not at all.</summary>
    None,

    /// <summary>A solid line.</summary>
    Solid,

    /// <summary>A dashed line, for what is a reference or not measured.</summary>
    Dashed,
}

/// <summary>A point, in the axes' units.</summary>
/// <param name="X">Across.</param>
/// <param name="Y">Up.</param>
public sealed record FigurePoint(double X, double Y)
{
    /// <summary>What it is, for example a shape's id: shown at the point in a browser, and a column of the figure's data. Null for none.</summary>
    public string? Label { get; init; }

    /// <summary>What it belongs to in the figure's data, where that is finer than the legend; null for the series' label.</summary>
    public string? Series { get; init; }

    /// <summary>Area of its mark, as a multiple of the usual one, above 0. Default: 1.</summary>
    public double Area { get; init; } = 1;

    /// <summary>Lower end of the upright error bar; null for none.</summary>
    public double? Low { get; init; }

    /// <summary>Upper end of the upright error bar; null for none.</summary>
    public double? High { get; init; }

    /// <summary>Left end of the level error bar; null for none.</summary>
    public double? Left { get; init; }

    /// <summary>Right end of the level error bar; null for none.</summary>
    public double? Right { get; init; }
}

/// <summary>Points that look alike.</summary>
/// <param name="Label">Its entry in the legend; null for none. A series without points is an entry alone.</param>
/// <param name="Points">Those with a coordinate that is not finite are left out.</param>
public sealed record FigureSeries(string? Label, IReadOnlyList<FigurePoint> Points)
{
    /// <summary><c>#rrggbb</c>. Default: ink.</summary>
    public string Color { get; init; } = Palette.Ink;

    /// <summary>Default: a disc.</summary>
    public Mark Mark { get; init; } = Mark.Circle;

    /// <summary>Default: none.</summary>
    public Stroke Stroke { get; init; } = Stroke.None;

    /// <summary>The ends of the points' upright intervals bound a shaded area, instead of a bar each. Default: bars.</summary>
    public bool Band { get; init; }
}

/// <summary>A chart: later series lie above earlier ones.</summary>
/// <param name="Title">One line; it is also the text that a screen reader speaks.</param>
/// <param name="X">The axis across.</param>
/// <param name="Y">The axis up.</param>
/// <param name="Series">At least one with a point.</param>
public sealed record Figure(string Title, FigureAxis X, FigureAxis Y, IReadOnlyList<FigureSeries> Series)
{
    /// <summary>Whether there is anything to draw.</summary>
    public bool HasPoints => Series.Any(s => Drawn(s).Any());

    /// <summary>The points of a series that the axes can show: finite, above 0 on an axis by factors.</summary>
    /// <param name="series">One of <see cref="Series"/>.</param>
    public IEnumerable<FigurePoint> Drawn(FigureSeries series) => series.Points.Where(p => Shows(X, p.X) && Shows(Y, p.Y));

    private static bool Shows(FigureAxis axis, double value) => double.IsFinite(value) && (!axis.Logarithmic || value > 0);
}
