// What a stage found, in a few lines and quantities: the tool knows no loss, and shows what a stage says of it.
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Scaling.Sdk;

/// <summary>Something that a stage found, and that is worth comparing between two studies.</summary>
/// <param name="Name">What two summaries are aligned by: lower-case letters, digits, <c>_</c>, and dots between parts, for example <c>accurate.predicted_loss</c>.</param>
/// <param name="Label">As a person reads it, for example <c>predicted loss, accurate</c>.</param>
/// <param name="Value">Finite; null where there is no number, and <paramref name="Text"/> says why.</param>
/// <param name="Unit">For example <c>nats a token</c>; empty where there is no number.</param>
/// <param name="Text">The value as people read it, without its unit, for example <c>0.8978</c>; or words, such as <c>not identified</c>.</param>
public sealed record SummaryQuantity(string Name, string Label, double? Value, string Unit, string Text);

/// <summary>
/// The file <c>summary.json</c>, an output of kind <c>summary</c>: the terminal shows its lines when a run has ended, and <c>report --compare</c> sets its quantities beside those of another study. Equal summaries are
/// written as equal bytes.
/// </summary>
/// <param name="Title">What was summed up, for example the study's name; one line.</param>
/// <param name="Lines">At most <see cref="MostLines"/> plain lines of at most <see cref="LongestLine"/> characters, the most important first.</param>
/// <param name="Quantities">In the order in which they are read; each name once.</param>
public sealed record StageSummary(string Title, IReadOnlyList<string> Lines, IReadOnlyList<SummaryQuantity> Quantities)
{
    /// <summary>The file's name.</summary>
    public const string FileName = "summary.json";

    /// <summary>The kind of the output.</summary>
    public const string Kind = "summary";

    /// <summary>Lines at most.</summary>
    public const int MostLines = 5;

    /// <summary>Characters of a line at most: 80 columns, and four to set it in.</summary>
    public const int LongestLine = 76;

    private const string Format = "scaling.summary/1";

    private static readonly JsonWriterOptions Writing = new() { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    /// <summary>What a stage declares among its outputs.</summary>
    public static OutputFile Output { get; } = new(FileName, Kind);

    /// <summary>Writes it as JSON with LF line ends.</summary>
    /// <param name="path">Overwritten.</param>
    /// <exception cref="ArgumentException">A line is too long or one too many, a text is empty or holds control characters, a name stands twice or has other characters, a value is not finite.</exception>
    public void Write(string path)
    {
        if (Fault() is { } fault)
        {
            throw new ArgumentException($"This is no summary: {fault}.");
        }

        using var file = new MemoryStream();
        using (var json = new Utf8JsonWriter(file, Writing))
        {
            Write(json);
        }

        file.WriteByte((byte)'\n');
        File.WriteAllBytes(path, file.ToArray());
    }

    /// <summary>Reads one; members that it does not know are left aside.</summary>
    /// <param name="path">UTF-8 JSON.</param>
    /// <exception cref="FormatException">The file is no such summary, or of another version.</exception>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static StageSummary Read(string path) => Parse(File.ReadAllBytes(path));

    /// <summary>Reads one that is no file by itself.</summary>
    /// <param name="json">UTF-8.</param>
    /// <exception cref="FormatException">It is no such summary, or of another version.</exception>
    public static StageSummary Parse(ReadOnlyMemory<byte> json)
    {
        try
        {
            using var document = JsonDocument.Parse(json);
            var root = document.RootElement;
            string format = Word(root, "format");
            if (format != Format)
            {
                throw new FormatException($"its format is '{format}', and {Format} is read here");
            }

            var summary = new StageSummary(
                Word(root, "title"),
                [.. root.GetProperty("lines").EnumerateArray().Select(l => l.GetString() ?? "")],
                [.. root.GetProperty("quantities").EnumerateArray().Select(q => new SummaryQuantity(Word(q, "name"), Word(q, "label"), Number(q), Word(q, "unit"), Word(q, "text")))]);
            return summary.Fault() is { } fault ? throw new FormatException(fault) : summary;
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or KeyNotFoundException)
        {
            throw new FormatException("it is no JSON object with format, title, lines and quantities", e);
        }
    }

    /// <summary>Whether both say the same, whatever lists they hold it in.</summary>
    /// <param name="other">Another summary.</param>
    public bool Equals(StageSummary? other) => other is not null && Title == other.Title && Lines.SequenceEqual(other.Lines) && Quantities.SequenceEqual(other.Quantities);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Title, Lines.Count, Quantities.Count);

    private void Write(Utf8JsonWriter json)
    {
        json.WriteStartObject();
        json.WriteString("format", Format);
        json.WriteString("title", Title);
        json.WriteStartArray("lines");
        foreach (string line in Lines)
        {
            json.WriteStringValue(line);
        }

        json.WriteEndArray();
        json.WriteStartArray("quantities");
        foreach (var quantity in Quantities)
        {
            json.WriteStartObject();
            json.WriteString("name", quantity.Name);
            json.WriteString("label", quantity.Label);
            if (quantity.Value is { } value)
            {
                json.WriteNumber("value", value);
            }
            else
            {
                json.WriteNull("value");
            }

            json.WriteString("unit", quantity.Unit);
            json.WriteString("text", quantity.Text);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    /// <summary>What is wrong with it; null for nothing. Texts come on terminals as they are, so they hold nothing that commands one.</summary>
    private string? Fault()
    {
        if (!IsPlain(Title))
        {
            return "its title is empty, or holds control characters";
        }

        if (Lines.Count > MostLines)
        {
            return $"it has {Lines.Count} lines, and at most {MostLines} are shown";
        }

        if (Lines.FirstOrDefault(l => !IsPlain(l) || l.EnumerateRunes().Count() > LongestLine) is { } line)
        {
            return IsPlain(line) ? $"a line has {line.EnumerateRunes().Count()} characters, and at most {LongestLine} are shown: {line}" : "a line is empty, or holds control characters";
        }

        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var quantity in Quantities)
        {
            if (!IsName(quantity.Name) || !names.Add(quantity.Name))
            {
                return $"'{quantity.Name}' is no name of a quantity, or stands twice";
            }

            if (!IsPlain(quantity.Label) || !IsPlain(quantity.Text) || (quantity.Unit.Length > 0 && !IsPlain(quantity.Unit)))
            {
                return $"the label, text or unit of '{quantity.Name}' is empty, or holds control characters";
            }

            if (quantity.Value is { } value && !double.IsFinite(value))
            {
                return $"the value of '{quantity.Name}' is not finite: where there is no number it is null, and the text says why";
            }
        }

        return null;
    }

    private static bool IsPlain(string text) => !string.IsNullOrWhiteSpace(text) && text.EnumerateRunes().All(r => !Rune.IsControl(r) && r != Rune.ReplacementChar && r.Value is not (0x2028 or 0x2029));

    private static bool IsName(string name) => name.Length > 0 && name.Split('.').All(part => part.Length > 0 && part.All(c => c is (>= 'a' and <= 'z') or (>= '0' and <= '9') or '_'));

    private static string Word(JsonElement of, string name) => of.GetProperty(name).GetString() ?? throw new InvalidOperationException();

    private static double? Number(JsonElement of) => of.GetProperty("value") is { ValueKind: not JsonValueKind.Null } value ? value.GetDouble() : null;
}
