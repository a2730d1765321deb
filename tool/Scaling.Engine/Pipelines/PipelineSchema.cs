// JSON Schema of a whole pipeline file, from which editors complete and check it.
using System.Collections.Immutable;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Executors;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Makes the schema (draft 2020-12). It accepts what <see cref="PipelineReader"/> and <see cref="SettingsBinder"/> accept, as far as a schema can
/// say: quantities beside numbers, one value beside a list. Stricter in one thing: text that looks like a number wants quotes.
/// </summary>
public static class PipelineSchema
{
    private const string QuantityPattern = @"^[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+|k|M|B|Ki|Mi|Gi)?$";
    private const string DurationPattern = @"^([0-9]+\.?[0-9]*|\.[0-9]+)[smhd]$";

    /// <summary>The schema of pipelines that use these stage types.</summary>
    /// <param name="stages">In the order in which an editor shall offer them.</param>
    public static JsonObject For(IReadOnlyList<StageDescriptor> stages)
    {
        var definitions = new JsonObject
        {
            ["stage"] = Stage(stages),
            ["executor"] = PlacementSchema.Executor(),
            ["resources"] = PlacementSchema.Resources(),
            ["quantity"] = Described("A number with an exponent or a suffix: k M B (thousand, million, billion), Ki Mi Gi (1024, 1024², 1024³).", Pattern(QuantityPattern)),
        };
        foreach (var stage in stages)
        {
            definitions["settings-" + stage.Declaration.Type] = Setting(new SettingSchema(stage.Settings), ImmutableHashSet.Create<object>(ReferenceEqualityComparer.Instance));
        }

        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "A pipeline of dotnet scaling",
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["name"] = Described("Name of the folder that takes the results. Default: the file's name without extension.", Pattern($"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{PipelineReader.LongestName - 1}}}$")),
                ["seed"] = Described("Seed of what stages share, such as the order of training data. Default: 0.", NumberOrQuantity("integer", (null, null))),
                ["plugins"] = Described("Stages beside those that the tool brings: packages from the sources of nuget.config, or assemblies whose paths are relative to this file.", Plugins()),
                ["executor"] = new JsonObject { ["$ref"] = "#/$defs/executor" },
                ["resources"] = new JsonObject { ["$ref"] = "#/$defs/resources" },
                ["stages"] = Described("Stages by id; each runs once all that it needs is there.", new JsonObject
                {
                    ["type"] = "object",
                    ["minProperties"] = 1,
                    ["propertyNames"] = Pattern($"^[A-Za-z][A-Za-z0-9_-]{{0,{PipelineReader.LongestName - 1}}}$"),
                    ["additionalProperties"] = new JsonObject { ["$ref"] = "#/$defs/stage" },
                }),
            },
            ["required"] = new JsonArray("stages"),
            ["additionalProperties"] = false,
            ["$defs"] = definitions,
        };
    }

    private static JsonObject Stage(IReadOnlyList<StageDescriptor> stages)
    {
        var text = new JsonObject { ["type"] = "string" };
        var sources = OneOrList(text);
        return new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["uses"] = new JsonObject
                {
                    ["description"] = "Stage type.",
                    ["oneOf"] = new JsonArray([.. stages.Select(s => new JsonObject { ["const"] = s.Declaration.Type, ["description"] = s.Declaration.Summary })]),
                },
                ["needs"] = Described("A stage, a list of stages, or a mapping of roles to stages or files.", AnyOf(
                    text.DeepClone(), List(text), new JsonObject { ["type"] = "object", ["additionalProperties"] = sources }, Null())),
                ["with"] = new JsonObject { ["description"] = "Settings of the stage type." },
                ["timeout"] = Described("The longest an action may go without progress, for example 30s, 10m or 2h.", Pattern(DurationPattern)),
                ["executor"] = new JsonObject { ["$ref"] = "#/$defs/executor" },
                ["resources"] = new JsonObject { ["$ref"] = "#/$defs/resources" },
            },
            ["required"] = new JsonArray("uses"),
            ["additionalProperties"] = false,
            ["allOf"] = new JsonArray([.. stages.Select(SettingsOf)]),
        };
    }

    /// <summary>If the stage uses that type, its settings are the type's; where one of them is required, 'with' is too.</summary>
    private static JsonObject SettingsOf(StageDescriptor stage)
    {
        bool required = new SettingSchema(stage.Settings).Required.Any();
        var settings = new JsonObject { ["$ref"] = "#/$defs/settings-" + stage.Declaration.Type };
        var then = new JsonObject { ["properties"] = new JsonObject { ["with"] = required ? settings : AnyOf(settings, Null()) } };
        if (required)
        {
            then["required"] = new JsonArray("with");
        }

        return new JsonObject
        {
            ["if"] = new JsonObject
            {
                ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["const"] = stage.Declaration.Type } },
                ["required"] = new JsonArray("uses"),
            },
            ["then"] = then,
        };
    }

    private static JsonObject Plugins() => List(new JsonObject
    {
        ["oneOf"] = new JsonArray(
            Words(("package", "Id of a package that holds stages."), ("version", "Exact (1.2.0), or one that is locked when it is resolved: floating (1.*), or a range ([1.0,2.0)).")),
            Words(("path", "Path of a built plugin's main assembly."))),
    });

    /// <summary>An object of these words, all needed.</summary>
    private static JsonObject Words(params (string Name, string Description)[] words) => new()
    {
        ["type"] = "object",
        ["properties"] = new JsonObject(words.Select(w => KeyValuePair.Create<string, JsonNode?>(w.Name, new JsonObject { ["type"] = "string", ["description"] = w.Description }))),
        ["required"] = new JsonArray([.. words.Select(w => (JsonNode)w.Name)]),
        ["additionalProperties"] = false,
    };

    /// <summary>The schema of a setting. A record within itself would unfold for ever: there anything goes, and the tool checks it.</summary>
    /// <param name="schema">As the stage describes it.</param>
    /// <param name="around">The records around it.</param>
    private static JsonObject Setting(SettingSchema schema, ImmutableHashSet<object> around) => schema.Kind switch
    {
        SettingKind.Record => around.Contains(schema.Identity) ? [] : Record(schema, around.Add(schema.Identity)),
        SettingKind.Dictionary => new JsonObject { ["type"] = "object", ["additionalProperties"] = Setting(schema.Element, around) },
        SettingKind.List => OneOrList(Setting(schema.Element, around), schema.LeastItems),
        _ when schema.Choices is { } choices => new JsonObject { ["enum"] = new JsonArray([.. choices.Select(c => JsonNode.Parse(c))]) },
        SettingKind.Whole => NumberOrQuantity("integer", schema.ToldBounds),
        SettingKind.Number => NumberOrQuantity("number", schema.ToldBounds),
        SettingKind.Truth => new JsonObject { ["type"] = "boolean" },
        _ => new JsonObject { ["type"] = "string" },
    };

    private static JsonObject Record(SettingSchema schema, ImmutableHashSet<object> around)
    {
        var properties = new JsonObject();
        foreach (var (name, property) in schema.Properties)
        {
            var node = Setting(property, around);
            if (property.AllowsNull || schema.MayLack(name, property))
            {
                node = AnyOf(node, Null());
            }

            properties[name] = Described(About(property), node);
            if (property.Default is { } standard)
            {
                properties[name]!["default"] = standard.DeepClone();
            }
        }

        var record = new JsonObject { ["type"] = "object", ["properties"] = properties, ["additionalProperties"] = false };
        if (schema.Required.Any())
        {
            record["required"] = new JsonArray([.. schema.Required.Select(r => (JsonNode)r)]);
        }

        return record;
    }

    private static string About(SettingSchema property)
    {
        var about = new List<string>();
        if (property.Description is { } description)
        {
            about.Add(description.EndsWith('.') ? description : description + ".");
        }

        about.Add($"Takes {property.Describe()}.");
        if (property.Default is JsonValue standard)
        {
            bool number = standard.GetValueKind() == JsonValueKind.Number;
            about.Add($"Default: {(number ? SettingSchema.Shown(double.Parse(standard.ToJsonString(), CultureInfo.InvariantCulture)) : standard)}.");
        }

        return string.Join(' ', about);
    }

    private static JsonObject NumberOrQuantity(string type, (double? Least, double? Most) bounds)
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

        return AnyOf(number, new JsonObject { ["$ref"] = "#/$defs/quantity" });
    }

    private static JsonObject OneOrList(JsonObject element, int least = 0)
    {
        var list = List(element);
        if (least > 0)
        {
            list["minItems"] = least;
        }

        return least > 1 ? list : AnyOf(element.DeepClone(), list);
    }

    private static JsonObject List(JsonObject element) => new() { ["type"] = "array", ["items"] = element.DeepClone() };

    private static JsonObject Null() => new() { ["type"] = "null" };

    private static JsonObject Pattern(string pattern) => new() { ["type"] = "string", ["pattern"] = pattern };

    private static JsonObject AnyOf(params JsonNode[] choices) => new() { ["anyOf"] = new JsonArray(choices) };

    private static JsonObject Described(string description, JsonObject node)
    {
        node.Insert(0, "description", description);
        return node;
    }
}
