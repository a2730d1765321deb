// The buildable decoder nearest to an asked size, x, ratio and GQA.
namespace Scaling.Architectures;

/// <summary>An asked decoder.</summary>
/// <param name="Parameters">N, non-embedding.</param>
/// <param name="Layers">L.</param>
/// <param name="X">d/√N; LLaMA-3.2-1B has 0.066.</param>
/// <param name="Ratio">r, MLP to attention parameters; LLaMA-3.2-1B has 4.8.</param>
/// <param name="Gqa">n/k, query heads a key/value head.</param>
/// <param name="HeadSize">h, even, since rotary positions turn features in pairs.</param>
/// <param name="MultipleOf">Hidden and intermediate sizes are multiples of it.</param>
/// <param name="Vocabulary">V.</param>
/// <param name="Tied">Input and output embeddings are one matrix.</param>
public sealed record ShapeRequest(
    double Parameters, int Layers, double X, double Ratio, int Gqa, int HeadSize, int MultipleOf, int Vocabulary, bool Tied);

/// <summary>A shape, or why there is none.</summary>
/// <param name="Shape">Null where nothing near the request can be built.</param>
/// <param name="Reason">Null where there is a shape.</param>
public sealed record GeneratedShape(DecoderShape? Shape, string? Reason);

/// <summary>
/// Inverts N = 2·L·d·d_q·(1 + 1/GQA)·(1 + r): d = x·√N, d_q = N / (2·L·d·(1 + 1/GQA)·(1 + r)), and f from what is left of N.
/// </summary>
/// <remarks>
/// Rounding goes in that order, each step seeing the one before: d to the multiple, d_q to whole groups of h·GQA features, and last f, which is the
/// finest of the three, so that N is matched best. The closed form f = N·r / (3·L·d·(1 + r)) would keep r instead and miss N by up to half a group of
/// heads, a third of a model of 8,000 parameters. N, x and r are what the rounded shape says, never what was asked.
/// Worked: N = 973,078,528, L = 16, x = 2048/√N, r = 4.8, GQA 4, h = 64, multiples of 256 give LLaMA-3.2-1B: d 2048, d_q 2048, f 8192.
/// </remarks>
public static class ShapeGenerator
{
    /// <summary>The shape nearest to a request.</summary>
    /// <param name="request">Positive numbers.</param>
    public static GeneratedShape Nearest(ShapeRequest request)
    {
        int hidden = ToMultiple(request.X * Math.Sqrt(request.Parameters), request.MultipleOf);
        return hidden < 1
            ? None($"the hidden size would be {request.X * Math.Sqrt(request.Parameters):0.#}, nearer to 0 than to {request.MultipleOf}")
            : WithHidden(request, hidden);
    }

    /// <summary>The nearest shape of a given hidden size, which need be no multiple; <see cref="ShapeRequest.X"/> is not read.</summary>
    /// <param name="request">Positive numbers.</param>
    /// <param name="hidden">d.</param>
    public static GeneratedShape WithHidden(ShapeRequest request, int hidden)
    {
        double queryWidth = request.Parameters / (2.0 * request.Layers * hidden * (1 + 1.0 / request.Gqa) * (1 + request.Ratio));
        return WithQueryWidth(request, hidden, queryWidth, intermediate: null);
    }

    /// <summary>The nearest shape of given hidden and intermediate sizes; <see cref="ShapeRequest.X"/> and <see cref="ShapeRequest.Ratio"/> are not read.</summary>
    /// <param name="request">Positive numbers.</param>
    /// <param name="hidden">d.</param>
    /// <param name="intermediate">f.</param>
    public static GeneratedShape WithHiddenAndIntermediate(ShapeRequest request, int hidden, int intermediate)
    {
        double attention = request.Parameters / request.Layers - 3.0 * hidden * intermediate;
        return WithQueryWidth(request, hidden, attention / (2.0 * hidden * (1 + 1.0 / request.Gqa)), intermediate);
    }

    private static GeneratedShape WithQueryWidth(ShapeRequest request, int hidden, double queryWidth, int? intermediate)
    {
        int kvHeads = ToMultiple(queryWidth / request.HeadSize / request.Gqa, 1);
        if (kvHeads < 1)
        {
            return None($"the query projection would be {queryWidth:0.#} wide, nearer to 0 than to one group of {request.Gqa} heads of {request.HeadSize}");
        }

        var bare = new DecoderShape(
            request.Layers, hidden, 0, kvHeads * request.Gqa, kvHeads, request.HeadSize, request.Vocabulary, request.Tied);
        double width = (request.Parameters / request.Layers - bare.AttentionParametersPerLayer) / (3.0 * hidden);
        var shape = bare with { Intermediate = intermediate ?? ToMultiple(width, request.MultipleOf) };
        return shape.Intermediate < 1
            ? None($"attention alone takes {bare.Parameters} parameters, and the MLP would be {Math.Max(0, width):0.#} wide, nearer to 0 than to {request.MultipleOf}")
            : new GeneratedShape(shape, null);
    }

    /// <summary>The nearest multiple; halves go up, so that a shape does not depend on whether its neighbour is even.</summary>
    private static int ToMultiple(double value, int multiple) => checked((int)Math.Clamp(Math.Floor(value / multiple + 0.5), 0, int.MaxValue / multiple) * multiple);

    private static GeneratedShape None(string reason) => new(null, reason);
}
