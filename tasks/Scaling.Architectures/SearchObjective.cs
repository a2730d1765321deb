// What a search asks of a shape: what it maximises or minimises, and what the shapes that it compares have in common.
using System.Text.Json.Serialization;

namespace Scaling.Architectures;

/// <summary>What makes a shape efficient.</summary>
public enum SearchObjective
{
    /// <summary>Output tokens a second of all devices together, the more the better. The default.</summary>
    [JsonStringEnumMemberName("throughput")]
    Throughput,

    /// <summary>Seconds until a batch has its last token, the fewer the better.</summary>
    [JsonStringEnumMemberName("latency")]
    Latency,

    /// <summary>Bytes that a decode step at the mean context reads for each of its tokens, the fewer the better.</summary>
    [JsonStringEnumMemberName("decode_bytes")]
    DecodeBytes,

    /// <summary>Device-hours of training and of serving a number of tokens, the fewer the better.</summary>
    [JsonStringEnumMemberName("lifetime_cost")]
    LifetimeCost,
}

/// <summary>What predicted losses are measured in.</summary>
public enum LossLevel
{
    /// <summary>Nats a token, by the law's own level.</summary>
    [JsonStringEnumMemberName("law")]
    Law,

    /// <summary>Nats a token, as the baseline's measured loss sets the level.</summary>
    [JsonStringEnumMemberName("baseline")]
    Baseline,

    /// <summary>An unknown multiple of the loss: only ratios between shapes mean something.</summary>
    [JsonStringEnumMemberName("factor")]
    Factor,
}
