// The packages of one pipeline: those that its lock tells of, else those that its sources give.
using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Nodes;
using Scaling.Engine.Files;
using Scaling.Engine.Locks;
using Scaling.Engine.Pipelines;
using Scaling.Engine.Plugins;
using Scaling.Engine.Store;
using Scaling.Plugins;
using Scaling.Sdk;

namespace Scaling.Cli;

/// <summary>Whether a lock may be added to.</summary>
internal enum LockUse
{
    /// <summary>What the lock does not tell is resolved.</summary>
    Resolve,

    /// <summary>What the lock does not tell is refused.</summary>
    Locked,
}

/// <summary>Brings plugins as a pipeline's lock says. NuGet is touched only where something is not laid out yet.</summary>
internal sealed class PipelinePackages : IPluginPackages, INativePackages, IDisposable
{
    private readonly string _folder;
    private readonly ContentStore _store;
    private readonly LockUse _use;
    private readonly IPackageObserver _observer;
    private readonly Lazy<PackageSources> _sources;
    private readonly ConcurrentDictionary<PluginPackage, LockedPlugin> _resolved = new();

    /// <param name="folder">The pipeline's, where nuget.config is looked for upward.</param>
    /// <param name="store">Its machine cache holds layouts and downloads.</param>
    /// <param name="held">The pipeline's lock; null for none.</param>
    /// <param name="use">Whether it may be added to.</param>
    /// <param name="observer">Hears of downloads.</param>
    public PipelinePackages(string folder, ContentStore store, PipelineLock? held, LockUse use, IPackageObserver observer)
    {
        (_folder, _store, Held, _use, _observer) = (folder, store, held, use, observer);
        _sources = new Lazy<PackageSources>(() => PackageSources.Open(_folder, _store.MachineCachePath, _observer));
    }

    /// <summary>The pipeline's lock as it was read; null for none.</summary>
    public PipelineLock? Held { get; }

    /// <summary>NuGet's door, opened when first asked for.</summary>
    public PackageSources Sources => _sources.Value;

    /// <summary>The plugins of a pipeline as they were resolved, in its order.</summary>
    public IReadOnlyList<LockedPlugin> Resolved(PipelineDocument document) =>
        [.. document.Plugins.Where(p => p.Version is not null).Select(p => _resolved.GetValueOrDefault(new PluginPackage(p.Name, p.Version!))).OfType<LockedPlugin>()];

    /// <summary>The tool's own stages have its version and are in no lock: the tool itself is what pins them.</summary>
    public async Task<string> Fetch(PluginPackage package, CancellationToken cancel) => (await LayOut(package, cancel).ConfigureAwait(false)).Assembly;

    /// <summary>The laid out plugin.</summary>
    public async Task<PluginLayout> LayOut(PluginPackage package, CancellationToken cancel)
    {
        bool own = IsOwn(package);
        var request = new PackageRequest(package.Id, package.Version);
        if (_use == LockUse.Locked)
        {
            request.DemandExact();
        }

        var locked = own ? Remembered(package) : Held?.Plugins.FirstOrDefault(p => p.Package == package.Id && p.Requested == package.Version)?.Closure;
        var layout = locked is null ? null : PluginLayout.Find(_store.MachineCachePath, locked, _store.Digest, _observer.Warned);
        if (layout is null)
        {
            var closure = locked is not null ? await Sources.Locked(request, locked, cancel, allowFloating: true).ConfigureAwait(false)
                : own || _use == LockUse.Resolve ? await Sources.Resolve(request, cancel).ConfigureAwait(false)
                : throw NotLocked(package);
            layout = await Sources.LayOut(closure, cancel).ConfigureAwait(false);
            if (own)
            {
                Remember(package, layout.Packages);
            }
        }

        _resolved[package] = new LockedPlugin(package.Id, package.Version, layout.Packages);
        return layout;
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NativePackage>?> Find(NativeRequest request, CancellationToken cancel)
    {
        var found = new List<NativePackage>();
        foreach (var package in request.Packages)
        {
            if (package.Folder is not null && package.Sha512 is not null)
            {
                found.Add(package);
            }
            else if (Installed(package) is { } installed)
            {
                // They are here, so nothing is fetched; what was changed since it was installed is found and installed again.
                found.AddRange((await Sources.Exactly(installed, cancel).ConfigureAwait(false)).Select(Native));
            }
            else
            {
                return null;
            }
        }

        return [.. found.DistinctBy(f => f.Id, StringComparer.OrdinalIgnoreCase)];
    }

    /// <inheritdoc/>
    public async Task<IReadOnlyList<NativePackage>> Fetch(NativeRequest request, CancellationToken cancel)
    {
        var all = new List<NativePackage>();
        foreach (var package in request.Packages.OrderBy(p => p.Sha512 is null)) // What is whole by itself first: the closures of the others leave it out.
        {
            if (package.Folder is not null && package.Sha512 is not null)
            {
                all.Add(package);
            }
            else if (package.Sha512 is { } sha512)
            {
                var installed = await Sources.Exactly([new LockedPackage(package.Id, package.Version, sha512)], cancel).ConfigureAwait(false);
                all.AddRange(installed.Select(Native));
            }
            else
            {
                var closure = await Sources.Natives(new PackageRequest(package.Id, package.Version), null, cancel).ConfigureAwait(false);
                var others = await OthersOf(request, package, cancel).ConfigureAwait(false);
                InstalledPackage[] mine = [.. closure.Where(c => !others.Contains(c.Id))];
                Durable.Write(MemoryOf(new PluginPackage(package.Id, package.Version)), Memory(mine.Select(m => m.Locked)));
                all.AddRange(mine.Select(Native));
            }
        }

        return [.. all.DistinctBy(f => f.Id, StringComparer.OrdinalIgnoreCase)];
    }

    public void Dispose()
    {
        if (_sources.IsValueCreated)
        {
            _sources.Value.Dispose();
        }
    }

    private static NativePackage Native(InstalledPackage package) => new(package.Id, package.Version, package.Sha512, package.Folder);

    /// <summary>Ids of the other packages of a request and of what these depend on: what a managed library needs is no native package.</summary>
    private async Task<HashSet<string>> OthersOf(NativeRequest request, NativePackage package, CancellationToken cancel)
    {
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var other in request.Packages.Where(p => p.Id != package.Id))
        {
            ids.UnionWith((await Sources.Natives(new PackageRequest(other.Id, other.Version), other.Sha512, cancel).ConfigureAwait(false)).Select(p => p.Id));
        }

        return ids;
    }

    /// <summary>A native package, or what is remembered of its closure, where all of it is in the global packages folder; else null.</summary>
    private LockedPackage[]? Installed(NativePackage package)
    {
        LockedPackage[]? wanted = package.Sha512 is { } sha512 ? [new LockedPackage(package.Id, package.Version, sha512)] : Remembered(new PluginPackage(package.Id, package.Version));
        return wanted is { Length: > 0 } && Array.TrueForAll(wanted, w => ContentHash(Path.Combine(Sources.GlobalPackagesFolder, w.Id.ToLowerInvariant(), w.Version.ToLowerInvariant())) == w.Sha512) ? wanted : null;
    }

    /// <summary>What NuGet wrote down last of all when it installed the package; null where it did not.</summary>
    private static string? ContentHash(string folder)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(Path.Combine(folder, ".nupkg.metadata")))?["contentHash"]?.GetValue<string>();
        }
        catch (Exception e) when (e is IOException or JsonException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static bool IsOwn(PluginPackage package) => package.Version == Session.ToolVersion && package.Id.StartsWith("Scaling.Stages.", StringComparison.Ordinal);

    /// <summary>The closure of a stage of the tool as it was resolved here; null where it was not yet.</summary>
    public IReadOnlyList<LockedPackage>? OwnClosure(PluginPackage package) => Remembered(package);

    private StageFailedException NotLocked(PluginPackage package)
    {
        var other = Held?.Plugins.FirstOrDefault(p => p.Package == package.Id);
        string found = Held is null ? "there is no lock" : other is null ? "the lock does not have it" : $"the lock has it for version '{other.Requested}'";
        return new StageFailedException("SCAL6015", $"The plugin {package} is not locked: {found}.", "Run 'dotnet scaling plugin restore' without --locked and commit the lock.");
    }

    private string MemoryOf(PluginPackage package) => Path.Combine(_store.MachineCachePath, "plugins", $"{package.Id}.{package.Version}.json");

    private LockedPackage[]? Remembered(PluginPackage package)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllBytes(MemoryOf(package)), PackagesJson.Default.LockedPackageArray);
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null; // Not yet, or half written: it is resolved anew.
        }
    }

    private void Remember(PluginPackage package, IReadOnlyList<LockedPackage> closure) => Durable.Write(MemoryOf(package), Memory(closure));

    private static byte[] Memory(IEnumerable<LockedPackage> packages) => JsonSerializer.SerializeToUtf8Bytes([.. packages], PackagesJson.Default.LockedPackageArray);
}

/// <summary>How packages are remembered that a package of the tool's own stands for; made at compile time, since the compiled tool cannot make it later.</summary>
[System.Text.Json.Serialization.JsonSerializable(typeof(LockedPackage[]))]
internal sealed partial class PackagesJson : System.Text.Json.Serialization.JsonSerializerContext;
