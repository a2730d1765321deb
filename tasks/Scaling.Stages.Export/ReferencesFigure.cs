// The figure of shapes of known loss: what is known across, what the law predicts up.
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReferencesFigure
{
    /// <summary>A colour a shape, and a mark a shape that others are held against.</summary>
    public static StudyFigure? Of(Study study)
    {
        var references = Reference.Of(study).Where(r => r is { Known: not null, Predicted: not null }).ToList();
        if (references.Count == 0)
        {
            return null;
        }

        var yardsticks = references.Select(r => r.Against).Distinct().ToList();
        FigurePoint At(Reference r) => new(1000 * r.Known!.Value, 1000 * r.Predicted!.Value) { Label = r.Name };
        var ends = references.Select(At).SelectMany(p => new[] { p.X, p.Y }).ToList();
        List<FigureSeries> series =
        [
            new("predicted = known", [new(ends.Min(), ends.Min()), new(ends.Max(), ends.Max())]) { Color = Palette.Grey, Mark = Mark.None, Stroke = Stroke.Dashed },
            .. references.Select((r, i) => new FigureSeries(r.Name, [At(r)]) { Color = Palette.Group(i), Mark = Palette.Subgroup(yardsticks.IndexOf(r.Against)) }),
        ];
        var figure = new Figure(
            "Shapes of known loss", new FigureAxis("known loss", "milli-nats against each one's yardstick"), new FigureAxis("predicted loss", "milli-nats"), series);
        return new StudyFigure(
            ExportTables.References, figure,
            $"Known and predicted losses, each against {string.Join(" or ", yardsticks)}, which {(yardsticks.Count == 1 ? "lies" : "lie")} at 0. Below the dashed line the law is optimistic.");
    }
}
