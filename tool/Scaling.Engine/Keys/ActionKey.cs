// SHA-256 over an ordered list of described entries, framed so that no two lists share bytes.
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Scaling.Engine.Keys;

/// <summary>The key of an action: 64 lower-case hex digits.</summary>
public static class ActionKey
{
    /// <summary>Revision of the format; its own entry in every key.</summary>
    public const string FormatRevision = "1";

    private static readonly byte[] Magic = Encoding.ASCII.GetBytes("scaling-key\0");

    /// <summary>
    /// SHA-256 of: the magic <c>scaling-key\0</c>; the count of entries; for each entry its kind, name and value, each as a count of bytes
    /// and its UTF-8 bytes. Counts are unsigned 32-bit little-endian.
    /// </summary>
    /// <param name="entries">In the order of KEYS.md.</param>
    public static string Of(IReadOnlyList<KeyEntry> entries)
    {
        int size = Magic.Length + 4;
        foreach (var entry in entries)
        {
            size += 12 + Encoding.UTF8.GetByteCount(entry.Kind) + Encoding.UTF8.GetByteCount(entry.Name) + Encoding.UTF8.GetByteCount(entry.Value);
        }

        byte[] frame = System.Buffers.ArrayPool<byte>.Shared.Rent(size);
        try
        {
            Magic.CopyTo(frame, 0);
            int at = Magic.Length;
            BinaryPrimitives.WriteUInt32LittleEndian(frame.AsSpan(at), (uint)entries.Count);
            at += 4;
            foreach (var entry in entries)
            {
                at += Frame(entry.Kind, frame.AsSpan(at));
                at += Frame(entry.Name, frame.AsSpan(at));
                at += Frame(entry.Value, frame.AsSpan(at));
            }

            return Convert.ToHexStringLower(SHA256.HashData(frame.AsSpan(0, at)));
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(frame);
        }
    }

    private static int Frame(string text, Span<byte> into)
    {
        int length = Encoding.UTF8.GetBytes(text, into[4..]);
        BinaryPrimitives.WriteUInt32LittleEndian(into, (uint)length);
        return 4 + length;
    }
}
