// One stage of a pipeline as an editor completes, explains and checks it: its type, what it needs, its settings, and snippets to begin with.
using System.Text.Json.Nodes;
using Scaling.Sdk;
using static Scaling.Engine.Pipelines.SchemaNodes;

namespace Scaling.Engine.Pipelines;

/// <summary>Makes the schema of a stage. What a stage needs is checked by itself: which stages there are, and what they give, no schema can know.</summary>
/// <param name="stages">Those that are described; plugins may bring others.</param>
internal sealed class StageNodes(IReadOnlyList<StageDescriptor> stages)
{
    private const string DurationPattern = @"^([0-9]+\.?[0-9]*|\.[0-9]+)[smhd]$";
    private const string DurationExpected = "Expected a time with its unit, such as 30s, 10m or 2h.";
    private const string NeedsMeaning = "A stage, a list of stages, or a mapping of roles to stages or files.";

    private const string FeedbackMeaning = "A stage, or a list of stages, further down: what they gave comes back to this one, which lists more, round by round, until it lists nothing new.";

    /// <summary>Expected of a stage's name.</summary>
    public static string IdPattern { get; } = $"^[A-Za-z][A-Za-z0-9_-]{{0,{PipelineReader.LongestName - 1}}}$";

    private static JsonObject Id => Pattern(IdPattern, "Expected the name of a stage. A file needs its role: needs: { runs: my/runs.csv }.");

    private static JsonObject Below => Pattern(IdPattern, "Expected the name of a stage that needs this one, directly or through others.");

    /// <summary>Any stage; of the described types with their needs and settings.</summary>
    public JsonObject Stage() => new()
    {
        ["title"] = "a stage",
        ["type"] = "object",
        ["properties"] = new JsonObject
        {
            ["uses"] = Described("Stage type.", new JsonObject { ["type"] = "string", ["anyOf"] = new JsonArray(Types(), new JsonObject { ["pattern"] = "." }) }),
            ["needs"] = AnyOf(Id, List(Id), new JsonObject { ["type"] = "object", ["additionalProperties"] = Sources(most: null) }, Null()),
            ["feedback"] = Described(FeedbackMeaning, AnyOf(Below, List(Below), Null())),
            ["with"] = Described("Settings of the stage type.", new JsonObject { ["type"] = new JsonArray("object", "null") }),
            ["timeout"] = Described("The longest an action may go without progress, for example 30s, 10m or 2h.", Refusing(DurationExpected, Pattern(DurationPattern, DurationExpected))),
            ["executor"] = Reference("executor"),
            ["resources"] = Reference("resources"),
        },
        ["required"] = new JsonArray("uses"),
        ["additionalProperties"] = false,
        ["allOf"] = new JsonArray([OfOtherTypes(), .. stages.Select(OfType)]),
    };

    /// <summary>Only the described types; for a pipeline that names no plugins.</summary>
    public JsonObject KnownTypes() => new()
    {
        ["properties"] = new JsonObject
        {
            ["uses"] = Refusing($"There is no such stage type. There are: {string.Join(", ", stages.Select(s => s.Declaration.Type))}; others come with 'plugins:'.", Types()),
        },
    };

    /// <summary>Whole stages to begin with, as their declarations show them.</summary>
    public JsonArray Snippets() => [.. stages.Select(s => new JsonObject { ["label"] = "stage: " + s.Declaration.Type, ["description"] = s.Declaration.Summary, ["body"] = Example(s) })];

    /// <summary>The stage that its declaration shows, else one of its required words.</summary>
    private static JsonObject Example(StageDescriptor stage)
    {
        if (YamlReader.ReadText(stage.Declaration.Type, stage.Declaration.Example, new Findings()) is YamlMapping shown)
        {
            return (JsonObject)Json(shown)!;
        }

        var body = new JsonObject { ["uses"] = stage.Declaration.Type };
        string[] roles = [.. stage.Declaration.Inputs.Where(i => i.Cardinality == Cardinality.One).Select(i => i.Name)];
        if (roles.Length > 0)
        {
            body["needs"] = new JsonObject(roles.Select(r => KeyValuePair.Create<string, JsonNode?>(r, "")));
        }

        string[] settings = [.. new SettingSchema(stage.Settings).Required];
        if (settings.Length > 0)
        {
            body["with"] = new JsonObject(settings.Select(s => KeyValuePair.Create<string, JsonNode?>(s, "")));
        }

        return new JsonObject { [stage.Declaration.Type] = body };
    }

    /// <summary>Numbers stay the text that they are: 16k is one.</summary>
    private static JsonNode? Json(YamlNode node) => node switch
    {
        YamlMapping mapping => new JsonObject(mapping.Entries.Select(e => KeyValuePair.Create(e.Key.Text, Json(e.Value)))),
        YamlSequence list => new JsonArray([.. list.Items.Select(Json)]),
        YamlScalar { Quoted: false } scalar when long.TryParse(scalar.Text, out long whole) => whole,
        YamlScalar { Quoted: false } scalar when double.TryParse(scalar.Text, System.Globalization.CultureInfo.InvariantCulture, out double number) => number,
        YamlScalar scalar => scalar.Text,
        _ => null,
    };

    private JsonObject Types() => new()
    {
        ["enum"] = new JsonArray([.. stages.Select(s => (JsonNode)s.Declaration.Type)]),
        ["enumDescriptions"] = new JsonArray([.. stages.Select(s => (JsonNode)s.Declaration.Summary)]),
    };

    /// <summary>Where the type is not known, or not written yet, it can only be said what needs are: an editor shows the first description that it finds.</summary>
    private JsonObject OfOtherTypes() => new()
    {
        ["if"] = new JsonObject { ["not"] = new JsonObject { ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["enum"] = (JsonArray)Types()["enum"]!.DeepClone() } }, ["required"] = new JsonArray("uses") } },
        ["then"] = new JsonObject { ["properties"] = new JsonObject { ["needs"] = new JsonObject { ["description"] = NeedsMeaning } } },
    };

    /// <summary>If the stage uses that type, its needs and settings are the type's; what has something required is required itself.</summary>
    private JsonObject OfType(StageDescriptor stage)
    {
        string type = stage.Declaration.Type;
        InputRole[] inputs = [.. stage.Declaration.Inputs.Where(i => !i.Feedback)];
        bool required = new SettingSchema(stage.Settings).Required.Any(), needs = inputs.Any(i => i.Cardinality == Cardinality.One);
        var settings = Reference("settings-" + type);
        var then = new JsonObject
        {
            ["properties"] = new JsonObject
            {
                ["needs"] = inputs.Length == 0 ? Nothing(type) : Needs(inputs),
                ["with"] = required ? settings : AnyOf(settings, Null()),
            },
        };
        if (inputs.Length == stage.Declaration.Inputs.Count)
        {
            then["properties"]!["feedback"] = Refusing($"'{type}' takes no feedback: remove it.", Null());
        }

        if (required || needs)
        {
            then["required"] = new JsonArray([.. new[] { needs ? "needs" : null, required ? "with" : null }.OfType<string>().Select(w => (JsonNode)w)]);
        }

        return new JsonObject
        {
            ["if"] = new JsonObject { ["properties"] = new JsonObject { ["uses"] = new JsonObject { ["const"] = type } }, ["required"] = new JsonArray("uses") },
            ["then"] = then,
        };
    }

    private static JsonObject Nothing(string type) =>
        Refusing($"'{type}' needs nothing: remove it.", new JsonObject { ["type"] = new JsonArray("null", "array", "object"), ["maxItems"] = 0, ["maxProperties"] = 0 });

    private JsonObject Needs(IReadOnlyList<InputRole> roles)
    {
        InputRole[] demanded = [.. roles.Where(r => r.Cardinality == Cardinality.One)];
        InputRole[] byKind = [.. roles.Where(r => r.Name == r.Kind || !roles.Any(o => o.Name == r.Kind && o.Kind == r.Kind))];
        var named = new JsonObject
        {
            ["type"] = "object",
            ["properties"] = new JsonObject(roles.Select(r => KeyValuePair.Create<string, JsonNode?>(r.Name, Role(r)))),
            ["additionalProperties"] = false,
        };
        if (demanded.Length > 0)
        {
            named["required"] = new JsonArray([.. demanded.Select(r => (JsonNode)r.Name)]);
        }

        var listed = List(Id, demanded.Length > 0 ? 1 : 0, byKind.Any(r => r.Cardinality == Cardinality.Many) ? null : byKind.Length);
        return Described(
            $"{NeedsMeaning} It takes {string.Join(", ", roles.Select(r => r.Name + Often(r)))}.",
            AnyOf(byKind.Length > 0 ? [Id, listed, named, .. demanded.Length > 0 ? [] : new[] { Null() }] : [named]));
    }

    private JsonObject Role(InputRole role)
    {
        string[] givers = [.. stages.Where(s => s.Declaration.Outputs.Any(o => !o.Volatile && o.Kind == role.Kind)).Select(s => s.Declaration.Type)];
        return Described($"Kind: {role.Kind}{Often(role)}, of {(givers.Length == 0 ? "" : $"a stage that uses {string.Join(" or ", givers)}, or of ")}a file.", Sources(role.Cardinality == Cardinality.Many ? null : 1));
    }

    private static string Often(InputRole role) => role.Cardinality switch
    {
        Cardinality.One => " (required)", Cardinality.Many => " (any number)", _ => "",
    };

    private static JsonObject Sources(int? most) => AnyOf(Text(), List(Text(), 0, most));
}
