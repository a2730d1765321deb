// The figures of a design: expected regret against what its runs cost, and the runs that it chose.
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class DesignFigures
{
    private static readonly (string Word, string Label)[] More = [("known", "now"), ("half", "half the budget"), ("round", "the last runs"), ("budget", "the budget"), ("double", "twice the budget")];

    /// <summary>Of the mark of the most frequent shape: a shape of a hundred runs would cover its neighbours.</summary>
    private const double MostArea = 16;

    /// <summary>A point a round, and what more runs were expected to give.</summary>
    public static StudyFigure? Regret(Study study)
    {
        if (ChosenRuns.Of(study) is not { Rounds: [.., { Flops: { } spent }] } chosen)
        {
            return null;
        }

        FigurePoint At(ChosenPlan plan, string label) => new(spent + plan.Flops, plan.Regret) { Label = label };
        FigurePoint[] known = [.. chosen.Rounds.Where(r => r is { Flops: > 0, Regret: not null }).Select(r => new FigurePoint(r.Flops!.Value, r.Regret!.Value) { Label = $"after round {r.Number - 1}" })];
        FigurePoint[] more = [.. More.Where(m => (m.Word == "known" ? chosen.Plan(m.Word) : chosen.Bought(m.Word)) is not null).Select(m => At(chosen.Plan(m.Word)!, m.Label)).OrderBy(p => p.X)];
        List<FigureSeries> series =
        [
            .. known.Length == 0 ? Array.Empty<FigureSeries>() : [new("of the pick, a point a round", known) { Color = Palette.Blue, Stroke = Stroke.Solid }],
            .. more.Length == 0 ? Array.Empty<FigureSeries>() : [new("forecast", more) { Color = Palette.Vermilion, Mark = Mark.Ring, Stroke = Stroke.Dashed }],
            .. chosen.Plan("grid") is { Flops: > 0 } grid ? [new FigureSeries("every candidate once more", [At(grid, "every candidate")]) { Color = Palette.Green, Mark = Mark.Diamond }] : Array.Empty<FigureSeries>(),
        ];
        string forecast = chosen.Plans.Count == 0 ? "" : " Forecasts are of the best x and ratio themselves, not of shapes that can be built, and begin with what is known.";
        return new StudyFigure(
            ExportTables.Design,
            new Figure("Expected regret against compute", new FigureAxis("training so far", "FLOPs", Logarithmic: true), new FigureAxis("expected regret", "nats a token", Logarithmic: true), series),
            $"What the pick was expected to lose to the best shape, after each round, against what the runs had cost.{forecast}");
    }

    /// <summary>A colour a size; the area of a mark is the number of runs.</summary>
    public static StudyFigure? Chosen(Study study)
    {
        if (ChosenRuns.Of(study) is not { Shapes.Count: > 0 } chosen)
        {
            return null;
        }

        var colours = SizeColours.Of(study);
        double unit = Math.Min(1, MostArea / chosen.Shapes.Max(s => s.Runs));
        var shapes = chosen.Shapes.OrderByDescending(s => s.Runs).ThenBy(s => s.Size).ThenBy(s => s.X).ThenBy(s => s.Ratio); // Small marks lie on large ones.
        List<FigureSeries> series =
        [
            .. shapes.GroupBy(s => colours.Colour(s.Size)).OrderBy(g => g.Min(s => s.Size)).Select(g => new FigureSeries(null, [.. g.Select(s => new FigurePoint(s.X, s.Ratio)
            {
                Label = s.Shape, Series = $"{colours.Name(s.Size)}, {s.Runs} {(s.Runs == 1 ? "run" : "runs")}", Area = unit * s.Runs,
            })]) { Color = g.Key }),
            .. colours.Legend(chosen.Shapes.Select(s => s.Size)),
        ];
        if (chosen.Rounds is [.., { X: { } x, Ratio: { } ratio }])
        {
            series.Add(new FigureSeries("believed best at the target", [new(x, ratio)]) { Color = Palette.Ink, Mark = Mark.Star });
        }

        return new StudyFigure(
            ExportTables.Chosen,
            new Figure("The chosen runs", new FigureAxis("x = hidden / √parameters", ""), new FigureAxis("ratio = MLP / attention parameters", "", Logarithmic: true), series),
            "Each shape that was trained; the area of a mark is its number of runs. Runs far from the best tell how steeply the loss rises, and with it where it is least.");
    }
}
