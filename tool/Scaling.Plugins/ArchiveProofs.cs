// What was proved of archives, remembered by the files' identity, so that gigabytes are hashed once.
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using NuGet.Packaging.Signing;
using Scaling.Engine.Files;

namespace Scaling.Plugins;

/// <param name="Id">As the package spells it.</param>
/// <param name="Version">Normalised.</param>
/// <param name="Sha512">Content hash.</param>
/// <param name="Signature">Proved to hold.</param>
internal sealed record ArchiveProof(string Id, string Version, string Sha512, PackageSignature Signature);

/// <param name="folder">Of the cache; one small file an archive, which may be lost at any time.</param>
internal sealed class ArchiveProofs(string folder)
{
    /// <summary>What is known of an archive; null where its bytes have to be read.</summary>
    public ArchiveProof? Find(string archive)
    {
        try
        {
            return JsonSerializer.Deserialize(File.ReadAllText(PathFor(archive)), PluginsJson.Default.Remembered) is { } known && known.Identity == Identity(archive) ? known.Proof : null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }

    /// <summary>Reads an archive: its content hash, and its signature, which must hold and meet the policy.</summary>
    public async Task<ArchiveProof> Take(PackageArchive archive, ClientPolicyContext policy, CancellationToken cancel)
    {
        var before = FileIdentity.Of(archive.Path);
        var now = DateTimeOffset.UtcNow;
        var signature = await archive.Signature(cancel).ConfigureAwait(false);
        await archive.DemandTrust(policy, cancel).ConfigureAwait(false);
        var proof = new ArchiveProof(archive.Id, archive.Version, archive.ContentHash(cancel), signature);
        // Under a policy that demands trust nothing is remembered: it may change, and certificates are revoked.
        if (policy.Policy != NuGet.Common.SignatureValidationMode.Require && before.IsSettled(now))
        {
            Remember(archive.Path, new Remembered(Text(before), proof));
        }

        return proof;
    }

    private void Remember(string archive, Remembered known)
    {
        try
        {
            Durable.Write(PathFor(archive), JsonSerializer.Serialize(known, PluginsJson.Default.Remembered));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The archive is read again next time.
        }
    }

    private string PathFor(string archive) => Path.Combine(folder, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(archive))))[..24] + ".json");

    private static string? Identity(string archive) => FileIdentity.TryOf(archive, out var identity) ? Text(identity) : null;

    private static string Text(FileIdentity f) => string.Create(CultureInfo.InvariantCulture, $"{f.Device:x} {f.Inode:x} {f.Changed:x} {f.Modified:x} {f.Size:x}");

    internal sealed record Remembered(string Identity, ArchiveProof Proof);
}
