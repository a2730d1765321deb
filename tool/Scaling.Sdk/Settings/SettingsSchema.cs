// The JSON schema of a settings record: one source for validation, defaults, help and editors.
using System.ComponentModel;
using System.ComponentModel.DataAnnotations;
using System.Reflection;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Schema;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;

namespace Scaling.Sdk;

/// <summary>Makes JSON schemas of settings records and reads and writes their values.</summary>
/// <remarks>
/// Beside the standard words the schema has <c>x-unit</c>, <c>x-needs-feedback</c> (<c>true</c>), <c>enumDescriptions</c> (a text for each of <c>enum</c>), and for a <see cref="FileSet"/> <c>x-files</c>, an object of
/// <c>named</c> (name to glob) and <c>schemes</c>. Whole numbers of 32 bits have the <c>format</c> <c>int32</c>. A property without
/// <c>default</c> and not in <c>required</c> may be absent.
/// </remarks>
public static class SettingsSchema
{
    /// <summary>How settings are read and written: snake case, enums as words with dashes, unknown properties refused.</summary>
    public static JsonSerializerOptions Json { get; } = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        NumberHandling = JsonNumberHandling.Strict,
        RespectNullableAnnotations = true,
        Converters = { new JsonStringEnumConverter(JsonNamingPolicy.KebabCaseLower, allowIntegerValues: false) },
        TypeInfoResolver = new DefaultJsonTypeInfoResolver(),
    };

    /// <summary>The schema of a settings record.</summary>
    /// <typeparam name="TSettings">Properties with initial values; see <see cref="Stage{TSettings}"/>.</typeparam>
    public static JsonObject Of<TSettings>()
        where TSettings : class
    {
        var exporter = new JsonSchemaExporterOptions { TreatNullObliviousAsNonNullable = true, TransformSchemaNode = Describe };
        var schema = (JsonObject)Json.GetJsonSchemaAsNode(typeof(TSettings), exporter);
        AddDefaults(schema, typeof(TSettings));
        return schema;
    }

    private static JsonNode Describe(JsonSchemaExporterContext context, JsonNode schema)
    {
        var attributes = context.PropertyInfo?.AttributeProvider;
        if (context.TypeInfo.Type == typeof(FileSet))
        {
            schema = FileSetSchema(attributes);
        }

        if ((Nullable.GetUnderlyingType(context.TypeInfo.Type) ?? context.TypeInfo.Type) == typeof(int) && schema is JsonObject whole)
        {
            whole["format"] = "int32";
        }

        if (schema is not JsonObject node || attributes is null)
        {
            return schema;
        }

        if (One<DescriptionAttribute>(attributes) is { } description)
        {
            node.Insert(0, "description", description.Description);
        }

        if (One<UnitAttribute>(attributes) is { } unit)
        {
            node["x-unit"] = unit.Unit;
        }

        if (One<NeedsFeedbackAttribute>(attributes) is not null)
        {
            node["x-needs-feedback"] = true;
        }

        if (One<RangeAttribute>(attributes) is { } range)
        {
            var bounded = ElementOf(node);
            AddBound(bounded, "minimum", range.Minimum);
            AddBound(bounded, "maximum", range.Maximum);
        }

        if (One<AllowedValuesAttribute>(attributes) is { } allowed)
        {
            ElementOf(node)["enum"] = new JsonArray([.. allowed.Values.Select(v => JsonSerializer.SerializeToNode(v))]);
        }

        AddMeanings(ElementOf(node), [.. attributes.GetCustomAttributes(typeof(ChoiceAttribute), inherit: true).Cast<ChoiceAttribute>()]);
        if (One<MinLengthAttribute>(attributes) is { } atLeast)
        {
            node["minItems"] = atLeast.Length;
        }

        return node;
    }

    /// <summary>A text beside each choice; empty where nothing is said of it.</summary>
    private static void AddMeanings(JsonObject node, ChoiceAttribute[] meanings)
    {
        if (meanings.Length == 0)
        {
            return;
        }

        string?[] values = [.. (node["enum"] as JsonArray ?? []).Select(v => (string?)v)];
        if (Array.Find(meanings, m => !values.Contains(m.Value)) is { } stray)
        {
            throw new InvalidOperationException($"a setting says what its value '{stray.Value}' means, and takes {string.Join(", ", values)}");
        }

        node["enumDescriptions"] = new JsonArray([.. values.Select(v => (JsonNode)(Array.Find(meanings, m => m.Value == v)?.Meaning ?? ""))]);
    }

    /// <summary>Bounds and choices of a list or dictionary hold for its elements.</summary>
    private static JsonObject ElementOf(JsonObject node) => (node["items"] ?? node["additionalProperties"]) as JsonObject ?? node;

    private static JsonObject FileSetSchema(ICustomAttributeProvider? attributes)
    {
        var named = new JsonObject();
        foreach (var files in attributes?.GetCustomAttributes(typeof(NamedFilesAttribute), false).Cast<NamedFilesAttribute>() ?? [])
        {
            named[files.Name] = files.Pattern;
        }

        var schemes = attributes is null ? null : One<FileSchemesAttribute>(attributes)?.Schemes;
        return new JsonObject
        {
            ["type"] = "string",
            ["x-files"] = new JsonObject { ["named"] = named, ["schemes"] = new JsonArray([.. (schemes ?? []).Select(s => (JsonNode)s)]) },
        };
    }

    /// <summary>
    /// Writes the initial value of every property that has one as <c>default</c>; <c>required</c> ones and nulls have none. Records within
    /// records, within lists and behind a null have theirs too: they count once the user writes such a record.
    /// </summary>
    private static void AddDefaults(JsonObject schema, Type type)
    {
        if (schema["properties"] is not JsonObject properties || type.GetConstructor(Type.EmptyTypes) is null)
        {
            return;
        }

        object initial = Activator.CreateInstance(type)!;
        foreach (var property in Json.GetTypeInfo(type).Properties)
        {
            if (properties[property.Name] is not JsonObject node)
            {
                continue;
            }

            if (!property.IsRequired && property.Get?.Invoke(initial) is { } value)
            {
                node["default"] = JsonSerializer.SerializeToNode(value, property.PropertyType, Json);
            }

            AddElementDefaults(node, property.PropertyType);
        }
    }

    private static void AddElementDefaults(JsonObject node, Type type)
    {
        while (Json.GetTypeInfo(type).ElementType is { } element && (node["items"] ?? node["additionalProperties"]) is JsonObject inner)
        {
            (node, type) = (inner, element);
        }

        AddDefaults(node, type);
    }

    /// <summary>JSON knows no infinity; a bound that is infinite binds nothing and is left out.</summary>
    private static void AddBound(JsonObject bounded, string word, object bound)
    {
        if (bound is int whole)
        {
            bounded[word] = whole;
        }
        else if (Convert.ToDouble(bound) is var number && double.IsFinite(number))
        {
            bounded[word] = number;
        }
    }

    private static T? One<T>(ICustomAttributeProvider attributes)
        where T : Attribute => attributes.GetCustomAttributes(typeof(T), inherit: true).OfType<T>().FirstOrDefault();
}
