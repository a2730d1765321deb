// JSON Schema of a whole pipeline file, from which editors complete and check it.
using System.Text.Json.Nodes;
using Scaling.Engine.Executors;
using Scaling.Sdk;
using static Scaling.Engine.Pipelines.SchemaNodes;

namespace Scaling.Engine.Pipelines;

/// <summary>
/// Makes the schema (draft 2020-12, with words of yaml-language-server). It accepts what <see cref="PipelineReader"/> and <see cref="SettingsBinder"/> accept, as far as a schema can say.
/// A stage type that it does not know is refused where the pipeline names no plugins.
/// </summary>
public static class PipelineSchema
{
    /// <summary>The schema of pipelines that use these stage types.</summary>
    /// <param name="stages">In the order in which an editor shall offer them.</param>
    public static JsonObject For(IReadOnlyList<StageDescriptor> stages)
    {
        var stage = new StageNodes(stages);
        var definitions = new JsonObject
        {
            ["stage"] = stage.Stage(),
            ["executor"] = PlacementSchema.Executor(),
            ["resources"] = PlacementSchema.Resources(),
        };
        foreach (var described in stages)
        {
            string type = described.Declaration.Type;
            var settings = SettingNodes.Of(new SettingSchema(described.Settings));
            settings.Insert(0, "title", "settings of " + type);
            definitions["settings-" + type] = settings;
        }

        return new JsonObject
        {
            ["$schema"] = "https://json-schema.org/draft/2020-12/schema",
            ["title"] = "A pipeline of dotnet scaling",
            ["type"] = "object",
            ["properties"] = new JsonObject
            {
                ["name"] = Described("Name of the folder that takes the results. Default: the file's name without extension.", Pattern($"^[A-Za-z0-9][A-Za-z0-9._-]{{0,{PipelineReader.LongestName - 1}}}$", "Expected a name of letters, digits, '.', '_' and '-'; quotes where it looks like a number.")),
                ["seed"] = Described("Seed of what stages share, such as the order of training data. Default: 0.", SettingNodes.Whole()),
                ["plugins"] = Described("Stages beside those that the tool brings: packages from the sources of nuget.config, or assemblies whose paths are relative to this file.", Plugins()),
                ["executor"] = Reference("executor"),
                ["resources"] = Reference("resources"),
                ["stages"] = Described("Stages by id; each runs once all that it needs is there.", new JsonObject
                {
                    ["type"] = "object",
                    ["minProperties"] = 1,
                    ["propertyNames"] = Pattern(StageNodes.IdPattern, "Expected a stage's name: a letter, then letters, digits, '_' and '-'."),
                    ["additionalProperties"] = Reference("stage"),
                    ["defaultSnippets"] = stage.Snippets(),
                }),
            },
            ["required"] = new JsonArray("stages"),
            ["additionalProperties"] = false,
            ["if"] = new JsonObject { ["properties"] = new JsonObject { ["plugins"] = new JsonObject { ["type"] = "array", ["minItems"] = 1 } }, ["required"] = new JsonArray("plugins") },
            ["else"] = new JsonObject { ["properties"] = new JsonObject { ["stages"] = new JsonObject { ["additionalProperties"] = stage.KnownTypes() } } },
            ["$defs"] = definitions,
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
}
