// A plugin's closure as one folder that is loaded like any built plugin, and the proof that it is whole.
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
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
    internal const string FileName = "layout.json";

    /// <summary>Changes when the same packages are laid out otherwise.</summary>
    internal const int Format = 1;

    /// <summary>An existing layout, proved against the digests in its <c>layout.json</c>. Touches no package, no source and no type of NuGet.</summary>
    /// <param name="cacheFolder">The cache that holds <c>plugins/</c>.</param>
    /// <param name="packages">As <see cref="PluginClosure.Locked"/> gave them: the plugin first.</param>
    /// <param name="digest">SHA-256 of a file in lower-case hex; may remember what it took by inode, change time and size.</param>
    /// <param name="report">Hears of a damaged layout, which is moved aside (SCAL6140).</param>
    /// <returns>Null where it is not there or was damaged: it has to be made again.</returns>
    public static PluginLayout? Find(string cacheFolder, IReadOnlyList<LockedPackage> packages, Func<string, string> digest, Action<Diagnostic> report)
    {
        string folder = FolderOf(cacheFolder, packages);
        if (!Directory.Exists(folder))
        {
            return null;
        }

        try
        {
            var proof = JsonNode.Parse(File.ReadAllText(Path.Combine(folder, FileName)))!;
            if (Files(folder) is not { } files)
            {
                return MovedAside(folder, $"its {FileName} cannot be read", report);
            }

            if (Difference(folder, files, digest) is { } wrong)
            {
                return MovedAside(folder, wrong, report);
            }

            var contract = proof["contract"] is { } demand ? new ContractDemand(demand["minimum"]!.GetValue<string>(), demand["askedBy"]!.GetValue<string>()) : null;
            return new PluginLayout(folder, Path.Combine(folder, proof["assembly"]!.GetValue<string>()), [.. packages], contract);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return MovedAside(folder, $"its {FileName} cannot be read", report);
        }
    }

    /// <summary>Compares an existing layout with its proof, reading every byte; changes nothing.</summary>
    /// <param name="cacheFolder">The cache that holds <c>plugins/</c>.</param>
    /// <param name="packages">The plugin first.</param>
    /// <returns>What differs (SCAL6127); null where nothing does, or there is no layout.</returns>
    public static Diagnostic? Check(string cacheFolder, IReadOnlyList<LockedPackage> packages)
    {
        string folder = FolderOf(cacheFolder, packages);
        if (!Directory.Exists(folder))
        {
            return null;
        }

        string? wrong = Files(folder) is { } files ? Difference(folder, files, Engine.Store.ProofCache.Take) : $"its {FileName} cannot be read";
        return wrong is null ? null : new Diagnostic("SCAL6127", $"The layout {folder} is damaged: {wrong}.") { Hint = "The next run moves it aside and makes it again." };
    }

    /// <summary>Where the layout of these packages is, or would be.</summary>
    /// <param name="cacheFolder">The cache that holds <c>plugins/</c>.</param>
    /// <param name="packages">The plugin first.</param>
    public static string FolderOf(string cacheFolder, IReadOnlyList<LockedPackage> packages)
    {
        // .NET's major is in it, since assemblies that .NET brings are left out.
        var text = new StringBuilder($"layout {Format} net{Environment.Version.Major}\n");
        foreach (var package in packages.OrderBy(p => p.Id, StringComparer.OrdinalIgnoreCase))
        {
            text.Append($"{package.Id.ToLowerInvariant()} {package.Version} {package.Sha512}\n");
        }

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())))[..12];
        return Path.Combine(Path.GetFullPath(cacheFolder), "plugins", $"{packages[0].Id}.{packages[0].Version}-{hash}");
    }

    /// <summary>The digests that a layout's proof holds; null where it cannot be read.</summary>
    private static Dictionary<string, string>? Files(string folder)
    {
        try
        {
            return JsonNode.Parse(File.ReadAllText(Path.Combine(folder, FileName)))!["files"]!.AsObject().ToDictionary(f => f.Key, f => f.Value!.GetValue<string>(), StringComparer.Ordinal);
        }
        catch (Exception e) when (IsUnreadable(e))
        {
            return null;
        }
    }

    private static bool IsUnreadable(Exception e) => e is IOException or JsonException or InvalidOperationException or NullReferenceException or FormatException;

    private static string? Difference(string folder, Dictionary<string, string> files, Func<string, string> digest)
    {
        foreach (var (file, expected) in files)
        {
            string path = Path.Combine(folder, file);
            if (!File.Exists(path))
            {
                return $"{file} is missing";
            }

            if (digest(path) != expected)
            {
                return $"{file} has other bytes";
            }
        }

        return Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories).Select(f => Path.GetRelativePath(folder, f))
            .FirstOrDefault(f => f != FileName && !files.ContainsKey(f)) is { } stranger ? $"{stranger} does not belong there" : null;
    }

    private static PluginLayout? MovedAside(string folder, string wrong, Action<Diagnostic> report)
    {
        string aside = Path.Combine(Path.GetDirectoryName(folder)!, ".damaged", $"{Path.GetFileName(folder)}-{Guid.NewGuid():N}");
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        Directory.Move(folder, aside);
        report(new Diagnostic("SCAL6140", $"The layout {folder} was damaged: {wrong}. It was moved to {aside} and is made again.") { Severity = Severity.Warning });
        return null;
    }
}
