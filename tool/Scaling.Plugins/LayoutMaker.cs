// Makes a plugin's folder from the archives of its closure.
using System.Text.Json;
using System.Text.Json.Nodes;
using NuGet.Packaging.Core;
using NuGet.Versioning;
using Scaling.Engine.Store;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <param name="cacheFolder">Holds <c>plugins/</c>.</param>
/// <param name="warn">Hears of what may not work.</param>
internal sealed class LayoutMaker(string cacheFolder, Action<Diagnostic> warn)
{
    private const int MostFiles = 20_000;
    private const long MostBytes = 8L << 30;

    /// <summary>Makes the folder aside and renames it.</summary>
    public PluginLayout Make(PluginClosure closure, CancellationToken cancel)
    {
        string folder = PluginLayout.FolderOf(cacheFolder, closure.Locked);
        string aside = Path.Combine(Path.GetDirectoryName(folder)!, $".making-{Environment.ProcessId}-{Guid.NewGuid():N}");
        try
        {
            Directory.CreateDirectory(aside);
            string main = Fill(closure, aside, cancel);
            Publish(aside, folder);
            return new PluginLayout(folder, Path.Combine(folder, main), closure.Locked, closure.Contract);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.File(e, Path.GetDirectoryName(folder)!);
        }
        finally
        {
            if (Directory.Exists(aside))
            {
                Directory.Delete(aside, recursive: true);
            }
        }
    }

    private static void Publish(string aside, string folder)
    {
        try
        {
            Directory.Move(aside, folder);
        }
        catch (IOException) when (File.Exists(Path.Combine(folder, PluginLayout.FileName)))
        {
            // Another process made the same one meanwhile.
        }
    }

    private string Fill(PluginClosure closure, string folder, CancellationToken cancel)
    {
        var opened = new List<PackageArchive>();
        try
        {
            foreach (var package in closure.Packages)
            {
                var archive = GlobalPackages.Open(package.Folder, new PackageIdentity(package.Id, NuGetVersion.Parse(package.Version)));
                opened.Add(archive);
                // The archive was proved when the closure was made; between then and now lies time.
                if (archive.ContentHash(cancel) is var hash && hash != package.Sha512)
                {
                    throw PackageProblems.OtherHash($"{package}", package.Sha512, hash, package.Folder);
                }
            }

            var assets = PackageAssets.Of(opened, warn);
            string main = PackageAssets.MainAssembly(opened[0]);
            Extract(assets, folder, cancel);
            var kept = ManagedChoice.Apply(assets, folder, main, warn);
            File.WriteAllText(Path.Combine(folder, Path.ChangeExtension(main, ".deps.json")), DepsJson.Of(opened, kept));
            WriteProof(closure, main, folder);
            return main;
        }
        catch (Exception e) when (e is not IOException && PackageArchive.IsBroken(e))
        {
            throw PackageProblems.Broken(string.Join(", ", opened.Select(o => $"{o.Id} {o.Version}").TakeLast(1)), "the global packages folder", e.Message);
        }
        finally
        {
            opened.ForEach(o => o.Dispose());
        }
    }

    private static void Extract(IReadOnlyList<PackageAsset> assets, string folder, CancellationToken cancel)
    {
        string root = Path.GetFullPath(folder) + Path.DirectorySeparatorChar;
        if (assets.Count > MostFiles || assets.Sum(a => a.Archive.Length(a.Entry)) > MostBytes)
        {
            throw PackageProblems.TooLarge($"{assets[0].Archive.Id} {assets[0].Archive.Version}", $"it would unpack {assets.Count} files of {assets.Sum(a => a.Archive.Length(a.Entry))} bytes");
        }

        foreach (var asset in assets)
        {
            cancel.ThrowIfCancellationRequested();
            string path = Path.GetFullPath(Path.Combine(folder, asset.Staged));
            if (!path.StartsWith(root, StringComparison.Ordinal))
            {
                throw PackageProblems.Escapes($"{asset.Archive.Id} {asset.Archive.Version}", asset.Entry);
            }

            Directory.CreateDirectory(Path.GetDirectoryName(path)!);
            using var from = asset.Archive.Content(asset.Entry);
            using var to = new FileStream(path, FileMode.CreateNew, FileAccess.Write);
            CopyAtMost(from, to, asset.Archive.Length(asset.Entry), asset);
        }
    }

    /// <summary>An archive can tell a smaller size than it unpacks to.</summary>
    private static void CopyAtMost(Stream from, Stream to, long length, PackageAsset asset)
    {
        byte[] buffer = new byte[1 << 16];
        long copied = 0;
        int read;
        while ((read = from.Read(buffer)) > 0)
        {
            copied += read;
            if (copied > length)
            {
                throw PackageProblems.TooLarge($"{asset.Archive.Id} {asset.Archive.Version}", $"{asset.Entry} is larger than its archive tells");
            }

            to.Write(buffer, 0, read);
        }
    }

    private static void WriteProof(PluginClosure closure, string main, string folder)
    {
        var files = new JsonObject();
        foreach (string file in Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            files[Path.GetRelativePath(folder, file)] = ProofCache.Take(file);
        }

        var proof = new JsonObject
        {
            ["format"] = PluginLayout.Format,
            ["assembly"] = main,
            ["packages"] = new JsonArray([.. closure.Packages.Select(p => new JsonObject { ["id"] = p.Id, ["version"] = p.Version, ["sha512"] = p.Sha512 })]),
            ["contract"] = closure.Contract is { } contract ? new JsonObject { ["minimum"] = contract.MinimumVersion, ["askedBy"] = contract.AskedBy } : null,
            ["files"] = files,
        };
        File.WriteAllText(Path.Combine(folder, PluginLayout.FileName), proof.ToJsonString(new JsonSerializerOptions { WriteIndented = true }));
    }
}
