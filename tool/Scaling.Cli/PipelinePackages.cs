// The packages of one pipeline: those that its lock tells of, else those that its sources give.
using System.Collections.Concurrent;
using System.Text.Json;
using Scaling.Engine.Files;
using Scaling.Engine.Locks;
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
internal sealed class PipelinePackages : IPluginPackages, IDisposable
{
    private readonly string _folder;
    private readonly ContentStore _store;
    private readonly PipelineLock? _held;
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
        (_folder, _store, _held, _use, _observer) = (folder, store, held, use, observer);
        _sources = new Lazy<PackageSources>(() => PackageSources.Open(_folder, _store.MachineCachePath, _observer));
    }

    /// <summary>NuGet's door, opened when first asked for.</summary>
    public PackageSources Sources => _sources.Value;

    /// <summary>A plugin of the pipeline as it was resolved; null for one that was not asked for yet.</summary>
    public LockedPlugin? Resolved(string id, string requested) => _resolved.GetValueOrDefault(new PluginPackage(id, requested));

    /// <summary>The tool's own stages have its version and are in no lock: the tool itself is what pins them.</summary>
    public async Task<string> Fetch(PluginPackage package, CancellationToken cancel) => (await LayOut(package, cancel).ConfigureAwait(false)).Assembly;

    /// <summary>The laid out plugin.</summary>
    public async Task<PluginLayout> LayOut(PluginPackage package, CancellationToken cancel)
    {
        bool own = IsOwn(package);
        var locked = own ? Remembered(package) : _held?.Plugins.FirstOrDefault(p => p.Package == package.Id && p.Requested == package.Version)?.Closure;
        var layout = locked is null ? null : PluginLayout.Find(_store.MachineCachePath, locked, _store.Digest, _observer.Warned);
        if (layout is null)
        {
            var request = new PackageRequest(package.Id, package.Version);
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

    public void Dispose()
    {
        if (_sources.IsValueCreated)
        {
            _sources.Value.Dispose();
        }
    }

    private static bool IsOwn(PluginPackage package) => package.Version == Session.ToolVersion && package.Id.StartsWith("Scaling.Stages.", StringComparison.Ordinal);

    private StageFailedException NotLocked(PluginPackage package)
    {
        var other = _held?.Plugins.FirstOrDefault(p => p.Package == package.Id);
        string found = _held is null ? "there is no lock" : other is null ? "the lock does not have it" : $"the lock has it for version '{other.Requested}'";
        return new StageFailedException("SCAL6015", $"The plugin {package} is not locked: {found}.", "Run 'dotnet scaling plugin restore' without --locked and commit the lock.");
    }

    private string MemoryOf(PluginPackage package) => Path.Combine(_store.MachineCachePath, "plugins", $"{package.Id}.{package.Version}.json");

    private LockedPackage[]? Remembered(PluginPackage package)
    {
        try
        {
            return JsonSerializer.Deserialize<LockedPackage[]>(File.ReadAllBytes(MemoryOf(package)));
        }
        catch (Exception e) when (e is IOException or JsonException)
        {
            return null; // Not yet, or half written: it is resolved anew.
        }
    }

    private void Remember(PluginPackage package, IReadOnlyList<LockedPackage> closure) => Durable.Write(MemoryOf(package), JsonSerializer.SerializeToUtf8Bytes(closure));
}
