// The sources, folders and policies of a nuget.config, and what can be asked of them.
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
    private PackageSources()
    {
    }

    /// <summary>Reads nuget.config from a folder upward, and the user's.</summary>
    /// <param name="folder">The pipeline's folder.</param>
    /// <param name="cacheFolder">The tool's cache: <c>downloads/</c> in it holds partial files, <c>plugins/</c> layouts. Made when needed.</param>
    /// <param name="observer">Hears of downloads and warnings.</param>
    /// <exception cref="StageFailedException">SCAL6100: a nuget.config cannot be read.</exception>
    public static PackageSources Open(string folder, string cacheFolder, IPackageObserver observer) => throw new NotImplementedException();

    /// <summary>NuGet's global packages folder, absolute.</summary>
    public string GlobalPackagesFolder => throw new NotImplementedException();

    /// <summary>Names and addresses of the enabled sources, in order.</summary>
    public IReadOnlyList<(string Name, string Address)> Sources => throw new NotImplementedException();

    /// <summary>Finds a plugin's closure for net10.0 with the rules of PackageReference, fetches what is missing, and proves it.</summary>
    /// <param name="request">What is asked for.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginClosure> Resolve(PackageRequest request, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Takes exactly the locked packages, resolving nothing; fetches what is missing, and proves it against the lock.</summary>
    /// <param name="request">What is asked for; the lock must cover it.</param>
    /// <param name="locked">The plugin's closure, in any order.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <param name="allowFloating">A floating request is satisfied by a locked version in its range; else it is refused.</param>
    /// <exception cref="StageFailedException">SCAL6101–6129; SCAL6120 where a package is not the locked one.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginClosure> Locked(PackageRequest request, IReadOnlyList<LockedPackage> locked, CancellationToken cancel, bool allowFloating = false) => throw new NotImplementedException();

    /// <summary>Makes the folder that a plugin is loaded from, or finds it.</summary>
    /// <param name="closure">From <see cref="Resolve"/> or <see cref="Locked"/>.</param>
    /// <param name="cancel">Stops; nothing half made stays.</param>
    /// <exception cref="StageFailedException">SCAL6110–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<PluginLayout> LayOut(PluginClosure closure, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Brings a native package, and all that it depends on, into the global packages folder.</summary>
    /// <param name="request">An exact version.</param>
    /// <param name="sha512">Its content hash, as native.json gives it; null where that is not known.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <returns>The package first, then its dependencies by id.</returns>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<IReadOnlyList<InstalledPackage>> Natives(PackageRequest request, string? sha512, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Brings exactly the locked packages into the global packages folder.</summary>
    /// <param name="locked">Packages with their content hashes.</param>
    /// <param name="cancel">Stops; what came of a download stays.</param>
    /// <returns>In the order of <paramref name="locked"/>.</returns>
    /// <exception cref="StageFailedException">SCAL6101–6129.</exception>
    /// <exception cref="InfrastructureException">SCAL6130–6139.</exception>
    public Task<IReadOnlyList<InstalledPackage>> Exactly(IReadOnlyList<LockedPackage> locked, CancellationToken cancel) => throw new NotImplementedException();

    /// <summary>Compares what is installed with a lock, reading every byte: archives with their content hashes and signatures, extracted files with the archives. Fetches nothing.</summary>
    /// <param name="locked">Packages with their content hashes.</param>
    /// <param name="cancel">Stops.</param>
    /// <returns>Findings in the order of <paramref name="locked"/>; none where all is as it should be. A package that is not installed is a warning.</returns>
    public Task<IReadOnlyList<Diagnostic>> Verify(IReadOnlyList<LockedPackage> locked, CancellationToken cancel) => throw new NotImplementedException();

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
