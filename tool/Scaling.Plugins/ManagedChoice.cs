// Which of several assemblies of one name a plugin gets.
using Scaling.Sdk;

namespace Scaling.Plugins;

internal static class ManagedChoice
{
    /// <summary>
    /// Moves unpacked assemblies to their place. Of several of one name the one with the highest version stays, as in any build; one that .NET brings in the same or a higher version goes, with its variants for single systems:
    /// types cross between plugin and tool (settings are JSON objects), so both must have the framework's.
    /// </summary>
    /// <returns>What stayed.</returns>
    public static IReadOnlyList<PackageAsset> Apply(IReadOnlyList<PackageAsset> assets, string folder, string main, Action<Diagnostic> warn)
    {
        var kept = new List<PackageAsset>();
        var fromFramework = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        foreach (var named in assets.Where(a => a.Kind == AssetKind.Managed).GroupBy(a => a.Target, StringComparer.OrdinalIgnoreCase))
        {
            var candidates = named.Select(a => (Asset: a, Version: FrameworkAssemblies.VersionOf(Path.Combine(folder, a.Staged)) ?? new Version(0, 0))).ToArray();
            // MaxBy takes the first of equals: the plugin's own before those of its dependencies.
            var best = candidates.MaxBy(c => c.Version);
            if (FrameworkAssemblies.Find(named.Key) is { } framework && named.Key != main)
            {
                if (best.Version <= framework)
                {
                    fromFramework.Add(named.Key);
                    continue;
                }

                warn(PackageProblems.NewerThanFramework($"{best.Asset.Archive.Id} {best.Asset.Archive.Version}", named.Key, best.Version, framework));
            }

            File.Move(Path.Combine(folder, best.Asset.Staged), Path.Combine(folder, best.Asset.Target));
            kept.Add(best.Asset);
        }

        if (Directory.Exists(Path.Combine(folder, ".staged")))
        {
            Directory.Delete(Path.Combine(folder, ".staged"), recursive: true);
        }

        foreach (var asset in assets.Where(a => a.Kind == AssetKind.ManagedForRid))
        {
            if (fromFramework.Contains(Path.GetFileName(asset.Target)) || kept.FirstOrDefault(k => k.Target.Equals(Path.GetFileName(asset.Target), StringComparison.OrdinalIgnoreCase)) is { } flat && flat.Archive != asset.Archive)
            {
                File.Delete(Path.Combine(folder, asset.Target));
            }
            else
            {
                kept.Add(asset);
            }
        }

        kept.AddRange(assets.Where(a => a.Kind is AssetKind.Native or AssetKind.Beside));
        return kept;
    }
}
