// The settings of a schema, one by one: what is missing in their documentation, whether a value fits, and values that fit and are yet odd.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.TestKit.Conformance;

/// <summary>One setting of a schema.</summary>
/// <param name="Path">Names from the outermost record inwards.</param>
/// <param name="Schema">Its part of the schema.</param>
internal sealed record Setting(IReadOnlyList<string> Path, JsonObject Schema)
{
    public string Name => string.Join('.', Path);
}

internal static class SettingsWalk
{
    /// <summary>Every setting, records before what they hold, those within lists of records included.</summary>
    public static IEnumerable<Setting> All(JsonObject schema, IReadOnlyList<string>? above = null)
    {
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            var setting = new Setting([.. above ?? [], name], property as JsonObject ?? []);
            yield return setting;
            foreach (var inner in All(Element(setting.Schema), setting.Path))
            {
                yield return inner;
            }
        }
    }

    public static bool NamesFiles(JsonNode schema) => schema["x-files"] is not null;

    public static bool IsNumeric(JsonObject schema) => Types(Element(schema)) is var types && (types.Contains("number") || types.Contains("integer"));

    /// <summary>What a list or dictionary holds; the schema itself where it is neither.</summary>
    public static JsonObject Element(JsonObject schema) => (schema["items"] ?? schema["additionalProperties"]) is JsonObject inner ? Element(inner) : schema;

    /// <summary>Why a value does not fit the schema, as the end of a sentence; nothing where it does.</summary>
    public static IEnumerable<string> Misfits(JsonNode? value, JsonObject schema)
    {
        if (value is JsonArray list)
        {
            if (schema["minItems"]?.GetValue<int>() is { } least && list.Count < least)
            {
                yield return $"holds {list.Count} elements where at least {least} are asked for";
            }

            foreach (string misfit in list.SelectMany(element => Misfits(element, Element(schema))))
            {
                yield return misfit;
            }
        }
        else if (value is JsonValue number && number.GetValueKind() == JsonValueKind.Number)
        {
            if (Bound(schema, "minimum") is { } minimum && Number(number) < minimum)
            {
                yield return $"is {number.ToJsonString()}, below its minimum {minimum}";
            }

            if (Bound(schema, "maximum") is { } maximum && Number(number) > maximum)
            {
                yield return $"is {number.ToJsonString()}, above its maximum {maximum}";
            }
        }
        else if (value is JsonValue word && word.GetValueKind() == JsonValueKind.String && schema["enum"] is JsonArray words && !words.Any(w => JsonNode.DeepEquals(w, word)))
        {
            yield return $"is {word.ToJsonString()}, which is none of {words.ToJsonString()}";
        }
    }

    /// <summary>Values that the schema lets through and that a stage may not have thought of: the least, nothing, an empty word or list.</summary>
    public static IEnumerable<JsonNode> OddValues(JsonObject schema)
    {
        string[] types = Types(schema);
        if (schema["enum"] is JsonArray words)
        {
            return words.Where(w => w is not null).Select(w => w!.DeepClone());
        }

        if (types.Contains("boolean"))
        {
            return [JsonValue.Create(false), JsonValue.Create(true)];
        }

        if (types.Contains("number") || types.Contains("integer"))
        {
            return Bound(schema, "minimum") is { } least ? [JsonValue.Create((decimal)Math.Max(least, -1e20))] : [JsonValue.Create(0), JsonValue.Create(-1)];
        }

        if (types.Contains("array"))
        {
            var element = Element(schema);
            JsonNode[] empty = schema["minItems"] is null ? [new JsonArray()] : [];
            return element["properties"] is null
                ? [.. empty, .. OddValues(element).Where(_ => schema["minItems"] is not { } least || least.GetValue<int>() <= 1).Select(v => new JsonArray(v))]
                : empty;
        }

        return types.Contains("string") && !NamesFiles(schema) ? [JsonValue.Create(""), JsonValue.Create("?")] : [];
    }

    /// <summary>The settings with one of them replaced; null where a record around it is not given, so that it cannot be.</summary>
    public static JsonObject? With(JsonObject settings, IReadOnlyList<string> path, JsonNode value)
    {
        var changed = (JsonObject)settings.DeepClone();
        JsonObject record = changed;
        foreach (string name in path.SkipLast(1))
        {
            if (record[name] is not JsonObject inner)
            {
                return null;
            }

            record = inner;
        }

        record[path[^1]] = value.DeepClone();
        return changed;
    }

    /// <summary>Whether a record's value holds what was given; what it has beyond that was absent and is null.</summary>
    public static bool Holds(JsonNode? kept, JsonNode? given) => given is JsonObject record
        ? kept is JsonObject inner && record.All(property => Holds(inner[property.Key], property.Value))
        : JsonNode.DeepEquals(kept, given);

    private static string[] Types(JsonObject schema) => schema["type"] switch
    {
        JsonArray several => [.. several.Select(t => t!.GetValue<string>())],
        JsonValue one => [one.GetValue<string>()],
        _ => [],
    };

    private static double? Bound(JsonObject schema, string word) => schema[word] is JsonValue bound ? Number(bound) : null;

    private static double Number(JsonValue value) => double.Parse(value.ToJsonString(), System.Globalization.CultureInfo.InvariantCulture);
}
