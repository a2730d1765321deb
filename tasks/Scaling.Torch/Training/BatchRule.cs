// How many sequences a step takes where the user does not say.
namespace Scaling.Torch;

/// <summary>Tokens a step grow with the size, so that small models, which see few tokens, have steps enough: 1024·(N/25,000)^(2/3), at least one sequence.</summary>
public static class BatchRule
{
    /// <summary>Sequences a step, at least 1.</summary>
    /// <param name="parameters">N, the size that was asked for, so that all shapes of a size have the same.</param>
    /// <param name="context">Tokens a sequence.</param>
    public static int Sequences(double parameters, int context) => (int)Math.Clamp(Math.Round(1024 * Math.Pow(parameters / 25_000, 2.0 / 3) / context), 1, 1 << 20);
}
