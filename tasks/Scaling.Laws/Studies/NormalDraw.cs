// Standard normal numbers from a seeded generator.
namespace Scaling.Laws;

internal static class NormalDraw
{
    /// <summary>Two uniforms make a normal (Box, Muller 1958).</summary>
    /// <param name="random">Advanced by two numbers.</param>
    public static double Of(Random random) => Math.Sqrt(-2 * Math.Log(1 - random.NextDouble())) * Math.Cos(2 * Math.PI * random.NextDouble());
}
