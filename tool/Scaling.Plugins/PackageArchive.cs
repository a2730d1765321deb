// A .nupkg file: what it is, what it needs, and whether it is what was signed.
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using NuGet.Packaging;
using NuGet.Packaging.Core;
using NuGet.Packaging.Signing;
using NuGet.Versioning;
using Scaling.Sdk;
using HashAlgorithmName = NuGet.Common.HashAlgorithmName;

namespace Scaling.Plugins;

/// <summary>An open archive, read by nobody else's rules: everything in it is a stranger's.</summary>
internal sealed class PackageArchive : IDisposable
{
    private readonly PackageArchiveReader _reader;
    private readonly string _where;

    private PackageArchive(string path, string where, PackageArchiveReader reader, PackageIdentity identity)
    {
        Path = path;
        _where = where;
        _reader = reader;
        Identity = identity;
    }

    public string Path { get; }

    public PackageIdentity Identity { get; }

    public string Id => Identity.Id;

    public string Version => Identity.Version.ToNormalizedString();

    /// <summary>Every file of the package, with slashes.</summary>
    public IReadOnlyList<string> Files => field ??= [.. _reader.GetFiles().Select(f => f.Replace('\\', '/'))];

    /// <summary>Opens an archive.</summary>
    /// <param name="path">Of the file.</param>
    /// <param name="id">What it must be.</param>
    /// <param name="version">What it must be.</param>
    /// <param name="where">Its source, for messages.</param>
    /// <exception cref="StageFailedException">SCAL6121: it is no package, or another one.</exception>
    public static PackageArchive Open(string path, string id, NuGetVersion version, string where)
    {
        string name = $"{id} {version.ToNormalizedString()}";
        PackageArchiveReader? reader = null;
        try
        {
            reader = new PackageArchiveReader(File.OpenRead(path), leaveStreamOpen: false);
            var identity = reader.GetIdentity();
            return identity.Id.Equals(id, StringComparison.OrdinalIgnoreCase) && identity.Version == version
                ? new PackageArchive(path, where, reader, identity)
                : throw PackageProblems.Broken(name, where, $"its nuspec says that it is {identity.Id} {identity.Version}.");
        }
        catch (Exception e) when (IsBroken(e))
        {
            reader?.Dispose();
            throw PackageProblems.Broken(name, where, e.Message);
        }
        catch
        {
            reader?.Dispose();
            throw;
        }
    }

    /// <summary>What an archive throws that is no archive, or not a package's.</summary>
    public static bool IsBroken(Exception e) =>
        e is InvalidDataException or PackagingException or System.Xml.XmlException or ArgumentException or EndOfStreamException or FormatException;

    /// <summary>SHA-512 of the package without its signature, in base64, from its bytes.</summary>
    public string ContentHash(CancellationToken cancel) => _reader.GetContentHash(cancel);

    /// <summary>The dependencies for net10.0.</summary>
    public IReadOnlyList<PackageDependency> Dependencies() => Of(_reader.NuspecReader);

    /// <summary>The dependencies for net10.0 that a nuspec names.</summary>
    public static IReadOnlyList<PackageDependency> Of(NuspecReader nuspec) =>
        Compatible.Nearest(nuspec.GetDependencyGroups().ToArray(), g => g.TargetFramework)?.Item.Packages.ToArray() ?? [];

    /// <summary>The files of <c>lib/</c> by framework.</summary>
    public IReadOnlyList<FrameworkSpecificGroup> Lib() => [.. _reader.GetLibItems()];

    /// <summary>A file's content.</summary>
    public Stream Content(string file) => _reader.GetEntry(file).Open();

    /// <summary>A file's size, unpacked, as the archive tells it.</summary>
    public long Length(string file) => _reader.GetEntry(file).Length;

    /// <summary>Who signed it, after the proof that it is what was signed.</summary>
    /// <exception cref="StageFailedException">SCAL6122: it is not.</exception>
    public async Task<PackageSignature> Signature(CancellationToken cancel)
    {
        try
        {
            if (await _reader.GetPrimarySignatureAsync(cancel).ConfigureAwait(false) is not { } signature)
            {
                return PackageSignature.None;
            }

            signature.SignedCms.CheckSignature(verifySignatureOnly: true);
            await _reader.ValidateIntegrityAsync(signature.SignatureContent, cancel).ConfigureAwait(false);
            var kind = signature.Type switch { SignatureType.Author => SignatureKind.Author, SignatureType.Repository => SignatureKind.Repository, _ => SignatureKind.Other };
            return new PackageSignature(kind, signature.SignerInfo.Certificate?.GetNameInfo(X509NameType.SimpleName, forIssuer: false), signature.GetSigningCertificateFingerprint(HashAlgorithmName.SHA256).ToLowerInvariant());
        }
        catch (Exception e) when (e is SignatureException or CryptographicException || IsBroken(e))
        {
            throw new StageFailedException([PackageProblems.SignatureBroken($"{Id} {Version}", _where, e.Message)]);
        }
    }

    /// <summary>Holds the archive against a client policy that demands trusted signers.</summary>
    /// <exception cref="StageFailedException">SCAL6123: it does not meet it.</exception>
    public async Task DemandTrust(ClientPolicyContext policy, CancellationToken cancel)
    {
        if (policy.Policy != NuGet.Common.SignatureValidationMode.Require)
        {
            return;
        }

        var verifier = new PackageSignatureVerifier(
        [
            new IntegrityVerificationProvider(),
            new SignatureTrustAndValidityVerificationProvider(),
            new AllowListVerificationProvider(policy.AllowList, requireNonEmptyAllowList: true, "no trusted signers are listed in nuget.config", "its signer is none of the trusted signers in nuget.config"),
        ]);
        var result = await verifier.VerifySignaturesAsync(_reader, policy.VerifierSettings, cancel, Guid.Empty).ConfigureAwait(false);
        if (!result.IsValid)
        {
            var issues = result.Results.SelectMany(r => r.GetErrorIssues()).Select(i => i.Message).Distinct();
            throw PackageProblems.NotTrusted($"{Id} {Version}", _where, result.IsSigned ? string.Join(" ", issues) : "it is not signed.");
        }
    }

    public void Dispose() => _reader.Dispose();
}
