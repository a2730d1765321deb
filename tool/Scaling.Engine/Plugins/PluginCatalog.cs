// Which stage types there are, what they declare, and what their code is, without loading any.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>A native package that a plugin needs.</summary>
/// <param name="Id">Package id.</param>
/// <param name="Version">Exact version.</param>
/// <param name="Sha512">Content hash of the package as published.</param>
/// <param name="Folder">Where it lies on this machine; enters no key.</param>
public sealed record NativePackage(string Id, string Version, string Sha512, string Folder);

/// <summary>A stage type with the code behind it.</summary>
/// <param name="Descriptor">What it declares.</param>
/// <param name="Assembly">Path of the plugin's main assembly; its file name alone where <see cref="Package"/> has to be fetched first.</param>
/// <param name="CodeEntries">The <c>assembly</c>, <c>library</c> and <c>native</c> entries of its keys.</param>
/// <param name="NativeFolders">Folders of its native packages.</param>
public sealed record StageType(
    StageDescriptor Descriptor, string Assembly, IReadOnlyList<KeyEntry> CodeEntries, IReadOnlyList<string> NativeFolders)
{
    /// <summary>The package that holds the code; null where it lies at <see cref="Assembly"/>.</summary>
    public PluginPackage? Package { get; init; }

    /// <summary>What the stage declares.</summary>
    public StageDeclaration Declaration => Descriptor.Declaration;
}

/// <summary>Finds plugins and describes them through a worker, once per content.</summary>
/// <param name="store">Remembers descriptions.</param>
/// <param name="workers">Describes what is new.</param>
/// <param name="builtIn">The tool's <c>plugins</c> folder: one folder a stage type, named like it.</param>
public sealed class PluginCatalog(ContentStore store, WorkerPool workers, string builtIn)
{
    private readonly Dictionary<string, Task<IReadOnlyList<StageType>>> _described = [];

    /// <summary>Names of the built-in stage types, in ordinal order.</summary>
    public IReadOnlyList<string> BuiltIn { get; } = Directory.Exists(builtIn)
        ? [.. Directory.EnumerateDirectories(builtIn).Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)]
        : [];

    /// <summary>The stage types of the built-in plugin of that name.</summary>
    /// <param name="type">One of <see cref="BuiltIn"/>.</param>
    public Task<IReadOnlyList<StageType>> DescribeBuiltIn(string type)
    {
        string description = Path.Combine(builtIn, type, PluginDescription.FileName);
        if (File.Exists(description))
        {
            return Task.FromResult(OfPackage(PluginDescription.Read(description)));
        }

        string[] named = Directory.GetFiles(Path.Combine(builtIn, type), "*.deps.json");
        return named is [var deps]
            ? Describe(deps[..^".deps.json".Length] + ".dll")
            : throw new InfrastructureException("SCAL6001", $"The tool's plugin folder {Path.Combine(builtIn, type)} is not whole.", "Build or install the tool again.");
    }

    /// <summary>The stage types of a plugin.</summary>
    /// <param name="assembly">Absolute path of its main assembly.</param>
    /// <exception cref="StageFailedException">SCAL6xxx: it is no plugin.</exception>
    public Task<IReadOnlyList<StageType>> Describe(string assembly)
    {
        lock (_described)
        {
            if (!_described.TryGetValue(assembly, out var described))
            {
                _described[assembly] = described = DescribeAnew(assembly);
            }

            return described;
        }
    }

    /// <summary>Describes a plugin for those who will have its package alone.</summary>
    /// <param name="assembly">Absolute path of its main assembly, which is named like the package.</param>
    /// <param name="version">The package's.</param>
    public async Task<PluginDescription> DescribePackage(string assembly, string version)
    {
        var types = await Describe(assembly).ConfigureAwait(false);
        string natives = Path.Combine(Path.GetDirectoryName(assembly)!, "native.json");
        var packages = File.Exists(natives) ? JsonNode.Parse(await File.ReadAllTextAsync(natives).ConfigureAwait(false))!["packages"]!.DeepClone().AsArray() : [];
        foreach (var package in packages)
        {
            package!.AsObject().Remove("folder"); // Where it lies here tells nobody anything.
        }

        return new PluginDescription(
            new PluginPackage(Path.GetFileNameWithoutExtension(assembly), version), Path.GetFileName(assembly),
            [.. types[0].CodeEntries.Where(e => e.Kind != EntryKind.Native)], packages, [.. types.Select(t => t.Descriptor)]);
    }

    private static IReadOnlyList<StageType> OfPackage(PluginDescription plugin)
    {
        var natives = plugin.Natives.Select(n => new KeyEntry(EntryKind.Native, n!["id"]!.GetValue<string>(), $"{n["version"]!.GetValue<string>()} {n["sha512"]?.GetValue<string>()}")).OrderBy(n => n.Name, StringComparer.Ordinal);
        KeyEntry[] code = [.. plugin.Code, .. natives];
        return [.. plugin.Stages.Select(stage => new StageType(stage, plugin.Assembly, code, []) { Package = plugin.Package })];
    }

    private async Task<IReadOnlyList<StageType>> DescribeAnew(string assembly)
    {
        ContractCheck.Demand(assembly);
        string folder = Path.GetDirectoryName(assembly)!;
        var digests = Directory.EnumerateFiles(folder, "*.dll").ToDictionary(f => Path.GetFileName(f)!, store.Digest, StringComparer.Ordinal);
        KeyEntry[] entries =
        [
            new(EntryKind.Format, "key", ActionKey.FormatRevision),
            new(EntryKind.Stage, "action", "describe"),
            new(EntryKind.Contract, "revision", $"{Contract.Revision}"),
            new(EntryKind.Framework, "major", $"{Environment.Version.Major}"),
            new("main", "assembly", Path.GetFileName(assembly)),
            .. digests.OrderBy(d => d.Key, StringComparer.Ordinal).Select(d => new KeyEntry(EntryKind.Assembly, d.Key, d.Value)),
        ];
        string key = ActionKey.Of(entries);
        var manifest = store.Find(key);
        if (manifest is null)
        {
            string description = await workers.Describe(assembly).ConfigureAwait(false);
            var file = store.Take(Encoding.UTF8.GetBytes(description), "description.json", "description");
            manifest = new Manifest(key, "describe", null, entries, [file], 0, store.Now);
            store.Publish(manifest);
        }

        var natives = Natives(folder);
        var root = JsonNode.Parse(store.Content(manifest.Files[0]))!;
        KeyEntry[] code =
        [
            .. root["closure"]!.AsArray().Select(n => n!.GetValue<string>()).Select(name => new KeyEntry(EntryKind.Assembly, name, digests[name])),
            .. Libraries(folder).Select(name => new KeyEntry(EntryKind.Library, name, store.Digest(Path.Combine(folder, name)))),
            .. natives.Select(n => new KeyEntry(EntryKind.Native, n.Id, $"{n.Version} {n.Sha512}")),
        ];
        StageDescriptor[] stages = [.. root["stages"]!.AsArray().Select(s => s.Deserialize<StageDescriptor>(StageDescriptor.Json)!)];
        DeclarationCheck.Demand(stages, assembly);
        return [.. stages.Select(stage => new StageType(stage, assembly, code, [.. natives.Select(n => n.Folder)]))];
    }

    /// <summary>
    /// What a plugin can load beside assemblies that it refers to, relative to its folder, in ordinal order: native libraries in it, and everything
    /// in its <c>runtimes</c> folder, where builds put what differs between systems.
    /// </summary>
    private static IEnumerable<string> Libraries(string folder)
    {
        string runtimes = Path.Combine(folder, "runtimes");
        return Directory.EnumerateFiles(folder)
            .Where(f => Path.GetFileName(f) is var name && (name.EndsWith(".so", StringComparison.Ordinal) || name.Contains(".so.", StringComparison.Ordinal) || name.EndsWith(".dylib", StringComparison.Ordinal)))
            .Concat(Directory.Exists(runtimes) ? Directory.EnumerateFiles(runtimes, "*", SearchOption.AllDirectories) : [])
            .Select(f => Path.GetRelativePath(folder, f)).Order(StringComparer.Ordinal);
    }

    /// <summary>Reads <c>native.json</c> beside a plugin: the native packages that it loads by absolute path.</summary>
    private static IReadOnlyList<NativePackage> Natives(string folder)
    {
        string path = Path.Combine(folder, "native.json");
        if (!File.Exists(path))
        {
            return [];
        }

        var packages = JsonNode.Parse(File.ReadAllText(path))!["packages"]!.AsArray();
        return
        [
            .. packages.Select(p => new NativePackage(
                p!["id"]!.GetValue<string>(), p["version"]!.GetValue<string>(), p["sha512"]!.GetValue<string>(), p["folder"]!.GetValue<string>()))
                .OrderBy(p => p.Id, StringComparer.Ordinal),
        ];
    }
}
