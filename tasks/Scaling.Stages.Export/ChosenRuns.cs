// How a design chose the runs: what its tables say, read once for the report and its figures. What an older table lacks is absent.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Export;

/// <summary>What was known when a round was chosen: a line of rounds.csv.</summary>
/// <param name="Number">Of the round, from 1; of a study that has ended, one more than its rounds.</param>
/// <param name="Runs">Of earlier rounds, with a loss.</param>
/// <param name="Failed">Of earlier rounds, without.</param>
/// <param name="Flops">What earlier rounds cost.</param>
/// <param name="X">Best x at the target.</param>
/// <param name="XError">Standard error of its logarithm.</param>
/// <param name="Ratio">Best ratio there.</param>
/// <param name="RatioError">Standard error of its logarithm.</param>
/// <param name="Regret">Expected of the pick, nats a token.</param>
/// <param name="ShapesLeft">That may be the best.</param>
internal sealed record ChosenRound(int Number, double? Runs, double? Failed, double? Flops, double? X, double? XError, double? Ratio, double? RatioError, double? Regret, double? ShapesLeft);

/// <summary>What more runs are expected to tell: a line of forecast.csv.</summary>
/// <param name="Budget">FLOPs that it may cost from now on.</param>
/// <param name="Flops">What it does cost.</param>
/// <param name="Runs">More runs.</param>
/// <param name="Regret">Expected at the estimated optimum, nats a token.</param>
internal sealed record ChosenPlan(double Budget, double Flops, double Runs, double Regret);

/// <summary>A shape that was chosen.</summary>
/// <param name="Shape">Its content id.</param>
/// <param name="Size">Parameters that were asked for.</param>
/// <param name="X">d/√N.</param>
/// <param name="Ratio">MLP to attention.</param>
/// <param name="Runs">How many of it.</param>
internal sealed record ChosenShape(string Shape, double Size, double X, double Ratio, int Runs);

/// <summary>A design and what came of it.</summary>
/// <param name="Rounds">By number; empty where rounds.csv was not given.</param>
/// <param name="Verdict">The last round's word; empty where nobody says.</param>
/// <param name="Pick">The last round's; null where the table does not tell it.</param>
/// <param name="Plans">By the word of forecast.csv; empty where it was not given.</param>
/// <param name="Shapes">Of design.csv, each once; empty where it was not given.</param>
/// <param name="Listed">Rows of design.csv, the last round among them, and what they cost; null where it was not given.</param>
internal sealed record ChosenRuns(
    IReadOnlyList<ChosenRound> Rounds, string Verdict, DecoderShape? Pick, IReadOnlyDictionary<string, ChosenPlan> Plans, IReadOnlyList<ChosenShape> Shapes, (int Runs, int Round, double? Flops)? Listed)
{
    /// <summary>Of the rows of design.csv, how many are of a part of the tokens. Default: 0.</summary>
    public int ShortRuns { get; init; }

    /// <summary>Whether the last round has no runs of its own: all that was chosen has been trained.</summary>
    public bool HasEnded => Verdict is not ("goes-on" or "");

    /// <summary>Of the design, without what baselines cost; null where forecast.csv does not tell.</summary>
    public double? Budget => Plans.TryGetValue("budget", out var all) && Plans.TryGetValue("double", out var twice) && twice.Budget > all.Budget ? twice.Budget - all.Budget : null;

    /// <summary>Rounds with runs.</summary>
    public int RoundCount => Rounds.Count > 0 ? Rounds.Count - (HasEnded ? 1 : 0) : Listed?.Round ?? 0;

    /// <summary>Every run that was chosen.</summary>
    public double? Runs => Listed is { } listed ? listed.Runs : Rounds is [.., { Runs: { } runs } last] ? runs + (last.Failed ?? 0) + (HasEnded ? 0 : Plan("round")?.Runs ?? 0) : null;

    /// <summary>What they cost.</summary>
    public double? Flops => Listed?.Flops ?? (Rounds is [.., { Flops: { } flops }] ? flops + (HasEnded ? 0 : Plan("round")?.Flops ?? 0) : null);

    /// <summary>A forecast; null where it was not given.</summary>
    /// <param name="word">Of forecast.csv.</param>
    public ChosenPlan? Plan(string word) => Plans.GetValueOrDefault(word);

    /// <summary>A forecast that buys something: best plans have parts of runs, and less than one is none.</summary>
    /// <param name="word">Of forecast.csv.</param>
    public ChosenPlan? Bought(string word) => Plan(word) is { Runs: >= 1 } plan ? plan : null;

    /// <summary>Reads the tables; null where the study had no design.</summary>
    /// <param name="study">What was given.</param>
    public static ChosenRuns? Of(Study study)
    {
        if (study is { Rounds: not { Rows.Count: > 0 }, Design: not { Rows.Count: > 0 } })
        {
            return null;
        }

        Row? last = study.Rounds?.Each().Select(r => (Row?)r).LastOrDefault();
        return new ChosenRuns(
            study.Rounds is { } rounds ? [.. rounds.Each().Select((row, i) => RoundOf(rounds, row, i))] : [],
            last is { } end && study.Rounds!.Has("verdict") ? end.Text("verdict") : "",
            last is { } pick && Vocabulary.ShapeIdentity.All(t => study.Rounds!.Has(t.Name)) ? DecoderShape.FromCells(pick.Count, pick.Truth) : null,
            study.Forecast is { } forecast && PlanColumns.All(forecast.Has)
                ? forecast.Each().DistinctBy(r => r.Text("plan")).ToDictionary(r => r.Text("plan"), r => new ChosenPlan(r.Number("budget"), r.Number("flops"), r.Number("runs"), r.Number("expected_regret")), StringComparer.Ordinal)
                : new Dictionary<string, ChosenPlan>(),
            study.Design is { } design && ShapeColumns.All(design.Has)
                ? [.. design.Each().GroupBy(r => r.Text("shape")).Select(g => new ChosenShape(g.Key, g.First().Number("size"), g.First().Number("x"), g.First().Number("ratio"), g.Count()))]
                : [],
            study.Design is { } listed
                ? (listed.Rows.Count, listed.Has("round") ? listed.Each().Select(r => r.Count("round")).DefaultIfEmpty().Max() : 0, listed.Has("flops") ? listed.Each().Sum(r => r.Number("flops")) : null)
                : null)
        {
            ShortRuns = study.Design is { } table && table.Has(Vocabulary.TokensShare.Name) ? table.Each().Count(r => r.Number(Vocabulary.TokensShare.Name) < 1) : 0,
        };
    }

    private static readonly string[] PlanColumns = ["plan", "budget", "flops", "runs", "expected_regret"];
    private static readonly string[] ShapeColumns = ["shape", "size", "x", "ratio"];

    private static ChosenRound RoundOf(Table table, Row row, int index)
    {
        double? At(string column) => table.Has(column) ? RowText.Optional(row, column) : null;
        return new ChosenRound(
            (int)(At("round") ?? index + 1), At("runs"), At("failed"), At("flops"), At("x_star"), At("x_error"), At("ratio_star"), At("ratio_error"), At("expected_regret"), At("shapes_left"));
    }
}
