// The columns of what `search` writes.
using Scaling.Architectures;
using Scaling.Laws;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

internal static class SearchTables
{
    public static readonly IReadOnlyList<Column> Candidates =
    [
        .. Vocabulary.ShapeTerms.Select(t => new Column(t.Name, t.Unit, t.Meaning)),
        new("predicted", "nats a token", "loss that the law predicts"),
        new("loss_difference", "nats a token", "predicted loss less the baseline's; empty without a baseline"),
        new("expected_regret", "nats a token", "mean over the resampled laws of its loss less the least of all candidates; empty without resamples"),
        new("probability_within", "1", "share of the resampled laws by which it is within 0.001 nats of the best; empty without resamples"),
        new("in_confidence_set", "truth", "among the shapes of least expected regret that hold the most accurate with 80 %; empty without resamples"),
        new("feasible", "truth", "predicted loss is at most the baseline's"),
        new("kv_bytes_per_token", "bytes", "keys and values that a token leaves in the cache"),
        new("time_to_first_token", "s", "seconds of the prefill"),
        new("time_per_output_token", "s", "mean seconds of a decode step"),
        new("tokens_per_second", "tokens/s", "output tokens of the batch over prefill and decode"),
        new("source", "text", "modelled from peak figures, or calibrated on measured rows"),
        new("on_front", "truth", "no other candidate is as good in loss and speed and better in one"),
    ];

    /// <summary>A table of candidates in the given order.</summary>
    public static Table Of(IEnumerable<(Candidate Candidate, ShapeOdds? Odds)> candidates, double? baselineLoss, string source)
    {
        var table = new TableBuilder(Candidates);
        foreach (var (c, odds) in candidates)
        {
            table.Add(
            [
                .. c.Shape.Cells(), c.Predicted, c.Predicted - baselineLoss, odds?.ExpectedRegret, odds?.ProbabilityWithin, odds?.InConfidenceSet, c.Feasible, c.Speed.KvBytesPerToken, c.Speed.TimeToFirstToken,
                c.Speed.TimePerOutputToken, c.Speed.TokensPerSecond, source, c.OnFront,
            ]);
        }

        return table.Build();
    }
}
