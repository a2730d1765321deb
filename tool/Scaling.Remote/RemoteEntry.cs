// An entry as it lies under /ac/KEY: an ActionResult with the manifest and its signature inside and every file by digest. REMOTE.md is the specification.
using System.Security.Cryptography;
using Scaling.Engine.Store;

namespace Scaling.Remote;

/// <summary>Whether an entry from outside may be taken.</summary>
internal enum Verdict
{
    /// <summary>It is whole, and its writer is believed.</summary>
    Taken,

    /// <summary>It is not what any writer gave.</summary>
    Damaged,

    /// <summary>It is not what any cache gives: a page, as those where one logs in, or without an end.</summary>
    Alien,

    /// <summary>Nobody signed it.</summary>
    Unsigned,

    /// <summary>Somebody signed it whom nobody here trusts.</summary>
    Foreign,

    /// <summary>Its signature is not that of its content, or of another key's entry.</summary>
    Forged,
}

/// <summary>An entry that was read.</summary>
/// <param name="Verdict">Whether it may be taken.</param>
/// <param name="Why">Where it may not: why, as the end of a sentence.</param>
/// <param name="Manifest">Where it may: what it is.</param>
/// <param name="Json">The manifest's text, which is what was signed.</param>
internal sealed record RemoteEntry(Verdict Verdict, string? Why, Manifest? Manifest, byte[] Json)
{
    /// <summary>Names within the ActionResult.</summary>
    private const string ManifestPath = "manifest.json";
    private const string SignaturePath = "signature";
    private const string FilesFolder = "files/";

    /// <summary>Longest body that is read, bytes.</summary>
    public const int LongestBody = 64 << 20;

    /// <summary>Where it may: its writer's signature; null where it has none.</summary>
    public EntrySignature? Signature { get; private init; }

    /// <summary>The body to put.</summary>
    public static byte[] Write(Manifest manifest, byte[] json, byte[]? signature)
    {
        List<OutputFileMessage> files = [Inline(ManifestPath, json)];
        if (signature is not null)
        {
            files.Add(Inline(SignaturePath, signature));
        }

        files.AddRange(manifest.Files.Where(f => f.Inline is null).Select(f => new OutputFileMessage(FilesFolder + f.ResultName, f.Sha256, f.Bytes, default)));
        return ActionResultMessage.Encode(files);
    }

    /// <summary>Reads a body from anybody. Where writers have to be trusted, nothing of a manifest is looked at before its signature was found good.</summary>
    /// <param name="body">What lay under the key.</param>
    /// <param name="key">The key that was asked for.</param>
    /// <param name="trusted">Whose entries are taken; null: anybody's.</param>
    public static RemoteEntry Read(byte[] body, string key, TrustedKeys? trusted)
    {
        byte[] json;
        EntrySignature? signature;
        bool signed;
        try
        {
            var files = Decode(body);
            var manifest = files.GetValueOrDefault(ManifestPath);
            json = manifest?.Contents.ToArray() ?? [];
            if (manifest is not null && (manifest.Bytes != json.Length || manifest.Sha256 != Convert.ToHexStringLower(SHA256.HashData(json))))
            {
                return new RemoteEntry(Verdict.Damaged, "its manifest is not what its digest says", null, []); // Unsigned, nothing else covers names and kinds of its files.
            }

            var line = files.GetValueOrDefault(SignaturePath)?.Contents ?? default;
            signed = line.Length > 0;
            signature = signed ? EntrySignature.Read(line.Span) : null;
        }
        catch (FormatException e)
        {
            return new RemoteEntry(body.Length > LongestBody || body.AsSpan().TrimStart(" \t\r\n"u8) is [(byte)'<', ..] ? Verdict.Alien : Verdict.Damaged, e.Message, null, []);
        }

        if (json.Length == 0)
        {
            return new RemoteEntry(Verdict.Damaged, "it holds no manifest", null, []);
        }

        if (trusted is not null && Distrust(json, signed, signature, trusted) is { } distrust)
        {
            return distrust;
        }

        try
        {
            return new RemoteEntry(Verdict.Taken, null, StoreExchange.Parse(json, key), json) { Signature = signature };
        }
        catch (FormatException e)
        {
            // What was signed and is another key's was copied here by somebody who could not sign it.
            return trusted is null ? new RemoteEntry(Verdict.Damaged, e.Message, null, []) : new RemoteEntry(Verdict.Forged, $"it was signed by {signature!.KeyId[..16]}, and {e.Message}", null, []);
        }
    }

    /// <summary>Whether a body holds this very manifest with this very signature, or one by this very key; any where there is neither.</summary>
    public static bool IsOf(byte[] body, byte[] json, byte[]? signature, SigningKey? key)
    {
        try
        {
            var files = Decode(body);
            return files.GetValueOrDefault(ManifestPath)?.Contents.Span.SequenceEqual(json) == true
                && (signature is not null
                    ? files.GetValueOrDefault(SignaturePath)?.Contents.Span.SequenceEqual(signature) == true
                    : key is null || (files.GetValueOrDefault(SignaturePath) is { } line && EntrySignature.Read(line.Contents.Span) is { } found && key.Signed(json, found)));
        }
        catch (FormatException)
        {
            return false;
        }
    }

    private static IReadOnlyDictionary<string, OutputFileMessage> Decode(byte[] body) => body.Length <= LongestBody
        ? ActionResultMessage.Decode(body, ManifestPath, SignaturePath)
        : throw new FormatException(FormattableString.Invariant($"it is longer than {LongestBody >> 20} MiB")); // And was not read to its end.

    private static RemoteEntry? Distrust(byte[] json, bool signed, EntrySignature? signature, TrustedKeys trusted) =>
        !signed ? new RemoteEntry(Verdict.Unsigned, null, null, [])
        : signature is null ? new RemoteEntry(Verdict.Forged, "its signature is none", null, [])
        : !trusted.Has(signature.KeyId) ? new RemoteEntry(Verdict.Foreign, signature.KeyId[..16], null, [])
        : !trusted.Verify(signature.KeyId, json, signature.Signature) ? new RemoteEntry(Verdict.Forged, $"its signature, which says that it is {signature.KeyId[..16]}'s, is not that of its content", null, [])
        : null;

    private static OutputFileMessage Inline(string path, byte[] content) =>
        new(path, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(content)), content.Length, content);
}
