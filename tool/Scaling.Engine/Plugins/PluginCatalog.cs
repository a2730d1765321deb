// Which stage types there are, what they declare, and what their code is, without loading any.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Keys;
using Scaling.Engine.Store;
using Scaling.Engine.Workers;
using Scaling.Sdk;

namespace Scaling.Engine.Plugins;

/// <summary>A stage type with the code behind it.</summary>
/// <param name="Descriptor">What it declares.</param>
/// <param name="Assembly">Path of the plugin's main assembly; its file name alone where <see cref="Package"/> has to be fetched first.</param>
/// <param name="CodeEntries">The <c>assembly</c> and <c>library</c> entries of its keys.</param>
/// <param name="Natives">The native packages that its <c>native.json</c> names for any settings; <see cref="Planning.StageNode.Natives"/> are those of a stage.</param>
public sealed record StageType(
    StageDescriptor Descriptor, string Assembly, IReadOnlyList<KeyEntry> CodeEntries, IReadOnlyList<NativePackage> Natives)
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
            return Task.FromResult(OfDescription(description));
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
        string natives = Path.Combine(Path.GetDirectoryName(assembly)!, NativePackage.FileName);
        var packages = File.Exists(natives) ? JsonNode.Parse(await File.ReadAllTextAsync(natives).ConfigureAwait(false))!["packages"]!.DeepClone().AsArray() : [];
        foreach (var package in packages)
        {
            package!.AsObject().Remove("folder"); // Where it lies here tells nobody anything.
        }

        return new PluginDescription(
            new PluginPackage(Path.GetFileNameWithoutExtension(assembly), version), Path.GetFileName(assembly),
            types[0].CodeEntries, packages, [.. types.Select(t => t.Descriptor)]);
    }

    /// <summary>The file came with the tool and can only be damaged; whatever reading it then throws says the same.</summary>
    private static IReadOnlyList<StageType> OfDescription(string path)
    {
        try
        {
            var plugin = PluginDescription.Read(path);
            DeclarationCheck.Demand(plugin.Stages, plugin.Assembly);
            foreach (var stage in plugin.Stages)
            {
                Pipelines.SettingsBinder.Bind(null, stage.Settings, stage.Declaration.Type, new SourceLocation(path, 1, 1)); // Its schema can be read.
            }

            return OfPackage(plugin);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            throw new InfrastructureException("SCAL6001", $"{path} is not what the tool was packed with: {Pipelines.PipelineDiagnostics.OnOneLine(e.Message)}", "Install the tool again.");
        }
    }

    private static IReadOnlyList<StageType> OfPackage(PluginDescription plugin)
    {
        var natives = NativePackage.Read(plugin.Natives);
        return [.. plugin.Stages.Select(stage => new StageType(stage, plugin.Assembly, plugin.Code, natives) { Package = plugin.Package })];
    }

    private async Task<IReadOnlyList<StageType>> DescribeAnew(string assembly)
    {
        string folder = Path.GetDirectoryName(assembly)!;
        string[] assemblies = [.. Directory.EnumerateFiles(folder, "*.dll").Select(f => Path.GetFileName(f)!).Order(StringComparer.Ordinal)];
        var digests = assemblies.ToDictionary(name => name, name => store.Digest(Path.Combine(folder, name)), StringComparer.Ordinal);
        KeyEntry[] entries =
        [
            new(EntryKind.Format, "key", ActionKey.FormatRevision),
            new(EntryKind.Stage, "action", "describe"),
            new(EntryKind.Contract, "version", $"{typeof(IStage).Assembly.GetName().Version}"),
            new(EntryKind.Framework, "major", $"{Environment.Version.Major}"),
            new("main", "assembly", Path.GetFileName(assembly)),
            .. assemblies.Select(name => new KeyEntry(EntryKind.Assembly, name, digests[name])),
        ];
        string key = ActionKey.Of(entries);
        var manifest = store.Find(key);
        if (manifest is null)
        {
            ContractCheck.Demand(assembly);
            string description = await workers.Describe(assembly).ConfigureAwait(false);
            var file = store.Take(Encoding.UTF8.GetBytes(description), "description.json", "description");
            manifest = new Manifest(key, "describe", null, entries, [file], 0, store.Now);
            store.Publish(manifest);
        }

        var natives = NativePackage.ReadFile(Path.Combine(folder, NativePackage.FileName));
        using var described = JsonDocument.Parse(store.Content(manifest.Files[0]));
        var root = described.RootElement;
        KeyEntry[] code =
        [
            .. root.List("closure", JsonFields.Word).Select(name => new KeyEntry(EntryKind.Assembly, name, digests[name])),
            .. Libraries(folder).Select(name => new KeyEntry(EntryKind.Library, name, store.Digest(Path.Combine(folder, name)))),
        ];
        var stages = root.List("stages", DescriptorReader.Read);
        DeclarationCheck.Demand(stages, assembly);
        return [.. stages.Select(stage => new StageType(stage, assembly, code, natives))];
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
}
