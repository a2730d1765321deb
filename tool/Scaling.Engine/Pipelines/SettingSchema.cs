// One node of a settings schema, in the words of who reads or describes a setting.
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.Engine.Pipelines;

/// <summary>A setting of a record.</summary>
/// <param name="Name">As YAML writes it.</param>
/// <param name="Schema">What it takes.</param>
internal sealed record SettingProperty(string Name, SettingSchema Schema);

/// <summary>What a setting takes.</summary>
internal enum SettingKind
{
    /// <summary>A record: known settings by name.</summary>
    Record,

    /// <summary>A dictionary: any names, values of one schema.</summary>
    Dictionary,

    /// <summary>A list.</summary>
    List,

    /// <summary>A whole number.</summary>
    Whole,

    /// <summary>Any number.</summary>
    Number,

    /// <summary>True or false.</summary>
    Truth,

    /// <summary>Text, a choice of words, or files.</summary>
    Text,
}

/// <summary>Reads the JSON schema that <c>Scaling.Sdk.SettingsSchema</c> writes; that is less than all of JSON Schema.</summary>
internal sealed class SettingSchema
{
    private readonly JsonObject _node;
    private readonly JsonObject _target;
    private readonly JsonObject _root;
    private readonly string? _unit;

    /// <summary>The schema of a whole settings record.</summary>
    public SettingSchema(JsonObject root)
        : this(root, root)
    {
    }

    private SettingSchema(JsonObject node, JsonObject root, string? unit = null)
    {
        _unit = unit;
        _node = node;
        _root = root;
        _target = Follow(node, root);
    }

    public SettingKind Kind
    {
        get
        {
            var types = Types;
            return types.Contains("object") || _target["properties"] is not null ? _target["additionalProperties"] is JsonObject ? SettingKind.Dictionary : SettingKind.Record
                : types.Contains("array") ? SettingKind.List
                : types.Contains("integer") ? SettingKind.Whole
                : types.Contains("number") ? SettingKind.Number
                : types.Contains("boolean") ? SettingKind.Truth
                : SettingKind.Text;
        }
    }

    public bool AllowsNull => Types.Contains("null") || (_target["enum"] as JsonArray)?.Any(v => v is null) == true;

    /// <summary>The same for all places that refer to one description.</summary>
    public object Identity => _target;

    /// <summary>The value of an absent setting; null where it stays absent.</summary>
    public JsonNode? Default => _node["default"] ?? _target["default"];

    /// <summary>The unit of a bare number; elements have that of their list.</summary>
    public string? Unit => (string?)(_node["x-unit"] ?? _target["x-unit"]) ?? _unit;

    public string? Description => (string?)(_node["description"] ?? _target["description"]);

    /// <summary>As many elements at least; 0 without a bound.</summary>
    public int LeastItems => (int)(Number("minItems") ?? 0);

    /// <summary>Element of a list, or value of a dictionary.</summary>
    public SettingSchema Element => new((JsonObject)(_target["items"] ?? _target["additionalProperties"])!, _root, Unit);

    /// <summary>Settings of a record, in the order that its canonical form has.</summary>
    public IReadOnlyList<SettingProperty> Properties
    {
        get
        {
            var properties = new List<SettingProperty>();
            foreach (var (name, schema) in _target["properties"] as JsonObject ?? [])
            {
                properties.Add(new SettingProperty(name, new SettingSchema((JsonObject)schema!, _root)));
            }

            return properties;
        }
    }

    /// <summary>Names of a record's settings that have no default and may not be absent.</summary>
    public IEnumerable<string> Required => (_target["required"] as JsonArray ?? []).Select(r => (string)r!);

    /// <summary>Whether a record may be without that setting, which then says the same as a null.</summary>
    public bool MayLack(string name, SettingSchema property) => property.Default is null && !Required.Contains(name);

    /// <summary>The values that are allowed, as JSON; null where any is.</summary>
    public IReadOnlyList<string>? Choices => (_target["enum"] as JsonArray)?.Where(v => v is not null).Select(v => v!.ToJsonString()).ToList();

    /// <summary>What each of <see cref="Choices"/> means, empty where nothing is said of it; null where nothing is said of any.</summary>
    public IReadOnlyList<string>? Meanings => (_target["enumDescriptions"] as JsonArray)?.Take(Choices?.Count ?? 0).Select(m => (string)m!).ToList();

    /// <summary>Whether the text names files.</summary>
    public bool IsFiles => _target["x-files"] is not null;

    /// <summary>Names that the stage gives to files.</summary>
    public IReadOnlyList<string> FileNames => [.. (_target["x-files"]?["named"] as JsonObject ?? []).Select(n => n.Key)];

    /// <summary>What may stand before the colon.</summary>
    public IReadOnlyList<string> FileSchemes => [.. (_target["x-files"]?["schemes"] as JsonArray ?? []).Select(s => (string)s!)];

    public double Minimum => Number("minimum") ?? (IsInt32 ? int.MinValue : double.NegativeInfinity);

    public double Maximum => Number("maximum") ?? (IsInt32 ? int.MaxValue : double.PositiveInfinity);

    /// <summary>The bounds that are worth telling: those of the number's type are not.</summary>
    public (double? Least, double? Most) ToldBounds =>
        (Minimum > int.MinValue ? Minimum : null, Maximum < (IsInt32 ? int.MaxValue : (double)long.MaxValue) ? Maximum : null);

    public bool IsInt32 => (string?)_target["format"] == "int32";

    /// <summary>What is expected, for example <c>a whole number from 1 to 64 (layers)</c>.</summary>
    public string Describe() => Told(withUnit: true);

    /// <summary>The same where the unit stands apart: <c>a whole number from 1 to 64</c>.</summary>
    public string Takes => Told(withUnit: false);

    /// <summary>A number as it stands in messages: <c>64</c>, <c>100M</c>, <c>1e15</c>, <c>0.5</c>.</summary>
    public static string Shown(double number) =>
        number != 0 && number % 1e9 == 0 && Math.Abs(number) < 1e15 ? $"{number / 1e9}B"
        : number != 0 && number % 1e6 == 0 && Math.Abs(number) < 1e9 ? $"{number / 1e6}M"
        : Math.Abs(number) is >= 1e15 or < 1e-4 and not 0 ? number.ToString("0.################e0", CultureInfo.InvariantCulture)
        : number.ToString(CultureInfo.InvariantCulture);

    private IReadOnlyList<string> Types => _target["type"] switch
    {
        JsonArray several => [.. several.Select(t => (string)t!)],
        JsonValue one => [(string)one!],
        _ => [],
    };

    /// <summary>By way of text, since a schema that has not travelled holds ints where a double is asked for, and JsonNode converts none.</summary>
    private double? Number(string word) =>
        _target[word] is { } number ? double.Parse(number.ToJsonString(), CultureInfo.InvariantCulture) : null;

    private string Told(bool withUnit) => Kind switch
    {
        _ when Choices is { } choices => "one of " + string.Join(", ", choices.Select(c => c.Trim('"'))),
        SettingKind.Record => "a mapping with " + string.Join(", ", Properties.Select(p => p.Name)),
        SettingKind.Dictionary => "a mapping of names to values, each " + Element.Told(withUnit),
        SettingKind.List => (LeastItems > 0 ? $"a list of {LeastItems} or more, each " : "a list, each ") + Element.Told(withUnit),
        SettingKind.Whole => "a whole number" + Range() + (withUnit ? InUnit() : ""),
        SettingKind.Number => "a number" + Range() + (withUnit ? InUnit() : ""),
        SettingKind.Truth => "true or false",
        _ when IsFiles => "files: " + string.Join(", ", FileNames.Concat(FileSchemes.Select(s => s + ":PATH")).Append("a path or glob")),
        _ => "text",
    };

    private string InUnit() => Unit is { } unit and not "1" ? $" ({unit})" : "";

    private string Range() => ToldBounds switch
    {
        ({ } least, { } most) => $" from {Shown(least)} to {Shown(most)}",
        ({ } least, null) => $" of at least {Shown(least)}",
        (null, { } most) => $" of at most {Shown(most)}",
        _ => "",
    };

    /// <summary>A type that appears again, be it in itself, may be exported as a JSON pointer to where it stands first.</summary>
    private static JsonObject Follow(JsonObject node, JsonObject root)
    {
        if (node["$ref"] is not JsonValue reference)
        {
            return node;
        }

        JsonNode target = root;
        foreach (string step in ((string)reference!).Split('/').Skip(1))
        {
            target = target[step] ?? throw new JsonException($"the settings schema refers to {(string)reference!}, which it does not hold");
        }

        return Follow((JsonObject)target, root);
    }
}
