// What a design has come to, for the terminal: how far it is, the pick, and what more runs would be worth.
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class DesignSummary
{
    /// <summary>The summary.</summary>
    /// <param name="design">The study.</param>
    /// <param name="round">Its round.</param>
    /// <param name="history">The rounds before.</param>
    /// <param name="threshold">Expected regret that ends it, nats a token; null where none does.</param>
    public static StageSummary Of(StudyDesign design, DesignRound round, DesignHistory history, double? threshold)
    {
        var optimum = round.State.Belief.OptimumAt(design.Goal.Target);
        var pick = design.Shapes[round.State.Pick];
        string[] lines =
        [
            Progress(design, round, history),
            Invariant($"pick at {InWords(design.Goal.Target)}: hidden {pick.Hidden}, MLP {pick.Intermediate}, heads {pick.Heads}/{pick.KvHeads} (x {pick.X:G3}, ratio {pick.Ratio:G3})"),
            Invariant($"expected regret {round.Regret:G2} nats; x* {optimum.X:G3} ± {optimum.XError:P0}, r* {optimum.Ratio:G3} ± {optimum.RatioError:P0}"),
            Outlook(round, threshold),
        ];
        SummaryQuantity Number(string name, string label, double value, string unit) => new(name, label, value, unit, Invariant($"{value:G3}"));
        return new StageSummary(
            "Design of the study", [.. lines.Select(Cut)],
            [
                new SummaryQuantity("design.verdict", "state of the design", null, "", Word(round.State.Verdict)),
                Number("design.runs", "runs with a result", history.Results.Count, "runs"),
                Number("design.flops", "training FLOPs of the design", round.Spent, "FLOP"),
                Number("design.expected_regret", "expected regret of the design's pick", round.Regret, "nats a token"),
                Number("design.x_star", "best x at the target", optimum.X, "1"),
                Number("design.ratio_star", "best ratio at the target", optimum.Ratio, "1"),
            ]);
    }

    /// <summary>A verdict as tables and messages have it.</summary>
    /// <param name="verdict">Of a round.</param>
    public static string Word(StudyVerdict verdict) => verdict switch
    {
        StudyVerdict.GoesOn => "goes-on",
        StudyVerdict.RegretReached => "regret-reached",
        StudyVerdict.OneShape => "one-shape",
        StudyVerdict.NothingLeft => "no-runs-left",
        _ => "budget-spent",
    };

    private static string Progress(StudyDesign design, DesignRound round, DesignHistory history)
    {
        double next = round.Forecast("round").Budget;
        string failed = history.Failed == 0 ? "" : $", {history.Failed} failed";
        string share(double flops) => Invariant($"{(flops + design.BaselineFlops) / design.Budget.Flops:P0} of the budget");
        return round.State.Verdict switch
        {
            StudyVerdict.GoesOn => $"round {round.Number}: {round.Listed.Count - history.Listed.Count} runs to do after {history.Listed.Count}{failed}; {share(round.Spent + next)}",
            StudyVerdict.RegretReached => $"decided: regret low enough after {history.Listed.Count} runs{failed}; {share(round.Spent)}",
            StudyVerdict.OneShape => $"decided: one shape is left after {history.Listed.Count} runs{failed}; {share(round.Spent)}",
            StudyVerdict.NothingLeft => $"no runs left: all {history.Listed.Count} that are allowed{failed}; {share(round.Spent)}",
            _ => $"budget spent: {history.Listed.Count} runs{failed}; {share(round.Spent)}, too little is left",
        };
    }

    private static string Outlook(DesignRound round, double? threshold)
    {
        double end = round.AtEnd.Regret;
        double twice = round.Forecast("double").Regret;
        return round.State.Verdict == StudyVerdict.NothingLeft ? "more need higher 'replicates', or more of 'sizes', 'x' or 'ratio'"
            : !round.GoesOn ? Invariant($"with twice the budget the regret would come to {twice:G2}")
            : threshold is { } least && end > least && round.BuysAll ? Invariant($"not under {least:G2} with every run that is allowed: {end:G2}")
            : threshold is { } low && end > low ? Invariant($"not under {low:G2} within the budget: {end:G2}; with twice of it {twice:G2}")
            : Invariant($"at the budget's end {end:G2}, with half of it {round.Forecast("half").Regret:G2}, twice {twice:G2}");
    }

    private static string InWords(double parameters) => parameters switch
    {
        >= 1e9 => Invariant($"{parameters / 1e9:0.###}B"),
        >= 1e6 => Invariant($"{parameters / 1e6:0.###}M"),
        >= 1e3 => Invariant($"{parameters / 1e3:0.###}k"),
        _ => Invariant($"{parameters}"),
    };

    private static string Cut(string line) => line.Length <= StageSummary.LongestLine ? line : string.Concat(line.AsSpan(0, StageSummary.LongestLine - 1), "…");

    private static string Invariant(FormattableString text) => FormattableString.Invariant(text);
}
