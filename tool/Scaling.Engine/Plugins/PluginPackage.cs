// A plugin that is a package: known by its description, brought to this machine when one of its actions runs.
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>A package that holds a plugin.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Version">Exact version.</param>
public sealed record PluginPackage(string Id, string Version)
{
    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";
}

/// <summary>Brings packages to this machine.</summary>
public interface IPluginPackages
{
    /// <summary>The main assembly of a plugin, fetched and laid out with everything it needs where it is not there yet.</summary>
    /// <param name="package">Which.</param>
    /// <param name="cancel">Stops fetching; what came stays.</param>
    /// <returns>Absolute path.</returns>
    /// <exception cref="StageFailedException">SCAL61xx: there is no such package, or it is not what it should be.</exception>
    /// <exception cref="InfrastructureException">No source can be reached, or the disk is full.</exception>
    Task<string> Fetch(PluginPackage package, CancellationToken cancel);
}

/// <summary>
/// <c>plugin.json</c>: what a plugin is and declares, written when the tool is packed, so that pipelines are checked, planned and explained without the package. It holds the same digests as the key
/// entries of a plugin that was built here, so both give the same keys.
/// </summary>
/// <param name="Package">Where its code is.</param>
/// <param name="Assembly">File name of its main assembly.</param>
/// <param name="Code">Its <c>assembly</c> and <c>library</c> entries.</param>
/// <param name="Natives">The packages of its <c>native.json</c>, without their folders.</param>
/// <param name="Stages">What it declares.</param>
public sealed record PluginDescription(PluginPackage Package, string Assembly, IReadOnlyList<KeyEntry> Code, JsonArray Natives, IReadOnlyList<StageDescriptor> Stages)
{
    /// <summary>Name of the file in a plugin's folder.</summary>
    public const string FileName = "plugin.json";

    /// <summary>Reads a description.</summary>
    /// <param name="path">Of a <see cref="FileName"/>.</param>
    public static PluginDescription Read(string path)
    {
        using var document = JsonDocument.Parse(File.ReadAllBytes(path), new JsonDocumentOptions { AllowDuplicateProperties = false });
        var root = document.RootElement;
        return new PluginDescription(
            new PluginPackage(root.Text("package"), root.Text("version")), root.Text("assembly"), root.List("code", KeyEntry.Read),
            JsonArray.Create(root.GetProperty("natives").Clone())!, root.List("stages", DescriptorReader.Read));
    }

    /// <summary>As it stands in the file.</summary>
    public string ToJson() => new JsonObject
    {
        ["package"] = Package.Id,
        ["version"] = Package.Version,
        ["assembly"] = Assembly,
        ["code"] = new JsonArray([.. Code.Select(e => JsonSerializer.SerializeToNode(e))]),
        ["natives"] = Natives.DeepClone(),
        ["stages"] = new JsonArray([.. Stages.Select(s => JsonSerializer.SerializeToNode(s, StageDescriptor.Json))]),
    }.ToJsonString();
}
