// What a search asked for, in the report's words.
using Scaling.Architectures;
using Scaling.Reports;

namespace Scaling.Stages.Export;

internal static class SearchWords
{
    /// <summary>What a predicted loss is measured in.</summary>
    public static string LossUnit(SearchResult best) => best.Level == LossLevel.Factor ? "times the least" : "nats a token";

    /// <summary>What a difference of two is measured in.</summary>
    public static string DifferenceUnit(SearchResult best) => best.Level == LossLevel.Factor ? "of the least loss" : "nats a token";

    /// <summary>A shape that is best by the objective, for example <c>the fastest</c>.</summary>
    public static string Efficient(SearchObjective objective) => objective switch
    {
        SearchObjective.Throughput => "the fastest",
        SearchObjective.Latency => "the soonest to finish a batch",
        SearchObjective.DecodeBytes => "the one that decoding reads the fewest bytes for",
        _ => "the cheapest to train and serve",
    };

    /// <summary>The objective's value, with its unit.</summary>
    public static string Objective(SearchObjective objective) => objective switch
    {
        SearchObjective.Throughput => "tokens a second",
        SearchObjective.Latency => "time of a batch",
        SearchObjective.DecodeBytes => "bytes read a decoded token",
        _ => "device-hours of training and serving",
    };

    /// <summary>A value of the objective, as a table shows it.</summary>
    public static string Value(SearchObjective objective, double? value) => objective == SearchObjective.Latency ? Quantity.Duration(value) : Quantity.Count(value);

    /// <summary>The most that a feasible shape may lose, after <c>lose</c>; null where anything is allowed.</summary>
    public static string? Threshold(SearchResult best)
    {
        string? limit = best.LossAtMost is { } most ? $"no more than {Quantity.Loss(most)} nats a token" : best.Baseline is not null ? "no more than the baseline" : null;
        return limit is null || best.Probability == 0.5 ? limit : $"{limit} with a probability of {Share(best.Probability)}";
    }

    /// <summary>Whether probabilities say more than that one number is less than another: a law without resamples and a misfit knows no odds.</summary>
    public static bool KnowsOdds(SearchResult best) => best.Accurate.PredictedLow is not null;

    /// <summary>What candidates have in common.</summary>
    public static string Held(SearchResult best)
    {
        string within = $"within {Quantity.Digits(100 * best.Tolerance, 3)} %";
        return best.Hold switch
        {
            HeldQuantity.Parameters => $"{Quantity.Count(best.Size)} non-embedding parameters {within}",
            HeldQuantity.ParametersTotal => $"the baseline's parameters, embeddings included, {within}",
            HeldQuantity.TrainFlops => $"the baseline's training FLOPs {within}",
            _ => $"the baseline's bytes of a decode step {within}",
        };
    }

    /// <summary>Widths and heads, for example <c>hidden size 2560, MLP 4096, 72 query and 18 key/value heads of 64</c>.</summary>
    public static string Widths(ScoredShape shape) =>
        $"hidden size {shape.Hidden}, MLP {shape.Intermediate}, {shape.Heads} query and {shape.KvHeads} key/value heads of {shape.HeadSize}";

    /// <summary>The same for a table: <c>2560 × 4096, 72/18</c>.</summary>
    public static string Short(ScoredShape shape) => $"{shape.Hidden} × {shape.Intermediate}, {shape.Heads}/{shape.KvHeads}";

    /// <summary>What is served.</summary>
    public static string Served(Workload workload) =>
        $"{workload.Batch} {(workload.Batch == 1 ? "sequence" : "sequences")} at once that read {workload.Prompt} tokens and write {workload.Output}";

    /// <summary>In which numbers and on how many devices.</summary>
    public static string Formats(Workload workload) =>
        (workload.Weights == workload.KvCache ? $"weights and cache in {Name(workload.Weights)}" : $"weights in {Name(workload.Weights)}, cache in {Name(workload.KvCache)}")
        + (workload.TensorParallel == 1 ? ", on one device" : $", each layer on {workload.TensorParallel} devices");

    /// <summary>Which speeds these are, and how far they can be trusted.</summary>
    public static string Speeds(DeviceModel device)
    {
        if (device.Source != "calibrated")
        {
            return $"Speeds are those of a roofline with the peak figures of {device.Name}, not measured: their order counts, their size is too high.";
        }

        string ratios = device.HeldOutRatioError is { } ratio ? $", ratios between two of them within {Quantity.Digits(100 * ratio, 2)} % (median)" : "";
        return $"Speeds are those of {device.Name} as {device.Rows} measured shapes describe it"
            + (device.HeldOutError is { } error ? $"; shapes that were left out are met within {Quantity.Digits(100 * error, 2)} % (root mean square){ratios}, and smaller differences in speed say nothing." : ".");
    }

    /// <summary>A probability as a percentage.</summary>
    public static string Share(double? probability) => probability is { } p ? $"{Quantity.Digits(100 * p, 3)} %" : Quantity.Absent;

    /// <summary>One value, or the least and the greatest of several.</summary>
    public static string Span(IReadOnlyList<double> values) =>
        values.Count switch { 0 => Quantity.Absent, 1 => Quantity.Digits(values[0], 3), _ => $"{Quantity.Digits(values.Min(), 3)} to {Quantity.Digits(values.Max(), 3)}" };

    private static string Name(DataType type) => type switch { DataType.Float32 => "float32", DataType.Bfloat16 => "bfloat16", _ => "fp8" };
}
