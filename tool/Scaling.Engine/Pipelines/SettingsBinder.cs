// What stands under 'with:' to canonical settings: typed, defaults filled in, in the order of the schema.
using System.Text.Json.Nodes;
using Scaling.Sdk;

namespace Scaling.Engine.Pipelines;

/// <summary>A stage's settings as its key and its worker see them.</summary>
/// <param name="Settings">Canonical, see <see cref="SettingsBinder"/>; complete only where there are no findings.</param>
/// <param name="Positions">Where each value that the user wrote stands, by dotted path (<c>workload.prompt</c>, <c>sizes[0]</c>).</param>
/// <param name="Findings">SCAL2040 to 2046, in file order.</param>
public sealed record BoundSettings(JsonObject Settings, IReadOnlyDictionary<string, SourceLocation> Positions, IReadOnlyList<Diagnostic> Findings);

/// <summary>
/// Binds settings to a stage type's schema. Canonical means: one JSON text for all spellings of one meaning. Records have their properties in
/// the order of the schema with every default filled in, dictionaries are sorted by name, numbers are exact values (<c>16k</c> is
/// <c>16000</c>), one value where a list is expected is a list of one, and a null that means "absent" is absent.
/// </summary>
public static class SettingsBinder
{
    /// <summary>Binds the settings of a stage. It never throws for what the user wrote.</summary>
    /// <param name="with">The node under <c>with:</c>; null where there is none.</param>
    /// <param name="schema">As <c>SettingsSchema.Of</c> makes it.</param>
    /// <param name="stageType">For messages.</param>
    /// <param name="stageLocation">Where a missing setting is reported if there is no <c>with:</c>.</param>
    public static BoundSettings Bind(YamlNode? with, JsonObject schema, string stageType, SourceLocation stageLocation)
    {
        var binding = new Binding(stageType);
        var whole = new SettingSchema(schema);
        var node = with is null || with.IsNull ? new YamlMapping([], stageLocation) : with;
        JsonObject settings = binding.Value(node, whole, "") as JsonObject ?? [];
        return new BoundSettings(settings, binding.Positions, binding.Findings.InOrder());
    }

    /// <summary>The state of one binding.</summary>
    private sealed class Binding(string stageType)
    {
        public Findings Findings { get; } = new();

        public Dictionary<string, SourceLocation> Positions { get; } = new(StringComparer.Ordinal);

        /// <summary>The canonical value, or null where it is null, or was wrong and is reported.</summary>
        public JsonNode? Value(YamlNode node, SettingSchema schema, string path)
        {
            if (path.Length > 0)
            {
                Positions[path] = node.Location;
            }

            switch (node)
            {
                case YamlRefused:
                    return null;
                case { IsNull: true } when schema.AllowsNull:
                    return null;
                case { IsNull: false } when schema.Kind == SettingKind.List:
                    return List(node, schema, path);
                case YamlMapping mapping when schema.Kind == SettingKind.Record:
                    return Record(mapping, schema, path);
                case YamlMapping mapping when schema.Kind == SettingKind.Dictionary:
                    return Dictionary(mapping, schema, path);
                case YamlScalar { IsNull: false } scalar when schema.Kind is not (SettingKind.Record or SettingKind.Dictionary):
                    return new SettingScalar(path, schema, Findings).Read(scalar.Text, scalar.Quoted, scalar.Location);
                default:
                    Findings.Add(PipelineDiagnostics.WrongType(node.Location, path.Length > 0 ? path : "with", schema.Describe(), PipelineDiagnostics.Found(node)));
                    return null;
            }
        }

        private JsonObject Record(YamlMapping mapping, SettingSchema schema, string path)
        {
            var properties = schema.Properties;
            string[] names = [.. properties.Select(p => p.Name)];
            foreach (var (key, _) in mapping.Entries.Where(e => !names.Contains(e.Key.Text)))
            {
                Findings.Add(PipelineDiagnostics.UnknownSetting(key.Location, Owner(path), key.Text, names, Findings.Nearest(key.Text, names)));
            }

            var given = mapping.Entries.ToDictionary(e => e.Key.Text, e => e.Value, StringComparer.Ordinal);
            var record = new JsonObject();
            foreach (var (name, property) in properties)
            {
                string inner = path.Length == 0 ? name : $"{path}.{name}";
                if (given.TryGetValue(name, out var node) && !(node.IsNull && schema.MayLack(name, property)))
                {
                    record[name] = Value(node, property, inner);
                }
                else if (property.Default is { } standard)
                {
                    record[name] = Canonical(standard, property);
                }
                else if (!schema.MayLack(name, property) && !Findings.IsMisspelt(mapping, name, names))
                {
                    Findings.Add(PipelineDiagnostics.MissingSetting(mapping.Location, Owner(path), name, property.Describe()));
                }
            }

            return record;
        }

        private JsonObject Dictionary(YamlMapping mapping, SettingSchema schema, string path)
        {
            var dictionary = new JsonObject();
            var element = schema.Element;
            foreach (var (key, node) in mapping.Entries.OrderBy(e => e.Key.Text, StringComparer.Ordinal))
            {
                dictionary[key.Text] = Value(node, element, $"{path}.{key.Text}");
            }

            return dictionary;
        }

        private JsonArray List(YamlNode node, SettingSchema schema, string path)
        {
            var element = schema.Element;
            var nodes = node is YamlSequence sequence ? sequence.Items : [node];
            if (nodes.Count < schema.LeastItems)
            {
                Findings.Add(PipelineDiagnostics.TooFew(node.Location, path, schema.Describe(), nodes.Count));
            }

            var list = new JsonArray();
            for (int i = 0; i < nodes.Count; i++)
            {
                list.Add(Value(nodes[i], element, $"{path}[{i}]"));
            }

            return list;
        }

        /// <summary>A default as the binding of the same value would give it.</summary>
        private static JsonNode? Canonical(JsonNode? standard, SettingSchema schema)
        {
            switch (standard, schema.Kind)
            {
                case (JsonObject given, SettingKind.Record):
                    var kept = new JsonObject();
                    foreach (var (name, property) in schema.Properties)
                    {
                        if (given.TryGetPropertyValue(name, out var value) && !(value is null && schema.MayLack(name, property)))
                        {
                            kept[name] = Canonical(value, property);
                        }
                    }

                    return kept;
                case (JsonObject given, SettingKind.Dictionary):
                    var ordered = new JsonObject();
                    foreach (var (key, value) in given.OrderBy(p => p.Key, StringComparer.Ordinal))
                    {
                        ordered[key] = Canonical(value, schema.Element);
                    }

                    return ordered;
                case (JsonArray given, SettingKind.List):
                    return new JsonArray([.. given.Select(item => Canonical(item, schema.Element))]);
                case (JsonValue given, SettingKind.Whole or SettingKind.Number) when Quantity.TryParse(given.ToJsonString(), out var quantity):
                    return schema.Kind == SettingKind.Whole && quantity.TryWhole(out long whole) ? JsonValue.Create(whole)
                        : quantity.TryDouble(out double number) ? JsonValue.Create(number) : given.DeepClone();
                default:
                    return standard?.DeepClone();
            }
        }

        private string Owner(string path) => path.Length == 0 ? $"Stage type '{PipelineDiagnostics.Shown(stageType)}'" : $"Setting '{PipelineDiagnostics.Shown(path)}'";
    }
}
