// The base law: loss in parameters and tokens.
using System.Text.Json.Serialization;

namespace Scaling.Laws;

/// <summary>
/// L(N, D) = E + A/N^α + B/D^β, nats a token (Hoffmann et al. 2022, arXiv 2203.15556, equation 2). With E 1.69, A 406.4, B 410.7, α .34, β .28,
/// N 1e9 and D 2e10 it gives 2.5796.
/// </summary>
/// <param name="E">Irreducible loss, nats a token, ≥ 0.</param>
/// <param name="A">Weight of the parameters' term, ≥ 0; 0 where the runs have one size.</param>
/// <param name="B">Weight of the tokens' term, ≥ 0; 0 where the runs have one number of tokens.</param>
/// <param name="Alpha">α, ≥ 0; 0 beside A = 0.</param>
/// <param name="Beta">β, ≥ 0; 0 beside B = 0.</param>
public sealed record ChinchillaLaw(
    [property: JsonPropertyName("E")] double E,
    [property: JsonPropertyName("A")] double A,
    [property: JsonPropertyName("B")] double B,
    double Alpha,
    double Beta)
{
    /// <summary>Value of the objective that it was fitted by; null where it was not fitted.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public double? Objective { get; init; }

    /// <summary>L(N, D), nats a token.</summary>
    /// <param name="parameters">N, > 0, counted as the law's document says.</param>
    /// <param name="tokens">D, > 0.</param>
    public double Predict(double parameters, double tokens) => E + Term(A, Alpha, parameters) + Term(B, Beta, tokens);

    /// <summary>In logarithms: an exponent that ran away has a weight near the end of double's range.</summary>
    private static double Term(double weight, double exponent, double count) =>
        weight > 0 ? Math.Exp(Math.Log(weight) - exponent * Math.Log(count)) : 0;
}
