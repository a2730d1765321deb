// An entry of the store: what an action was, and what it made.
using System.Security.Cryptography;
using System.Text.Json;
using Scaling.Engine.Keys;

namespace Scaling.Engine.Store;

/// <summary>A file that an action made.</summary>
/// <param name="Name">As declared, with <c>/</c> as separator.</param>
/// <param name="Kind">As declared.</param>
/// <param name="Sha256">Of its content, 64 hex digits.</param>
/// <param name="Bytes">Size.</param>
public sealed record StoredFile(string Name, string Kind, string Sha256, long Bytes)
{
    /// <summary>Differs from run to run: enters no key.</summary>
    public bool Volatile { get; init; }

    /// <summary>Row it belongs to, in a collection; else null.</summary>
    public string? Point { get; init; }

    /// <summary>Content of a small file; null for one that is a blob.</summary>
    public byte[]? Inline { get; init; }

    /// <summary>Whether it can be a file that an action made: names that stay in their folder, a digest that is one, content that has it.</summary>
    internal bool IsSound =>
        StaysInside(Name) && Kind is not null && Sha256 is { Length: 64 } && Sha256.All(char.IsAsciiHexDigitLower) && Bytes >= 0 && (Point is null || (StaysInside(Point) && !Point.Contains('/')))
        && (Inline is null || (Inline.Length == Bytes && Convert.ToHexStringLower(SHA256.HashData(Inline)) == Sha256));

    /// <summary>Whether a name with <c>/</c> as separator stays below the folder in which it begins, and can be a file's.</summary>
    internal static bool StaysInside(string? name) =>
        !string.IsNullOrEmpty(name) && !name.Any(char.IsControl) && name.Split('/').All(part => part is not ("" or "." or ".."));

    /// <summary>Path below the stage's results.</summary>
    public string ResultName => Point is null ? Name : $"{Point}/{Name}";

    internal static StoredFile Read(JsonElement of) => new(of.Text("name"), of.Text("kind"), of.Text("sha256"), of.Whole("bytes"))
    {
        Volatile = of.Flag("volatile"), Point = of.TextOrNone("point"), Inline = of.BytesOrNone("inline"),
    };
}

/// <summary>A published action. Its presence under its key is the one truth; everything else may be rebuilt.</summary>
/// <param name="Key">See KEYS.md.</param>
/// <param name="Stage">Stage type.</param>
/// <param name="Point">The row's name; null without fan-out.</param>
/// <param name="Entries">What the key is made of.</param>
/// <param name="Files">What the action made.</param>
/// <param name="Seconds">What it took.</param>
/// <param name="Published">When.</param>
public sealed record Manifest(
    string Key, string Stage, string? Point, IReadOnlyList<KeyEntry> Entries, IReadOnlyList<StoredFile> Files, double Seconds, DateTimeOffset Published)
{
    /// <summary>Whether it can be what an action of that key published. A seal proves that the bytes are those that were written, and not that the writer was this tool.</summary>
    /// <param name="key">Under which it lies.</param>
    internal bool IsSound(string key) =>
        Key == key && Stage is not null && Entries is not null && Entries.All(e => e is not null) && Files is not null && Files.All(f => f is { IsSound: true }) && double.IsFinite(Seconds);

    /// <summary>Reads what was written of a manifest.</summary>
    /// <param name="json">UTF-8.</param>
    /// <exception cref="JsonException">It is no manifest.</exception>
    internal static Manifest Read(ReadOnlyMemory<byte> json)
    {
        using var document = JsonDocument.Parse(json);
        var of = document.RootElement;
        return new Manifest(
            of.Text("key"), of.Text("stage"), of.TextOrNone("point"), of.List("entries", KeyEntry.Read), of.List("files", StoredFile.Read), of.Number("seconds"), of.Time("published"));
    }
}
