// Whether a lock covers what is asked for.
using NuGet.Versioning;
using Scaling.Engine.Locks;
using Scaling.Sdk;

namespace Scaling.Plugins;

internal static class LockCheck
{
    /// <summary>The plugin among the locked packages.</summary>
    /// <exception cref="StageFailedException">SCAL6108, SCAL6109.</exception>
    public static LockedPackage Plugin(PackageRequest request, VersionRange range, IReadOnlyList<LockedPackage> locked, bool allowFloating)
    {
        if (!allowFloating)
        {
            request.DemandExact();
        }

        if (locked.FirstOrDefault(l => !NuGetVersion.TryParse(l.Version, out _) || l.Sha512.Length == 0) is { } odd)
        {
            throw PackageProblems.NotCovered(request.Location, $"The lock names {odd} without an exact version or without a content hash.");
        }

        if (locked.FirstOrDefault(l => l.Id.Equals(request.Id, StringComparison.OrdinalIgnoreCase)) is not { } plugin)
        {
            throw PackageProblems.NotCovered(request.Location, $"The lock does not hold the package {request.Id}.");
        }

        return Satisfies(range, plugin.Version) ? plugin : throw PackageProblems.NotCovered(request.Location, $"The lock holds {plugin}, asked for is {request.Version}.");
    }

    /// <summary>Refuses a lock that lacks something that one of its packages needs.</summary>
    /// <exception cref="StageFailedException">SCAL6109.</exception>
    public static void DemandWhole(PackageRequest request, PluginClosure closure)
    {
        var versions = closure.Packages.ToDictionary(p => p.Id, p => p.Version, StringComparer.OrdinalIgnoreCase);
        foreach (var package in closure.Packages)
        {
            using var archive = GlobalPackages.Open(package.Folder, new NuGet.Packaging.Core.PackageIdentity(package.Id, NuGetVersion.Parse(package.Version)));
            foreach (var needed in DependencyGraph.Needed(archive.Dependencies()))
            {
                if (!versions.TryGetValue(needed.Id, out string? version))
                {
                    throw PackageProblems.NotCovered(request.Location, $"The lock does not hold {needed.Id}, which {package} needs.");
                }

                if (!needed.VersionRange.Satisfies(NuGetVersion.Parse(version)))
                {
                    throw PackageProblems.NotCovered(request.Location, $"The lock holds {needed.Id} {version}, and {package} needs {needed.VersionRange.PrettyPrint()}.");
                }
            }
        }
    }

    /// <summary>A floating range says which versions have its form; <c>Satisfies</c> alone would take any above its lowest.</summary>
    private static bool Satisfies(VersionRange range, string version)
    {
        var parsed = NuGetVersion.Parse(version);
        return range.IsFloating ? range.Float.Satisfies(parsed) : range.Satisfies(parsed);
    }
}
