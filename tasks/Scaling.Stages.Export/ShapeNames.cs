// What a shape's id stands for, in a line: shown where a figure's point has the pointer.
using Scaling.Architectures;
using Scaling.Reports;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

internal static class ShapeNames
{
    /// <summary>Puts those shapes into the report's glossary that its figures label, each once.</summary>
    public static void Explain(ReportDocument report, Study study, IReadOnlyList<StudyFigure> figures)
    {
        var labels = figures.SelectMany(f => f.Figure.Series).SelectMany(s => s.Points).Select(p => p.Label).OfType<string>().ToHashSet(StringComparer.Ordinal);
        void Add(string id, Func<string> text)
        {
            if (labels.Remove(id))
            {
                report.Glossary[id] = text();
            }
        }

        foreach (var shape in new[] { study.Best?.Accurate, study.Best?.Efficient, study.Best?.Baseline }.OfType<ScoredShape>())
        {
            Add(shape.Shape, () => InWords(shape.ToShape()));
        }

        foreach (var table in new[] { study.Candidates, study.Runs, study.Speed, study.References }.OfType<Table>().Where(t => Vocabulary.ShapeIdentity.All(term => t.Has(term.Name))))
        {
            foreach (var row in table.Each().Where(_ => labels.Count > 0))
            {
                Add(row.Text(Vocabulary.Shape.Name), () => InWords(DecoderShape.FromCells(row.Count, row.Truth)));
                if (table == study.References)
                {
                    Add(row.Text("name"), () => InWords(DecoderShape.FromCells(row.Count, row.Truth)));
                }
            }
        }
    }

    /// <summary>For example <c>2 layers, hidden 60, MLP 144, 10/5 heads of 8, x 0.211, ratio 1.8</c>.</summary>
    public static string InWords(DecoderShape shape) =>
        $"{shape.Layers} {(shape.Layers == 1 ? "layer" : "layers")}, hidden {shape.Hidden}, MLP {shape.Intermediate}, {shape.Heads}/{shape.KvHeads} heads of {shape.HeadSize}, x {Quantity.Digits(shape.X, 3)}, ratio {Quantity.Digits(shape.Ratio, 3)}";
}
