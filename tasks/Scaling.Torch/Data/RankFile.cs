// A file of byte pairs by rank, as tiktoken writes it: a line is a token's bytes in base64, a space, and its rank.
using System.Globalization;
using System.Text;

namespace Scaling.Torch;

/// <summary>Reads and writes .tiktoken files.</summary>
internal static class RankFile
{
    /// <summary>The bytes of each token; null where a rank is left out, as published files do for marks.</summary>
    /// <exception cref="UnusableInputException">SCAL8302: the file is none.</exception>
    public static byte[]?[] Read(string path)
    {
        var ranks = new SortedDictionary<int, byte[]>();
        var tokens = new Dictionary<string, int>(StringComparer.Ordinal);
        int number = 0;
        foreach (string line in File.ReadLines(path, Encoding.Latin1))
        {
            number++;
            if (line.Length == 0)
            {
                continue;
            }

            byte[] bytes = new byte[line.Length];
            if (line.Split(' ') is not [var text, var rank] || !Convert.TryFromBase64String(text, bytes, out int length) || length == 0
                || !int.TryParse(rank, NumberStyles.None, CultureInfo.InvariantCulture, out int token) || token >= TokenShard.MostTokens)
            {
                throw Unusable($"{path}({number}): expected a token in base64, a space and its rank below {TokenShard.MostTokens}; found '{(line.Length > 40 ? line[..40] + "…" : line)}'.");
            }

            if (!ranks.TryAdd(token, bytes[..length]))
            {
                throw Unusable($"{path}({number}): the rank {token} stands there a second time.");
            }

            if (!tokens.TryAdd(text, token))
            {
                throw Unusable($"{path}({number}): the token of rank {tokens[text]} stands there a second time.");
            }
        }

        int single = ranks.Values.Count(b => b.Length == 1);
        return single == 256
            ? [.. Enumerable.Range(0, ranks.Keys.Last() + 1).Select(r => ranks.GetValueOrDefault(r))]
            : throw Unusable($"{path}: expected each of the 256 bytes as a token of its own, so that every text can be encoded; found {single}.");
    }

    /// <summary>Writes the tokens in the order of their ranks.</summary>
    public static void Write(string path, IEnumerable<byte[]> tokens) =>
        File.WriteAllText(path, string.Concat(tokens.Select((bytes, rank) => $"{Convert.ToBase64String(bytes)} {rank.ToString(CultureInfo.InvariantCulture)}\n")));

    private static UnusableInputException Unusable(string message) =>
        new("SCAL8302", message, "Name a .tiktoken file, such as cl100k_base.tiktoken, or Llama 3's tokenizer.model.");
}
