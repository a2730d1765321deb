// A package on this machine, and what is remembered of it.
using Scaling.Engine.Locks;

namespace Scaling.Plugins;

/// <summary>Who signed a package.</summary>
public enum SignatureKind
{
    /// <summary>Nobody.</summary>
    Nobody,

    /// <summary>Its author.</summary>
    Author,

    /// <summary>The repository that serves it.</summary>
    Repository,

    /// <summary>Somebody, in no role that NuGet knows.</summary>
    Other,
}

/// <summary>A package's primary signature. Its integrity was proved: the package is what was signed. Whether its signer is trusted is decided by nuget.config's <c>signatureValidationMode</c> alone.</summary>
/// <param name="Kind">Who signed, by role.</param>
/// <param name="Signer">The name in the certificate; null where unsigned.</param>
/// <param name="Fingerprint">SHA-256 of the certificate, in hex; null where unsigned.</param>
public sealed record PackageSignature(SignatureKind Kind, string? Signer = null, string? Fingerprint = null)
{
    /// <summary>No signature.</summary>
    public static PackageSignature None { get; } = new(SignatureKind.Nobody);

    /// <summary><c>unsigned</c>, or who signed, as a report says it.</summary>
    public override string ToString() => Kind switch
    {
        SignatureKind.Nobody => "unsigned",
        SignatureKind.Author => $"signed by its author {Signer}",
        SignatureKind.Repository => $"signed by the repository {Signer}",
        _ => $"signed by {Signer}",
    };
}

/// <summary>A package in NuGet's global packages folder, its archive proved against its content hash and its signature.</summary>
/// <param name="Id">As the package spells it.</param>
/// <param name="Version">Normalised.</param>
/// <param name="Sha512">Content hash, taken from the archive's bytes.</param>
/// <param name="Folder">Where it lies, absolute.</param>
/// <param name="Source">The source that it came from, as NuGet remembers it; null where it does not.</param>
/// <param name="Signature">Who signed it.</param>
public sealed record InstalledPackage(string Id, string Version, string Sha512, string Folder, string? Source, PackageSignature Signature)
{
    /// <summary>For a lock.</summary>
    public LockedPackage Locked => new(Id, Version, Sha512);

    /// <inheritdoc/>
    public override string ToString() => $"{Id} {Version}";
}
