// The settings of a stage type as an editor completes, explains and checks them.
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using static Scaling.Engine.Pipelines.SchemaNodes;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Makes the schema of what <see cref="SettingsBinder"/> accepts, as far as a schema can say: quantities beside numbers, one value beside a list. Stricter in one thing: text that looks like a number wants quotes.
/// </summary>
internal static class SettingNodes
{
    /// <summary>A number with a suffix, behind its sign. One without is no text, unless it stands in quotes.</summary>
    private const string Quantity = @"([0-9]+\.?[0-9]*|\.[0-9]+)(k|M|B|Ki|Mi|Gi)$";

    /// <summary>The schema of a settings record.</summary>
    public static JsonObject Of(SettingSchema settings) => Setting(settings, ImmutableHashSet.Create<object>(ReferenceEqualityComparer.Instance));

    /// <summary>A whole number, or a quantity; without bounds.</summary>
    public static JsonObject Whole() => NumberOrQuantity("integer", (null, null), "Expected a whole number, such as 16k.");

    /// <summary>A record within itself would unfold for ever: there anything goes, and the tool checks it.</summary>
    /// <param name="schema">As the stage describes it.</param>
    /// <param name="around">The records around it.</param>
    private static JsonObject Setting(SettingSchema schema, ImmutableHashSet<object> around)
    {
        string expected = $"Expected {schema.Describe()}.";
        return schema.Kind switch
        {
            SettingKind.Record => around.Contains(schema.Identity) ? [] : Record(schema, around.Add(schema.Identity)),
            SettingKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Setting(schema.Element, around) },
            SettingKind.List => OneOrList(Setting(schema.Element, around), schema.LeastItems, expected),
            _ when schema.Choices is { } choices => Choice(choices, schema.Meanings),
            SettingKind.Whole => NumberOrQuantity("integer", schema.ToldBounds, expected),
            SettingKind.Number => NumberOrQuantity("number", schema.ToldBounds, expected),
            SettingKind.Truth => Refusing(expected, new JsonObject { ["type"] = "boolean" }),
            _ when schema.IsFiles => Files(schema, expected),
            _ => Text(),
        };
    }

    private static JsonObject Choice(IReadOnlyList<string> choices, IReadOnlyList<string>? meanings)
    {
        var node = new JsonObject { ["enum"] = new JsonArray([.. choices.Select(c => JsonNode.Parse(c))]) };
        if (meanings is not null)
        {
            node["enumDescriptions"] = new JsonArray([.. meanings.Select(m => (JsonNode)m)]);
        }

        return node;
    }

    /// <summary>A bare word must be a name that the stage declares, where it declares some, and what stands before a colon a scheme that it understands.</summary>
    private static JsonObject Files(SettingSchema schema, string expected)
    {
        string path = schema.FileNames.Count > 0 ? @"[^:]*[/.*?][^:]*" : "[^:]+";
        string[] forms = [.. schema.FileNames.Select(Regex.Escape), .. schema.FileSchemes.Select(s => Regex.Escape(s) + ":.*"), path, @"[^:]*[/.*][^:]*:.*", ":.+"];
        var files = Refusing(expected, Pattern($"^({string.Join('|', forms)})$", expected));
        string[] offered = [.. schema.FileNames, .. schema.FileSchemes.Select(s => s + ":")];
        if (offered.Length > 0)
        {
            files["defaultSnippets"] = new JsonArray([.. offered.Select(o => new JsonObject { ["label"] = o, ["body"] = o })]);
        }

        return files;
    }

    private static JsonObject Record(SettingSchema schema, ImmutableHashSet<object> around)
    {
        var properties = new JsonObject();
        foreach (var (name, property) in schema.Properties)
        {
            var node = Setting(property, around);
            if (property.AllowsNull || schema.MayLack(name, property))
            {
                node = OrNull(node);
            }

            properties[name] = Explained(property, node, required: schema.Required.Contains(name));
        }

        var record = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (schema.Required.Any())
        {
            record["required"] = new JsonArray([.. schema.Required.Select(r => (JsonNode)r)]);
        }

        return record;
    }

    private static JsonObject OrNull(JsonObject node)
    {
        if (node["defaultSnippets"] is { } snippets)
        {
            node.Remove("defaultSnippets"); // They would keep the types from becoming one.
            node = AnyOf(node, Null());
            node["defaultSnippets"] = snippets;
            return node;
        }

        return AnyOf(node, Null());
    }

    private static JsonObject Explained(SettingSchema property, JsonObject node, bool required)
    {
        string meaning = property.Description is not { } description ? "" : description.EndsWith('.') ? description : description + ".";
        string? standard = required ? "required" : property.Default is { } value ? Written(value) : null;
        string plain = $"Takes {property.Describe()}.", marked = $"Takes {property.Takes}.";
        if (property.Unit is { } unit && unit != "1")
        {
            marked += $" Unit: **{unit}**.";
        }

        if (standard is not null)
        {
            plain += required ? " Required." : $" Default: {standard}.";
            marked += required ? " **Required.**" : $" Default: `{standard}`.";
        }

        node.Insert(0, "description", $"{meaning} {plain}".TrimStart());
        node.Insert(1, "markdownDescription", meaning.Length == 0 ? marked : $"{Plain(meaning)}\n\n{marked}");
        if (property.Default is { } initial)
        {
            node["default"] = initial.DeepClone();
        }

        return node;
    }

    /// <summary>Text in which Markdown would see marks of its own, such as <c>*.csv</c>.</summary>
    private static string Plain(string text) => Regex.Replace(text, @"([\\`*_<>\[\]])", @"\$1");

    /// <summary>A value as a pipeline writes it, on one line.</summary>
    /// <param name="value">JSON.</param>
    public static string Written(JsonNode value) => value switch
    {
        JsonArray list => $"[{string.Join(", ", list.Select(v => v is null ? "null" : Written(v)))}]",
        JsonObject record => record.Count == 0 ? "{}" : $"{{ {string.Join(", ", record.Where(p => p.Value is not null).Select(p => $"{p.Key}: {Written(p.Value!)}"))} }}",
        _ when value.GetValueKind() == JsonValueKind.String => (string)value! is { Length: > 0 } text ? text : "''",
        _ when value.GetValueKind() == JsonValueKind.Number => SettingSchema.Shown(double.Parse(value.ToJsonString(), CultureInfo.InvariantCulture)),
        _ => value.ToJsonString(),
    };

    private static JsonObject NumberOrQuantity(string type, (double? Least, double? Most) bounds, string expected)
    {
        var number = new JsonObject { ["type"] = type };
        if (bounds.Least is { } least)
        {
            number["minimum"] = least;
        }

        if (bounds.Most is { } most)
        {
            number["maximum"] = most;
        }

        return Refusing(expected, AnyOf(number, Pattern((bounds.Least >= 0 ? @"^\+?" : "^[-+]?") + Quantity, expected)));
    }

    /// <summary>What is told of a value that is neither is told of scalars only: of records it would stand in the place of what is wrong within.</summary>
    private static JsonObject OneOrList(JsonObject element, int least, string expected)
    {
        var list = List(element, least);
        return least > 1 ? Refusing(expected, list) : element.ContainsKey("errorMessage") ? Refusing(expected, AnyOf(element, list)) : AnyOf(element, list);
    }
}
