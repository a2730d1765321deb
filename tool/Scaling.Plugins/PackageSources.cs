// The sources, folders and policies of a nuget.config, and what can be asked of them.
using NuGet.Configuration;
using NuGet.Packaging.Core;
using NuGet.Protocol.Core.Types;
using NuGet.Versioning;
using Scaling.Engine;
using Scaling.Engine.Locks;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>
/// Resolves, downloads, proves, installs and lays out packages, as <c>dotnet restore</c> in the pipeline's folder would: sources, source mapping, credentials, proxy, global packages folder and signature policy come from nuget.config.
/// May be used from several threads, and by several processes over the same folders.
/// </summary>
/// <remarks>
/// What the user can mend is a <see cref="StageFailedException"/> with SCAL6100–6119 (exit code 3) or, where bytes are not what they should be, SCAL6120–6129 (exit code 4). What the world did is an
/// <see cref="InfrastructureException"/> with SCAL6130–6139 (exit code 5). Warnings are SCAL6140–6149.
/// </remarks>
public sealed class PackageSources : IDisposable
{
    private readonly SourceCacheContext _context = new() { MaxAge = DateTimeOffset.UtcNow };
    private readonly string _cacheFolder;
    private readonly IReadOnlyList<PackageFeed> _feeds;
    private readonly GlobalPackages _packages;
    private readonly Downloads _downloads;
    private readonly DependencyGraph _graph;

    private PackageSources(ISettings settings, string cacheFolder, IPackageObserver observer)
    {
        _cacheFolder = cacheFolder;
        _feeds = [.. PackageSourceProvider.LoadPackageSources(settings).Where(s => s.IsEnabled).Select(s => new PackageFeed(s, _context))];
        _packages = new GlobalPackages(settings, new ArchiveProofs(Path.Combine(cacheFolder, "packages")));
        _downloads = new Downloads(Path.Combine(cacheFolder, "downloads"), _packages, observer);
        _graph = new DependencyGraph(_feeds, PackageSourceMapping.GetPackageSourceMapping(settings), _packages, (wanted, cancel) => _downloads!.Fetch([wanted], cancel), _downloads.Warn);
    }

    /// <summary>Reads nuget.config from a folder upward, and the user's.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="cacheFolder">The tool's cache: <c>downloads/</c> in it holds partial files, <c>plugins/</c> layouts, <c>packages/</c> what was proved of archives. Made when needed.</param>
    /// <param name="observer">Hears of downloads and warnings.</param>
    /// <exception cref="StageFailedException">SCAL6100: a nuget.config cannot be read.</exception>
    public static PackageSources Open(string folder, string cacheFolder, IPackageObserver observer)
    {
        try
        {
            return new PackageSources(Settings.LoadDefaultSettings(Path.GetFullPath(folder)), Path.GetFullPath(cacheFolder), observer);
        }
        catch (NuGetConfigurationException e)
        {
            throw PackageProblems.Config(e);
        }
    }

    /// <summary>NuGet's global packages folder, absolute.</summary>
    public string GlobalPackagesFolder => _packages.Root;

    /// <summary>Names and addresses of the enabled sources, in order.</summary>
    public IReadOnlyList<(string Name, string Address)> Sources => [.. _feeds.Select(f => (f.Name, f.Address))];

    /// <summary>Finds a plugin's closure for net10.0 with the rules of PackageReference, fetches what is missing, and proves it.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginClosure> Resolve(PackageRequest request, CancellationToken cancel) => Guarded(async () =>
    {
        var chosen = await _graph.Walk(request, Range(request), cancel).ConfigureAwait(false);
        return Closure(await Bring(chosen, cancel).ConfigureAwait(false));
    });

    /// <summary>Takes exactly the locked packages, resolving nothing; fetches what is missing, and proves it against the lock.</summary>
    /// <param name="request">What is asked for; the lock must cover it.</param>
    /// <param name="locked">The plugin's closure, in any order.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <param name="allowFloating">A floating request is satisfied by a locked version in its range; else it is refused.</param>
    /// <exception cref="StageFailedException">SCAL6101–6129; SCAL6120 where a package is not the locked one.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginClosure> Locked(PackageRequest request, IReadOnlyList<LockedPackage> locked, CancellationToken cancel, bool allowFloating = false) => Guarded(async () =>
    {
        var plugin = LockCheck.Plugin(request, Range(request), locked, allowFloating);
        LockedPackage[] order = [plugin, .. locked.Where(l => l != plugin).OrderBy(l => l.Id, StringComparer.OrdinalIgnoreCase)];
        var closure = Closure(await Bring(order, request.Location, cancel).ConfigureAwait(false));
        LockCheck.DemandWhole(request, closure);
        return closure;
    });

    /// <summary>Makes the folder that a plugin is loaded from, or finds it.</summary>
    /// <param name="closure">From <see cref="Resolve"/> or <see cref="Locked"/>.</param>
    /// <param name="cancel">Stops; nothing half made stays.</param>
    /// <exception cref="StageFailedException">SCAL6110–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginLayout> LayOut(PluginClosure closure, CancellationToken cancel) => Guarded(() => Task.Run(
        () => PluginLayout.Find(_cacheFolder, closure.Locked, Engine.Store.ProofCache.Take, _downloads.Warn) ?? new LayoutMaker(_cacheFolder, _downloads.Warn).Make(closure, cancel), cancel));

    /// <summary>
    /// Brings a native package, and all that it depends on, into the global packages folder. A package with managed assemblies comes alone: what these need belongs to a plugin's closure.
    /// </summary>
    /// <param name="request">An exact version.</param>
    /// <param name="sha512">Its content hash, as native.json gives it; null where that is not known.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <returns>The package first, then its dependencies by id.</returns>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<IReadOnlyList<InstalledPackage>> Natives(PackageRequest request, string? sha512, CancellationToken cancel) => Guarded<IReadOnlyList<InstalledPackage>>(async () =>
    {
        var range = Range(request);
        if (!request.IsExact)
        {
            throw PackageProblems.NotARequest(request, "A native package needs an exact version");
        }

        var root = await Bring(new PackageIdentity(request.Id, range.MinVersion!), sha512, request.Location, cancel).ConfigureAwait(false)
            ?? throw await _graph.Unknown(request, cancel).ConfigureAwait(false);
        using (var archive = GlobalPackages.Open(root.Folder, Identity(root.Locked)))
        {
            if (archive.Files.Any(f => f.StartsWith("lib/", StringComparison.OrdinalIgnoreCase) && f.EndsWith(".dll", StringComparison.OrdinalIgnoreCase)) || !DependencyGraph.Needed(archive.Dependencies()).Any())
            {
                return [await Whole(root, cancel).ConfigureAwait(false)];
            }
        }

        var all = await Bring(await _graph.Walk(request, range, cancel).ConfigureAwait(false), cancel).ConfigureAwait(false);
        return await Task.WhenAll(all.Select(p => Whole(p, cancel))).ConfigureAwait(false);
    });

    /// <summary>Brings exactly the locked packages into the global packages folder.</summary>
    /// <param name="locked">Packages with their content hashes.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <returns>In the order of <paramref name="locked"/>.</returns>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<IReadOnlyList<InstalledPackage>> Exactly(IReadOnlyList<LockedPackage> locked, CancellationToken cancel) => Guarded<IReadOnlyList<InstalledPackage>>(async () =>
    {
        var installed = await Bring(locked, null, cancel).ConfigureAwait(false);
        return await Task.WhenAll(installed.Select(p => Whole(p, cancel))).ConfigureAwait(false);
    });

    /// <summary>Compares what is installed with a lock, reading every byte: archives with their content hashes and signatures, extracted files with the archives, and the layout that was made of them with its proof. Fetches nothing.</summary>
    /// <param name="locked">Packages with their content hashes; a plugin's closure, the plugin first, where its layout is to be compared.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Findings in the order of <paramref name="locked"/>; none where all is as it should be. A package that is not installed is a warning.</returns>
    public async Task<IReadOnlyList<Diagnostic>> Verify(IReadOnlyList<LockedPackage> locked, CancellationToken cancel)
    {
        var findings = new List<Diagnostic>();
        foreach (var package in locked)
        {
            findings.AddRange(await Verify(package, cancel).ConfigureAwait(false));
        }

        if (locked.Count > 0 && PluginLayout.Check(_cacheFolder, locked) is { } layout)
        {
            findings.Add(layout);
        }

        return findings;
    }

    /// <inheritdoc/>
    public void Dispose() => _context.Dispose();

    private async Task<IReadOnlyList<Diagnostic>> Verify(LockedPackage locked, CancellationToken cancel)
    {
        var identity = Identity(locked);
        if (_packages.Folder(identity) is not { } folder)
        {
            return [PackageProblems.NotInstalled(locked)];
        }

        try
        {
            using var archive = GlobalPackages.Open(folder, identity);
            await archive.Signature(cancel).ConfigureAwait(false);
            string hash = archive.ContentHash(cancel);
            return hash != locked.Sha512
                ? [PackageProblems.HashDiffers($"{locked}", locked.Sha512, hash, folder)]
                : [.. GlobalPackages.Differences(archive, folder).Select(wrong => PackageProblems.Changed($"{locked}", folder, wrong))];
        }
        catch (StageFailedException e)
        {
            return e.Diagnostics;
        }
        catch (Exception e) when (PackageArchive.IsBroken(e) || e is IOException)
        {
            return PackageProblems.Broken($"{locked}", folder, e.Message).Diagnostics;
        }
    }

    /// <summary>Fetches what was chosen where it is missing.</summary>
    private async Task<IReadOnlyList<InstalledPackage>> Bring(IReadOnlyList<Chosen> chosen, CancellationToken cancel)
    {
        await _downloads.Fetch([.. chosen.Where(c => c.Feed is not null && _packages.Folder(c.Package) is null).Select(c => new Wanted(c.Package, c.Feed!, null))], cancel).ConfigureAwait(false);
        return await Task.WhenAll(chosen.Select(async c => await _packages.Find(c.Package, null, cancel).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"{c.Package} was fetched and is not there"))).ConfigureAwait(false);
    }

    /// <summary>Fetches exactly what a lock names where it is missing.</summary>
    private async Task<IReadOnlyList<InstalledPackage>> Bring(IReadOnlyList<LockedPackage> locked, SourceLocation? place, CancellationToken cancel)
    {
        var missing = locked.Where(l => _packages.Folder(Identity(l)) is null).ToArray();
        var wanted = await Task.WhenAll(missing.Select(async l => new Wanted(
            Identity(l), await FeedWith(Identity(l), cancel).ConfigureAwait(false) ?? throw Gone(l, place), l.Sha512))).ConfigureAwait(false);
        await _downloads.Fetch(wanted, cancel).ConfigureAwait(false);
        return await Task.WhenAll(locked.Select(async l => await _packages.Find(Identity(l), l.Sha512, cancel).ConfigureAwait(false)
            ?? throw new InvalidOperationException($"{l} was fetched and is not there"))).ConfigureAwait(false);
    }

    /// <summary>Fetches one package; null where no source has it.</summary>
    private async Task<InstalledPackage?> Bring(PackageIdentity package, string? sha512, SourceLocation? place, CancellationToken cancel)
    {
        if (_packages.Folder(package) is null)
        {
            if (await FeedWith(package, cancel).ConfigureAwait(false) is not { } feed)
            {
                return null;
            }

            await _downloads.Fetch([new Wanted(package, feed, sha512)], cancel).ConfigureAwait(false);
        }

        return await _packages.Find(package, sha512, cancel).ConfigureAwait(false);
    }

    private StageFailedException Gone(LockedPackage locked, SourceLocation? place) => _graph.FeedsFor(locked.Id) is { Count: > 0 } asked
        ? PackageProblems.LockedVersionGone(locked, place, string.Join(", ", asked.Select(f => f.Name)))
        : _feeds.Count == 0 ? PackageProblems.NoSources() : PackageProblems.NotMapped(place, locked.Id);

    /// <summary>The first source that has a package. One that does not answer matters only where no other has it.</summary>
    private async Task<PackageFeed?> FeedWith(PackageIdentity package, CancellationToken cancel)
    {
        var failures = new List<FeedFailure>();
        foreach (var feed in _graph.FeedsFor(package.Id).OrderBy(f => f.IsHttp))
        {
            try
            {
                if ((await feed.Versions(package.Id, cancel).ConfigureAwait(false)).Contains(package.Version))
                {
                    return feed;
                }
            }
            catch (FeedException e)
            {
                failures.Add(e.Failure);
            }
        }

        return failures.Count == 0 ? null : throw PackageProblems.Unreachable(failures);
    }

    /// <summary>A package whose extracted files have the sizes that its archive tells; extracted again where they have not.</summary>
    private async Task<InstalledPackage> Whole(InstalledPackage package, CancellationToken cancel)
    {
        string? wrong;
        using (var archive = GlobalPackages.Open(package.Folder, Identity(package.Locked)))
        {
            wrong = GlobalPackages.FirstDifference(archive, package.Folder);
        }

        if (wrong is not null)
        {
            if (!package.Folder.StartsWith(_packages.Root, StringComparison.Ordinal))
            {
                throw new StageFailedException([PackageProblems.Changed($"{package}", package.Folder, wrong)]); // A fallback folder belongs to somebody else.
            }

            await _packages.Repair(package, _downloads.Aside(package.Id, package.Version), cancel).ConfigureAwait(false);
            _downloads.Warn(PackageProblems.InstalledAgain($"{package}", package.Folder, wrong));
        }

        return package;
    }

    private static PluginClosure Closure(IReadOnlyList<InstalledPackage> packages)
    {
        ContractDemand? contract = null;
        NuGetVersion? highest = null;
        foreach (var package in packages)
        {
            using var archive = GlobalPackages.Open(package.Folder, Identity(package.Locked));
            foreach (var asked in archive.Dependencies().Where(d => d.Id.Equals(PluginClosure.ContractId, StringComparison.OrdinalIgnoreCase)))
            {
                var minimum = asked.VersionRange.MinVersion ?? new NuGetVersion(0, 0, 0);
                if (highest is null || minimum > highest)
                {
                    highest = minimum;
                    contract = new ContractDemand(minimum.ToNormalizedString(), $"{package}");
                }
            }
        }

        return new PluginClosure(packages, contract);
    }

    private static VersionRange Range(PackageRequest request)
    {
        if (!NuGet.Packaging.PackageIdValidator.IsValidPackageId(request.Id))
        {
            throw PackageProblems.NotARequest(request, "That is no package id");
        }

        string text = request.Version.Trim();
        return VersionRange.TryParse(request.IsExact && text[0] != '[' ? $"[{text}]" : text, allowFloating: true, out var range)
            ? range
            : throw PackageProblems.NotARequest(request, "That is no version");
    }

    private static PackageIdentity Identity(LockedPackage package) => new(package.Id, NuGetVersion.Parse(package.Version));

    /// <summary>What a source did ends here.</summary>
    private static async Task<T> Guarded<T>(Func<Task<T>> work)
    {
        try
        {
            return await work().ConfigureAwait(false);
        }
        catch (FeedException e)
        {
            throw PackageProblems.Unreachable([e.Failure]);
        }
    }
}
