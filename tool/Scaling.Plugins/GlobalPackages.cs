// NuGet's global packages folder, shared with dotnet restore: what is in it, proved, and how a package comes into it.
using NuGet.Common;
using NuGet.Configuration;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Packaging.Signing;
using NuGet.Protocol;
using NuGet.Versioning;
using Scaling.Sdk;

namespace Scaling.Plugins;

/// <param name="settings">Of nuget.config.</param>
/// <param name="proofs">Remembers what was proved of archives.</param>
internal sealed class GlobalPackages(ISettings settings, ArchiveProofs proofs)
{
    private readonly ClientPolicyContext _policy = ClientPolicyContext.GetClientPolicy(settings, NullLogger.Instance);

    /// <summary>The folder that packages are installed into.</summary>
    public string Root { get; } = SettingsUtility.GetGlobalPackagesFolder(settings);

    /// <summary>It, then the fallback folders, which are only read.</summary>
    private VersionFolderPathResolver[] Roots => field ??=
        [.. SettingsUtility.GetFallbackPackageFolders(settings).Prepend(Root).Select(root => new VersionFolderPathResolver(root))];

    /// <summary>Folder of an installed package; null where it is not installed. NuGet writes the metadata file last, so a package with it is whole.</summary>
    public string? Folder(PackageIdentity package) => Roots
        .Where(r => File.Exists(r.GetNupkgMetadataPath(package.Id, package.Version)) && File.Exists(r.GetPackageFilePath(package.Id, package.Version)))
        .Select(r => r.GetInstallPath(package.Id, package.Version)).FirstOrDefault();

    /// <summary>Versions that are installed.</summary>
    public IReadOnlyList<NuGetVersion> Versions(string id) =>
    [
        .. Roots.Select(r => r.GetVersionListPath(id)).Where(Directory.Exists)
            .SelectMany(Directory.EnumerateDirectories)
            .Select(folder => NuGetVersion.TryParse(Path.GetFileName(folder), out var version) ? version : null)
            .Where(version => version is not null && Folder(new PackageIdentity(id, version)) is not null).Distinct()!,
    ];

    /// <summary>Ids that are installed, in lower case.</summary>
    public IReadOnlyList<string> Ids() => Directory.Exists(Root) ? [.. Directory.EnumerateDirectories(Root).Select(f => Path.GetFileName(f)!)] : [];

    /// <summary>Path of an installed package's archive.</summary>
    public static string Archive(string folder, PackageIdentity package) =>
        Path.Combine(folder, new VersionFolderPathResolver(folder).GetPackageFileName(package.Id, package.Version));

    /// <summary>Opens an installed package's archive.</summary>
    public static PackageArchive Open(string folder, PackageIdentity package) => PackageArchive.Open(Archive(folder, package), package.Id, package.Version, folder);

    /// <summary>An installed package, its archive proved; null where it is not installed.</summary>
    /// <param name="package">Which.</param>
    /// <param name="sha512">Content hash that it must have; null for any.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StageFailedException">SCAL6120–6124.</exception>
    public async Task<InstalledPackage?> Find(PackageIdentity package, string? sha512, CancellationToken cancel)
    {
        if (Folder(package) is not { } folder)
        {
            return null;
        }

        var metadata = Metadata(folder);
        string path = Archive(folder, package);
        if (proofs.Find(path) is not { } proof)
        {
            using var archive = PackageArchive.Open(path, package.Id, package.Version, folder);
            proof = await proofs.Take(archive, _policy, cancel).ConfigureAwait(false);
        }

        string name = $"{proof.Id} {proof.Version}";
        if (sha512 is not null && proof.Sha512 != sha512)
        {
            throw PackageProblems.OtherHash(name, sha512, proof.Sha512, metadata?.Source is { } from ? $"{folder} (installed from {from})" : folder);
        }

        if (metadata?.ContentHash is { } noted && noted != proof.Sha512)
        {
            throw new StageFailedException([PackageProblems.Changed(name, folder, $"the content hash of its archive is {proof.Sha512}, NuGet noted {noted}")]);
        }

        return new InstalledPackage(proof.Id, proof.Version, proof.Sha512, folder, metadata?.Source, proof.Signature);
    }

    /// <summary>Proves a downloaded archive and installs it.</summary>
    /// <param name="package">What it must be.</param>
    /// <param name="archivePath">Path of the archive.</param>
    /// <param name="source">Where it came from, as NuGet notes it.</param>
    /// <param name="sha512">Content hash that it must have; null for any.</param>
    /// <param name="cancel">Stops.</param>
    /// <exception cref="StageFailedException">SCAL6120–6123: it is not what it should be, and is not installed.</exception>
    public async Task<InstalledPackage> Install(PackageIdentity package, string archivePath, string source, string? sha512, CancellationToken cancel)
    {
        ArchiveProof proof;
        using (var archive = PackageArchive.Open(archivePath, package.Id, package.Version, source))
        {
            proof = await proofs.Take(archive, _policy, cancel).ConfigureAwait(false);
            if (sha512 is not null && proof.Sha512 != sha512)
            {
                throw PackageProblems.OtherHash($"{proof.Id} {proof.Version}", sha512, proof.Sha512, source);
            }
        }

        await Extract(new PackageIdentity(proof.Id, package.Version), archivePath, source, cancel).ConfigureAwait(false);
        return await Find(package, sha512, cancel).ConfigureAwait(false) ?? throw new InvalidOperationException($"{package} was installed and is not there");
    }

    /// <summary>Extracts an installed package again from its own, proved archive.</summary>
    /// <param name="package">Which.</param>
    /// <param name="aside">A path for a copy of the archive meanwhile.</param>
    /// <param name="cancel">Stops.</param>
    public async Task Repair(InstalledPackage package, string aside, CancellationToken cancel)
    {
        var identity = new PackageIdentity(package.Id, NuGetVersion.Parse(package.Version));
        Directory.CreateDirectory(Path.GetDirectoryName(aside)!);
        File.Copy(Archive(package.Folder, identity), aside, overwrite: true);
        // Without its metadata file a package counts as half installed, and NuGet makes it anew.
        File.Delete(new VersionFolderPathResolver(Root).GetNupkgMetadataPath(identity.Id, identity.Version));
        await Extract(identity, aside, package.Source ?? package.Folder, cancel).ConfigureAwait(false);
        File.Delete(aside);
    }

    /// <summary>The first extracted file that cannot be the archive's, by its size; null where there is none.</summary>
    public static string? FirstDifference(PackageArchive archive, string folder) => Used(archive)
        .Where(file => new FileInfo(Path.Combine(folder, file)) is var there && (!there.Exists || there.Length != archive.Length(file)))
        .Select(file => File.Exists(Path.Combine(folder, file)) ? $"{file} has another size" : $"{file} is missing").FirstOrDefault();

    /// <summary>The extracted files whose bytes are not the archive's.</summary>
    public static IEnumerable<string> Differences(PackageArchive archive, string folder)
    {
        foreach (string file in Used(archive))
        {
            string path = Path.Combine(folder, file);
            if (!File.Exists(path))
            {
                yield return $"{file} is missing";
                continue;
            }

            using var expected = archive.Content(file);
            using var found = File.OpenRead(path);
            if (!SameBytes(expected, found))
            {
                yield return $"{file} has other bytes";
            }
        }
    }

    /// <summary>What is loaded from an extracted package. Documentation is left out: NuGet can be told not to extract it.</summary>
    private static IEnumerable<string> Used(PackageArchive archive) => archive.Files.Where(f =>
        (f.StartsWith("lib/", StringComparison.OrdinalIgnoreCase) || f.StartsWith("runtimes/", StringComparison.OrdinalIgnoreCase))
        && !f.EndsWith(".xml", StringComparison.OrdinalIgnoreCase) && !f.EndsWith('/') && !f.EndsWith("_._", StringComparison.Ordinal));

    private static bool SameBytes(Stream one, Stream other)
    {
        byte[] first = new byte[1 << 16];
        byte[] second = new byte[1 << 16];
        while (true)
        {
            int length = one.ReadAtLeast(first, first.Length, throwOnEndOfStream: false);
            int same = other.ReadAtLeast(second, second.Length, throwOnEndOfStream: false);
            if (length != same || !first.AsSpan(0, length).SequenceEqual(second.AsSpan(0, same)))
            {
                return false;
            }

            if (length == 0)
            {
                return true;
            }
        }
    }

    private async Task Extract(PackageIdentity package, string archivePath, string source, CancellationToken cancel)
    {
        try
        {
            using var stream = File.OpenRead(archivePath);
            using var _ = await GlobalPackagesFolderUtility.AddPackageAsync(source, package, stream, Root, Guid.Empty, _policy, NullLogger.Instance, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not IOException && PackageArchive.IsBroken(e))
        {
            throw PackageProblems.Broken($"{package.Id} {package.Version.ToNormalizedString()}", source, e.Message);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw PackageProblems.File(e, Root);
        }
    }

    private static NupkgMetadataFile? Metadata(string folder)
    {
        try
        {
            return NupkgMetadataFileFormat.Read(Path.Combine(folder, ".nupkg.metadata"));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or Newtonsoft.Json.JsonException or InvalidDataException)
        {
            return null;
        }
    }
}
