// The walk over grouped-query attention: one shape with fewer and fewer key/value heads, until that is slower.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Measure;

/// <summary>A local search by measurement (arXiv 2510.18245): from a reference through rising GQA, each measured against the reference, until one falls below it.</summary>
/// <param name="Reference">Where the walk starts; timed beside every step.</param>
/// <param name="Steps">Its variants of higher GQA, rising.</param>
internal sealed record GqaWalk(DecoderShape Reference, IReadOnlyList<DecoderShape> Steps)
{
    /// <summary>The walks of a batch: rows that have the column belong to one if they differ in their heads alone.</summary>
    /// <param name="rows">Shape and where its walk starts; null for rows that walk nowhere.</param>
    /// <exception cref="StageFailedException">SCAL8105: a walk has no shape to start from, or several.</exception>
    public static IReadOnlyList<GqaWalk> Of(IEnumerable<(DecoderShape Shape, int? From)> rows) =>
    [
        .. rows.Where(r => r.From is not null).GroupBy(r => (Family: r.Shape with { Heads = 0, KvHeads = 0 }, r.From)).Select(walk =>
        {
            DecoderShape[] shapes = [.. walk.Select(r => r.Shape).Distinct()];
            int from = walk.Key.From!.Value;
            var reference = shapes.Where(s => s.Gqa == from).ToArray() switch
            {
                [var own] => own,
                [] => WithGqa(shapes, from),
                _ => throw Unclear(from, $"{shapes.Count(s => s.Gqa == from)} of its rows have that"),
            };
            return new GqaWalk(reference, [.. shapes.Where(s => s.Gqa > from).OrderBy(s => s.Gqa).ThenBy(s => s.Heads)]);
        }),
    ];

    /// <summary>The start that the rows do not hold, since its own row is in the store: as many heads in all as theirs, or as many query heads.</summary>
    private static DecoderShape WithGqa(DecoderShape[] shapes, int gqa)
    {
        var one = shapes[0];
        int heads = one.Heads + one.KvHeads;
        return gqa < 1 ? throw Unclear(gqa, "it is a number of query heads to a key/value head, from 1 on")
            : heads % (gqa + 1) == 0 && shapes.All(s => s.Heads + s.KvHeads == heads) ? one with { Heads = heads / (gqa + 1) * gqa, KvHeads = heads / (gqa + 1) }
            : one.Heads % gqa == 0 && shapes.All(s => s.Heads == one.Heads) ? one with { KvHeads = one.Heads / gqa }
            : throw Unclear(gqa, "none of its rows has that, and it does not follow from theirs");
    }

    private static StageFailedException Unclear(int from, string why) => new(
        "SCAL8105", $"A walk starts at GQA {from} ({MeasureTables.WalkFrom}), but {why}.", "Give it the variants of one shape, one row each, and the row that it starts from among them.");
}
