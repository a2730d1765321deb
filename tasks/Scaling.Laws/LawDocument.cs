// law.json: a fitted law with what it rests on. LAW.md documents every field.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scaling.Laws;

/// <summary>Which law.</summary>
public enum LawKind
{
    /// <summary>L(N, D) alone.</summary>
    Chinchilla,

    /// <summary>L(N, D) with the shape's terms.</summary>
    Conditional,
}

/// <summary>How the fit treated what it was given; with it a refit on fewer rows is the same fit.</summary>
public sealed record LawOptions
{
    /// <summary>Default: conditional.</summary>
    public LawKind Law { get; init; } = LawKind.Conditional;

    /// <summary>Default: multiplicative. Of no effect for a Chinchilla law.</summary>
    public LawForm Form { get; init; } = LawForm.Multiplicative;

    /// <summary>What the base law minimises. Default: the sum of log-Huber losses.</summary>
    public ObjectiveKind Objective { get; init; } = ObjectiveKind.LogHuber;

    /// <summary>δ of the Huber loss, in ln L; 1e-6 to 1. Default: 1e-3.</summary>
    public double Delta { get; init; } = 1e-3;

    /// <summary>Only rows with a ratio in this range are fitted (those without one are). Default: 0.5 to 5, the paper's.</summary>
    public Interval RatioRange { get; init; } = new(0.5, 5);

    /// <summary>Resamples for intervals; 0 to 10 000. Default: 200.</summary>
    public int Resamples { get; init; } = 200;

    /// <summary>Seed of the resamples. Default: 20251021.</summary>
    public int ResampleSeed { get; init; } = 20251021;
}

/// <summary>What the base law minimises.</summary>
public enum ObjectiveKind
{
    /// <summary>Σ Huber_δ(ln L̂ − ln L): ½r² for |r| ≤ δ, else δ(|r| − ½δ).</summary>
    LogHuber,

    /// <summary>½ Σ (L̂ − L)².</summary>
    LeastSquares,
}

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
}

/// <summary>An interval that may be unbounded on either side.</summary>
/// <param name="Low">Null: unbounded.</param>
/// <param name="High">Null: unbounded.</param>
public sealed record OpenInterval(double? Low, double? High);

/// <summary>How the minimisation went.</summary>
public sealed record FitSummary
{
    /// <summary>Rows that were fitted.</summary>
    public required int Rows { get; init; }

    /// <summary>How the minimiser ended.</summary>
    public required Convergence Status { get; init; }

    /// <summary>Value of the base law's objective at the solution.</summary>
    public required double ObjectiveValue { get; init; }

    /// <summary>√(Σ residual² / degrees of freedom) of the whole law, nats a token.</summary>
    public required double ResidualStandardDeviation { get; init; }

    /// <summary>Singular values' quotient of the base law's Jacobian in ln L with columns of length 1; null where it is infinite.</summary>
    public double? ConditionNumber { get; init; }

    /// <summary>Starting points that were followed to a minimum.</summary>
    public required int Starts { get; init; }

    /// <summary>Of these, ended within a millionth of the least objective.</summary>
    public required int StartsAgreeing { get; init; }
}

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
    public const int CurrentVersion = 1;

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

    /// <summary>How the minimisation went.</summary>
    public required FitSummary Fit { get; init; }

    /// <summary>Where the runs lie.</summary>
    public required LawRanges Ranges { get; init; }

    /// <summary>What the law has no term for.</summary>
    public required LawContext Context { get; init; }

    /// <summary>The law refitted to each resample: E, A, B, α, β, and of a conditional law a0, a1, a2, b0, b1, b2.</summary>
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
    public double Predict(double parameters, double tokens, double? x, double? ratio) => Predict(Base, Shape, parameters, tokens, x, ratio);

    /// <summary>The factor on L_opt (of the additive form: the nats added to it); 1 without shape terms.</summary>
    /// <param name="x">d/√N; null: x*.</param>
    /// <param name="ratio">MLP to attention; null: r*.</param>
    public double ShapeFactor(double? x, double? ratio) => Shape?.Factor(x, ratio) ?? 1;

    /// <summary>
    /// 95 % interval of the loss of a new run: the resamples' spread and the runs' residual noise, added as squares. What the law's form gets
    /// wrong beyond the runs' ranges is not in it.
    /// </summary>
    /// <param name="parameters">N.</param>
    /// <param name="tokens">D.</param>
    /// <param name="x">d/√N; null: x*.</param>
    /// <param name="ratio">MLP to attention; null: r*.</param>
    /// <returns>Null without resamples.</returns>
    public Interval? PredictionInterval(double parameters, double tokens, double? x, double? ratio)
    {
        if (Resamples.Count == 0)
        {
            return null;
        }

        double centre = Predict(parameters, tokens, x, ratio);
        double[] predictions = [.. ResampledLaws().Select(law => Predict(law.Base, law.Shape, parameters, tokens, x, ratio))];
        var spread = Quantiles.Central95(predictions);
        double noise = 1.959964 * Fit.ResidualStandardDeviation;
        return new Interval(
            centre - Math.Sqrt(Math.Pow(Math.Max(0, centre - spread.Low), 2) + noise * noise),
            centre + Math.Sqrt(Math.Pow(Math.Max(0, spread.High - centre), 2) + noise * noise));
    }

    /// <summary>The law of each resample, for probabilities such as that of being best.</summary>
    public IEnumerable<(ChinchillaLaw Base, ShapeTerms? Shape)> ResampledLaws() => Resamples.Select(p => (
        new ChinchillaLaw(p[0], p[1], p[2], p[3], p[4]),
        Shape is null ? null : Shape with { Coefficients = new ShapeCoefficients(p[5], p[6], p[7], p[8], p[9], p[10]) }));

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

        int numbers = law.Shape is null ? 5 : 11;
        var (options, basis) = (law.Options, law.Base);
        Expect(options.Delta is > 0 and <= 1, "options.delta from 0 to 1", $"{options.Delta}");
        Expect(options.Resamples is >= 0 and <= 10_000, "options.resamples from 0 to 10000", $"{options.Resamples}");
        Expect(options.RatioRange.Low < options.RatioRange.High, "options.ratio_range from low to high", $"{options.RatioRange.Low} to {options.RatioRange.High}");
        Expect(Math.Min(Math.Min(basis.E, basis.A), basis.B) >= 0, "base.e, a and b of at least 0", $"{basis.E}, {basis.A}, {basis.B}");
        Expect(Math.Max(Math.Abs(basis.Alpha), Math.Abs(basis.Beta)) <= 100, "base.alpha and beta of at most 100", $"{basis.Alpha}, {basis.Beta}");
        Expect(law.Resamples.All(r => r.Length == numbers), $"resamples of {numbers} numbers", $"{law.Resamples.FirstOrDefault(r => r.Length != numbers)?.Length}");
    }

    private static double Predict(ChinchillaLaw law, ShapeTerms? shape, double parameters, double tokens, double? x, double? ratio)
    {
        double best = law.Predict(parameters, tokens);
        return shape?.Apply(best, x, ratio) ?? best;
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
