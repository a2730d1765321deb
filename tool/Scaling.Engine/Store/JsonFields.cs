// Fields of JSON objects that we wrote ourselves, read without a serializer: its metadata would be most of what a run with nothing to do compiles.
using System.Text.Json;

namespace Scaling.Engine.Store;

/// <summary>Reads fields; what is missing or of another kind is a <see cref="JsonException"/> that names it.</summary>
internal static class JsonFields
{
    public static string Text(this JsonElement of, string name) => of.TextOrNone(name) ?? throw Missing(name, "text");

    public static string? TextOrNone(this JsonElement of, string name) =>
        !Has(of, name, out var value) ? null : value.ValueKind == JsonValueKind.String ? Decoded(value) : throw Missing(name, "text");

    public static long Whole(this JsonElement of, string name) =>
        !Has(of, name, out var value) ? 0 : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : throw Missing(name, "a whole number");

    public static double Number(this JsonElement of, string name) =>
        !Has(of, name, out var value) ? 0 : value.ValueKind == JsonValueKind.Number && value.TryGetDouble(out double number) ? number : throw Missing(name, "a number");

    public static bool Flag(this JsonElement of, string name) =>
        Has(of, name, out var value) && (value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Missing(name, "true or false"));

    public static DateTimeOffset Time(this JsonElement of, string name) =>
        Has(of, name, out var value) && value.ValueKind == JsonValueKind.String && value.TryGetDateTimeOffset(out var time) ? time : throw Missing(name, "a time");

    public static byte[]? BytesOrNone(this JsonElement of, string name) =>
        !Has(of, name, out var value) ? null : value.ValueKind == JsonValueKind.String && value.TryGetBytesFromBase64(out byte[]? bytes) ? bytes : throw Missing(name, "base 64");

    /// <summary>An object; null where there is none.</summary>
    public static JsonElement? ObjectOrNone(this JsonElement of, string name) =>
        !Has(of, name, out var value) ? null : value.ValueKind == JsonValueKind.Object ? value : throw Missing(name, "an object");

    /// <summary>The elements of a list; none where it is absent.</summary>
    public static T[] List<T>(this JsonElement of, string name, Func<JsonElement, T> read)
        where T : class
    {
        if (of.ValueKind == JsonValueKind.Object && !of.TryGetProperty(name, out _))
        {
            return [];
        }

        if (!Has(of, name, out var value) || value.ValueKind != JsonValueKind.Array)
        {
            throw Missing(name, "a list");
        }

        var items = new T[value.GetArrayLength()];
        int at = 0;
        foreach (var item in value.EnumerateArray())
        {
            items[at++] = read(item);
        }

        return items;
    }

    /// <summary>An element of a list that has to be text.</summary>
    public static string Word(JsonElement item) => item.ValueKind == JsonValueKind.String ? Decoded(item) : throw new JsonException("a list of texts holds something else");

    /// <summary>Half a surrogate pair and bytes that are no UTF-8 are found only here.</summary>
    private static string Decoded(JsonElement text)
    {
        try
        {
            return text.GetString()!;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException(e.Message, e);
        }
    }

    private static bool Has(JsonElement of, string name, out JsonElement value)
    {
        if (of.ValueKind != JsonValueKind.Object)
        {
            throw new JsonException($"there is no object for '{name}'");
        }

        try
        {
            return of.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;
        }
        catch (InvalidOperationException e)
        {
            throw new JsonException(e.Message, e); // A name beside it is half a surrogate pair.
        }
    }

    private static JsonException Missing(string name, string expected) => new($"'{name}' is not {expected}");
}
