// Every buildable decoder of one size: what a search looks through.
namespace Scaling.Architectures;

/// <summary>A closed interval that a search stays in.</summary>
/// <param name="Low">Least value.</param>
/// <param name="High">Greatest value.</param>
public sealed record Bounds(double Low, double High)
{
    /// <summary>Whether a value lies in it, ends included.</summary>
    /// <param name="value">Any number.</param>
    public bool Holds(double value) => value >= Low && value <= High;
}

/// <summary>The shapes of <paramref name="Size"/> parameters with the given depth, head size and grouping, and x and ratio in bounds.</summary>
/// <param name="Size">N, non-embedding.</param>
/// <param name="Tolerance">Relative miss of N that is allowed, for example 0.01.</param>
/// <param name="Layers">L.</param>
/// <param name="HeadSize">h.</param>
/// <param name="Gqa">n/k, each in turn.</param>
/// <param name="MultipleOf">Hidden and intermediate sizes are multiples of it.</param>
/// <param name="Vocabulary">V.</param>
/// <param name="Tied">Input and output embeddings are one matrix.</param>
/// <param name="X">Bounds of d/√N, N being the shape's own. Greater than 0.</param>
/// <param name="Ratio">Bounds of r.</param>
public sealed record ShapeSpace(
    double Size, double Tolerance, int Layers, int HeadSize, IReadOnlyList<int> Gqa, int MultipleOf, int Vocabulary, bool Tied, Bounds X, Bounds Ratio)
{
    /// <summary>Every such shape, by GQA, then rising hidden size, then heads, then intermediate size.</summary>
    public IEnumerable<DecoderShape> Shapes()
    {
        double least = Size * (1 - Tolerance), most = Size * (1 + Tolerance);
        foreach (int gqa in Gqa)
        {
            int firstHidden = (int)Math.Ceiling(X.Low * Math.Sqrt(least) / MultipleOf) * MultipleOf;
            double lastHidden = Math.Min(X.High * Math.Sqrt(most), most / (2.0 * Layers * (gqa + 1) * HeadSize)); // one group of heads must fit
            for (int hidden = Math.Max(MultipleOf, firstHidden); hidden <= lastHidden; hidden += MultipleOf)
            {
                foreach (var shape in OfHidden(gqa, hidden, least, most))
                {
                    yield return shape;
                }
            }
        }
    }

    private IEnumerable<DecoderShape> OfHidden(int gqa, int hidden, double least, double most)
    {
        for (int kvHeads = 1; ; kvHeads++)
        {
            var bare = new DecoderShape(Layers, hidden, 0, kvHeads * gqa, kvHeads, HeadSize, Vocabulary, Tied);
            double attention = bare.Parameters, mlpOfOne = 3.0 * Layers * hidden;
            if (attention >= most)
            {
                yield break;
            }

            int first = (int)Math.Ceiling(Math.Max(0, least - attention) / mlpOfOne / MultipleOf) * MultipleOf;
            for (int intermediate = Math.Max(MultipleOf, first); attention + mlpOfOne * intermediate <= most; intermediate += MultipleOf)
            {
                var shape = bare with { Intermediate = intermediate };
                if (X.Holds(shape.X) && Ratio.Holds(shape.Ratio))
                {
                    yield return shape;
                }
            }
        }
    }
}
