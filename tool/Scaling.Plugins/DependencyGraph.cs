// A package with its transitive dependencies for net10.0, by the rules of PackageReference.
using System.Collections.Concurrent;
using NuGet.Common;
using NuGet.Configuration;
using NuGet.DependencyResolver;
using NuGet.Frameworks;
using NuGet.LibraryModel;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Protocol.Core.Types;
using NuGet.RuntimeModel;
using NuGet.Versioning;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>A package that was chosen.</summary>
/// <param name="Package">Which.</param>
/// <param name="Feed">Where it is; null where it is installed.</param>
internal sealed record Chosen(PackageIdentity Package, PackageFeed? Feed);

/// <summary>Walks the dependencies of packages with NuGet's own walker: nearest wins, lowest applicable version, cycles, conflicts and downgrades refused.</summary>
/// <param name="feeds">The enabled sources.</param>
/// <param name="mapping">Which source may serve which package.</param>
/// <param name="packages">What is installed is asked first.</param>
/// <param name="bring">Brings a package whose source serves no nuspec, so that its dependencies can be read.</param>
/// <param name="warn">Hears of versions that had to be taken higher than asked.</param>
internal sealed class DependencyGraph(
    IReadOnlyList<PackageFeed> feeds, PackageSourceMapping mapping, GlobalPackages packages, Func<Wanted, CancellationToken, Task> bring, Action<Diagnostic> warn)
{
    private readonly GlobalPackages _installed = packages;

    /// <summary>Chooses a version of the package and of everything that it needs.</summary>
    /// <returns>The package first, the others by id.</returns>
    public async Task<IReadOnlyList<Chosen>> Walk(PackageRequest request, VersionRange range, CancellationToken cancel)
    {
        var failures = new ConcurrentDictionary<PackageFeed, FeedFailure>();
        using var cache = new SourceCacheContext();
        var context = new RemoteWalkContext(cache, mapping, NullLogger.Instance);
        context.LocalLibraryProviders.Add(new Provider(this, null, failures, cancel));
        foreach (var feed in feeds)
        {
            context.RemoteLibraryProviders.Add(new Provider(this, feed, failures, cancel));
        }

        var root = await new RemoteDependencyWalker(context)
            .WalkAsync(new LibraryRange(request.Id, range, LibraryDependencyTarget.Package), Compatible.Framework, null, RuntimeGraph.Empty, recursive: true).ConfigureAwait(false);
        cancel.ThrowIfCancellationRequested();
        var nodes = new List<GraphNode<RemoteResolveResult>>();
        Collect(root, nodes);
        // A source that did not answer matters only where its answer could have changed the choice.
        if (!failures.IsEmpty && nodes.Any(n => Key(n).Type == LibraryType.Unresolved || n.Key.VersionRange is not { IsFloating: false, IsMinInclusive: true } asked || asked.MinVersion != Key(n).Version))
        {
            throw PackageProblems.Unreachable(failures.Values);
        }

        if (Key(root).Type == LibraryType.Unresolved)
        {
            throw await Unknown(request, cancel).ConfigureAwait(false);
        }

        var findings = await Findings(request, root, nodes, cancel).ConfigureAwait(false);
        if (findings.Count > 0)
        {
            throw new StageFailedException(findings);
        }

        var accepted = nodes.Where(n => n.Disposition == Disposition.Accepted).DistinctBy(n => Key(n).Name, StringComparer.OrdinalIgnoreCase).ToArray();
        foreach (var node in accepted.Where(n => n.OuterNode is not null && n.Key.VersionRange is { IsFloating: false, IsMinInclusive: true, MinVersion: { } lowest } && lowest < Key(n).Version))
        {
            warn(PackageProblems.HigherThanAsked(request.Location, Name(node.OuterNode!), Asked(node), Key(node).Version.ToNormalizedString()));
        }

        return
        [
            .. accepted.OrderBy(n => n == root ? 0 : 1).ThenBy(n => Key(n).Name, StringComparer.OrdinalIgnoreCase)
                .Select(n => new Chosen(new PackageIdentity(Key(n).Name, Key(n).Version), ((Provider)n.Item!.Data!.Match!.Provider!).Feed)),
        ];
    }

    /// <summary>Why the package itself was not found.</summary>
    public async Task<StageFailedException> Unknown(PackageRequest request, CancellationToken cancel)
    {
        if (feeds.Count == 0)
        {
            return PackageProblems.NoSources();
        }

        var asked = FeedsFor(request.Id);
        if (asked.Count == 0)
        {
            return PackageProblems.NotMapped(request.Location, request.Id);
        }

        var versions = (await Task.WhenAll(asked.Select(f => f.Versions(request.Id, cancel))).ConfigureAwait(false)).SelectMany(v => v).Distinct().Order().ToArray();
        if (versions.Length > 0)
        {
            return PackageProblems.UnknownVersion(request, versions.Select(v => v.ToNormalizedString()));
        }

        var ids = (await Task.WhenAll(asked.Select(f => f.Ids(cancel))).ConfigureAwait(false)).SelectMany(i => i).Concat(_installed.Ids());
        return PackageProblems.UnknownPackage(request, string.Join(", ", asked.Select(f => f.Name)), NearestSpelling.Hint(request.Id, ids));
    }

    /// <summary>The sources that may serve a package.</summary>
    public IReadOnlyList<PackageFeed> FeedsFor(string id)
    {
        if (!mapping.IsEnabled)
        {
            return feeds;
        }

        var names = mapping.GetConfiguredPackageSources(id);
        return [.. feeds.Where(f => names.Contains(f.Name, StringComparer.OrdinalIgnoreCase))];
    }

    private async Task<IReadOnlyList<Diagnostic>> Findings(PackageRequest request, GraphNode<RemoteResolveResult> root, List<GraphNode<RemoteResolveResult>> nodes, CancellationToken cancel)
    {
        var findings = new List<Diagnostic>();
        foreach (var node in nodes.Where(n => Key(n).Type == LibraryType.Unresolved).DistinctBy(n => n.Key))
        {
            var asked = FeedsFor(node.Key.Name);
            var versions = (await Task.WhenAll(asked.Select(f => f.Versions(node.Key.Name, cancel))).ConfigureAwait(false)).SelectMany(v => v).Distinct().Order().Select(v => v.ToNormalizedString()).ToArray();
            string found = versions.Length > 0 ? $"and there are only {string.Join(", ", versions.TakeLast(8))}"
                : asked.Count == 0 ? "and packageSourceMapping maps no source for it"
                : $"and no source has it. Asked were: {string.Join(", ", asked.Select(f => f.Name))}";
            findings.Add(PackageProblems.MissingDependency(request.Location, Asked(node), Name(node.OuterNode!), found));
        }

        var analysis = GraphOperations.Analyze(root);
        findings.AddRange(analysis.Cycles.Select(c => PackageProblems.Cycle(request.Location, Path(c))));
        findings.AddRange(analysis.VersionConflicts.Select(c => PackageProblems.Conflict(request.Location, c.Selected.Key.Name, PathWithRange(c.Selected), PathWithRange(c.Conflicting))));
        findings.AddRange(analysis.Downgrades
            .Where(d => d.DowngradedTo.Disposition == Disposition.Accepted)
            .Select(d => PackageProblems.Downgrade(request.Location, d.DowngradedFrom.Key.Name, PathWithRange(d.DowngradedTo), PathWithRange(d.DowngradedFrom))));
        return findings;
    }

    private static void Collect(GraphNode<RemoteResolveResult> node, List<GraphNode<RemoteResolveResult>> nodes)
    {
        nodes.Add(node);
        foreach (var inner in node.InnerNodes.Where(i => i.Item is not null))
        {
            Collect(inner, nodes);
        }
    }

    private static LibraryIdentity Key(GraphNode<RemoteResolveResult> node) => node.Item!.Key;

    private static string Name(GraphNode<RemoteResolveResult> node) => $"{Key(node).Name} {Key(node).Version?.ToNormalizedString()}";

    private static string Asked(GraphNode<RemoteResolveResult> node) => $"{node.Key.Name} {RangeText(node.Key.VersionRange)}";

    private static string RangeText(VersionRange? range) => range is null or { MinVersion: null, MaxVersion: null } ? "of any version" : range.PrettyPrint();

    private static string Path(GraphNode<RemoteResolveResult> node) => (node.OuterNode is null ? "" : Path(node.OuterNode) + " → ") + (node.Item is null ? Asked(node) : Name(node));

    private static string PathWithRange(GraphNode<RemoteResolveResult> node) => (node.OuterNode is null ? "" : Path(node.OuterNode) + " → ") + Asked(node);

    /// <summary>A source, or the installed packages, as the walker asks them. A source that fails is noted, and has nothing.</summary>
    private sealed class Provider(DependencyGraph graph, PackageFeed? feed, ConcurrentDictionary<PackageFeed, FeedFailure> failures, CancellationToken cancel) : IRemoteDependencyProvider
    {
        public PackageFeed? Feed => feed;

        public bool IsHttp => feed?.IsHttp ?? false;

        public PackageSource Source => feed?.Source ?? new PackageSource(graph._installed.Root, "installed packages");

        public SourceRepository? SourceRepository => null;

        public async Task<LibraryIdentity?> FindLibraryAsync(LibraryRange libraryRange, NuGetFramework targetFramework, SourceCacheContext cacheContext, ILogger logger, CancellationToken cancellationToken)
        {
            var versions = await Versions(libraryRange.Name).ConfigureAwait(false);
            return libraryRange.VersionRange?.FindBestMatch(versions) is { } best ? new LibraryIdentity(libraryRange.Name, best, LibraryType.Package) : null;
        }

        public async Task<LibraryDependencyInfo> GetDependenciesAsync(LibraryIdentity libraryIdentity, NuGetFramework targetFramework, SourceCacheContext cacheContext, ILogger logger, CancellationToken cancellationToken)
        {
            var (identity, dependencies) = await graph.Dependencies(new PackageIdentity(libraryIdentity.Name, libraryIdentity.Version), feed, cancel).ConfigureAwait(false);
            return LibraryDependencyInfo.Create(
                new LibraryIdentity(identity.Id, identity.Version, LibraryType.Package), targetFramework,
                Needed(dependencies).Select(d => new LibraryDependency(new LibraryRange(d.Id, d.VersionRange, LibraryDependencyTarget.Package)) { SuppressParent = LibraryIncludeFlags.None }));
        }

        public async Task<IEnumerable<NuGetVersion>?> GetAllVersionsAsync(string id, SourceCacheContext cacheContext, ILogger logger, CancellationToken token) => await Versions(id).ConfigureAwait(false);

        public Task<IPackageDownloader> GetPackageDownloaderAsync(PackageIdentity packageIdentity, SourceCacheContext cacheContext, ILogger logger, CancellationToken cancellationToken) =>
            throw new NotSupportedException("packages are brought by Downloads");

        private async Task<IReadOnlyList<NuGetVersion>> Versions(string id)
        {
            if (feed is null)
            {
                return graph._installed.Versions(id);
            }

            try
            {
                return await feed.Versions(id, cancel).ConfigureAwait(false);
            }
            catch (FeedException e)
            {
                failures[feed] = e.Failure;
                return [];
            }
        }
    }

    /// <summary>What a package needs that neither the tool nor .NET brings.</summary>
    public static IEnumerable<PackageDependency> Needed(IEnumerable<PackageDependency> dependencies) => dependencies.Where(d =>
        !d.Id.Equals(PluginClosure.ContractId, StringComparison.OrdinalIgnoreCase) && !FrameworkAssemblies.StandsInFor(d.Id, d.VersionRange.MinVersion));

    private async Task<(PackageIdentity Identity, IReadOnlyList<PackageDependency> Dependencies)> Dependencies(PackageIdentity package, PackageFeed? feed, CancellationToken cancel)
    {
        if (_installed.Folder(package) is null && feed is not null)
        {
            try
            {
                if (await feed.Nuspec(package, cancel).ConfigureAwait(false) is { } nuspec)
                {
                    return (nuspec.GetIdentity(), PackageArchive.Of(nuspec));
                }
            }
            catch (Exception e) when (PackageArchive.IsBroken(e))
            {
                throw PackageProblems.Broken($"{package.Id} {package.Version.ToNormalizedString()}", feed.Name, $"its nuspec cannot be read: {e.Message}");
            }

            await bring(new Wanted(package, feed, null), cancel).ConfigureAwait(false);
        }

        string folder = _installed.Folder(package) ?? throw new InvalidOperationException($"{package} was brought and is not there");
        using var archive = GlobalPackages.Open(folder, package);
        return (archive.Identity, archive.Dependencies());
    }
}
