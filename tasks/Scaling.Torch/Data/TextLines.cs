// Files of UTF-8 to lines, in memory that does not grow with the file.
using System.Net;
using System.Text;

namespace Scaling.Torch;

/// <summary>How files become lines.</summary>
public enum CorpusFormat
{
    /// <summary>Plain text.</summary>
    Text,

    /// <summary>XML documentation: tags are taken out, entities decoded.</summary>
    XmlDocumentation,
}

/// <summary>Lines of text files.</summary>
internal static class TextLines
{
    private static readonly UTF8Encoding Strict = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>The lines of a file with white space collapsed to one space and without empty ones.</summary>
    /// <exception cref="UnusableInputException">SCAL8307: the file is not UTF-8.</exception>
    public static IEnumerable<string> Collapsed(string path, CorpusFormat format)
    {
        var lines = format == CorpusFormat.Text ? Raw(path) : WebUtility.HtmlDecode(WithoutTags(string.Concat(Raw(path)))).Split('\n');
        return lines.Select(l => string.Join(' ', l.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))).Where(l => l.Length > 0);
    }

    /// <summary>The lines of a file as they are, each with the <c>\n</c> that ends it, which the last one may lack; without a byte order mark.</summary>
    /// <exception cref="UnusableInputException">SCAL8307: the file is not UTF-8.</exception>
    public static IEnumerable<string> Raw(string path)
    {
        using var stream = File.OpenRead(path);
        byte[] buffer = new byte[1 << 16];
        int held = 0;
        long number = 1;
        for (int read = -1; read != 0;)
        {
            read = stream.Read(buffer, held, buffer.Length - held);
            int start = 0;
            for (int end; (end = Array.IndexOf(buffer, (byte)'\n', Math.Max(start, held), Math.Max(0, held + read - Math.Max(start, held)))) >= 0; start = end + 1)
            {
                yield return Decoded(path, buffer.AsSpan(start..(end + 1)), number++);
            }

            held = held + read - start;
            buffer.AsSpan(start, held).CopyTo(buffer);
            if (held == buffer.Length)
            {
                Array.Resize(ref buffer, 2 * buffer.Length);
            }
        }

        if (held > 0)
        {
            yield return Decoded(path, buffer.AsSpan(0, held), number);
        }
    }

    private static string Decoded(string path, ReadOnlySpan<byte> line, long number)
    {
        try
        {
            return Strict.GetString(number == 1 && line.StartsWith(Encoding.UTF8.Preamble) ? line[Encoding.UTF8.Preamble.Length..] : line);
        }
        catch (DecoderFallbackException e)
        {
            throw new UnusableInputException(
                "SCAL8307", $"{path}({number}): the line is not UTF-8: {string.Join(' ', e.BytesUnknown!.Select(b => $"0x{b:X2}"))} at byte {e.Index + 1} of it is no character.",
                "Convert the file with 'iconv -t UTF-8', or leave it out if it is no text.");
        }
    }

    private static string WithoutTags(string xml)
    {
        var text = new StringBuilder(xml.Length);
        int at = 0;
        while (xml.IndexOf('<', at) is >= 0 and int open)
        {
            text.Append(xml, at, open - at);
            int close = xml.IndexOf('>', open);
            if (close < 0)
            {
                return text.ToString();
            }

            at = close + 1;
        }

        return text.Append(xml, at, xml.Length - at).ToString();
    }
}
