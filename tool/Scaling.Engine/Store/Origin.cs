// Where an entry came from, if not from here: a last line of its file, which nobody has to keep in step with it.
using System.Text;

namespace Scaling.Engine.Store;

/// <summary>That an entry was brought from a remote cache, and not executed by who uses this store. An entry that is executed here again loses it.</summary>
/// <param name="Signature">The line with which its writer signed it; null where nobody did. It was found good if the reader named trusted keys, and not looked at else.</param>
public sealed record Origin(string? Signature)
{
    private const string Mark = "scaling-brought-1";

    /// <summary>A manifest's text with its origin.</summary>
    internal byte[] After(byte[] json) => [.. json, (byte)'\n', .. Encoding.ASCII.GetBytes(Signature is null ? Mark : $"{Mark} {Signature}")];

    /// <summary>A manifest's text, and its origin; null for what was executed here. No JSON has such a last line: a text of it holds no line end.</summary>
    internal static (byte[] Json, Origin? Origin) Split(byte[] text)
    {
        int end = text.AsSpan().LastIndexOf((byte)'\n');
        return end < 0 || Encoding.ASCII.GetString(text, end + 1, text.Length - end - 1).Split(' ', 2) is not [Mark, .. var signature]
            ? (text, null)
            : (text[..end], new Origin(signature is [var line] ? line : null));
    }
}
