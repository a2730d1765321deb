// The design study as Markdown: a line a way of choosing runs, what forecasts were worth, then the targets.
using System.Globalization;
using Scaling.Laws;
using Scaling.Laws.Tests;

namespace Scaling.Benchmarks;

/// <summary>The settings of <c>design</c>.</summary>
internal sealed record DesignArguments
{
    /// <summary>Default: 200.</summary>
    public int Worlds { get; init; } = 200;

    /// <summary>Of the worlds. Default: 1.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>Reads <c>--name value</c> pairs.</summary>
    /// <param name="args">Behind the command.</param>
    /// <exception cref="UsageException">An unknown name, a missing or wrong value.</exception>
    public static DesignArguments Parse(ReadOnlySpan<string> args)
    {
        var parsed = new DesignArguments();
        for (int i = 0; i < args.Length; i += 2)
        {
            string name = args[i];
            string? value = i + 1 < args.Length ? args[i + 1] : null;
            parsed = name switch
            {
                "--worlds" => parsed with { Worlds = CoverageArguments.Whole(name, value, 5, 100_000) },
                "--seed" => parsed with { Seed = CoverageArguments.Whole(name, value, 0, 1_000_000) },
                _ => throw new UsageException($"design has no option '{name}'; it has --worlds, --seed."),
            };
        }

        return parsed;
    }
}

/// <summary>Runs the study and tells it.</summary>
internal static class DesignTable
{
    private const string Quarter = "design, 25 %", Equal = "design, 100 %";
    private const double Within = 1.5;
    private const int OtherOrders = 16; // Of the committed study's runs.

    /// <summary>Runs and writes it.</summary>
    /// <param name="arguments">How many worlds.</param>
    /// <param name="output">Takes the tables.</param>
    public static int Run(DesignArguments arguments, TextWriter output)
    {
        var study = new DesignStudy();
        (string[] Names, Func<DesignWorld, int, DesignOutcome[]> Of)[] ways =
        [
            (["grid", "grid, read by `fit`, `form: valley`", "grid, read by `fit`, `terms: [drift]`"], (w, _) => study.Grid(w)),
            ([Quarter, "design, 25 %, read by `fit`, `form: valley`", "design, 25 %, read by `fit`, `terms: [drift]`"], (w, _) => study.Sequential(w, 0.25, gridSizes: false)),
            ([Equal], (w, _) => study.Sequential(w, 1, gridSizes: false)),
            (["design, the grid's sizes, 25 %"], (w, _) => study.Sequential(w, 0.25, gridSizes: true)),
            (["design, the grid's sizes, 100 %"], (w, _) => study.Sequential(w, 1, gridSizes: true)),
            (["design with short runs, 25 %"], (w, _) => study.Sequential(w, 0.25, gridSizes: false, shortRuns: true)),
            (["design with short runs, 100 %"], (w, _) => study.Sequential(w, 1, gridSizes: false, shortRuns: true)),
            (["design with short runs, the grid's sizes, 25 %"], (w, _) => study.Sequential(w, 0.25, gridSizes: true, shortRuns: true)),
            (["grid of all five sizes"], (w, _) => [study.WideGrid(w)]),
            (["random, 25 %"], (w, i) => [study.Scattered(w, 0.25, new Random(i), hypercube: false)]),
            (["random, 100 %"], (w, i) => [study.Scattered(w, 1, new Random(i), hypercube: false)]),
            (["Latin hypercube, 25 %"], (w, i) => [study.Scattered(w, 0.25, new Random(i), hypercube: true)]),
            (["Latin hypercube, 100 %"], (w, i) => [study.Scattered(w, 1, new Random(i), hypercube: true)]),
        ];
        var outcomes = ways.SelectMany(w => w.Names).ToDictionary(name => name, _ => new DesignOutcome[arguments.Worlds]);
        var progress = new Progress("worlds", arguments.Worlds, Console.Error);
        Parallel.For(0, arguments.Worlds, i =>
        {
            var world = new DesignWorld(arguments.Seed, i);
            foreach (var (names, of) in ways)
            {
                foreach (var (name, outcome) in names.Zip(of(world, i)))
                {
                    outcomes[name][i] = outcome;
                }
            }

            progress.Step();
        });

        var (runs, cost, shapes) = study.Size;
        output.WriteLine(Invariant($"{arguments.Worlds} worlds, seed {arguments.Seed}. The grid: {runs} runs, {cost:0.0E0} FLOPs. {shapes} shapes of the target. Regrets in nats a token."));
        output.WriteLine();
        output.WriteLine("| runs chosen by | cost | runs | regret of the pick: median | mean | of the optimum: median | mean | worse than the grid | by the optimum | ln x\\*: error | over its standard error | ln r\\*: error | over its standard error |");
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        foreach (string name in ways.SelectMany(w => w.Names))
        {
            Write(name, outcomes[name], outcomes["grid"], output);
        }

        output.WriteLine();
        output.WriteLine(Invariant($"Share of the worlds in which the standard errors that a plan foretold are within {Within}× of those at the end:"));
        output.WriteLine();
        output.WriteLine("| plan | ln x\\* | ln r\\* |");
        output.WriteLine("|---|---:|---:|");
        foreach (string name in new[] { Quarter, Equal })
        {
            foreach (int round in new[] { 0, 1, 2, 4 })
            {
                var (x, ratio) = Foretold(outcomes[name], round);
                output.WriteLine(Invariant($"| {name}: {(round == 0 ? "before the first run" : $"after round {round}")} | {100 * x:0} % | {100 * ratio:0} % |"));
            }
        }

        output.WriteLine();
        TargetLine.Write(Targets(outcomes), output);
        output.WriteLine();
        Replay(output);
        return 0;
    }

    /// <summary>The committed study, replayed with parts of its cost: as its runs stand, and with the runs of each shape in other orders, for one order is one draw.</summary>
    private static void Replay(TextWriter output)
    {
        StudyReplay[] orders = [.. Enumerable.Range(0, 1 + OtherOrders).Select(order => new StudyReplay(BuiltTool.Root(), order))];
        var study = orders[0];
        output.WriteLine(Invariant($"examples/cpu-study, {study.Runs} runs, replayed. All of them: x\\* {study.Optimum.X:0.000} and r\\* {study.Optimum.Ratio:0.00} at 160k, standard errors of their logarithms {study.Optimum.XError:0.000} and {study.Optimum.RatioError:0.000}."));
        output.WriteLine();
        output.WriteLine($"| stops | cost | runs | rounds | x\\* | r\\* | its own expected regret | its pick loses, by all runs | in {OtherOrders} other orders: mean | most | told apart |");
        output.WriteLine("|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|");
        (double Share, double? Regret, bool ShortRuns)[] ways =
            [(0.1, null, false), (0.25, null, false), (0.5, null, false), (1, null, false), (1, 0.005, false), (1, 0.0025, false), (0.25, null, true), (0.5, null, true)];
        foreach (var (share, regret, shortRuns) in ways)
        {
            ReplayEnd[] ends = [.. orders.AsParallel().AsOrdered().Select(o => o.Play(share, regret, shortRuns))];
            var (end, others) = (ends[0], ends[1..]);
            var optimum = end.Last.Belief.OptimumAt(160_000);
            string stops = (regret is null ? Invariant($"at {100 * share:0} % of the cost") : Invariant($"when it expects a regret of {regret:0.0###}")) + (shortRuns ? ", with short runs" : "");
            output.WriteLine(Invariant($"| {stops} | {100 * end.Share:0} % | {end.Runs} | {end.Rounds} | {optimum.X:0.000} | {optimum.Ratio:0.00} | {end.Last.Odds[end.Last.Pick].ExpectedRegret:0.0000} | {end.Loses:0.0000} ± {end.LosesDeviation:0.0000} | {others.Average(o => o.Loses):0.0000} | {others.Max(o => o.Loses):0.0000} | {others.Count(o => !o.CannotBeToldApart)} |"));
        }
    }

    private static IReadOnlyList<TargetLine> Targets(Dictionary<string, DesignOutcome[]> outcomes)
    {
        var grid = outcomes["grid"];
        double Median(string name, Func<DesignOutcome, double> of) => 1e6 * Quantiles.Median(outcomes[name].Select(of));
        var (x, ratio) = Foretold(outcomes[Quarter], 1);
        return
        [
            TargetLine.AtMost("median regret of the pick at 25 % of the grid's cost, 1e-6 nats (the grid's is the target)", Median("grid", o => o.Regret), Median(Quarter, o => o.Regret)),
            TargetLine.AtMost("median regret of the optimum at 25 %, 1e-6 nats (the grid's is the target)", Median("grid", o => o.ValleyRegret), Median(Quarter, o => o.ValleyRegret)),
            TargetLine.AtMost("worlds in which the pick is worse than the grid's at equal cost, %", 10, 100 * Worse(outcomes[Equal], grid, o => o.Regret)),
            TargetLine.AtLeast("plans after round 1 whose standard error of ln x* is within 1.5× at the end, %", 80, 100 * x),
            TargetLine.AtLeast("plans after round 1 whose standard error of ln r* is within 1.5× at the end, %", 80, 100 * ratio),
        ];
    }

    private static void Write(string name, DesignOutcome[] all, DesignOutcome[] grid, TextWriter output)
    {
        double Error(Func<DesignOutcome, double> of) => Math.Sqrt(all.Average(o => of(o) * of(o)));
        output.WriteLine(Invariant(
            $"| {name} | {all.Average(o => o.Cost):0.00} | {all.Average(o => o.Runs):0} | {Quantiles.Median(all.Select(o => o.Regret)):0.0E+0} | {all.Average(o => o.Regret):0.0E+0} | {Quantiles.Median(all.Select(o => o.ValleyRegret)):0.0E+0} | {all.Average(o => o.ValleyRegret):0.0E+0} | {100 * Worse(all, grid, o => o.Regret):0.0} % | {100 * Worse(all, grid, o => o.ValleyRegret):0.0} % | {Error(o => o.X.Error):0.0000} | {Ratio(Error(o => o.X.Error / o.X.StandardError))} | {Error(o => o.Ratio.Error):0.0000} | {Ratio(Error(o => o.Ratio.Error / o.Ratio.StandardError))} |"));
    }

    private static double Worse(DesignOutcome[] all, DesignOutcome[] grid, Func<DesignOutcome, double> of) => all.Zip(grid).Count(p => of(p.First) > of(p.Second)) / (double)all.Length;

    private static (double X, double Ratio) Foretold(DesignOutcome[] all, int round)
    {
        DesignOutcome[] there = [.. all.Where(o => o.Forecasts.Count > round)]; // Some had spent their budget by then.
        double Share(Func<DesignOutcome, double> ratio) => there.Length == 0 ? double.NaN : CoverageSummary.Share(there, o => Math.Abs(Math.Log(ratio(o))) <= Math.Log(Within));
        return (Share(o => o.Forecasts[round].X / o.X.StandardError), Share(o => o.Forecasts[round].Ratio / o.Ratio.StandardError));
    }

    /// <summary>A law that <c>fit</c> fitted without resamples states no error.</summary>
    private static string Ratio(double ratio) => double.IsNaN(ratio) ? "–" : Invariant($"{ratio:0.00}");

    private static string Invariant(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
