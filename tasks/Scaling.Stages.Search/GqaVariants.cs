// The efficient pick with every grouping that keeps its parameters: what a local search over GQA measures.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

/// <summary>
/// N = L·d·(2·(n + k)·h + 3·f) stays where n + k does, so a grouping g has k = (n + k)/(g + 1) key/value heads where that is whole (how arXiv 2510.18245 comes from 32/8 to 36/4).
/// </summary>
internal static class GqaVariants
{
    /// <summary>The variants by rising GQA, the shape itself among them.</summary>
    public static IReadOnlyList<DecoderShape> Of(DecoderShape shape)
    {
        int heads = shape.Heads + shape.KvHeads;
        return [.. Enumerable.Range(1, heads / 2).Where(k => heads % k == 0).Reverse().Select(k => shape with { Heads = heads - k, KvHeads = k })];
    }

    /// <summary>As <c>measure</c> takes them.</summary>
    /// <param name="shape">The efficient pick.</param>
    /// <param name="fitted">GQA of the law's runs, or of the baseline; null where they have none in common.</param>
    /// <param name="walk">How they are measured.</param>
    /// <param name="served">Whether a variant can be served as asked; the one to start from stays in any case.</param>
    public static Table Table(DecoderShape shape, double? fitted, GqaWalk walk, Func<DecoderShape, bool> served)
    {
        var variants = Of(shape);
        double start = variants.Any(v => v.Gqa == fitted) ? fitted!.Value : shape.Gqa;
        var table = new TableBuilder(SearchTables.Variants);
        foreach (var variant in variants.Where(v => v.Gqa == start || served(v)))
        {
            table.Add([.. variant.Cells(), walk == GqaWalk.Local ? start : null]);
        }

        return table.Build();
    }
}
