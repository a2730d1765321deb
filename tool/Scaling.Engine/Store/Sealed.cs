// Text files that prove their own bytes: a first line with the digest of the rest.
using System.Security.Cryptography;
using System.Text;
using Scaling.Engine.Files;

namespace Scaling.Engine.Store;

/// <summary>Writes and reads JSON under a seal: <c>scaling-1 SHA256</c>, a line end, then the JSON.</summary>
internal static class Sealed
{
    private const string Mark = "scaling-1 ";
    private static readonly int HeaderLength = Mark.Length + 64 + 1;

    /// <summary>Publishes the content at a path in one step.</summary>
    public static void Write(string path, byte[] json) => Durable.Write(path, Seal(json));

    /// <summary>The content under its seal.</summary>
    public static byte[] Seal(byte[] json) => [.. Encoding.ASCII.GetBytes($"{Mark}{Convert.ToHexStringLower(SHA256.HashData(json))}\n"), .. json];

    /// <summary>The content; null where there is no file; <paramref name="damaged"/> where the bytes are not those that were written.</summary>
    public static byte[]? Read(string path, out bool damaged)
    {
        damaged = false;
        byte[] bytes;
        try
        {
            bytes = File.ReadAllBytes(path);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }

        if (bytes.Length > HeaderLength
            && Encoding.ASCII.GetString(bytes, 0, HeaderLength) == $"{Mark}{Convert.ToHexStringLower(SHA256.HashData(bytes.AsSpan(HeaderLength)))}\n")
        {
            return bytes[HeaderLength..];
        }

        damaged = true;
        return null;
    }
}
