// NAME.lock.json beside NAME.yaml: what a finished study was made of, by content, so that another machine can tell whether its results still belong to the pipeline.
using System.Text.Encodings.Web;
using System.Text.Json;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Locks;

/// <summary>A package that a pipeline's plugins are made of.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Version">Exact, normalised version: three or four numbers, and a label where there is one.</param>
/// <param name="Sha512">NuGet's content hash: SHA-512 of the package without its signature, in base64.</param>
public sealed record LockedPackage(string Id, string Version, string Sha512)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";
}

/// <summary>A plugin of the pipeline as it was resolved.</summary>
/// <param name="Package">Package id.</param>
/// <param name="Requested">The version as the pipeline asks for it.</param>
/// <param name="Closure">The package first, then everything it needs, ordered by id.</param>
public sealed record LockedPlugin(string Package, string Requested, IReadOnlyList<LockedPackage> Closure);

/// <summary>What a stage's results were made of.</summary>
/// <param name="Type">Stage type.</param>
/// <param name="Portable">What every machine must agree on: code, settings, data, inputs. <c>kind name</c> to value.</param>
/// <param name="Local">What belongs to the machine that ran: its device class, texts of its SDK. The other machine takes it as it stands here.</param>
/// <param name="Results">SHA-256 by name below the stage's folder. <c>*/NAME</c> stands for the files of that name of all rows.</param>
public sealed record LockedStage(
    string Type, IReadOnlyDictionary<string, string> Portable, IReadOnlyDictionary<string, string> Local, IReadOnlyDictionary<string, string> Results);

/// <summary>The lock of a pipeline.</summary>
/// <param name="Tool">Version of the tool that wrote it.</param>
/// <param name="Plugins">In the pipeline's order.</param>
/// <param name="Stages">By id, in the pipeline's order; empty where no run has finished yet.</param>
public sealed record PipelineLock(string Tool, IReadOnlyList<LockedPlugin> Plugins, IReadOnlyDictionary<string, LockedStage> Stages)
{
    private const int Format = 1;

    /// <summary>Where a pipeline's lock lies.</summary>
    /// <param name="pipeline">Path of the pipeline file.</param>
    public static string PathOf(string pipeline) => Path.ChangeExtension(pipeline, ".lock.json");

    /// <summary>Reads a lock; null where there is none.</summary>
    /// <param name="path">Of the lock.</param>
    /// <exception cref="StageFailedException">SCAL9056: it is no lock, or one of a later format.</exception>
    public static PipelineLock? Read(string path)
    {
        if (!File.Exists(path))
        {
            return null;
        }

        try
        {
            using var document = JsonDocument.Parse(File.ReadAllText(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
            var root = document.RootElement;
            return root.Whole("format") == Format
                ? new PipelineLock(
                    root.Text("tool"),
                    root.List("plugins", p => new LockedPlugin(p.Text("package"), p.Text("requested"), [.. Texts(p, "closure").Select(c => Package(c.Key, c.Value))])),
                    Each(root, "stages", s => new LockedStage(s.Text("type"), Entries(s, "portable"), Entries(s, "local"), Results(s))))
                : throw new FormatException($"its format is {root.Whole("format")}, this tool knows {Format}");
        }
        catch (Exception e) when (e is JsonException or FormatException or InvalidOperationException)
        {
            string what = Pipelines.PipelineDiagnostics.OnOneLine(e.Message);
            var place = e as JsonException;
            throw new StageFailedException([new Diagnostic("SCAL9056", $"The lock cannot be read: {what}")
            {
                Location = new SourceLocation(path, (int)(place?.LineNumber ?? 0) + 1, (int)(place?.BytePositionInLine ?? 0) + 1), Hint = "Run the pipeline, which writes it anew, or take the version from your repository's history.",
            }]);
        }
    }

    /// <summary>As <see cref="Read"/>; a lock that cannot be read is told of, and counts as none, so that a run writes it anew.</summary>
    /// <param name="path">Of the lock.</param>
    /// <param name="report">Takes the warning SCAL9056.</param>
    public static PipelineLock? ReadOrTell(string path, Action<Diagnostic> report)
    {
        try
        {
            return Read(path);
        }
        catch (StageFailedException e)
        {
            report(e.Diagnostics[0] with { Severity = Severity.Warning });
            return null;
        }
    }

    /// <summary>Writes the lock where it says something else than the file.</summary>
    /// <param name="path">Of the lock.</param>
    /// <exception cref="IOException">It cannot be written.</exception>
    public void Write(string path)
    {
        Files.Durable.RemoveAsides(path); // It lies in the user's folder, where nobody else cleans up.
        byte[] text = ToJson();
        if (!File.Exists(path) || !File.ReadAllBytes(path).AsSpan().SequenceEqual(text))
        {
            Files.Durable.Write(path, text);
        }
    }

    /// <summary>Member by member: a serializer would be most of what a run with nothing to do takes to compare its lock.</summary>
    private byte[] ToJson()
    {
        using var text = new MemoryStream();
        using (var json = new Utf8JsonWriter(text, new JsonWriterOptions { Indented = true, NewLine = "\n", Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping }))
        {
            json.WriteStartObject();
            json.WriteNumber("format", Format);
            json.WriteString("tool", Tool);
            json.WriteStartArray("plugins");
            foreach (var plugin in Plugins)
            {
                json.WriteStartObject();
                json.WriteString("package", plugin.Package);
                json.WriteString("requested", plugin.Requested);
                json.WriteStartObject("closure");
                foreach (var package in plugin.Closure)
                {
                    json.WriteString(package.Id, $"{package.Version} {package.Sha512}");
                }

                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteStartObject("stages");
            foreach (var (id, stage) in Stages)
            {
                json.WriteStartObject(id);
                json.WriteString("type", stage.Type);
                Write(json, "portable", stage.Portable);
                Write(json, "local", stage.Local);
                Write(json, "results", stage.Results);
                json.WriteEndObject();
            }

            json.WriteEndObject();
            json.WriteEndObject();
        }

        text.WriteByte((byte)'\n');
        return text.ToArray();
    }

    private static void Write(Utf8JsonWriter json, string name, IReadOnlyDictionary<string, string> texts)
    {
        json.WriteStartObject(name);
        foreach (var (key, value) in texts)
        {
            json.WriteString(key, value);
        }

        json.WriteEndObject();
    }

    private static Dictionary<string, string> Entries(JsonElement node, string name) => Texts(node, name, "is no entry, 'KIND NAME'", entry => entry.IndexOf(' ') > 0);

    /// <summary>Locks come with repositories of strangers, and files are read and placed by these names.</summary>
    private static Dictionary<string, string> Results(JsonElement node) => Texts(node, "results", "leads out of the stage's folder", StoredFile.StaysInside);

    private static Dictionary<string, string> Texts(JsonElement node, string name, string otherwise, Func<string, bool> holds) =>
        Texts(node, name) is var texts && texts.Keys.FirstOrDefault(t => !holds(t)) is { } wrong ? throw new FormatException($"'{wrong}' among '{name}' {otherwise}") : texts;

    private static Dictionary<string, string> Texts(JsonElement node, string name) => Each(node, name, JsonFields.Word);

    private static Dictionary<string, T> Each<T>(JsonElement node, string name, Func<JsonElement, T> read)
        where T : class
    {
        var items = new Dictionary<string, T>(StringComparer.Ordinal);
        foreach (var item in (node.ObjectOrNone(name) ?? throw new JsonException($"'{name}' is missing")).EnumerateObject())
        {
            items.Add(item.Name, read(item.Value));
        }

        return items;
    }

    private static LockedPackage Package(string id, string text) =>
        text.Split(' ') is [var version, var hash] ? new LockedPackage(id, version, hash) : throw new FormatException($"'{id}' has no version and hash");
}
