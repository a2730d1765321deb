// The columns of what `sweep` writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Sweep;

internal static class SweepTables
{
    public static readonly IReadOnlyList<Column> Shapes =
    [
        .. Vocabulary.ShapeTerms.Select(Documented), Documented(Vocabulary.Seed), Documented(Vocabulary.LearningRateFactor), Documented(Vocabulary.TokensShare),
        new("size", "parameters", "non-embedding parameters that were asked for; a baseline's own where none of these is near"),
        Documented(Vocabulary.Baseline), Documented(Vocabulary.BaselineLoss),
    ];

    public static readonly IReadOnlyList<Column> Rejected =
    [
        new("size", "parameters", "non-embedding parameters that were asked for"),
        Documented(Vocabulary.Layers),
        new("x", "1", "hidden size over the square root of the parameters, as asked"),
        new("ratio", "1", "MLP parameters over attention parameters, as asked"),
        new("gqa", "1", "query heads a key/value head, as asked"),
        Documented(Vocabulary.HeadSize),
        new("parameters", "parameters", "what the nearest shape holds; empty where there is none"),
        new("reason", "text", "why no shape stands for it"),
    ];

    public static readonly IReadOnlyList<Column> Design =
    [
        new("round", "1", "round in which the run was listed, from 1"),
        Documented(Vocabulary.Shape), Documented(Vocabulary.Seed),
        new("size", "parameters", "non-embedding parameters that were asked for"),
        Documented(Vocabulary.TokensShare), Documented(Vocabulary.X), Documented(Vocabulary.Ratio),
        new("flops", "FLOP", "what the run costs by the design's budget"),
    ];

    public static readonly IReadOnlyList<Column> Rounds =
    [
        new("round", "1", "round that was chosen on what the other columns tell; of a study that has ended, one without runs"),
        new("runs", "runs", "runs of earlier rounds that have a loss"),
        new("failed", "runs", "runs of earlier rounds that have none"),
        new("flops", "FLOP", "what the runs of earlier rounds cost, failed ones included"),
        new("noise", "nats a token", "standard deviation between runs alike in all but the seed, of those with results that are nearest to whole runs of the target, as believed then"),
        new("x_star", "1", "best x at the target"),
        new("x_error", "1", "standard error of its logarithm"),
        new("ratio_star", "1", "best ratio at the target"),
        new("ratio_error", "1", "standard error of its logarithm"),
        new("expected_regret", "nats a token", "loss of the pick less that of the best shape of the target, as expected"),
        new("shapes_left", "shapes", "shapes of the target that hold the best with the asked confidence"),
        new("verdict", "text", "'goes-on', or why it ended: 'regret-reached', 'one-shape', 'budget-spent' or 'no-runs-left', every candidate having as many seeds as 'replicates' allows"),
        .. Vocabulary.ShapeTerms.Select(term => new Column(term.Name, term.Unit, $"of the pick: {term.Meaning}")),
    ];

    public static readonly IReadOnlyList<Column> Forecast =
    [
        new("plan", "text", "'known': no further run; 'round': those of this round; 'half', 'budget', 'double': the best plan for so much of the budget, less what is spent; 'grid': every candidate once"),
        new("budget", "FLOP", "what the plan may cost from now on"),
        new("flops", "FLOP", "what it does cost: less where no run is left to buy"),
        new("runs", "runs", "runs of it, of best plans a fraction too"),
        new("x_error", "1", "standard error of the logarithm of the best x at the target, as expected"),
        new("ratio_error", "1", "standard error of the logarithm of the best ratio, as expected"),
        new("expected_regret", "nats a token", "loss at the estimated optimum less that at the true one, as expected; that between two shapes that can be built is not in it"),
    ];

    private static Column Documented(Term term) => new(term.Name, term.Unit, term.Meaning);
}
