// Settings as a test writes them, completed as the tool completes what stands in YAML.
using System.Text.Json.Nodes;

namespace Scaling.TestKit;

internal static class SettingsDefaults
{
    /// <summary>The settings with every default of the schema, records within records included; what the schema does not know stays as it is.</summary>
    public static JsonObject Complete(JsonObject settings, JsonObject schema)
    {
        var complete = new JsonObject();
        foreach (var (name, property) in schema["properties"]?.AsObject() ?? [])
        {
            if (settings[name] is { } given)
            {
                complete[name] = given is JsonObject nested && property!["properties"] is not null ? Complete(nested, property.AsObject()) : given.DeepClone();
            }
            else if (property!["default"] is { } standard)
            {
                complete[name] = standard.DeepClone();
            }
        }

        foreach (var (name, value) in settings)
        {
            complete[name] ??= value?.DeepClone();
        }

        return complete;
    }
}
