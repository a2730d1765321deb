// What JSON objects of one form have in common: names, and the narrowest C# types that hold every value.
using System.Globalization;
using System.Text.Json;

namespace Scaling.Cli;

/// <summary>A type of C#.</summary>
/// <param name="Kind">What its values are in JSON.</param>
/// <param name="IsNullable">Whether a value is null or missing somewhere.</param>
/// <param name="Item">Of a list: its elements.</param>
/// <param name="Shape">Of an object: its names.</param>
internal sealed record JsonType(JsonType.Of Kind, bool IsNullable, JsonType? Item = null, JsonShape? Shape = null)
{
    /// <summary>What values of a type are. <see cref="Any"/>: of several kinds, or null alone.</summary>
    internal enum Of
    {
        Bool, Int, Long, Double, String, List, Object, Any,
    }

    /// <summary>As a declaration says it.</summary>
    public string Text => NotNull + (IsNullable ? "?" : "");

    /// <summary>Without the question mark.</summary>
    public string NotNull => Kind switch
    {
        Of.Bool => "bool",
        Of.Int => "int",
        Of.Long => "long",
        Of.Double => "double",
        Of.String => "string",
        Of.List => $"global::System.Collections.Generic.IReadOnlyList<{Item!.Text}>",
        Of.Object => CSharpNames.Escaped(Shape!.TypeName),
        _ => "object",
    };

    /// <summary>The type of some values; null stands for a missing one.</summary>
    /// <param name="values">All of them.</param>
    /// <param name="typeName">Of a record, where they are objects, and the beginning of those within it.</param>
    /// <param name="jsonName">As JSON names them.</param>
    /// <param name="types">Names of types that are taken.</param>
    public static JsonType OfValues(IReadOnlyList<JsonElement?> values, string typeName, string jsonName, HashSet<string> types)
    {
        JsonElement[] present = [.. values.OfType<JsonElement>().Where(v => v.ValueKind != JsonValueKind.Null)];
        bool nullable = present.Length < values.Count;
        return present switch
        {
            [] => new JsonType(Of.Any, IsNullable: true),
            _ when present.All(v => v.ValueKind is JsonValueKind.True or JsonValueKind.False) => new JsonType(Of.Bool, nullable),
            _ when present.All(v => v.ValueKind == JsonValueKind.String) => new JsonType(Of.String, nullable),
            _ when present.All(v => v.ValueKind == JsonValueKind.Number) => new JsonType(Number(present), nullable),
            _ when present.All(v => v.ValueKind == JsonValueKind.Object) => new JsonType(Of.Object, nullable, Shape: JsonShape.OfObjects(typeName, present, [], jsonName, types)),
            _ when present.All(v => v.ValueKind == JsonValueKind.Array) =>
                new JsonType(Of.List, nullable, OfValues([.. present.SelectMany(v => v.EnumerateArray()).Cast<JsonElement?>()], typeName, jsonName, types)),
            _ => new JsonType(Of.Any, IsNullable: true),
        };
    }

    /// <summary>A value of the type as C#.</summary>
    /// <param name="value">Null: missing.</param>
    /// <param name="depth">Of the statement, in steps of four spaces.</param>
    public string Literal(JsonElement? value, int depth) => value is not { } present || present.ValueKind == JsonValueKind.Null ? "null" : Kind switch
    {
        Of.Bool => present.GetBoolean() ? "true" : "false",
        Of.Int => present.GetInt32().ToString(CultureInfo.InvariantCulture),
        Of.Long => present.GetInt64().ToString(CultureInfo.InvariantCulture) + "L",
        Of.Double => Number(present.GetDouble()),
        Of.String => CSharpNames.Literal(present.GetString()!),
        Of.List => $"new {Item!.Text}[] {{ {string.Concat(present.EnumerateArray().Select(v => Item.Literal(v, depth) + ", "))}}}",
        Of.Object => Shape!.Literal(present, depth),
        _ => present.ValueKind switch
        {
            JsonValueKind.True => "true",
            JsonValueKind.False => "false",
            JsonValueKind.Number => new JsonType(Number([present]), IsNullable: false).Literal(present, depth),
            JsonValueKind.String => CSharpNames.Literal(present.GetString()!),
            _ => CSharpNames.Literal(present.GetRawText()), // Neither a list nor an object has a type here: its JSON.
        },
    };

    private static Of Number(JsonElement[] values) =>
        values.All(v => IsWhole(v) && v.TryGetInt32(out _)) ? Of.Int : values.All(v => IsWhole(v) && v.TryGetInt64(out _)) ? Of.Long : Of.Double;

    /// <summary>Whether it is written as a whole number: <c>10000.0</c> is not, since its neighbours are not.</summary>
    private static bool IsWhole(JsonElement number) => number.GetRawText().IndexOfAny(['.', 'e', 'E']) < 0;

    private static string Number(double value)
    {
        string text = value.ToString("R", CultureInfo.InvariantCulture);
        return double.IsInfinity(value) ? $"double.{(value > 0 ? "Positive" : "Negative")}Infinity" : text.IndexOfAny(['.', 'E']) < 0 ? text + ".0" : text;
    }
}

/// <summary>A name of an object.</summary>
/// <param name="JsonName">In JSON.</param>
/// <param name="Name">In C#.</param>
/// <param name="Type">Of its values.</param>
internal sealed record JsonProperty(string JsonName, string Name, JsonType Type);

/// <summary>The names of some objects.</summary>
/// <param name="TypeName">Of the record.</param>
/// <param name="JsonName">Of the objects; empty for the whole file.</param>
/// <param name="Properties">In the order of the first object, then of the others.</param>
internal sealed record JsonShape(string TypeName, string JsonName, IReadOnlyList<JsonProperty> Properties)
{
    /// <summary>What the objects have in common.</summary>
    /// <param name="typeName">Of the record, where it is free.</param>
    /// <param name="objects">All of them.</param>
    /// <param name="reserved">Names that no property may have.</param>
    /// <param name="jsonName">As JSON names the objects.</param>
    /// <param name="types">Names of types that are taken; the shape's and those within it are added.</param>
    public static JsonShape OfObjects(string typeName, IReadOnlyList<JsonElement> objects, IEnumerable<string> reserved, string jsonName = "", HashSet<string>? types = null)
    {
        types ??= new HashSet<string>(StringComparer.Ordinal);
        string unique = CSharpNames.Unique(typeName, types);
        var taken = new HashSet<string>([unique, .. CSharpNames.OfEveryRecord, .. reserved], StringComparer.Ordinal);
        var properties = objects.SelectMany(o => o.EnumerateObject()).Select(p => p.Name).Distinct().Select(name => new JsonProperty(
            name,
            CSharpNames.Unique(CSharpNames.Pascal(name), taken),
            JsonType.OfValues([.. objects.Select(o => o.TryGetProperty(name, out var value) ? value : (JsonElement?)null)], unique + CSharpNames.Pascal(name), name, types)));
        return new JsonShape(unique, jsonName, [.. properties]);
    }

    /// <summary>This shape and those within it.</summary>
    public IEnumerable<JsonShape> WithNested() => [this, .. Properties.Select(p => Innermost(p.Type).Shape).OfType<JsonShape>().SelectMany(s => s.WithNested())];

    /// <summary>An object as C#.</summary>
    /// <param name="value">It.</param>
    /// <param name="depth">Of the statement, in steps of four spaces.</param>
    public string Literal(JsonElement value, int depth)
    {
        string indent = new(' ', 4 * depth);
        string values = string.Concat(Properties.Select(p =>
            $"{indent}    {CSharpNames.Escaped(p.Name)} = {p.Type.Literal(value.TryGetProperty(p.JsonName, out var found) ? found : null, depth + 1)},\n"));
        return $"new {CSharpNames.Escaped(TypeName)}\n{indent}{{\n{values}{indent}}}";
    }

    private static JsonType Innermost(JsonType type)
    {
        while (type.Item is { } item)
        {
            type = item;
        }

        return type;
    }
}
