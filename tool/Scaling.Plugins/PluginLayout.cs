// A plugin's closure as one folder that is loaded like any built plugin, and the proof that it is whole.
using Scaling.Engine.Locks;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>
/// A folder with a plugin's assemblies, its <c>runtimes</c> tree, its <c>.deps.json</c> and <c>layout.json</c>, which holds the digest of each file. Its name holds a hash of the packages' ids, versions and content hashes.
/// </summary>
/// <param name="Folder">Absolute.</param>
/// <param name="Assembly">Path of the main assembly, absolute.</param>
/// <param name="Packages">What it was made from, the plugin first.</param>
/// <param name="Contract">The contract's version that the packages ask for.</param>
public sealed record PluginLayout(string Folder, string Assembly, IReadOnlyList<LockedPackage> Packages, ContractDemand? Contract)
{
    /// <summary>An existing layout, proved against the digests in its <c>layout.json</c>. Touches no package, no source and no type of NuGet.</summary>
    /// <param name="cacheFolder">The cache that holds <c>plugins/</c>.</param>
    /// <param name="packages">As <see cref="PluginClosure.Locked"/> gave them: the plugin first.</param>
    /// <param name="digest">SHA-256 of a file in lower-case hex; may remember what it took by inode, change time and size.</param>
    /// <param name="report">Hears of a damaged layout, which is moved aside (SCAL6140).</param>
    /// <returns>Null where it is not there or was damaged: it has to be made again.</returns>
    public static PluginLayout? Find(string cacheFolder, IReadOnlyList<LockedPackage> packages, Func<string, string> digest, Action<Diagnostic> report) =>
        throw new NotImplementedException();
}
