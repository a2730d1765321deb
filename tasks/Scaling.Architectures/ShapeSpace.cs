// Every buildable decoder near one value of a held quantity, such as a size: what a search looks through.
namespace Scaling.Architectures;

/// <summary>A closed interval that a search stays in.</summary>
/// <param name="Low">Least value.</param>
/// <param name="High">Greatest value.</param>
public sealed record Bounds(double Low, double High)
{
    /// <summary>Whether a value lies in it, ends included.</summary>
    /// <param name="value">Any number.</param>
    public bool Holds(double value) => value >= Low && value <= High;

    /// <summary>The least and the greatest of some values.</summary>
    /// <param name="values">At least one.</param>
    public static Bounds Of(IReadOnlyCollection<double> values) => new(values.Min(), values.Max());
}

/// <summary>The shapes whose held quantity is near <paramref name="Size"/>, with the given depths, head sizes and groupings, and x and ratio in bounds.</summary>
/// <param name="Size">Value of <see cref="Held"/>; N, non-embedding, by default.</param>
/// <param name="Tolerance">Relative miss of it that is allowed, for example 0.01.</param>
/// <param name="Layers">L, each in turn.</param>
/// <param name="HeadSize">h, each in turn.</param>
/// <param name="Gqa">n/k, each in turn.</param>
/// <param name="MultipleOf">Hidden and intermediate sizes are multiples of it.</param>
/// <param name="Vocabulary">V.</param>
/// <param name="Tied">Input and output embeddings are one matrix.</param>
/// <param name="X">Bounds of d/√N, N being the shape's own. Greater than 0.</param>
/// <param name="Ratio">Bounds of r.</param>
public sealed record ShapeSpace(
    double Size, double Tolerance, IReadOnlyList<int> Layers, IReadOnlyList<int> HeadSize, IReadOnlyList<int> Gqa, int MultipleOf, int Vocabulary, bool Tied, Bounds X, Bounds Ratio)
{
    /// <summary>What <see cref="Size"/> is of. Default: non-embedding parameters.</summary>
    public HeldMeasure Held { get; init; } = HeldMeasure.Parameters;

    /// <summary>Whether a shape's held quantity is near enough.</summary>
    /// <param name="shape">Any.</param>
    public bool Near(DecoderShape shape) => Held.Of(shape) is var value && value >= Size * (1 - Tolerance) && value <= Size * (1 + Tolerance);

    /// <summary>Every such shape, by layers, head size and GQA, then rising hidden size, then heads, then intermediate size.</summary>
    public IEnumerable<DecoderShape> Shapes() =>
        from layers in Layers
        from headSize in HeadSize
        from gqa in Gqa
        from shape in Of(new DecoderShape(layers, 0, 0, gqa, 1, headSize, Vocabulary, Tied))
        select shape;

    /// <summary>Shapes of one depth, head size and grouping: <paramref name="group"/> has the heads of one group.</summary>
    private IEnumerable<DecoderShape> Of(DecoderShape group)
    {
        // N of a shape with d ≥ x·√N is at most (d/x)², and bounds d from both sides; a multiple is left free for rounding.
        double most = Held.MostParameters(Size * (1 + Tolerance)), least = Held.Quantity == HeldQuantity.Parameters ? Size * (1 - Tolerance) : 0;
        long first = Math.Max(1, (long)(X.Low * Math.Sqrt(least) / MultipleOf) - 1), last = (long)Math.Min(int.MaxValue / MultipleOf, X.High * Math.Sqrt(most) / MultipleOf + 1);
        for (long i = first; i <= last; i++)
        {
            var narrow = group with { Hidden = (int)(i * MultipleOf), Intermediate = MultipleOf };
            if (Held.Of(narrow) > Size * (1 + Tolerance))
            {
                yield break; // One group of heads and one multiple of MLP are too much already, and more so where the model is wider.
            }

            foreach (var shape in OfHidden(narrow))
            {
                yield return shape;
            }
        }
    }

    private IEnumerable<DecoderShape> OfHidden(DecoderShape narrow)
    {
        double least = Size * (1 - Tolerance), most = Size * (1 + Tolerance);
        for (int kvHeads = 1; ; kvHeads++)
        {
            var thin = narrow with { KvHeads = kvHeads, Heads = kvHeads * narrow.Heads };
            double one = Held.Of(thin);
            if (one > most)
            {
                yield break;
            }

            double step = Held.Of(thin with { Intermediate = 2 * MultipleOf }) - one;

            // The division may round across a whole number: one multiple earlier, and the shape's own value decides.
            for (long i = Math.Max(1, (long)((least - one) / step)); ; i++)
            {
                var shape = thin with { Intermediate = checked((int)(i * MultipleOf)) };
                if (Held.Of(shape) > most)
                {
                    break;
                }

                if (Near(shape) && X.Holds(shape.X) && Ratio.Holds(shape.Ratio))
                {
                    yield return shape;
                }
            }
        }
    }
}
