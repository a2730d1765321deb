// native.json: packages with native libraries that a plugin loads by absolute path, because they are too large to lie beside it.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>A native package that a plugin needs.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Version">Exact version.</param>
/// <param name="Sha512">
/// Content hash of the package as published, base 64 as NuGet writes it. Null where it was not known when the plugin was built: the package then stands for itself and everything that it depends on, and all of it
/// has to be on this machine before a key can be made.
/// </param>
/// <param name="Folder">Where it lies on this machine, unpacked; enters no key. Null where it is not known to lie anywhere.</param>
public sealed record NativePackage(string Id, string Version, string? Sha512, string? Folder)
{
    /// <summary>Name of the file beside a plugin's main assembly.</summary>
    public const string FileName = "native.json";

    /// <summary>
    /// Values that an action's canonical settings must have for the package to be needed, by the settings' dotted path. An array stands for any of its elements, null for a setting that is absent, also from the
    /// stage's schema. Empty: always needed.
    /// </summary>
    public JsonObject When { get; init; } = [];

    /// <summary>The entry of a key.</summary>
    internal KeyEntry Entry => new(EntryKind.Native, Id, Sha512 is null ? Version : $"{Version} {Sha512}");

    /// <summary>Whether an action with these settings needs it.</summary>
    /// <param name="settings">Canonical: every default filled in.</param>
    public bool IsFor(JsonObject settings) => When.All(w => w.Value is JsonArray any ? any.Any(v => JsonNode.DeepEquals(v, At(settings, w.Key))) : JsonNode.DeepEquals(w.Value, At(settings, w.Key)));

    /// <summary>The packages of a <see cref="FileName"/>, in ordinal order of their ids; none where there is no such file.</summary>
    /// <param name="path">Of the file.</param>
    /// <exception cref="StageFailedException">SCAL6150: it is no such list.</exception>
    public static IReadOnlyList<NativePackage> ReadFile(string path)
    {
        if (!File.Exists(path))
        {
            return [];
        }

        try
        {
            return JsonNode.Parse(File.ReadAllText(path), documentOptions: new JsonDocumentOptions { AllowDuplicateProperties = false }) is JsonObject root && root["packages"] is JsonArray packages
                ? Read(packages)
                : throw new FormatException("there is no list 'packages'");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            throw new StageFailedException(
                "SCAL6150", $"{path} is no list of native packages: {Pipelines.PipelineDiagnostics.OnOneLine(e.Message)}.", """Expected {"packages":[{"id":"…","version":"…","sha512":"…","when":{"setting":"value"}}]}, sha512 and when being optional.""");
        }
    }

    /// <summary>The packages of a list, in ordinal order of their ids.</summary>
    /// <param name="packages">The list <c>packages</c> of a <see cref="FileName"/>.</param>
    /// <exception cref="FormatException">An entry lacks what it must have.</exception>
    public static IReadOnlyList<NativePackage> Read(JsonArray packages) =>
        [.. packages.Select((package, i) => One(package as JsonObject ?? throw new FormatException($"packages[{i}] is no object"), i)).OrderBy(p => p.Id, StringComparer.Ordinal)];

    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";

    private static NativePackage One(JsonObject package, int index)
    {
        string? folder = Text("folder");
        return new NativePackage(Text("id") is { Length: > 0 } id ? id : throw Missing("id"), Text("version") ?? throw Missing("version"), Text("sha512"), Directory.Exists(folder) ? folder : null)
        {
            When = package["when"] switch
            {
                null => [],
                JsonObject asked when asked.DeepClone() is var own && JsonNode.DeepEquals(asked, own) => own.AsObject(), // The comparison decodes every text: what is none is found here and not where settings are.
                _ => throw new FormatException($"packages[{index}] has a 'when' that is no object"),
            },
        };

        string? Text(string name) => package[name] is not { } value ? null : value is JsonValue && value.GetValueKind() == JsonValueKind.String ? value.GetValue<string>() : throw new FormatException($"packages[{index}] has a '{name}' that is no text");
        FormatException Missing(string name) => new($"packages[{index}] has no '{name}'");
    }

    private static JsonNode? At(JsonObject settings, string path)
    {
        JsonNode? at = settings;
        foreach (string name in path.Split('.'))
        {
            at = (at as JsonObject)?[name];
        }

        return at;
    }
}

/// <summary>Native packages that a stage's actions need.</summary>
/// <param name="Packages">
/// All that <c>native.json</c> names for the stage's settings, in ordinal order. What is to be found of them: one with a folder is as it is; one with a content hash alone, that package with those bytes; one without a
/// hash, that package with everything that it depends on, except the others of this list and what these depend on (what a managed library needs is no native package).
/// </param>
public sealed record NativeRequest(IReadOnlyList<NativePackage> Packages);

/// <summary>Knows where native packages lie, and brings those that are not on this machine.</summary>
public interface INativePackages
{
    /// <summary>Looks on this machine alone, in milliseconds.</summary>
    /// <param name="request">For a stage.</param>
    /// <param name="cancel">Stops looking.</param>
    /// <returns>Everything the request stands for, each with content hash and folder, in any order; null where some of it is not here.</returns>
    Task<IReadOnlyList<NativePackage>?> Find(NativeRequest request, CancellationToken cancel);

    /// <summary>Fetches what is not on this machine. It is called for one stage at a time.</summary>
    /// <param name="request">For a stage.</param>
    /// <param name="cancel">Stops fetching; what came stays.</param>
    /// <returns>As <see cref="Find"/>, never null.</returns>
    /// <exception cref="StageFailedException">SCAL61xx: there is no such package, or it is not what it should be.</exception>
    /// <exception cref="InfrastructureException">No source can be reached, or the disk is full.</exception>
    Task<IReadOnlyList<NativePackage>> Fetch(NativeRequest request, CancellationToken cancel);
}
