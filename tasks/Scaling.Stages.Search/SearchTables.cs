// The columns of what `search` writes.
using Scaling.Architectures;
using Scaling.Sdk;

namespace Scaling.Stages.Search;

internal static class SearchTables
{
    public static readonly IReadOnlyList<Column> Shapes = [.. Vocabulary.ShapeTerms.Select(t => new Column(t.Name, t.Unit, t.Meaning))];

    public static readonly IReadOnlyList<Column> Candidates =
    [
        .. Shapes,
        new("predicted", "nats a token", "loss that the law predicts; of a law without a level a multiple of the least"),
        new("predicted_low", "nats a token", "lower end of the 95 % interval of the difference to the baseline (of the loss without one), misfit included; empty where unknown"),
        new("predicted_high", "nats a token", "its upper end"),
        new("loss_difference", "nats a token", "predicted loss less the baseline's; empty without a baseline"),
        new("expected_regret", "nats a token", "mean over the resampled laws of its loss less the least of all candidates; empty without resamples"),
        new("probability_within", "1", "share of the resampled laws by which it is within 0.001 nats of the best; empty without resamples"),
        new("in_confidence_set", "truth", "among the shapes of least expected regret that hold the most accurate with 80 % (95 % where the law's optimum is not identified); empty without resamples"),
        new("probability_feasible", "1", "probability that its loss is at most the threshold; empty without one"),
        new("feasible", "truth", "it meets every demand"),
        new("breaks", "text", "the demands that it does not meet, separated by spaces"),
        new("batch", "sequences", "served together: those asked for, or as many as fit into memory"),
        new("kv_bytes_per_token", "bytes", "keys and values that a token leaves in the cache"),
        new("memory", "bytes", "weights and a full cache on one device"),
        new("time_to_first_token", "s", "seconds of the prefill"),
        new("time_per_output_token", "s", "mean seconds of a decode step"),
        new("latency", "s", "seconds until a batch has its last token"),
        new("tokens_per_second", "tokens/s", "output tokens of the batch over prefill and decode"),
        new("tokens_per_second_low", "tokens/s", "lower end of its 95 % interval: of the calibration's held-out error, or as measured; empty where modelled"),
        new("tokens_per_second_high", "tokens/s", "its upper end"),
        new("objective", "as the objective", "tokens a second, seconds, bytes a token or device-hours: best.json names it"),
        new("source", "text", "modelled from peak figures, calibrated on measured rows, or measured"),
        new("on_front", "truth", "no other candidate that can be served as asked is as good in loss and objective and better in one"),
    ];

    public static readonly IReadOnlyList<Column> Sensitivity =
    [
        new("multiple_of", "features", "hidden and intermediate sizes are multiples of it"),
        new("candidates", "1", "shapes of that multiple"),
        new("pick", "text", "accurate or efficient"),
        .. Shapes,
        new("predicted", "nats a token", "loss that the law predicts"),
        new("difference_to_best", "nats a token", "predicted loss less the least of all multiples"),
        new("tokens_per_second", "tokens/s", "output tokens of the batch over prefill and decode"),
    ];

    public static readonly IReadOnlyList<Column> Variants = [.. Shapes, new("walk_from", "1", "GQA from which 'measure' walks upwards; empty to measure all")];

    public static readonly IReadOnlyList<Column> ScoredReferences =
    [
        new("name", "text", "as its user calls it"),
        .. Shapes,
        new("loss", "nats a token", "as measured; empty where unknown"),
        new("against", "text", "the row that it is held against"),
        new("predicted", "nats a token", "by the law, at the level of the row that it is held against where that is measured"),
        new("predicted_difference", "nats a token", "predicted less that of the row it is held against"),
        new("measured_difference", "nats a token", "the same as measured"),
        new("batch", "sequences", "served together: those asked for, or as many as fit into memory"),
        new("kv_bytes_per_token", "bytes", "keys and values that a token leaves in the cache"),
        new("tokens_per_second", "tokens/s", "output tokens of the batch over prefill and decode; empty where not one sequence fits"),
        new("tokens_per_second_ratio", "1", "over that of the row it is held against"),
    ];

    /// <summary>A table of candidates in the given order.</summary>
    public static Table Of(IEnumerable<Candidate> candidates, double? baselineLoss)
    {
        var table = new TableBuilder(Candidates);
        foreach (var c in candidates)
        {
            var (loss, odds, speed) = (c.Loss, c.Loss.Odds, c.Serving.Speed);
            table.Add(
            [
                .. c.Shape.Cells(), c.Predicted, loss.Interval?.Low, loss.Interval?.High, c.Predicted - baselineLoss, odds?.ExpectedRegret, odds?.ProbabilityWithin, odds?.InConfidenceSet,
                loss.Probability, c.Feasible, string.Join(' ', c.Breaks), c.Serving.Fits ? speed.Batch : 0, speed.KvBytesPerToken, speed.MemoryBytes, speed.TimeToFirstToken, speed.TimePerOutputToken, speed.Latency,
                speed.TokensPerSecond, c.Serving.TokensPerSecond?.Low, c.Serving.TokensPerSecond?.High, c.Objective, c.Serving.Source, c.OnFront,
            ]);
        }

        return table.Build();
    }
}
