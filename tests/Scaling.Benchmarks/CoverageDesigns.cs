// The studies whose intervals are checked: the one that the targets are stated for, and others that bend its assumptions.
namespace Scaling.Benchmarks;

/// <summary>Designs.</summary>
internal static class CoverageDesigns
{
    /// <summary>Four sizes of 50 shapes each, normal noise.</summary>
    public static readonly WorldDesign Target = new("target", "four sizes of 50 shapes, D = 100 N, normal noise of sd .01");

    /// <summary>All of them, the target's first.</summary>
    public static readonly IReadOnlyList<WorldDesign> All =
    [
        Target,
        Target with { Name = "heavy-tails", Description = "noise of Student's t with 3 degrees of freedom, sd .01", Noise = RunNoise.HeavyTailed },
        Target with { Name = "falling-noise", Description = "noise of sd .015 at the smallest size, .005 at the largest", RunNats = (0.015, 0.005) },
        Target with { Name = "grid", Description = "a 5 × 5 grid of x and ratio at each size, 100 shapes", GridValues = 5 },
        Target with { Name = "fixed-tokens", Description = "one D a size: the rounding of N is not followed by D", TokensFollowRounding = false },
        Target with { Name = "two-sizes", Description = "80M and 297M alone, 100 shapes", Sizes = [8e7, 2.97e8] },
    ];
}
