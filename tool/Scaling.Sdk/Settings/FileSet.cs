// A setting that names files of the user; the engine finds, digests and hands them over.
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Scaling.Sdk;

/// <summary>
/// Files that a setting names: a path or glob relative to the pipeline file (<c>data/*.txt</c>), with a scheme where the stage gives it a
/// meaning (<c>text:data/*.txt</c>), or a name that the stage declares with <see cref="NamedFilesAttribute"/> (<c>dotnet-docs</c>).
/// Keys hold the files' content in this order, never their paths.
/// </summary>
[JsonConverter(typeof(FileSetConverter))]
public sealed record FileSet
{
    /// <summary>A file set as the user writes it.</summary>
    /// <param name="text">Path, glob, <c>scheme:glob</c> or declared name.</param>
    public FileSet(string text) => Text = text;

    /// <summary>As the user wrote it.</summary>
    public string Text { get; }

    /// <summary>What stands before the colon, or the declared name; empty for a bare path.</summary>
    public string Scheme { get; init; } = "";

    /// <summary>
    /// Absolute paths, in ordinal order; filled in by the engine before a stage runs. Rows whose stage's prepare action reads the setting
    /// get none: they work on what that action made.
    /// </summary>
    public IReadOnlyList<string> Paths { get; init; } = [];
}

/// <summary>
/// Gives files of the machine a name that a <see cref="FileSet"/> setting can use. In the pattern <c>{dotnet}</c> is the .NET installation and
/// <c>{latest}</c> the highest version among the folder's entries.
/// </summary>
/// <param name="name">For example <c>dotnet-docs</c>.</param>
/// <param name="pattern">A glob; empty where the name stands for no file, as a choice that needs none.</param>
[AttributeUsage(AttributeTargets.Property, AllowMultiple = true)]
public sealed class NamedFilesAttribute(string name, string pattern) : Attribute
{
    /// <summary>For example <c>dotnet-docs</c>.</summary>
    public string Name { get; } = name;

    /// <summary>A glob; empty for no file.</summary>
    public string Pattern { get; } = pattern;
}

/// <summary>Schemes that a <see cref="FileSet"/> setting understands, for example <c>text</c> in <c>text:data/*.txt</c>.</summary>
/// <param name="schemes">Lower case.</param>
[AttributeUsage(AttributeTargets.Property)]
public sealed class FileSchemesAttribute(params string[] schemes) : Attribute
{
    /// <summary>Lower case.</summary>
    public IReadOnlyList<string> Schemes { get; } = schemes;
}

internal sealed class FileSetConverter : JsonConverter<FileSet>
{
    public override FileSet Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options)
    {
        if (reader.TokenType == JsonTokenType.String)
        {
            return new FileSet(reader.GetString()!);
        }

        using var document = JsonDocument.ParseValue(ref reader);
        var root = document.RootElement;
        return new FileSet(root.GetProperty("text").GetString()!)
        {
            Scheme = root.GetProperty("scheme").GetString()!,
            Paths = [.. root.GetProperty("paths").EnumerateArray().Select(p => p.GetString()!)],
        };
    }

    public override void Write(Utf8JsonWriter writer, FileSet value, JsonSerializerOptions options) => writer.WriteStringValue(value.Text);
}
