// The signature of an entry, as it stands beside the manifest. REMOTE.md is the specification.
using System.Buffers.Binary;
using System.Text;

namespace Scaling.Remote;

/// <summary>Writes and reads one line: <c>scaling-signature-1 KEY-ID BASE64</c>.</summary>
/// <param name="KeyId">Of the writer's key.</param>
/// <param name="Signature">64 bytes, r and s (IEEE P1363).</param>
internal sealed record EntrySignature(string KeyId, byte[] Signature)
{
    private const string Mark = "scaling-signature-1";
    private static readonly byte[] Domain = Encoding.ASCII.GetBytes("scaling-remote-entry\0");

    /// <summary>What is signed: the domain, the count of bytes (64 bits, little-endian), the manifest. No other text that this key may sign begins so.</summary>
    public static byte[] Frame(byte[] manifest)
    {
        byte[] frame = new byte[Domain.Length + 8 + manifest.Length];
        Domain.CopyTo(frame, 0);
        BinaryPrimitives.WriteUInt64LittleEndian(frame.AsSpan(Domain.Length), (ulong)manifest.Length);
        manifest.CopyTo(frame, Domain.Length + 8);
        return frame;
    }

    public static byte[] Write(string keyId, byte[] signature) => Encoding.ASCII.GetBytes($"{Mark} {keyId} {Convert.ToBase64String(signature)}\n");

    /// <summary>As it stands in the file of an entry that was brought.</summary>
    public override string ToString() => Encoding.ASCII.GetString(Write(KeyId, Signature)).TrimEnd('\n');

    /// <summary>The signature; null where the text is none.</summary>
    public static EntrySignature? Read(ReadOnlySpan<byte> text)
    {
        byte[] signature = new byte[64];
        return text.Length <= 256 && Encoding.ASCII.GetString(text).TrimEnd('\n').Split(' ') is [Mark, { Length: 64 } id, var base64] && id.All(char.IsAsciiHexDigitLower)
            && Convert.TryFromBase64String(base64, signature, out int count) && count == 64 ? new EntrySignature(id, signature) : null;
    }
}
