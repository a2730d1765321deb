// What training a shape costs in closed form.
namespace Scaling.Architectures;

/// <summary>FLOPs of training, forward and backward, three times those of the forward pass alone.</summary>
public static class TrainingCost
{
    /// <summary>
    /// 6·(N + V·d), every product with weights, the output embeddings among them, and 6·L·n·h·T, causal attention over T tokens. LLaMA-3.2-1B at T = 4096: 8.2e9.
    /// </summary>
    /// <param name="shape">The shape.</param>
    /// <param name="context">T, tokens a training sequence.</param>
    /// <returns>FLOPs a trained token.</returns>
    public static long FlopsPerToken(DecoderShape shape, int context) =>
        6 * (shape.Parameters + (long)shape.Vocabulary * shape.Hidden) + 6L * shape.Layers * shape.QueryWidth * context;
}
