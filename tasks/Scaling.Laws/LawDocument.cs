// law.json: a fitted law with what it rests on. LAW.md documents every field.
using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scaling.Laws;

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

    /// <summary>Where the coefficients stand, of a law that was taken from a publication: such a law has no fit, no restarts and no certificate. Null: fitted here.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Source { get; init; }

    /// <summary>Whether it knows how large a loss is, not only how shapes compare. Where <c>level</c> is not identified, <see cref="Base"/> is 1 everywhere and predictions are factors of L_opt.</summary>
    [JsonIgnore]
    public bool HasLevel => Verdict("level") is not { Identification: Identification.NotIdentified };

    /// <summary>L_opt(N, D): the loss at (x*, r*) with every other term at 0, or of any shape where there are no shape terms.</summary>
    public required ChinchillaLaw Base { get; init; }

    /// <summary>Null for a Chinchilla law.</summary>
    public ShapeTerms? Shape { get; init; }

    /// <summary>One verdict a quantity, in the order of <see cref="Laws.Verdict.Quantity"/>.</summary>
    public required IReadOnlyList<Verdict> Verdicts { get; init; }

    /// <summary>95 % intervals.</summary>
    public required LawIntervals Intervals { get; init; }

    /// <summary>How the starting points of the minimisation ended; null where <see cref="Source"/> is not.</summary>
    public Restarts? Restarts { get; init; }

    /// <summary>What speaks for the minimum; null where <see cref="Source"/> is not.</summary>
    public Certificate? Certificate { get; init; }

    /// <summary>The rows and what they scatter by; null where <see cref="Source"/> is not.</summary>
    public FitSummary? Fit { get; init; }

    /// <summary>Null unless the runs lie on one ray.</summary>
    public RayLaw? Ray { get; init; }

    /// <summary>How each form predicted sizes from smaller ones, best first; empty unless the form was chosen so.</summary>
    public IReadOnlyList<FormScore> Forms { get; init; } = [];

    /// <summary>The law with N counted otherwise; empty where the runs tell one count alone.</summary>
    public IReadOnlyList<OtherCounting> OtherCountings { get; init; } = [];

    /// <summary>The most influential run of each quantity; empty without resamples, or with more than 1000 runs.</summary>
    public IReadOnlyList<Influence> Influence { get; init; } = [];

    /// <summary>Whether shapes differ by more than seeds, of every size and budget with replicates.</summary>
    public IReadOnlyList<ShapeEffect> ShapeEffects { get; init; } = [];

    /// <summary>Whether the learning-rate rule was fair to all shapes, of every size and budget with a bracket.</summary>
    public IReadOnlyList<LearningRateCheck> LearningRateChecks { get; init; } = [];

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
        if (Fit is null || ConfidenceInterval(point) is not { } spread)
        {
            return null;
        }

        double centre = Predict(point);
        double squares = 1.959964 * 1.959964 * (Fit.RunNoise * Fit.RunNoise + Fit.LevelNoise * Fit.LevelNoise);
        return new Interval(
            centre - Math.Sqrt(Math.Pow(Math.Max(0, centre - spread.Low), 2) + squares),
            centre + Math.Sqrt(Math.Pow(Math.Max(0, spread.High - centre), 2) + squares));
    }

    /// <summary>
    /// Whether the runs say something of a point. A fit always gives a number; but fewer than three sizes (a factor of 1.25 apart) bound no other, nor one
    /// number of tokens another, nor a ray what is off it.
    /// </summary>
    /// <param name="point">Where.</param>
    public bool SaysSomethingOf(LawPoint point)
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
            // The version first: of another one the fields have other names.
            using (var parsed = JsonDocument.Parse(json))
            {
                if (parsed.RootElement.ValueKind == JsonValueKind.Object && parsed.RootElement.TryGetProperty("version", out var version)
                    && (version.ValueKind != JsonValueKind.Number || !version.TryGetInt32(out int number) || number != CurrentVersion))
                {
                    throw new FormatException($"the law has version {version} where {CurrentVersion} was expected; fit it again");
                }
            }

            var document = JsonSerializer.Deserialize<LawDocument>(json, Json) ?? throw new FormatException("the law is null");
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

        int numbers = law.Shape is null ? 5 : 5 + law.Shape.Numbers().Length;
        var (options, basis) = (law.Options, law.Base);
        Expect(options.Delta is > 0 and <= 1, "options.delta from 0 to 1", $"{options.Delta}");
        Expect(options.Resamples is >= 0 and <= 10_000, "options.resamples from 0 to 10000", $"{options.Resamples}");
        Expect(options.RatioRange.Low < options.RatioRange.High, "options.ratio_range from low to high", $"{options.RatioRange.Low} to {options.RatioRange.High}");
        bool Sound(double value, double most) => value >= 0 && value <= most;
        Expect(Sound(basis.E, 1e9) && Sound(basis.A, double.MaxValue) && Sound(basis.B, double.MaxValue), "base.E, base.A and base.B of at least 0", $"{basis.E}, {basis.A}, {basis.B}");
        Expect(Sound(basis.Alpha, 100) && Sound(basis.Beta, 100), "base.alpha and base.beta from 0 to 100", $"{basis.Alpha}, {basis.Beta}");
        Expect(law.Ranges.Sizes.Count > 0, "ranges.sizes of at least one number", "none");
        Expect(law.Shape is null || (law.Shape.Centre is { X: > 0, Ratio: > 0, WidthOverDepth: > 0 } && law.Shape.Numbers().All(double.IsFinite)), "finite shape.coefficients and a shape.centre above 0", $"{law.Shape?.Centre}");
        Expect(law.Shape is not { Form: LawForm.Valley } || law.Shape.Centre.Parameters > 0, "shape.centre.parameters above 0 of a valley", $"{law.Shape?.Centre.Parameters}");
        Expect(law.Shape?.Terms.All(t => double.IsFinite(t.Centre) && (t.Centre > 0 || t.Term is not (LawTerm.Gqa or LawTerm.Drift))) ?? true, "a centre above 0 of gqa and drift in shape.terms", "0 or less");
        Expect(law.Resamples.All(r => r.Length == numbers), $"resamples of {numbers} numbers", $"{law.Resamples.FirstOrDefault(r => r.Length != numbers)?.Length}");
    }

    private static double Predict(ChinchillaLaw law, ShapeTerms? shape, LawPoint point)
    {
        double best = law.Predict(point.Parameters, point.Tokens);
        return shape?.Apply(best, point) ?? best;
    }

    internal static readonly JsonSerializerOptions Json = new()
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
