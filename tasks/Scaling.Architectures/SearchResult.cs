// What a search found: the content of best.json, written by search and read by export.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scaling.Architectures;

/// <summary>The result of a search at one size, token budget, workload and device.</summary>
public sealed record SearchResult
{
    /// <summary>N that was asked for, non-embedding parameters.</summary>
    public required long Size { get; init; }

    /// <summary>D, the tokens that every prediction assumes.</summary>
    public required double Tokens { get; init; }

    /// <summary>What the speeds were predicted for.</summary>
    public required Workload Workload { get; init; }

    /// <summary>What the speeds were predicted on.</summary>
    public required DeviceModel Device { get; init; }

    /// <summary>What made a candidate efficient.</summary>
    public SearchObjective Objective { get; init; } = SearchObjective.Throughput;

    /// <summary>What the candidates have in common with the baseline.</summary>
    public HeldQuantity Hold { get; init; } = HeldQuantity.Parameters;

    /// <summary>What a candidate may miss of the held quantity, 0.01 for 1 %.</summary>
    public double Tolerance { get; init; }

    /// <summary>p, the probability with which a feasible candidate's loss is at most the threshold. Default 0.5.</summary>
    public double Probability { get; init; } = 0.5;

    /// <summary>Where the law's coefficients stand, of a law that was taken from a publication; null: fitted to runs.</summary>
    public string? LawSource { get; init; }

    /// <summary>What predicted losses are measured in: nats, or an unknown multiple of them where the law has no level.</summary>
    public LossLevel Level { get; init; } = LossLevel.Law;

    /// <summary>The most that a feasible candidate may lose, nats a token; null: what the baseline loses, or anything where there is no baseline.</summary>
    public double? LossAtMost { get; init; }

    /// <summary>What the law is taken to miss of the loss of one shape; of a difference between two it misses √2 of it. Nats a token; null: not known, and taken as 0.</summary>
    public double? Misfit { get; init; }

    /// <summary>Where <see cref="Misfit"/> comes from, in words.</summary>
    public string MisfitSource { get; init; } = "";

    /// <summary>Nats a token for every doubling of an axis away from the value of the law's runs, by axis: <c>gqa</c>, <c>layers</c>, <c>head_size</c>. As the user believes, not as measured.</summary>
    public IReadOnlyDictionary<string, double> Penalties { get; init; } = new Dictionary<string, double>();

    /// <summary>L of the candidates, rising.</summary>
    public IReadOnlyList<int> Layers { get; init; } = [];

    /// <summary>h of the candidates, rising.</summary>
    public IReadOnlyList<int> HeadSize { get; init; } = [];

    /// <summary>n/k of the candidates, rising.</summary>
    public IReadOnlyList<double> Gqa { get; init; } = [];

    /// <summary>Hidden and intermediate sizes are multiples of it; null where the candidates were given.</summary>
    public int? MultipleOf { get; init; }

    /// <summary>What candidates had to meet, in words, each with how many were left, in the order of the first that a candidate may break.</summary>
    public IReadOnlyList<ConstraintCount> Constraints { get; init; } = [];

    /// <summary>What candidates were held against; null where none was given, and then every candidate counts as feasible.</summary>
    public ScoredShape? Baseline { get; init; }

    /// <summary>The candidate of least predicted loss among those that can be served as asked.</summary>
    public required ScoredShape Accurate { get; init; }

    /// <summary>Of the feasible candidates the best by <see cref="Objective"/>.</summary>
    public required ScoredShape Efficient { get; init; }

    /// <summary>The same among candidates with the grouping of the law's runs; null where one grouping was searched, or none of them is feasible.</summary>
    public ScoredShape? EfficientAtFittedGqa { get; init; }

    /// <summary>Where the faster of two shapes becomes the slower.</summary>
    public IReadOnlyList<TradePlace> TradePlaces { get; init; } = [];

    /// <summary>How many candidates are as good as the best.</summary>
    public Valley? Valley { get; init; }

    /// <summary>Snake case, indented, LF.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower) },
    };

    /// <summary>Writes the result.</summary>
    /// <param name="path">Overwritten.</param>
    public void Write(string path) => File.WriteAllText(path, JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>Reads a result.</summary>
    /// <param name="path">As <see cref="Write"/> made it.</param>
    /// <exception cref="JsonException">The file holds something else.</exception>
    public static SearchResult Read(string path)
    {
        var result = JsonSerializer.Deserialize<SearchResult>(File.ReadAllText(path), Json) ?? throw new JsonException("a search result is an object, not null");
        if (result.Workload is not { Prompt: >= 1, Output: >= 1, Batch: >= 1, TensorParallel: >= 1 })
        {
            throw new JsonException($"expected a workload with prompt, output, batch and tensor_parallel from 1 on, found {result.Workload}");
        }

        if (result.Device is { Roofline: null, Costs: null })
        {
            throw new JsonException($"device '{result.Device.Name}' has neither a roofline nor costs");
        }

        var flawed = new[] { result.Baseline, result.Accurate, result.Efficient, result.EfficientAtFittedGqa }.FirstOrDefault(s => s?.ToShape().Flaw is not null);
        return flawed is null ? result : throw new JsonException($"shape '{flawed.Shape}' cannot be built: {flawed.ToShape().Flaw}");
    }
}

/// <summary>A shape's columns with what is predicted for it.</summary>
public sealed record ScoredShape
{
    /// <summary>Content id of the shape.</summary>
    public required string Shape { get; init; }

    /// <summary>L.</summary>
    public required int Layers { get; init; }

    /// <summary>d, features.</summary>
    public required int Hidden { get; init; }

    /// <summary>f, features.</summary>
    public required int Intermediate { get; init; }

    /// <summary>n, query heads.</summary>
    public required int Heads { get; init; }

    /// <summary>k, key/value heads.</summary>
    public required int KvHeads { get; init; }

    /// <summary>h, features.</summary>
    public required int HeadSize { get; init; }

    /// <summary>V, tokens.</summary>
    public required int Vocabulary { get; init; }

    /// <summary>Input and output embeddings are one matrix.</summary>
    public required bool Tied { get; init; }

    /// <summary>N of this shape, non-embedding.</summary>
    public required long Parameters { get; init; }

    /// <summary>With embeddings and norms.</summary>
    public required long ParametersTotal { get; init; }

    /// <summary>d/√N.</summary>
    public required double X { get; init; }

    /// <summary>MLP to attention parameters.</summary>
    public required double Ratio { get; init; }

    /// <summary>n/k.</summary>
    public required double Gqa { get; init; }

    /// <summary>Loss that the law predicts, nats a token.</summary>
    public required double Predicted { get; init; }

    /// <summary><see cref="Predicted"/> less the baseline's, nats; null without a baseline.</summary>
    public double? LossDifference { get; init; }

    /// <summary>Lower end of the 95 % interval of the difference to the baseline, added to its predicted loss; of the loss itself without a baseline. Null: not known.</summary>
    public double? PredictedLow { get; init; }

    /// <summary>Its upper end.</summary>
    public double? PredictedHigh { get; init; }

    /// <summary>Probability that its loss is at most the threshold; null where there is none.</summary>
    public double? ProbabilityFeasible { get; init; }

    /// <summary>Value of the search's objective.</summary>
    public double? Objective { get; init; }

    /// <summary>Sequences that it serves together: those asked for, or as many as fit; null: as asked.</summary>
    public int? Batch { get; init; }

    /// <summary>Seconds until a batch has its last token.</summary>
    public double? Latency { get; init; }

    /// <summary>Weights and a full cache on one device, bytes.</summary>
    public double? MemoryBytes { get; init; }

    /// <summary>Keys and values that a token leaves in the cache, bytes.</summary>
    public required double KvBytesPerToken { get; init; }

    /// <summary>Seconds of the prefill.</summary>
    public required double TimeToFirstToken { get; init; }

    /// <summary>Mean seconds of a decode step.</summary>
    public required double TimePerOutputToken { get; init; }

    /// <summary>Output tokens of the batch over prefill and decode.</summary>
    public required double TokensPerSecond { get; init; }

    /// <summary>Lower end of its 95 % interval; null for a modelled speed.</summary>
    public double? TokensPerSecondLow { get; init; }

    /// <summary>Its upper end.</summary>
    public double? TokensPerSecondHigh { get; init; }

    /// <summary><c>modelled</c>, <c>calibrated</c> or <c>measured</c>; empty: as the device.</summary>
    public string Source { get; init; } = "";

    /// <summary>A shape with its predictions.</summary>
    /// <param name="shape">The shape.</param>
    /// <param name="predicted">Loss, nats a token.</param>
    /// <param name="speed">From the same roofline and workload for every candidate.</param>
    /// <param name="baseline">The baseline's predicted loss, nats a token; null without one.</param>
    public static ScoredShape Of(DecoderShape shape, double predicted, Speed speed, double? baseline) => new()
    {
        Shape = shape.Id,
        Layers = shape.Layers,
        Hidden = shape.Hidden,
        Intermediate = shape.Intermediate,
        Heads = shape.Heads,
        KvHeads = shape.KvHeads,
        HeadSize = shape.HeadSize,
        Vocabulary = shape.Vocabulary,
        Tied = shape.Tied,
        Parameters = shape.Parameters,
        ParametersTotal = shape.ParametersTotal,
        X = shape.X,
        Ratio = shape.Ratio,
        Gqa = shape.Gqa,
        Predicted = predicted,
        LossDifference = predicted - baseline,
        Batch = speed.Batch,
        Latency = speed.Latency,
        MemoryBytes = speed.MemoryBytes,
        KvBytesPerToken = speed.KvBytesPerToken,
        TimeToFirstToken = speed.TimeToFirstToken,
        TimePerOutputToken = speed.TimePerOutputToken,
        TokensPerSecond = speed.TokensPerSecond,
    };

    /// <summary>The shape alone.</summary>
    public DecoderShape ToShape() => new(Layers, Hidden, Intermediate, Heads, KvHeads, HeadSize, Vocabulary, Tied);
}
