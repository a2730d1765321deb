// law.json: a fitted law with what it rests on. LAW.md documents every field.
using System.Text.Encodings.Web;
using System.Text.Json;
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

/// <summary>The content of <c>law.json</c>.</summary>
public sealed record LawDocument
{
    /// <summary>The version that this assembly writes and reads.</summary>
    public const int CurrentVersion = 2;

    /// <summary>Fewer resamples give no interval: the tails of a distribution are not in them.</summary>
    public const int LeastResamples = 20;

    /// <summary>Version of the format.</summary>
    public int Version { get; init; } = CurrentVersion;

    /// <summary>Which law, which form, which objective.</summary>
    public required LawOptions Options { get; init; }

    /// <summary>How N was counted. Default: non-embedding parameters.</summary>
    public string ParametersRule { get; init; } = "non-embedding";

    /// <summary>How D was counted. Default: tokens trained on.</summary>
    public string TokensRule { get; init; } = "trained on, repeats counted";

    /// <summary>L_opt(N, D): the loss at (x*, r*), or of any shape where there are no shape terms.</summary>
    public required ChinchillaLaw Base { get; init; }

    /// <summary>Null for a Chinchilla law.</summary>
    public ShapeTerms? Shape { get; init; }

    /// <summary>One verdict a quantity, in the order of <see cref="Laws.Verdict.Quantity"/>.</summary>
    public required IReadOnlyList<Verdict> Verdicts { get; init; }

    /// <summary>95 % intervals.</summary>
    public required LawIntervals Intervals { get; init; }

    /// <summary>How the starting points of the minimisation ended.</summary>
    public required Restarts Restarts { get; init; }

    /// <summary>What speaks for the minimum.</summary>
    public required Certificate Certificate { get; init; }

    /// <summary>The rows and what they scatter by.</summary>
    public required FitSummary Fit { get; init; }

    /// <summary>Null unless the runs lie on one ray.</summary>
    public RayLaw? Ray { get; init; }

    /// <summary>How each form predicted sizes from smaller ones, best first; empty unless the form was chosen so.</summary>
    public IReadOnlyList<FormScore> Forms { get; init; } = [];

    /// <summary>The law with N counted otherwise; empty where the runs tell one count alone.</summary>
    public IReadOnlyList<OtherCounting> OtherCountings { get; init; } = [];

    /// <summary>The most influential run of each quantity; empty without resamples, or with more than 1000 runs.</summary>
    public IReadOnlyList<Influence> Influence { get; init; } = [];

    /// <summary>Where the runs lie.</summary>
    public required LawRanges Ranges { get; init; }

    /// <summary>What the law has no term for.</summary>
    public required LawContext Context { get; init; }

    /// <summary>
    /// The law refitted to each resample: E, A, B, α, β; where there is a shape a0, a1, a2, b0, b1, b2, c (of width over depth: γ) and a coefficient
    /// for each of its terms.
    /// </summary>
    public IReadOnlyList<double[]> Resamples { get; init; } = [];

    /// <summary>L_opt(N, D), nats a token.</summary>
    /// <param name="parameters">N, counted by <see cref="ParametersRule"/>.</param>
    /// <param name="tokens">D.</param>
    public double Predict(double parameters, double tokens) => Base.Predict(parameters, tokens);

    /// <summary>L(N, D, x, r), nats a token; x and ratio are of no effect without shape terms.</summary>
    /// <param name="parameters">N, counted by <see cref="ParametersRule"/>.</param>
    /// <param name="tokens">D.</param>
    /// <param name="x">d/√N; null: x*.</param>
    /// <param name="ratio">MLP to attention; null: r*.</param>
    public double Predict(double parameters, double tokens, double? x, double? ratio) => Predict(new LawPoint(parameters, tokens) { X = x, Ratio = ratio });

    /// <summary>The loss, nats a token.</summary>
    /// <param name="point">Where.</param>
    public double Predict(LawPoint point) => Predict(Base, Shape, point);

    /// <summary>The factor on L_opt (of the additive form: the nats added to it); 1 without shape terms.</summary>
    /// <param name="x">d/√N; null: x*.</param>
    /// <param name="ratio">MLP to attention; null: r*.</param>
    public double ShapeFactor(double? x, double? ratio) => Shape?.Factor(x, ratio) ?? 1;

    /// <summary>95 % interval of the law's loss at a point: the resamples' spread. What the form gets wrong beyond the runs' ranges is not in it.</summary>
    /// <param name="point">Where.</param>
    /// <returns>Null with fewer than <see cref="LeastResamples"/> resamples, and where the runs say nothing: beyond the sizes of fewer than three, the tokens of one, or the ray.</returns>
    public Interval? ConfidenceInterval(LawPoint point) =>
        Resamples.Count < LeastResamples || !SaysSomethingOf(point) ? null : Quantiles.Central95(ResampledLaws().Select(law => Predict(law.Base, law.Shape, point)));

    /// <summary>
    /// 95 % interval of the loss of a new run there: the resamples' spread, the noise of runs and that of levels, added as squares. What the
    /// form gets wrong beyond the runs' ranges is in it only as far as it is wrong within them.
    /// </summary>
    /// <param name="point">Where.</param>
    /// <returns>Null as of <see cref="ConfidenceInterval"/>.</returns>
    public Interval? PredictionInterval(LawPoint point)
    {
        if (ConfidenceInterval(point) is not { } spread)
        {
            return null;
        }

        double centre = Predict(point);
        double squares = 1.959964 * 1.959964 * (Fit.RunNoise * Fit.RunNoise + Fit.LevelNoise * Fit.LevelNoise);
        return new Interval(
            centre - Math.Sqrt(Math.Pow(Math.Max(0, centre - spread.Low), 2) + squares),
            centre + Math.Sqrt(Math.Pow(Math.Max(0, spread.High - centre), 2) + squares));
    }

    /// <summary>A fit always gives a number; whether two sizes bound a third is another question.</summary>
    private bool SaysSomethingOf(LawPoint point)
    {
        static bool Near(Interval range, double value) => value >= range.Low / SizeClasses.Factor && value <= range.High * SizeClasses.Factor;
        bool sizes = Ranges.Sizes.Count >= 3 || Near(Ranges.Parameters, point.Parameters);
        bool tokens = Base.B > 0 || (Ray is null ? Near(Ranges.Tokens, point.Tokens) : Near(Ranges.TokensPerParameter, point.Tokens / point.Parameters));
        return sizes && tokens;
    }

    /// <summary>The law of each resample, for probabilities such as that of being best.</summary>
    public IEnumerable<(ChinchillaLaw Base, ShapeTerms? Shape)> ResampledLaws() => Resamples.Select(p => (
        new ChinchillaLaw(p[0], p[1], p[2], p[3], p[4]),
        Shape is null ? null : Shape.With(p.AsSpan(5), p[3])));

    /// <summary>The verdict on a quantity; null where the document has none.</summary>
    /// <param name="quantity">As <see cref="Laws.Verdict.Quantity"/>.</param>
    public Verdict? Verdict(string quantity) => Verdicts.FirstOrDefault(v => v.Quantity == quantity);

    /// <summary>Writes <c>law.json</c>: UTF-8, LF, numbers that round-trip.</summary>
    /// <param name="path">Overwritten.</param>
    public void Write(string path) => File.WriteAllText(path, ToJson());

    /// <summary>The document as JSON text.</summary>
    public string ToJson() => JsonSerializer.Serialize(this, Json).ReplaceLineEndings("\n") + "\n";

    /// <summary>Reads <c>law.json</c>.</summary>
    /// <param name="path">Written by <see cref="Write"/>, or by hand after LAW.md.</param>
    /// <exception cref="FormatException">It is no such document, or of another version; the message says what is wrong.</exception>
    public static LawDocument Read(string path) => Parse(File.ReadAllText(path));

    /// <summary>Parses the text of <c>law.json</c>.</summary>
    /// <param name="json">JSON.</param>
    /// <exception cref="FormatException">As for <see cref="Read"/>.</exception>
    public static LawDocument Parse(string json)
    {
        try
        {
            var document = JsonSerializer.Deserialize<LawDocument>(json, Json) ?? throw new FormatException("the law is null");
            if (document.Version != CurrentVersion)
            {
                throw new FormatException($"the law has version {document.Version} where {CurrentVersion} was expected; fit it again");
            }

            Check(document);
            return document;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            throw new FormatException($"this is no law.json: {e.Message}", e);
        }
    }

    /// <summary>What a refit or a prediction relies on, in a file that may be written by hand.</summary>
    private static void Check(LawDocument law)
    {
        void Expect(bool holds, string what, string found)
        {
            if (!holds)
            {
                throw new FormatException($"expected {what}, found {found}");
            }
        }

        int numbers = law.Shape is null ? 5 : 12 + law.Shape.Terms.Count;
        var (options, basis) = (law.Options, law.Base);
        Expect(options.Delta is > 0 and <= 1, "options.delta from 0 to 1", $"{options.Delta}");
        Expect(options.Resamples is >= 0 and <= 10_000, "options.resamples from 0 to 10000", $"{options.Resamples}");
        Expect(options.RatioRange.Low < options.RatioRange.High, "options.ratio_range from low to high", $"{options.RatioRange.Low} to {options.RatioRange.High}");
        Expect(Math.Min(Math.Min(basis.E, basis.A), basis.B) >= 0, "base.e, a and b of at least 0", $"{basis.E}, {basis.A}, {basis.B}");
        Expect(Math.Max(Math.Abs(basis.Alpha), Math.Abs(basis.Beta)) <= 100, "base.alpha and beta of at most 100", $"{basis.Alpha}, {basis.Beta}");
        Expect(law.Resamples.All(r => r.Length == numbers), $"resamples of {numbers} numbers", $"{law.Resamples.FirstOrDefault(r => r.Length != numbers)?.Length}");
    }

    private static double Predict(ChinchillaLaw law, ShapeTerms? shape, LawPoint point)
    {
        double best = law.Predict(point.Parameters, point.Tokens);
        return shape?.Apply(best, point) ?? best;
    }

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        NewLine = "\n",
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
        Converters = { new NumbersOnOneLine(), new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
    };

    /// <summary>A resample is one line, so that a person can scroll past two hundred of them.</summary>
    private sealed class NumbersOnOneLine : JsonConverter<double[]>
    {
        public override double[] Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
        {
            using var document = JsonDocument.ParseValue(ref reader);
            return [.. document.RootElement.EnumerateArray().Select(e => e.GetDouble())];
        }

        public override void Write(Utf8JsonWriter writer, double[] value, JsonSerializerOptions options) =>
            writer.WriteRawValue("[" + string.Join(", ", value.Select(v => JsonSerializer.Serialize(v))) + "]");
    }
}
