// Text files to tokens to learn from and tokens to be judged on: no line in both.
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

/// <summary>
/// A corpus of bytes (a token is a byte of UTF-8, 256 different ones). White space within a line collapses to one space, empty lines go, and of equal lines the first
/// one stays: documentation repeats itself (half of the .NET reference's bytes are repeated lines), and a line in both parts would be learnt by heart. Then every 20th
/// block of 8192 bytes is held out.
/// </summary>
/// <param name="Training">Tokens to learn from.</param>
/// <param name="HeldOut">Tokens to be judged on.</param>
/// <param name="UnigramEntropy">Of the training part's bytes, nats a token: the loss of who knows their frequencies alone.</param>
public sealed record Corpus(ushort[] Training, ushort[] HeldOut, double UnigramEntropy)
{
    /// <summary>Different tokens.</summary>
    public const int Vocabulary = 256;

    private const int Block = 8192;
    private const int HeldOutEvery = 20;

    /// <summary>Bytes from which on something is held out.</summary>
    public const int SmallestBytes = Block * (HeldOutEvery - 1) + 1;

    /// <summary>Reads files in the given order.</summary>
    /// <param name="paths">UTF-8 files.</param>
    /// <param name="format">What they hold.</param>
    public static Corpus Read(IReadOnlyList<string> paths, CorpusFormat format)
    {
        var seen = new HashSet<string>(StringComparer.Ordinal);
        using var bytes = new MemoryStream();
        foreach (string path in paths)
        {
            string text = File.ReadAllText(path);
            foreach (string line in Lines(format == CorpusFormat.XmlDocumentation ? WebUtility.HtmlDecode(WithoutTags(text)) : text))
            {
                if (seen.Add(line))
                {
                    bytes.Write(Encoding.UTF8.GetBytes(line));
                    bytes.WriteByte((byte)'\n');
                }
            }
        }

        return Split(bytes.GetBuffer().AsSpan(0, (int)bytes.Length));
    }

    private static Corpus Split(ReadOnlySpan<byte> bytes)
    {
        var training = new List<ushort>(bytes.Length);
        var heldOut = new List<ushort>(bytes.Length / HeldOutEvery + Block);
        for (int start = 0, block = 0; start < bytes.Length; start += Block, block++)
        {
            var part = block % HeldOutEvery == HeldOutEvery - 1 ? heldOut : training;
            foreach (byte token in bytes[start..Math.Min(start + Block, bytes.Length)])
            {
                part.Add(token);
            }
        }

        return new Corpus([.. training], [.. heldOut], Entropy(training));
    }

    private static double Entropy(List<ushort> tokens)
    {
        long[] counts = new long[Vocabulary];
        foreach (ushort token in tokens)
        {
            counts[token]++;
        }

        return counts.Where(c => c > 0).Sum(c => -(double)c / tokens.Count * Math.Log((double)c / tokens.Count));
    }

    private static IEnumerable<string> Lines(string text)
    {
        foreach (string raw in text.Split('\n'))
        {
            string line = string.Join(' ', raw.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));
            if (line.Length > 0)
            {
                yield return line;
            }
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
