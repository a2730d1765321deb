// Pieces of JSON schema that the editor's schema is made of.
using System.Text.Json.Nodes;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Makes nodes of a schema. Each copies what it is given: a JSON node has one parent. <c>errorMessage</c>, <c>patternErrorMessage</c>, <c>markdownDescription</c>, <c>enumDescriptions</c> and
/// <c>defaultSnippets</c> are words of yaml-language-server; other programs skip them.
/// </summary>
internal static class SchemaNodes
{
    private static readonly string[] OfAnyType = ["enum", "const", "anyOf", "oneOf", "allOf", "$ref", "defaultSnippets"];

    public static JsonObject Null() => new() { ["type"] = "null" };

    public static JsonObject Text() => new() { ["type"] = "string" };

    /// <param name="pattern">A regular expression for the whole text.</param>
    /// <param name="expected">What is told of another text.</param>
    public static JsonObject Pattern(string pattern, string? expected = null)
    {
        var node = new JsonObject { ["type"] = "string", ["pattern"] = pattern };
        if (expected is not null)
        {
            node["patternErrorMessage"] = expected;
        }

        return node;
    }

    public static JsonObject List(JsonObject element, int least = 0, int? most = null)
    {
        var list = new JsonObject { ["type"] = "array", ["items"] = element.DeepClone() };
        if (least > 0)
        {
            list["minItems"] = least;
        }

        if (most is { } bound)
        {
            list["maxItems"] = bound;
        }

        return list;
    }

    /// <summary>
    /// One of these. Where each is of another type, and says of which, they are one node, since a word of JSON schema binds one type of values only: who errs is then told what is wrong with the
    /// value, and not that none of several fits.
    /// </summary>
    public static JsonObject AnyOf(params IReadOnlyList<JsonObject> choices)
    {
        var merged = new JsonObject();
        foreach (var choice in choices)
        {
            if (Types(choice).Length == 0 || choice.Any(word => OfAnyType.Contains(word.Key) || word.Key != "type" && merged.ContainsKey(word.Key)) || Types(choice).Intersect(Types(merged)).Any())
            {
                return new JsonObject { ["anyOf"] = new JsonArray([.. choices.Select(c => c.DeepClone())]) };
            }

            var types = new JsonArray([.. Types(merged).Concat(Types(choice)).Select(t => (JsonNode)t)]);
            foreach (var (word, value) in choice)
            {
                merged[word] = value?.DeepClone();
            }

            merged["type"] = types;
        }

        return merged;
    }

    /// <summary>A description for every editor.</summary>
    public static JsonObject Described(string description, JsonObject node)
    {
        node.Insert(0, "description", description);
        return node;
    }

    /// <summary>What is said of a value that is none of this.</summary>
    public static JsonObject Refusing(string? expected, JsonObject node)
    {
        if (expected is not null)
        {
            node["errorMessage"] = expected;
        }

        return node;
    }

    private static string[] Types(JsonObject node) => node["type"] switch
    {
        JsonArray several => [.. several.Select(t => (string)t!)],
        JsonValue one => [(string)one!],
        _ => [],
    };

    public static JsonObject Reference(string definition) => new() { ["$ref"] = "#/$defs/" + definition };
}
