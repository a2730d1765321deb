// One described part of a key. KEYS.md beside this file is the specification.
using System.Text.Json;
using System.Text.Json.Serialization;
using Scaling.Engine.Store;

namespace Scaling.Engine.Keys;

/// <summary>A part of a key: the same list feeds the hash and <c>why</c>, so the explanation cannot drift from the truth.</summary>
/// <param name="Kind">What sort of thing it is; one of <see cref="EntryKind"/>.</param>
/// <param name="Name">Which one, for example a setting's dotted path.</param>
/// <param name="Value">Its canonical text.</param>
[JsonConverter(typeof(KeyEntryConverter))]
public sealed record KeyEntry(string Kind, string Name, string Value)
{
    internal static KeyEntry Read(JsonElement of) => of.ValueKind == JsonValueKind.Array && of.GetArrayLength() == 3
        ? new KeyEntry(JsonFields.Word(of[0]), JsonFields.Word(of[1]), JsonFields.Word(of[2]))
        : throw new JsonException("a key entry is an array of three strings");
}

/// <summary>The kinds of entries, in the order in which they stand in a key.</summary>
public static class EntryKind
{
    public const string Format = "format";
    public const string Stage = "stage";
    public const string Contract = "contract";
    public const string Framework = "framework";
    public const string Assembly = "assembly";
    public const string Library = "library";
    public const string Native = "native";
    public const string Determinism = "determinism";
    public const string Setting = "setting";
    public const string Files = "files";
    public const string Seed = "seed";
    public const string Device = "device";
    public const string Prepare = "prepare";
    public const string Row = "row";
    public const string Input = "input";
    public const string Member = "member";
}

/// <summary>Writes an entry as a JSON array of three strings.</summary>
internal sealed class KeyEntryConverter : JsonConverter<KeyEntry>
{
    public override KeyEntry Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            throw new JsonException("a key entry is an array of three strings");
        }

        var entry = new KeyEntry(Next(ref reader), Next(ref reader), Next(ref reader));
        return reader.Read() && reader.TokenType == JsonTokenType.EndArray ? entry : throw new JsonException("a key entry is an array of three strings");
    }

    public override void Write(Utf8JsonWriter writer, KeyEntry value, JsonSerializerOptions options)
    {
        writer.WriteStartArray();
        writer.WriteStringValue(value.Kind);
        writer.WriteStringValue(value.Name);
        writer.WriteStringValue(value.Value);
        writer.WriteEndArray();
    }

    private static string Next(ref Utf8JsonReader reader) =>
        reader.Read() && reader.TokenType == JsonTokenType.String ? reader.GetString()! : throw new JsonException("a key entry is an array of three strings");
}
