// The shape that a shape's speed is told against: of its own order of size, and the same whatever else is measured.
using Scaling.Architectures;

namespace Scaling.Stages.Measure;

/// <summary>
/// Anchors are timed in every round between the rows. A row's anchor follows from the row alone, so rows that were measured in two batches, of which the later had only what was missing, are told against
/// the same shape; and it is near the row's size, so that a disturbance of the machine hits both alike.
/// </summary>
internal static class AnchorShape
{
    /// <summary>Sizes begin a new class here times a power of ten, where few studies have shapes: those of one size rarely fall into two.</summary>
    private const double Border = 5.5;

    /// <summary>
    /// Layers, hidden, intermediate, heads, key/value heads and head size, from 550 to 5500 parameters on, a power of ten each; their own parameters N are near the middle of the class (geometric).
    /// </summary>
    private static readonly (int L, int D, int F, int N, int K, int H)[] Classes =
    [
        (2, 8, 16, 2, 1, 8), (2, 32, 48, 4, 2, 8), (4, 64, 160, 8, 4, 8), (4, 192, 576, 12, 4, 16), (8, 384, 1536, 12, 4, 32), (12, 1024, 3840, 16, 4, 64), (20, 2560, 9216, 32, 8, 64),
        (40, 5120, 24576, 40, 8, 128),
    ];

    /// <summary>The anchor of a shape, with its vocabulary and embeddings: where these are large, they decide the speed.</summary>
    /// <param name="shape">Any.</param>
    /// <param name="fits">Whether memory holds a shape; a smaller anchor is taken where it does not, down to the smallest.</param>
    public static DecoderShape Of(DecoderShape shape, Func<DecoderShape, bool> fits)
    {
        int size = Math.Clamp((int)Math.Floor(Math.Log10(shape.Parameters / Border)) - 2, 0, Classes.Length - 1);
        DecoderShape Anchor(int i) => new(Classes[i].L, Classes[i].D, Classes[i].F, Classes[i].N, Classes[i].K, Classes[i].H, shape.Vocabulary, shape.Tied);
        return Enumerable.Range(0, size + 1).Reverse().Select(Anchor).FirstOrDefault(fits) ?? Anchor(0);
    }
}
