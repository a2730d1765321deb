// The shape nearest to one that a consumer refuses among those that it takes.
namespace Scaling.Architectures;

/// <summary>
/// Looks outward from the refused shape (d, f, n, k) among shapes of its depth, grouping and size: in rings of ln d and ln r, each twice as wide as the one
/// before. In the first ring that holds a shape that passes, the one of least loss is taken, or the nearest where no loss is known.
/// </summary>
/// <remarks>
/// Hidden and intermediate sizes are multiples of 64, or of what the refused shape's own have in common where that is less; of twice that and so on where
/// steps would be finer than 1/512 of a width. Only where nothing passes are embeddings untied, and only then other head sizes tried, the nearest first.
/// Worked: Panda-1B (2560, 4096, 72/18 × 64), which transformers 5 refuses, has (2432, 4352, 76/19 × 64) nearest.
/// </remarks>
public static class NearestShape
{
    /// <summary>Relative difference in N to the refused shape that is allowed.</summary>
    public const double Tolerance = 0.01;

    private static readonly double[] Rings = [0.1, 0.2, 0.4, 0.8];

    /// <summary>Those that inference kernels are written for.</summary>
    private static readonly int[] HeadSizes = [16, 32, 64, 80, 96, 112, 128, 160, 192, 256];

    /// <summary>The nearest shape that passes; null where none does.</summary>
    /// <param name="refused">A shape that can be built.</param>
    /// <param name="passes">Whether a shape is taken.</param>
    /// <param name="loss">Predicted loss, nats a token; null where no law is known.</param>
    public static DecoderShape? Of(DecoderShape refused, Func<DecoderShape, bool> passes, Func<DecoderShape, double>? loss)
    {
        DecoderShape[] untied = refused.Tied ? [refused with { Tied = false }] : [];
        var otherHeads = HeadSizes.Where(h => h != refused.HeadSize).OrderBy(h => Math.Abs(Math.Log((double)h / refused.HeadSize)))
            .Select(h => refused with { HeadSize = h });
        foreach (var centre in (DecoderShape[])[refused, .. untied, .. otherHeads])
        {
            foreach (double ring in Rings)
            {
                var passing = Around(refused, centre, ring).Where(passes).ToList();
                if (passing.Count > 0)
                {
                    return passing.OrderBy(s => loss?.Invoke(s) ?? 0).ThenBy(s => Distance(refused, s)).First();
                }
            }
        }

        return null;
    }

    /// <summary>How far apart two shapes are: the root of the squared differences in ln d and ln r.</summary>
    /// <param name="one">A shape.</param>
    /// <param name="other">Another.</param>
    public static double Distance(DecoderShape one, DecoderShape other) =>
        double.Hypot(Math.Log((double)one.Hidden / other.Hidden), Math.Log(one.Ratio / other.Ratio));

    private static IEnumerable<DecoderShape> Around(DecoderShape refused, DecoderShape centre, double ring)
    {
        // x is d over the root of the shape's own N, which the tolerance moves.
        double reach = Math.Exp(ring + Tolerance);
        return new ShapeSpace(
            refused.Parameters, Tolerance, [centre.Layers], [centre.HeadSize], [refused.Heads / refused.KvHeads], MultipleOf(refused), centre.Vocabulary, centre.Tied,
            new Bounds(refused.X / reach, refused.X * reach), new Bounds(refused.Ratio / reach, refused.Ratio * reach))
            .Shapes().Where(s => Distance(refused, s) <= ring);
    }

    private static int MultipleOf(DecoderShape shape)
    {
        int multiple = Math.Min(64, GreatestCommonDivisor(shape.Hidden, shape.Intermediate));
        while (multiple * 512 < Math.Min(shape.Hidden, shape.Intermediate))
        {
            multiple *= 2;
        }

        return multiple;
    }

    private static int GreatestCommonDivisor(int a, int b) => b == 0 ? a : GreatestCommonDivisor(b, a % b);
}
