// The .deps.json that .NET's own resolver finds a plugin's assemblies and native libraries by.
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.Plugins;

internal static class DepsJson
{
    private const string Target = ".NETCoreApp,Version=v10.0";

    /// <summary>As a build writes it: a library a package, its assemblies flat in the folder, what differs between systems below <c>runtimes</c>.</summary>
    /// <param name="archives">The plugin first.</param>
    /// <param name="assets">What lies in the folder.</param>
    public static string Of(IReadOnlyList<PackageArchive> archives, IReadOnlyList<PackageAsset> assets)
    {
        var target = new JsonObject();
        var libraries = new JsonObject();
        foreach (var archive in archives)
        {
            var own = assets.Where(a => a.Archive == archive).ToArray();
            var library = new JsonObject();
            var runtime = new JsonObject();
            foreach (var asset in own.Where(a => a.Kind == AssetKind.Managed).OrderBy(a => a.Target, StringComparer.Ordinal))
            {
                runtime[asset.Target] = new JsonObject();
            }

            var forRids = new JsonObject();
            foreach (var asset in own.Where(a => a.Rid is not null).OrderBy(a => a.Target, StringComparer.Ordinal))
            {
                forRids[asset.Target] = new JsonObject { ["rid"] = asset.Rid, ["assetType"] = asset.Kind == AssetKind.Native ? "native" : "runtime" };
            }

            if (runtime.Count > 0)
            {
                library["runtime"] = runtime;
            }

            if (forRids.Count > 0)
            {
                library["runtimeTargets"] = forRids;
            }

            string name = $"{archive.Id}/{archive.Version}";
            target[name] = library;
            libraries[name] = new JsonObject { ["type"] = "project", ["serviceable"] = false, ["sha512"] = "" };
        }

        return new JsonObject
        {
            ["runtimeTarget"] = new JsonObject { ["name"] = Target, ["signature"] = "" },
            ["compilationOptions"] = new JsonObject(),
            ["targets"] = new JsonObject { [Target] = target },
            ["libraries"] = libraries,
        }.ToJsonString(new JsonSerializerOptions { WriteIndented = true });
    }
}
