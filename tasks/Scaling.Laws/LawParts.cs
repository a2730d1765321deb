// What law.json is made of: intervals, verdicts, noise, ranges and what else a fit tells of itself.
using System.Text.Json.Serialization;

namespace Scaling.Laws;

/// <summary>A closed interval.</summary>
/// <param name="Low">Lower end.</param>
/// <param name="High">Upper end.</param>
public sealed record Interval(double Low, double High)
{
    /// <summary>Whether a value lies inside, with a relative tolerance of 1e-9 for values that were rounded in a file.</summary>
    /// <param name="value">Any number.</param>
    public bool Contains(double value) => value >= Low - 1e-9 * Math.Abs(Low) && value <= High + 1e-9 * Math.Abs(High);
}

/// <summary>Whether the runs determine a quantity.</summary>
public enum Identification
{
    /// <summary>They do.</summary>
    [JsonStringEnumMemberName("identified")]
    Identified,

    /// <summary>Only within the wide bounds of the interval.</summary>
    [JsonStringEnumMemberName("weakly identified")]
    WeaklyIdentified,

    /// <summary>They do not; the number in the document is one of many that fit alike.</summary>
    [JsonStringEnumMemberName("not identified")]
    NotIdentified,
}

/// <summary>A verdict on one quantity.</summary>
/// <param name="Quantity"><c>exponents</c>, <c>x_star</c>, <c>r_star</c>, <c>prediction_along_ray</c>, <c>prediction_off_ray</c>.</param>
/// <param name="Identification">The verdict.</param>
/// <param name="Reason">A sentence.</param>
public sealed record Verdict(string Quantity, Identification Identification, string Reason);

/// <summary>95 % intervals from the resamples. An absent end is unbounded: resamples had no minimum on that side.</summary>
public sealed record LawIntervals
{
    /// <summary>Of E, nats a token.</summary>
    [JsonPropertyName("E")]
    public Interval? E { get; init; }

    /// <summary>Of α.</summary>
    public Interval? Alpha { get; init; }

    /// <summary>Of β.</summary>
    public Interval? Beta { get; init; }

    /// <summary>Of x*.</summary>
    public OpenInterval? XStar { get; init; }

    /// <summary>Of r*.</summary>
    public OpenInterval? RStar { get; init; }

    /// <summary>Of the terms beyond x and the ratio.</summary>
    public IReadOnlyList<TermInterval> Terms { get; init; } = [];
}

/// <summary>An interval that may be unbounded on either side.</summary>
/// <param name="Low">Null: unbounded.</param>
/// <param name="High">Null: unbounded.</param>
public sealed record OpenInterval(double? Low, double? High);

/// <summary>The rows and what they scatter by.</summary>
public sealed record FitSummary
{
    /// <summary>Rows that were fitted.</summary>
    public required int Rows { get; init; }

    /// <summary>Training runs that these belong to.</summary>
    public required int Runs { get; init; }

    /// <summary>Hyper-parameter groups that these belong to; each but the largest has an offset.</summary>
    public required int Groups { get; init; }

    /// <summary>√(Σ residual² / degrees of freedom) of the whole law, nats a token.</summary>
    public required double ResidualStandardDeviation { get; init; }

    /// <summary>Of this, what single runs scatter by within their size (of a conditional law: within their size and budget), nats a token.</summary>
    public required double RunNoise { get; init; }

    /// <summary>Of this, what all runs of a size (and budget) share: the base law's error there, nats a token.</summary>
    public required double LevelNoise { get; init; }

    /// <summary>Standard deviation between runs alike in all but the seed, nats a token; null where there are none.</summary>
    public double? ReplicateNoise { get; init; }

    /// <summary>Degrees of freedom of <see cref="ReplicateNoise"/>.</summary>
    public required int ReplicateFreedom { get; init; }
}

/// <summary>The law of runs on one ray, where tokens follow from parameters: L = E + C/N^γ. <see cref="LawDocument.Base"/> holds it as E, A = C, α = γ, B = 0.</summary>
/// <param name="E">Nats a token.</param>
/// <param name="C">Weight.</param>
/// <param name="Gamma">γ.</param>
/// <param name="TokensPerParameter">The middle of the runs' D/N.</param>
public sealed record RayLaw([property: JsonPropertyName("E")] double E, [property: JsonPropertyName("C")] double C, double Gamma, double TokensPerParameter);

/// <summary>95 % interval of a term beyond x and the ratio.</summary>
/// <param name="Term">Which.</param>
/// <param name="Name">As <see cref="ExtraTerm.Name"/>.</param>
/// <param name="Low">Lower end of its coefficient.</param>
/// <param name="High">Upper end.</param>
public sealed record TermInterval(LawTerm Term, string Name, double Low, double High);

/// <summary>The run that moves a quantity most when it is left out.</summary>
/// <param name="Quantity"><c>alpha</c>, <c>beta</c>, <c>x_star</c>, <c>r_star</c> or <c>prediction</c> (at four times the largest size, nats a token).</param>
/// <param name="Row">Its (first) row in the table, from 1.</param>
/// <param name="Value">With all runs.</param>
/// <param name="Without">Without it; null: the law then has no such value.</param>
public sealed record Influence(string Quantity, int Row, double Value, double? Without);

/// <summary>The law refitted with N counted by the other rule.</summary>
/// <param name="ParametersRule">The other rule.</param>
/// <param name="Alpha">α.</param>
/// <param name="Beta">β.</param>
/// <param name="XStar">x*.</param>
/// <param name="RStar">r*.</param>
/// <param name="Pick">Row of the least predicted loss among the largest size; null for a law that does not tell shapes apart.</param>
/// <param name="SamePick">Whether that is the pick by this document's rule; null where there is none.</param>
public sealed record OtherCounting(string ParametersRule, double Alpha, double Beta, double? XStar, double? RStar, int? Pick, bool? SamePick);

/// <summary>How a form predicted sizes from the smaller ones.</summary>
/// <param name="Form">The form.</param>
/// <param name="ShapeError">Root mean square of measured less predicted loss, less what each size and budget shares, nats a token.</param>
/// <param name="Rows">Rows that were predicted.</param>
public sealed record FormScore(LawForm Form, double ShapeError, int Rows);

/// <summary>Where the runs lie. Outside these ranges a prediction is an extrapolation.</summary>
public sealed record LawRanges
{
    /// <summary>N.</summary>
    public required Interval Parameters { get; init; }

    /// <summary>D.</summary>
    public required Interval Tokens { get; init; }

    /// <summary>D/N.</summary>
    public required Interval TokensPerParameter { get; init; }

    /// <summary>d/√N; null where the runs have none.</summary>
    public Interval? X { get; init; }

    /// <summary>MLP to attention; null where the runs have none.</summary>
    public Interval? Ratio { get; init; }

    /// <summary>Mean N of each size class, rising.</summary>
    public required IReadOnlyList<double> Sizes { get; init; }
}

/// <summary>The distinct values, rising, of what the law has no term for. A search stays at them. Empty: the runs do not say.</summary>
public sealed record LawContext
{
    /// <summary>Decoder blocks.</summary>
    public IReadOnlyList<double> Layers { get; init; } = [];

    /// <summary>Features a head.</summary>
    public IReadOnlyList<double> HeadSize { get; init; } = [];

    /// <summary>Query heads a key/value head.</summary>
    public IReadOnlyList<double> Gqa { get; init; } = [];

    /// <summary>Different tokens.</summary>
    public IReadOnlyList<double> Vocabulary { get; init; } = [];

    /// <summary>Whether embeddings were tied.</summary>
    public IReadOnlyList<bool> Tied { get; init; } = [];
}

/// <summary>How starting points ended.</summary>
/// <param name="Followed">Starting points followed to their end.</param>
/// <param name="Agreeing">Of these, ended within a millionth of the least objective.</param>
/// <param name="Alpha">Least and largest α among the ends within a thousandth of the least objective.</param>
/// <param name="Beta">β, likewise.</param>
public sealed record Restarts(int Followed, int Agreeing, Interval Alpha, Interval Beta);
