// What the engine may cost beside what it did cost, scaled by how fast a hello world was at that time where times depend on the machine.
using System.Globalization;

namespace Scaling.Benchmarks;

/// <summary>A target of the engine.</summary>
/// <param name="What">With its unit.</param>
/// <param name="Stated">What was promised; a time for a machine on which a hello world takes <see cref="StatedHello"/>.</param>
/// <param name="Measured">In the unit of <paramref name="What"/>.</param>
internal sealed record EngineTarget(string What, double Stated, double Measured)
{
    /// <summary>The hello world for which times to start something are promised, seconds.</summary>
    public const double StatedHello = 0.045;

    /// <summary>Of a hello world that ran in turn with what was measured, seconds. Null where the promise holds on any machine. Default: null.</summary>
    public double? Hello { get; init; }

    /// <summary>What is asked here: <see cref="Stated"/> times the hello world over <see cref="StatedHello"/>.</summary>
    public double Allowed => Stated * (Hello ?? StatedHello) / StatedHello;

    /// <summary>Whether it is met.</summary>
    public bool IsMet => Measured <= Allowed;

    /// <summary>A sentence on a miss.</summary>
    public string Miss => string.Create(CultureInfo.InvariantCulture, $"Missed: {What}: {Measured:0.###}, allowed {Allowed:0.###}.");

    /// <summary>A Markdown table.</summary>
    /// <param name="targets">A line each.</param>
    /// <param name="output">Where to.</param>
    public static void Write(IEnumerable<EngineTarget> targets, TextWriter output)
    {
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| target | stated, for a hello world of {StatedHello} s | hello world, s | allowed here | measured | |"));
        output.WriteLine("|---|---|---|---|---|---|");
        foreach (var target in targets)
        {
            string hello = target.Hello?.ToString("0.000", CultureInfo.InvariantCulture) ?? "any";
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"| {target.What} | ≤ {target.Stated} | {hello} | ≤ {target.Allowed:0.###} | {target.Measured:0.###} | {(target.IsMet ? "ok" : "missed")} |"));
        }
    }
}
