// Figures are the same on every machine, and what stands in them can be read.
using System.Globalization;
using System.Xml.Linq;
using Scaling.TestKit;

namespace Scaling.Reports.Tests;

public class FigureTests
{
    private static readonly XNamespace Svg = "http://www.w3.org/2000/svg";

    private static Figure Example { get; } = new(
        "Loss against <x> & ratio",
        new FigureAxis("parameters", "non-embedding", Logarithmic: true),
        new FigureAxis("held-out loss", "nats a token"),
        [
            new FigureSeries("law", [new(8_000, 4.6), new(32_000, 4.2)]) { Mark = Mark.None, Stroke = Stroke.Solid },
            new FigureSeries("runs of 10 tokens a parameter", [new(8_192, 4.61) { Low = 4.58, High = 4.64 }, new(31_744, 4.22) { Left = 26_000, Right = 38_000 }]) { Color = Palette.Blue },
            new FigureSeries("held out", [new(64_000, 4.0), new(0, 4.1), new(50_000, double.NaN)]) { Color = Palette.Vermilion, Mark = Mark.Ring },
        ]);

    [Fact]
    public Task A_figure_looks_like_this() => Snapshot.Match(FigureSvg.Draw(Example));

    [Fact]
    public void A_mark_of_four_times_the_area_is_twice_as_wide_about_its_own_place()
    {
        XElement MarkOf(double area) => XDocument.Parse(FigureSvg.Draw(new Figure("areas", new FigureAxis("x", ""), new FigureAxis("y", ""), [new FigureSeries(null, [new(1, 1) { Area = area }, new(5, 5)])])))
            .Descendants(Svg + "use").First(u => u.Attribute("x") is not null);
        XElement usual = MarkOf(1), large = MarkOf(4);
        double x = (double)large.Attribute("x")!, y = (double)large.Attribute("y")!;
        Assert.Null(usual.Attribute("transform"));
        Assert.Equal(((string)usual.Attribute("x")!, (string)usual.Attribute("y")!), ((string)large.Attribute("x")!, (string)large.Attribute("y")!));
        Assert.Equal(FormattableString.Invariant($"translate({-x} {-y}) scale(2)"), (string)large.Attribute("transform")!);
    }

    [Fact]
    public void The_same_figure_gives_the_same_bytes() => Assert.Equal(FigureSvg.Draw(Example), FigureSvg.Draw(Example));

    [Fact]
    public void A_figure_is_well_formed_names_itself_and_says_its_units()
    {
        var root = XDocument.Parse(FigureSvg.Draw(Example)).Root!;
        Assert.Equal("0 0 760 440", root.Attribute("viewBox")!.Value);
        Assert.Equal("Loss against <x> & ratio", root.Element(Svg + "title")!.Value);
        string[] texts = [.. root.Descendants(Svg + "text").Select(t => t.Value)];
        Assert.Contains("parameters, non-embedding", texts);
        Assert.Contains("held-out loss, nats a token", texts);
        Assert.Contains("runs of 10 tokens a parameter", texts);
        Assert.Contains("10k", texts);
    }

    [Fact]
    public void No_text_leaves_the_picture()
    {
        // DejaVu Sans, the widest of the fonts named, sets English at 0.56 em a character.
        foreach (var text in XDocument.Parse(FigureSvg.Draw(Example)).Descendants(Svg + "text"))
        {
            string? transform = text.Attribute("transform")?.Value;
            bool upright = transform is not null;
            string[] place = transform is null ? [text.Attribute("x")!.Value, text.Attribute("y")!.Value] : transform["translate(".Length..transform.IndexOf(')')].Split(',');
            double[] at = [.. place.Select(n => double.Parse(n, CultureInfo.InvariantCulture))];
            double size = double.Parse(text.Attribute("font-size")!.Value, CultureInfo.InvariantCulture);
            double width = 0.57 * size * text.Value.Length;
            double before = text.Attribute("text-anchor")?.Value switch { "middle" => width / 2, "end" => width, _ => 0 };
            Assert.InRange(at[0] - (upright ? size : before), 0, 760);
            Assert.InRange(at[0] + (upright ? size : width - before), 0, 760);
            Assert.InRange(at[1] - (upright ? width / 2 : size), 0, 440);
            Assert.InRange(at[1] + (upright ? width / 2 : 0.25 * size), 0, 440);
        }
    }

    [Fact]
    public void Points_that_are_not_finite_are_left_out_and_a_figure_of_none_is_refused()
    {
        var axis = new FigureAxis("x", "", Logarithmic: true);
        var nothing = new Figure("nothing", axis, axis, [new FigureSeries("entry", []), new FigureSeries(null, [new(double.NaN, 1), new(-1, 1)])]);
        Assert.Contains("nothing", Assert.Throws<ArgumentException>(() => FigureSvg.Draw(nothing)).Message);
        Assert.DoesNotContain("NaN", FigureSvg.Draw(Example));
    }

    [Fact]
    public void Error_bars_stand_upright_and_lie_level_and_one_without_an_end_is_left_out()
    {
        var axis = new FigureAxis("x", "");
        string Bars(FigurePoint point) => string.Concat(XDocument.Parse(FigureSvg.Draw(new Figure("bars", axis, axis, [new FigureSeries(null, [point, new(5, 5)]) { Color = Palette.Green }])))
            .Descendants(Svg + "path").Where(p => p.Attribute("style")?.Value == $"fill:none;stroke:{Palette.Green};stroke-width:1.2").Select(p => p.Attribute("d")!.Value));
        Assert.Equal("", Bars(new(1, 1)));
        Assert.Matches("^M[0-9.]+ [0-9.]+V[0-9.]+$", Bars(new(1, 1) { Low = 0, High = 2 }));
        Assert.Matches("^M[0-9.]+ [0-9.]+V[0-9.]+M[0-9.]+ [0-9.]+H[0-9.]+$", Bars(new(1, 1) { Low = 0, High = 2, Left = 0, Right = 3 }));
        Assert.Equal("", Bars(new(1, 1) { Low = 0, Right = 3 }));
    }

    [Fact]
    public void A_band_is_shaded_and_the_axes_reach_its_ends()
    {
        var axis = new FigureAxis("x", "");
        string svg = FigureSvg.Draw(new Figure("band", axis, axis, [new FigureSeries("law", [new(1, 10) { Low = 2, High = 20 }, new(2, 11) { Low = 3, High = 40 }]) { Band = true, Mark = Mark.None, Stroke = Stroke.Solid }]));
        Assert.Contains("fill-opacity", svg);
        Assert.Contains(">40<", svg);
    }

    [Fact]
    public void Names_instead_of_numbers_stand_from_top_to_bottom()
    {
        var figure = new Figure("regret", new FigureAxis("regret", "nats a token"), new FigureAxis("choice by", "") { Categories = ["the law", "copying"] }, [new FigureSeries(null, [new(0.03, 0), new(0.01, 1)])]);
        double Height(string name) => double.Parse(XDocument.Parse(FigureSvg.Draw(figure)).Descendants(Svg + "text").Single(t => t.Value == name).Attribute("y")!.Value, CultureInfo.InvariantCulture);
        Assert.True(Height("the law") < Height("copying"));
        Assert.Equal(["the law", "copying"], FigureData.Of(figure).Rows.Select(row => row[2]));
    }

    [Fact]
    public void The_data_of_a_figure_is_what_is_drawn_in_that_order()
    {
        string csv = FigureData.Of(Example).ToCsv();
        Assert.Equal(
            """
            series,parameters (non-embedding),held-out loss (nats a token),low,high,left,right
            law,8000,4.6,,,,
            law,32000,4.2,,,,
            runs of 10 tokens a parameter,8192,4.61,4.58,4.64,,
            runs of 10 tokens a parameter,31744,4.22,,,26000,38000
            held out,64000,4,,,,

            """, csv);
    }

    [Fact]
    public void Neighbouring_groups_differ_in_colour_and_neighbouring_subgroups_in_form()
    {
        Assert.Equal(7, Enumerable.Range(0, 7).Select(Palette.Group).Distinct().Count());
        Assert.Equal(5, Enumerable.Range(0, 5).Select(Palette.Subgroup).Distinct().Count());
        Assert.Equal(Palette.Group(0), Palette.Group(7));
    }
}
