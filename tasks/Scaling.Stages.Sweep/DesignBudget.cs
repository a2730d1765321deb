// What runs cost and what a budget buys, both in FLOPs: hours become FLOPs by the rate of a device or a process.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

/// <summary>A budget.</summary>
/// <param name="Flops">What all runs may cost together.</param>
/// <param name="FlopsPerSecond">Of one device or process; null where the budget is said in FLOPs.</param>
/// <param name="FlopsPerUnit">FLOPs of one of <paramref name="Unit"/>.</param>
/// <param name="Unit">What the user counts in: FLOPs, GPU hours or hours.</param>
internal sealed record DesignBudget(double Flops, double? FlopsPerSecond, double FlopsPerUnit, string Unit)
{
    /// <summary>The budget of a design.</summary>
    /// <param name="design">As the user wrote it.</param>
    /// <param name="found">Takes SCAL7411 and SCAL7412.</param>
    /// <returns>Null where something was found.</returns>
    public static DesignBudget? Of(DesignSettings design, List<Diagnostic> found)
    {
        var budget = design.Budget;
        string[] said = [.. new[] { ("flops", budget.Flops), ("gpu_hours", budget.GpuHours), ("hours", budget.Hours) }.Where(b => b.Item2 is not null).Select(b => b.Item1)];
        if (said.Length != 1)
        {
            found.Add(new Diagnostic("SCAL7411", $"'design.budget' says {(said.Length == 0 ? "none" : string.Join(" and ", said.Select(s => $"'{s}'")))} of 'flops', 'gpu_hours' and 'hours'. Expected one of them.")
            {
                Hint = said.Length == 0 ? "Write for example 'budget: { flops: 1e18 }'." : $"Leave out {string.Join(" and ", said.Skip(1).Select(s => $"'{s}'"))}, or keep another one.",
            });
            return null;
        }

        int before = found.Count;
        void Odd(string message, string hint) => found.Add(new Diagnostic("SCAL7412", message) { Hint = hint });
        if (budget.GpuHours is not null && (budget.Device is null || Device.Named(budget.Device) is null))
        {
            Odd(
                $"'design.budget.gpu_hours' are of {(budget.Device is { } name ? $"the device '{name}', which is not known" : "no device")}: what an hour trains depends on it.",
                $"Write 'device:' beside it: {string.Join(", ", Device.All.Where(d => d.DriverNames.Count > 0).Select(d => d.Name))}; or say 'flops'.");
        }

        if (budget.GpuHours is null && budget.Device is not null)
        {
            Odd($"'design.budget.device' is said, and the budget is in '{said[0]}', which no device turns into FLOPs.", "Write 'gpu_hours', or leave out 'device'.");
        }

        if (budget.Hours is not null && budget.FlopsPerSecond is null)
        {
            Odd("'design.budget.hours' is said without 'flops_per_second': what an hour trains depends on it.", "Write what timings.csv of an earlier run says, for example 'flops_per_second: 2e10'.");
        }

        if (budget.Hours is null && budget.FlopsPerSecond is not null)
        {
            Odd($"'design.budget.flops_per_second' is said, and the budget is in '{said[0]}'.", "Write 'hours', or leave it out.");
        }

        if (budget.Flops is not null && design.FixedSeconds > 0)
        {
            Odd("'design.fixed_seconds' is said, and the budget is in 'flops': nothing tells how many FLOPs a second is worth.", "Say the budget in 'gpu_hours' or 'hours', or leave it out.");
        }

        return found.Count > before ? null : Turned(budget);
    }

    private static DesignBudget Turned(BudgetSettings budget)
    {
        if (budget.Flops is { } flops)
        {
            return new DesignBudget(flops, null, 1, "FLOPs");
        }

        double rate = budget.FlopsPerSecond ?? Device.Named(budget.Device!)!.FlopsPerSecond * budget.Utilisation;
        return budget.GpuHours is { } gpuHours
            ? new DesignBudget(gpuHours * 3600 * rate, rate, 3600 * rate, "GPU hours")
            : new DesignBudget(budget.Hours!.Value * 3600 * rate * budget.Processes, rate, 3600 * rate * budget.Processes, "hours");
    }

    /// <summary>FLOPs of a run: its tokens, or the fewest that the trainer takes, and what it costs beside its steps.</summary>
    /// <param name="design">The settings.</param>
    /// <param name="shape">What is trained.</param>
    /// <param name="size">The asked size, which its tokens go by.</param>
    /// <param name="share">Of these tokens: 1, or less of a short run.</param>
    public double Of(DesignSettings design, DecoderShape shape, double size, double share) =>
        TrainingCost.FlopsPerToken(shape, design.Context) * Math.Max(share * design.TokensPerParameter * size, design.MinimumTokens) + design.FixedSeconds * (FlopsPerSecond ?? 0);

    /// <summary>A cost as the user counts it, for example <c>0.21 GPU hours</c>.</summary>
    /// <param name="flops">≥ 0.</param>
    public string Say(double flops) => FormattableString.Invariant($"{flops / FlopsPerUnit:G3} {Unit}");
}
