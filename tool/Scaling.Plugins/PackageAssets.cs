// Which files of a closure's packages a plugin is loaded from.
using System.Text.Json;
using System.Text.Json.Nodes;
using NuGet.Frameworks;
using NuGet.LibraryModel;
using NuGet.Packaging.Core;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <summary>What a file is for.</summary>
internal enum AssetKind
{
    /// <summary>An assembly for every system.</summary>
    Managed,

    /// <summary>An assembly for one system.</summary>
    ManagedForRid,

    /// <summary>A native library for one system.</summary>
    Native,

    /// <summary>Another file of the plugin's own.</summary>
    Beside,
}

/// <summary>A file to take from an archive.</summary>
/// <param name="Archive">Where it is.</param>
/// <param name="Entry">Its name there.</param>
/// <param name="Target">Relative path in the layout.</param>
/// <param name="Kind">What it is for.</param>
/// <param name="Rid">The system that it is for; null for all.</param>
internal sealed record PackageAsset(PackageArchive Archive, string Entry, string Target, AssetKind Kind, string? Rid = null)
{
    /// <summary>Where it is unpacked first. Several packages may bring an assembly of one name: which of them stays is decided when all lie open.</summary>
    public string Staged => Kind == AssetKind.Managed ? Path.Combine(".staged", Archive.Id.ToLowerInvariant(), Target) : Target;
}

internal static class PackageAssets
{
    private const string Contract = PluginClosure.ContractId + ".dll";

    /// <summary>The files of all packages.</summary>
    /// <param name="archives">The plugin first.</param>
    /// <param name="warn">Hears of packages for another framework.</param>
    public static IReadOnlyList<PackageAsset> Of(IReadOnlyList<PackageArchive> archives, Action<Diagnostic> warn)
    {
        var flags = Flags(archives);
        var elsewhere = NativesElsewhere(archives[0]);
        var assets = new List<PackageAsset>();
        foreach (var archive in archives)
        {
            var wanted = flags[archive.Id];
            bool plugin = archive == archives[0];
            if (wanted.HasFlag(LibraryIncludeFlags.Runtime))
            {
                assets.AddRange(Lib(archive, plugin, warn));
                assets.AddRange(ForRids(archive));
            }

            if (wanted.HasFlag(LibraryIncludeFlags.Native) && !elsewhere.Contains(archive.Id))
            {
                assets.AddRange(Natives(archive));
            }
        }

        return [.. assets.DistinctBy(a => a.Staged, StringComparer.OrdinalIgnoreCase)];
    }

    /// <summary>File name of the plugin's main assembly.</summary>
    /// <exception cref="StageFailedException">SCAL6110–6112.</exception>
    public static string MainAssembly(PackageArchive plugin)
    {
        string[] assemblies = [.. LibFiles(plugin).Files.Where(f => !f.Path.Contains('/') && IsAssembly(f.Path) && !f.Path.Equals(Contract, StringComparison.OrdinalIgnoreCase)).Select(f => f.Path)];
        return assemblies.FirstOrDefault(a => a.Equals(plugin.Id + ".dll", StringComparison.OrdinalIgnoreCase))
            ?? assemblies switch
            {
                [var only] => only,
                [] => throw PackageProblems.NoAssembly($"{plugin.Id} {plugin.Version}"),
                _ => throw PackageProblems.SeveralAssemblies($"{plugin.Id} {plugin.Version}", plugin.Id, assemblies),
            };
    }

    /// <summary>What each package is needed for: a kind of asset that a dependency excludes is left out of everything below it that is not reached another way.</summary>
    private static Dictionary<string, LibraryIncludeFlags> Flags(IReadOnlyList<PackageArchive> archives)
    {
        var byId = archives.ToDictionary(a => a.Id, StringComparer.OrdinalIgnoreCase);
        var flags = archives.ToDictionary(a => a.Id, _ => LibraryIncludeFlags.None, StringComparer.OrdinalIgnoreCase);
        var waiting = new Stack<(PackageArchive Archive, LibraryIncludeFlags Flags)>([(archives[0], LibraryIncludeFlags.All)]);
        while (waiting.TryPop(out var next))
        {
            var more = next.Flags & ~flags[next.Archive.Id];
            if (more == LibraryIncludeFlags.None)
            {
                continue;
            }

            flags[next.Archive.Id] |= more;
            foreach (var dependency in next.Archive.Dependencies().Where(d => byId.ContainsKey(d.Id)))
            {
                waiting.Push((byId[dependency.Id], more & Included(dependency)));
            }
        }

        return flags;
    }

    private static LibraryIncludeFlags Included(PackageDependency dependency) =>
        (dependency.Include.Count > 0 ? LibraryIncludeFlagUtils.GetFlags(dependency.Include) : LibraryIncludeFlags.All)
        & ~(dependency.Exclude.Count > 0 ? LibraryIncludeFlagUtils.GetFlags(dependency.Exclude) : LibraryIncludeFlags.None);

    /// <summary>Packages whose native libraries are loaded from where NuGet installed them, as the plugin's native.json lists them.</summary>
    private static HashSet<string> NativesElsewhere(PackageArchive plugin)
    {
        var ids = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
        if (LibFiles(plugin).Files.FirstOrDefault(f => f.Path == "native.json") is { Entry: { } entry })
        {
            try
            {
                using var stream = plugin.Content(entry);
                foreach (var package in JsonNode.Parse(stream)!["packages"]!.AsArray())
                {
                    ids.Add(package!["id"]!.GetValue<string>());
                }
            }
            catch (Exception e) when (e is JsonException or InvalidOperationException or NullReferenceException)
            {
                throw PackageProblems.Broken($"{plugin.Id} {plugin.Version}", "its publisher", $"its native.json cannot be read: {e.Message}");
            }
        }

        return ids;
    }

    private static IEnumerable<PackageAsset> Lib(PackageArchive archive, bool plugin, Action<Diagnostic> warn)
    {
        var (files, fallback) = LibFiles(archive);
        if (fallback is not null)
        {
            warn(PackageProblems.OtherFramework($"{archive.Id} {archive.Version}", fallback.GetShortFolderName()));
        }

        foreach (var (path, entry) in files.Where(f => !f.Path.Equals(Contract, StringComparison.OrdinalIgnoreCase) && !IsSatellite(f.Path)))
        {
            if (!path.Contains('/') && IsAssembly(path))
            {
                yield return new PackageAsset(archive, entry, path, AssetKind.Managed);
            }
            else if (plugin && !path.EndsWith(".xml", StringComparison.OrdinalIgnoreCase) && !path.EndsWith(".deps.json", StringComparison.OrdinalIgnoreCase) && path != PluginLayout.FileName)
            {
                yield return new PackageAsset(archive, entry, path, AssetKind.Beside);
            }
        }
    }

    /// <summary>The files of lib/ for the nearest framework, by their path below its folder.</summary>
    private static (IReadOnlyList<(string Path, string Entry)> Files, NuGetFramework? Fallback) LibFiles(PackageArchive archive)
    {
        var groups = archive.Lib().Where(g => g.Items.Any()).ToArray();
        if (groups.Length == 0)
        {
            return ([], null);
        }

        if (Compatible.Nearest(groups, g => g.TargetFramework) is not { } nearest)
        {
            throw PackageProblems.NoCompatibleAssets($"{archive.Id} {archive.Version}", groups.Select(g => g.TargetFramework.GetShortFolderName()));
        }

        return ([.. nearest.Item.Items.Select(i => i.Replace('\\', '/')).Where(i => !i.EndsWith("/_._", StringComparison.Ordinal) && !i.EndsWith('/')).Select(i => (Below(i), i))], nearest.Fallback);
    }

    /// <summary><c>lib/net10.0/x/y.dll</c> is <c>x/y.dll</c>.</summary>
    private static string Below(string entry) => string.Join('/', entry.Split('/')[2..]);

    private static IEnumerable<PackageAsset> ForRids(PackageArchive archive)
    {
        var byRid = archive.Files.Select(f => (File: f, Parts: f.Split('/'))).Where(f => f.Parts is ["runtimes", _, "lib", _, _]).GroupBy(f => f.Parts[1]);
        foreach (var rid in byRid)
        {
            var frameworks = rid.GroupBy(f => f.Parts[3]).Select(g => (Framework: NuGetFramework.ParseFolder(g.Key), Files: g.ToArray())).ToArray();
            if (Compatible.Nearest(frameworks, f => f.Framework) is not { } nearest)
            {
                continue;
            }

            foreach (var (file, parts) in nearest.Item.Files.Where(f => IsAssembly(f.File)))
            {
                yield return new PackageAsset(archive, file, file, AssetKind.ManagedForRid, rid.Key);
            }
        }
    }

    private static IEnumerable<PackageAsset> Natives(PackageArchive archive) => archive.Files
        .Select(f => (File: f, Parts: f.Split('/')))
        .Where(f => f.Parts is ["runtimes", _, "native", _, ..] && f.Parts[^1] is not ("" or "_._"))
        .Select(f => new PackageAsset(archive, f.File, f.File, AssetKind.Native, f.Parts[1]));

    private static bool IsAssembly(string path) => path.EndsWith(".dll", StringComparison.OrdinalIgnoreCase) || path.EndsWith(".exe", StringComparison.OrdinalIgnoreCase);

    /// <summary>Translated texts are left out: the tool runs with the invariant culture.</summary>
    private static bool IsSatellite(string path) => path.Contains('/') && path.EndsWith(".resources.dll", StringComparison.OrdinalIgnoreCase);
}
