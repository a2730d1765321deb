// Values of an engine's JSON, with a plain word where one is missing or of another kind.
using System.Text.Json;

namespace Scaling.Stages.Measure;

internal static class EngineJson
{
    /// <summary>The object that a result is.</summary>
    /// <exception cref="FormatException">It is none.</exception>
    public static JsonElement Object(EngineOutput output)
    {
        try
        {
            using var document = JsonDocument.Parse(output.Text);
            return document.RootElement.ValueKind == JsonValueKind.Object ? document.RootElement.Clone() : throw new FormatException("it is no JSON object");
        }
        catch (JsonException)
        {
            throw new FormatException("it is no JSON");
        }
    }

    /// <summary>The objects of JSON Lines; other lines, such as those that a driver prints between them, are passed over.</summary>
    /// <exception cref="FormatException">There are none.</exception>
    public static IReadOnlyList<JsonElement> Lines(EngineOutput output)
    {
        var objects = new List<JsonElement>();
        foreach (string line in output.Text.Split('\n').Where(l => l.StartsWith('{')))
        {
            try
            {
                using var document = JsonDocument.Parse(line);
                objects.Add(document.RootElement.Clone());
            }
            catch (JsonException)
            {
                // A line of the engine's own that begins with a brace.
            }
        }

        return objects.Count > 0 ? objects : throw new FormatException("no line of it is a JSON object");
    }

    /// <summary>A number above zero.</summary>
    /// <exception cref="FormatException">It is absent, or another thing.</exception>
    public static double Positive(JsonElement value, string name) => Number(Field(value, name), name);

    /// <summary>Numbers above zero, at least one.</summary>
    /// <exception cref="FormatException">They are absent, or other things.</exception>
    public static IReadOnlyList<double> PositiveList(JsonElement value, string name)
    {
        var list = Field(value, name);
        return list.ValueKind == JsonValueKind.Array && list.GetArrayLength() > 0
            ? [.. list.EnumerateArray().Select(n => Number(n, name))]
            : throw new FormatException($"its {name} are {list}, where a list of numbers was expected");
    }

    /// <summary>A whole number, or null where it is absent.</summary>
    public static long? Whole(JsonElement value, string name) =>
        value.TryGetProperty(name, out var number) && number.ValueKind == JsonValueKind.Number && number.TryGetInt64(out long whole) ? whole : null;

    /// <summary>Text, or null where it is absent.</summary>
    public static string? Text(JsonElement value, string name) =>
        value.TryGetProperty(name, out var text) && text.ValueKind == JsonValueKind.String ? text.GetString() : null;

    private static JsonElement Field(JsonElement value, string name) =>
        value.TryGetProperty(name, out var field) ? field : throw new FormatException($"it has no {name}");

    private static double Number(JsonElement value, string name) =>
        value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) && number > 0 && double.IsFinite(number)
            ? number
            : throw new FormatException($"its {name} is {(value.ValueKind == JsonValueKind.Null ? "null" : value)}, where a number above 0 was expected");
}
