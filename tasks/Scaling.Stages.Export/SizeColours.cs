// A colour a size, a mark a budget: the same in every figure, and no more of them than a reader tells apart.
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal sealed class SizeColours
{
    /// <summary>Geometric mean N of each size.</summary>
    private readonly double[] _sizes;

    /// <summary>The colour of each size: its own, or shared with its neighbours where there are more sizes than colours.</summary>
    private readonly int[] _colour;

    private readonly List<double> _budgets;

    private SizeColours(double[] sizes, List<double> budgets)
    {
        _sizes = sizes;
        _budgets = budgets.Count <= Palette.Marks.Count ? budgets : [];
        _colour = [.. sizes.Select((_, i) => sizes.Length <= Palette.Groups.Count ? i : i * Palette.Groups.Count / sizes.Length)];
    }

    /// <summary>Of the sizes and budgets of a study.</summary>
    public static SizeColours Of(Study study)
    {
        double[] parameters =
        [
            .. study.RunList.Select(r => r.Parameters), .. study.Residuals?.Each().Select(r => r.Number("parameters")) ?? [],
            .. study.Design is { } design && design.Has("size") ? design.Each().Select(r => r.Number("size")) : [],
            .. study.Predictions?.Each().Where(r => r.Text("purpose") == "held_out").Select(r => r.Number("parameters")) ?? [],
        ];
        int[] classes = SizeClasses.Of(parameters);
        return new SizeColours([.. parameters.Zip(classes).GroupBy(p => p.Second).OrderBy(g => g.Key).Select(g => SizeClasses.GeometricMean(g.Select(p => p.First)))], [.. study.Budgets()]);
    }

    /// <summary><c>#rrggbb</c> of a size.</summary>
    /// <param name="parameters">N.</param>
    public string Colour(double parameters) => Palette.Group(Group(parameters));

    /// <summary>The name of a size in figures, for example <c>40.1k parameters</c>.</summary>
    /// <param name="parameters">N.</param>
    public string Name(double parameters) => $"{Quantity.Count(_sizes[Nearest(parameters)])} parameters";

    /// <summary>What a run belongs to, for example <c>40.1k parameters, 20 tokens/parameter</c>.</summary>
    public string Name(StudyRun run) => $"{Name(run.Parameters)}, {Quantity.Digits(run.Budget)} tokens/parameter";

    /// <summary>Points of runs, a series for each colour and mark; then the legend's entries for colours and marks apart: sizes plus budgets, not sizes times budgets.</summary>
    public IReadOnlyList<FigureSeries> Groups(IEnumerable<(StudyRun Run, FigurePoint Point)> points)
    {
        var all = points.Select(p => (p.Run, Point: p.Point with { Label = p.Run.Label, Series = Name(p.Run) })).ToList();
        return
        [
            .. all.GroupBy(p => (Colour: Group(p.Run.Parameters), Mark: MarkOf(p.Run.Budget))).OrderBy(g => g.Key.Colour).ThenBy(g => g.Key.Mark)
                .Select(g => new FigureSeries(null, [.. g.Select(p => p.Point)]) { Color = Palette.Group(g.Key.Colour), Mark = g.Key.Mark }),
            .. Legend(all.Select(p => p.Run.Parameters)),
            .. _budgets.Count > 1 ? _budgets.Select(b => new FigureSeries($"{Quantity.Digits(b)} tokens/parameter", []) { Color = Palette.Grey, Mark = MarkOf(b) }) : [],
        ];
    }

    /// <summary>The legend's entries of these sizes.</summary>
    /// <param name="parameters">N, in any order.</param>
    public IEnumerable<FigureSeries> Legend(IEnumerable<double> parameters) => parameters.Select(Group).Distinct().Order().Select(colour =>
    {
        double[] sizes = [.. _sizes.Where((_, i) => _colour[i] == colour)];
        string[] ends = [.. new[] { sizes[0], sizes[^1] }.Distinct().Select(s => Quantity.Count(s))];
        return new FigureSeries($"{string.Join(" to ", ends)} parameters", []) { Color = Palette.Group(colour) };
    });

    private int Group(double parameters) => _colour[Nearest(parameters)];

    private int Nearest(double parameters) => Enumerable.Range(0, _sizes.Length).MinBy(i => Math.Abs(Math.Log(_sizes[i] / parameters)));

    private Mark MarkOf(double budget) => _budgets.IndexOf(budget) is >= 0 and var position ? Palette.Subgroup(position) : Mark.Circle;
}
