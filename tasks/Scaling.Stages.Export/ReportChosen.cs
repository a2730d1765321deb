// The part of the report that says how a design chose the runs: what they cost, why it ended, and what more or less would have told.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class ReportChosen
{
    /// <summary>Longer tables are folded.</summary>
    private const int ShownRounds = 12;

    /// <summary>A search of a size this near to the design's, as a factor, is of the same model.</summary>
    private const double SameSize = 1.05;

    /// <summary>What rounds.csv, forecast.csv and design.csv say; nothing where the runs were no design's.</summary>
    /// <param name="report">Grows.</param>
    /// <param name="study">What was given.</param>
    /// <param name="show">Adds figures by their files, those that were drawn.</param>
    public static void Append(ReportDocument report, Study study, Action<string[]> show)
    {
        if (ChosenRuns.Of(study) is not { } chosen)
        {
            return;
        }

        report.Heading(2, "How the runs were chosen");
        report.Paragraph(Sentences(Chosen(chosen), Pick(chosen), End(chosen), Beside(study, chosen)));
        report.Paragraph(Sentences(Regret(chosen), Budgets(chosen), Grid(chosen)));
        AppendRounds(report, chosen);
        if (chosen.Rounds.Any(r => r.XError is not null || r.RatioError is not null))
        {
            report.Paragraph("± is one standard error, of the logarithm.");
        }

        show([ExportTables.Design, ExportTables.Chosen]);
    }

    /// <summary>FLOPs of training, for example <c>1.4e12 FLOPs</c>.</summary>
    private static string Flops(double flops) => ReportLawAnswer.FlopsInWords(flops);

    /// <summary>Two significant digits: more of an expectation say nothing.</summary>
    private static string Nats(double nats) => Quantity.Digits(nats, 2);

    private static string Chosen(ChosenRuns chosen)
    {
        string runs = chosen.Runs is { } count ? $"{Quantity.Digits(count)} {(count == 1 ? "run" : "runs")}" : "The runs";
        string share = chosen.Budget is { } budget && chosen.Flops is { } spent ? $", {Quantity.Digits(100 * spent / budget, 2)} % of the budget" : "";
        string cost = chosen.Flops is { } flops ? $" ({Flops(flops)} as the design counts them{share})" : "";
        string[] asides =
        [
            .. chosen.ShortRuns > 0 ? [$"{Quantity.Digits(chosen.ShortRuns)} of which for a part of the tokens"] : Array.Empty<string>(),
            .. chosen.Rounds is [.., { Failed: > 0 and var lost }] ? [$"{Quantity.Digits(lost)} of which failed"] : Array.Empty<string>(),
        ];
        string aside = asides.Length > 0 ? $", {string.Join(" and ", asides)}," : "";
        return chosen.RoundCount > 1
            ? $"{runs}{cost}{aside} were chosen in {chosen.RoundCount} rounds: in each those that, by all losses before, lower the expected regret of the pick most for what they cost."
            : $"{runs}{cost}{aside} were chosen at once, before any had a loss: those that were expected to lower the regret of the pick most for what they cost.";
    }

    private static string? Pick(ChosenRuns chosen) => chosen.Pick is { } pick ? $"The pick{AsOf(chosen)}: {ShapeNames.InWords(pick)}, {Quantity.Count(pick.Parameters)} parameters." : null;

    /// <summary>Which results the last line of rounds.csv rests on, where those of its own runs are not among them.</summary>
    private static string AsOf(ChosenRuns chosen) => chosen.HasEnded || chosen.Rounds.Count == 0 ? "" : chosen.Rounds.Count == 1 ? " before any run" : $" after round {chosen.Rounds.Count - 1}";

    private static string? End(ChosenRuns chosen) => chosen.Verdict switch
    {
        "regret-reached" => "The study ended because the expected regret came under its threshold.",
        "one-shape" => "The study ended because one shape alone may still be the best.",
        "budget-spent" => "The study ended because what is left of the budget buys nothing that would tell more.",
        "no-runs-left" => "The study ended because every candidate had been run as often as `replicates` allows: more of the budget would have bought nothing.",
        "goes-on" when chosen.Rounds.Count > 1 => "The study had not ended then: the losses of the last round's runs are not counted in it.",
        _ => null,
    };

    private static string? Regret(ChosenRuns chosen)
    {
        if (chosen.Rounds is not [.., { Regret: { } now } last])
        {
            return null;
        }

        string before = chosen.Rounds[0] is { Regret: { } first, Runs: 0 or null } start && start != last ? $"; before the first run it was {Nats(first)}" : "";
        string half = chosen.Budget / 2 is { } middle && last.Flops >= middle && chosen.Rounds.LastOrDefault(r => r.Flops <= middle && r != last) is { Regret: { } then, Number: > 1 and var number }
            ? $", and after round {number - 1}, the last within half of the budget, {Nats(then)}" : "";
        string next = !chosen.HasEnded && chosen.Plan("round") is { Runs: > 0 } round ? $" With the losses of the last runs it was expected to come to {Nats(round.Regret)}." : "";
        return $"The **expected regret**, what the pick is expected to lose to the best shape of its size, is **{Nats(now)} nats a token**{AsOf(chosen)}{before}{half}.{next}";
    }

    /// <summary>What half, all and twice the budget would give, those of them that would buy something.</summary>
    private static string? Budgets(ChosenRuns chosen)
    {
        string[] others =
        [
            .. new[] { ("half", "half the budget"), ("budget", "all of the budget"), ("double", "twice the budget") }
                .Where(p => chosen.Bought(p.Item1) is not null).Select(p => $"{Nats(chosen.Plan(p.Item1)!.Regret)} with {p.Item2}"),
        ];
        return chosen.Plan("known") is not { } known || others.Length == 0
            ? null
            : $"Forecasts are of the best x and ratio themselves, not of the nearest shape that can be built: so told, it is {Nats(known.Regret)} and would be {Listed(others)}.";
    }

    private static string? Grid(ChosenRuns chosen) => chosen.Plan("grid") is not { Flops: > 0 } grid ? null
        : $"Every candidate once, {Quantity.Digits(grid.Runs)} runs, would cost {Flops(grid.Flops)}"
            + (chosen.Flops is > 0 and var spent ? $", {Quantity.Digits(grid.Flops / spent, 2)} times what these cost" : "")
            + $", and beside what is known{AsOf(chosen)} bring it to {Nats(grid.Regret)}.";

    /// <summary>The design's pick beside that of a search of the same size: two estimators, and two answers where the runs leave it open.</summary>
    private static string? Beside(Study study, ChosenRuns chosen)
    {
        if (chosen.Pick is not { } pick || study.Best is not { } best || Math.Abs(Math.Log((double)pick.Parameters / best.Size)) > Math.Log(SameSize))
        {
            return null;
        }

        if (pick.Id == best.Accurate.Shape)
        {
            return "It is the accurate shape of the search too.";
        }

        const string Other = "The search's accurate shape is another";
        if (study.Law is not { } law)
        {
            return $"{Other}.";
        }

        // Both at one N and D, so that only their shapes differ. Without a level of its own the law tells factors, and the search has set the level.
        double LossOf(DecoderShape shape) => law.Predict(LawPoint.Of(shape, best.Size, best.Tokens));
        double of = LossOf(pick), accurate = LossOf(best.Accurate.ToShape());
        double more = law.HasLevel ? of - accurate : best.Accurate.Predicted * (of / accurate - 1);
        return $"{Other}: by the law, at equal parameters and tokens, the design's pick {(more == 0 ? "loses as much" : $"loses {Nats(Math.Abs(more))} {SearchWords.DifferenceUnit(best)} {(more > 0 ? "more" : "less")}")}.";
    }

    private static void AppendRounds(ReportDocument report, ChosenRuns chosen)
    {
        if (chosen.Rounds.Count <= ShownRounds)
        {
            Table(report);
        }
        else
        {
            report.Folded($"What was known after each of {chosen.Rounds.Count - 1} rounds", Table);
        }

        void Table(ReportDocument to) => to.Table(
            [
                ReportColumn.Number("after round"), ReportColumn.Number("runs"), ReportColumn.Number("FLOPs"), ReportColumn.Number("x\\* at the target"), ReportColumn.Number("r\\* at the target"),
                ReportColumn.Number("expected regret (nats a token)"), ReportColumn.Number("shapes that may be the best"),
            ],
            chosen.Rounds.Select(r => (IReadOnlyList<string>)
            [
                $"{r.Number - 1}", Quantity.Digits(r.Runs), Cost(r.Flops),
                Star(r.X, r.XError), Star(r.Ratio, r.RatioError), Quantity.Digits(r.Regret, 2), Quantity.Digits(r.ShapesLeft),
            ]));
    }

    private static string Cost(double? flops) => flops is > 0 and var some ? some.ToString("0.00e0", System.Globalization.CultureInfo.InvariantCulture) : Quantity.Digits(flops);

    /// <summary>A best value with one standard error of its logarithm, as a percentage.</summary>
    private static string Star(double? value, double? error) => value is null || error is null ? Quantity.Digits(value, 3) : $"{Quantity.Digits(value, 3)} ± {Quantity.Digits(100 * error, 2)} %";

    private static string Listed(string[] words) => words.Length == 1 ? words[0] : $"{string.Join(", ", words.SkipLast(1))} and {words[^1]}";

    private static string Sentences(params string?[] sentences) => string.Join(" ", sentences.OfType<string>());
}
