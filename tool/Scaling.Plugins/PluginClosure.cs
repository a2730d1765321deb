// A plugin's package with all that it needs.
using Scaling.Engine.Locks;

namespace Scaling.Plugins;

/// <summary>The version of the contract that a closure asks for. It is never fetched: the tool brings it.</summary>
/// <param name="MinimumVersion">Lowest version of <c>Scaling.Sdk</c> that satisfies everybody who asks.</param>
/// <param name="AskedBy">The package that asks for it, with its version.</param>
public sealed record ContractDemand(string MinimumVersion, string AskedBy);

/// <summary>A plugin's package and its transitive dependencies, all installed and proved.</summary>
/// <param name="Packages">The plugin first, the others by id in ordinal order, letters without case. The contract is not among them.</param>
/// <param name="Contract">Null where no package asks for the contract: then it is hardly a plugin.</param>
public sealed record PluginClosure(IReadOnlyList<InstalledPackage> Packages, ContractDemand? Contract)
{
    /// <summary>Id of the contract's package.</summary>
    public const string ContractId = "Scaling.Sdk";

    /// <summary>The plugin's own package.</summary>
    public InstalledPackage Plugin => Packages[0];

    /// <summary>For a lock, and for <see cref="PluginLayout.Find"/>; in the same order.</summary>
    public IReadOnlyList<LockedPackage> Locked => [.. Packages.Select(p => p.Locked)];
}
