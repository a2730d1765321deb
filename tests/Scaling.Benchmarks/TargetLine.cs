// What was promised beside what was measured.
namespace Scaling.Benchmarks;

/// <summary>A target and whether it is met.</summary>
/// <param name="What">With its unit.</param>
/// <param name="Asked">In words.</param>
/// <param name="Measured">In the unit of <paramref name="What"/>.</param>
/// <param name="Met">Whether it holds.</param>
internal sealed record TargetLine(string What, string Asked, double Measured, bool Met)
{
    public static TargetLine AtMost(string what, double limit, double measured) => new(what, $"≤ {limit}", measured, measured <= limit);

    public static TargetLine AtLeast(string what, double limit, double measured) => new(what, $"≥ {limit}", measured, measured >= limit);

    public static TargetLine Between(string what, double low, double high, double measured) => new(what, $"{low} to {high}", measured, measured >= low && measured <= high);

    /// <summary>A Markdown table.</summary>
    /// <param name="targets">A line each.</param>
    /// <param name="output">Where to.</param>
    public static void Write(IEnumerable<TargetLine> targets, TextWriter output)
    {
        output.WriteLine("| | target | measured | |");
        output.WriteLine("|---|---|---|---|");
        foreach (var target in targets)
        {
            output.WriteLine($"| {target.What} | {target.Asked} | {target.Measured:0.###} | {(target.Met ? "met" : "not met")} |");
        }
    }
}
