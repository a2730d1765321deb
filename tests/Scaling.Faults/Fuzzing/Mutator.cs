// From what somebody could have written to what nobody should: by bytes, by lines of YAML, by nodes of JSON.
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Scaling.Faults.Fuzzing;

/// <summary>Mutates with a random source of its own, so that a case is known by its number.</summary>
/// <param name="random">Decides everything.</param>
internal sealed class Mutator(Random random)
{
    private static readonly byte[][] Pieces =
    [
        [0], [0xff, 0xfe], [0xc3], [0xed, 0xa0, 0x80], [0xef, 0xbb, 0xbf], "\r\n"u8.ToArray(), "\t"u8.ToArray(), "\u2028"u8.ToArray(), "["u8.ToArray(), "]"u8.ToArray(), "{"u8.ToArray(), "}"u8.ToArray(), ": "u8.ToArray(),
        "- "u8.ToArray(), "? "u8.ToArray(), "#"u8.ToArray(), "&a "u8.ToArray(), "*a"u8.ToArray(), "!!str "u8.ToArray(), "!<x> "u8.ToArray(), "|"u8.ToArray(), ">-"u8.ToArray(), "'"u8.ToArray(), "\""u8.ToArray(), "\\"u8.ToArray(),
        "%YAML 1.1\n"u8.ToArray(), "---\n"u8.ToArray(), "...\n"u8.ToArray(), "<<: "u8.ToArray(), "null"u8.ToArray(), "1e99999"u8.ToArray(), "\n"u8.ToArray(), ","u8.ToArray(), "\\u0000"u8.ToArray(), "\\ud800"u8.ToArray(),
    ];

    private static readonly string[] Values =
    [
        "", "~", "null", "[]", "{}", "-1", "0", "1e999", "9223372036854775808", "0x10", ".nan", "1_000", "16k", "true", "yes", "'", "\"a\"", "*a", "&a x", "!!int 3", "[[1]]", "{ a: b }", "../../../etc/passwd", "/dev/zero", "/proc/self/mem", ".", "..", "/",
        "\"\\0\"", "a:b", "text:", "text:no/such", "*.csv", "{latest}", "2020-01-01", "1h", "-5s", "10000000000h", "nan", "Infinity", "\ud83d\ude00", "CON", "a\\b",
    ];

    private static readonly string[] Texts =
    [
        "", ".", "..", "../../x", "/etc/hostname", "a/../../b", "a//b", "\0", "a\nb", "\ud83d\ude00", new('x', 300), new('x', 100_000), "0000", new('0', 64), new('g', 64), "*/x", "1.0.0", "1.0.0 x y", "-1", "null", "NaN", "9999-12-31T23:59:59.9999999+00:00", "0001-01-01T00:00:00+14:00",
    ];

    private static readonly string[] Numbers = ["-1", "0", "1e400", "-0", "9223372036854775808", "2147483648", "1.5", "1e-400", "123456789012345678901234567890"];

    /// <summary>One to four mutations of one text.</summary>
    /// <param name="text">What somebody could have written.</param>
    /// <param name="others">Where pieces are taken from.</param>
    /// <param name="byStructure">A mutation that knows the language; null for none.</param>
    public byte[] Mutated(byte[] text, IReadOnlyList<byte[]> others, Func<byte[], byte[]>? byStructure)
    {
        for (int times = random.Next(1, 5); times > 0; times--)
        {
            text = byStructure is not null && random.Next(2) == 0 ? byStructure(text) : Bytes(text, others);
        }

        return text;
    }

    private byte[] Bytes(byte[] text, IReadOnlyList<byte[]> others)
    {
        int at = random.Next(text.Length + 1);
        int length = Math.Min(random.Next(1, 60), text.Length - at);
        switch (random.Next(12))
        {
            case 0 when text.Length > 0:
                byte[] flipped = [.. text];
                flipped[random.Next(text.Length)] ^= (byte)(1 << random.Next(8));
                return flipped;
            case 1:
                return Put(text, at, 0, [(byte)random.Next(256)]);
            case 2:
                return Put(text, at, length, []);
            case 3:
                byte[] other = others[random.Next(others.Count)];
                int from = random.Next(other.Length + 1);
                return Put(text, at, random.Next(2) * length, other.AsSpan(from, Math.Min(random.Next(1, 400), other.Length - from)));
            case 4:
                return Put(text, at, 0, Enumerable.Repeat(text.AsSpan(at, length).ToArray(), random.Next(2, 50)).SelectMany(p => p).ToArray());
            case 5:
                byte[] nested = Pieces[random.Next(8, 20)];
                return Put(text, at, 0, Enumerable.Repeat(nested, Math.Min(1 << random.Next(15), 100_000 / nested.Length)).SelectMany(p => p).ToArray());
            case 6:
                return Put(text, at, 0, Encoding.ASCII.GetBytes(new string('9', 1 << random.Next(14))));
            case 7:
                return text[..at];
            case 8 when random.Next(4) == 0:
                return Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(text).Replace("\n", random.Next(2) == 0 ? "\r\n" : "\r", StringComparison.Ordinal));
            case 9 when random.Next(4) == 0:
                return Encoding.Latin1.GetBytes(Encoding.Latin1.GetString(text).Replace("  ", "\t", StringComparison.Ordinal));
            default:
                return Put(text, at, 0, Pieces[random.Next(Pieces.Length)]);
        }
    }

    /// <summary>A mutation by lines: keys twice, values that are not expected, words misspelt, stages swapped.</summary>
    /// <param name="text">YAML.</param>
    public byte[] Yaml(byte[] text)
    {
        List<string> lines = [.. Encoding.Latin1.GetString(text).Split('\n')];
        int at = random.Next(lines.Count);
        int other = random.Next(lines.Count);
        string line = lines[at];
        int colon = line.IndexOf(": ", StringComparison.Ordinal);
        string indent = line[..(line.Length - line.TrimStart().Length)];
        string value = Encoding.Latin1.GetString(Encoding.UTF8.GetBytes(Values[random.Next(Values.Length)]));
        switch (random.Next(8))
        {
            case 0:
                lines.Insert(other, line);
                break;
            case 1 when colon > 0:
                lines[at] = $"{line[..colon]}: {value}";
                break;
            case 2 when colon > 0 && lines[other].IndexOf(": ", StringComparison.Ordinal) is > 0 and var second:
                (lines[at], lines[other]) = (line[..colon] + lines[other][second..], lines[other][..second] + line[colon..]);
                break;
            case 3 when colon > 0:
                string key = line[..colon].Trim();
                lines[at] = $"{indent}{key[..(key.Length / 2)]}{key[((key.Length + 1) / 2)..]}{line[colon..]}";
                break;
            case 4:
                lines.Insert(at, $"{indent}{(random.Next(2) == 0 ? "unknown" : line.Trim().Split(':')[0])}: {value}");
                break;
            case 5:
                lines.RemoveAt(at);
                break;
            case 6:
                lines[at] = (random.Next(2) == 0 ? "  " : "") + (random.Next(2) == 0 ? line.TrimStart() : line);
                break;
            default:
                (lines[at], lines[other]) = (lines[other], line);
                break;
        }

        return Encoding.Latin1.GetBytes(string.Join('\n', lines));
    }

    /// <summary>A mutation of one node: gone, null, of another type, a name that leads elsewhere, a number beyond all bounds, twice.</summary>
    /// <param name="text">JSON; what is none is mutated by bytes.</param>
    public byte[] Json(byte[] text)
    {
        JsonNode? root;
        try
        {
            root = JsonNode.Parse(text);
            var nodes = root is null ? [] : All(root).ToList();
            if (nodes.Count == 0)
            {
                return text;
            }

            var node = nodes[random.Next(nodes.Count)];
            JsonNode? now = random.Next(9) switch
            {
                0 => null,
                1 => JsonValue.Create(Texts[random.Next(Texts.Length)]),
                2 => JsonNode.Parse(Numbers[random.Next(Numbers.Length)]),
                3 => new JsonArray(),
                4 => new JsonObject(),
                5 => JsonValue.Create(random.Next(2) == 0),
                6 => new JsonArray(node.DeepClone()),
                7 => nodes[random.Next(nodes.Count)].DeepClone(),
                _ => Deep(),
            };
            switch (node.Parent)
            {
                case JsonObject holder when random.Next(4) == 0:
                    holder.Remove(node.GetPropertyName());
                    break;
                case JsonObject holder when random.Next(6) == 0:
                    string name = node.GetPropertyName();
                    holder.Remove(name);
                    holder[Texts[random.Next(Texts.Length)]] = node;
                    break;
                case JsonObject holder:
                    holder[node.GetPropertyName()] = now;
                    break;
                case JsonArray list when random.Next(4) == 0:
                    list.RemoveAt(node.GetElementIndex());
                    break;
                case JsonArray list when random.Next(4) == 0:
                    list.Add(node.DeepClone());
                    break;
                case JsonArray list:
                    list[node.GetElementIndex()] = now;
                    break;
                default:
                    root = now;
                    break;
            }

            string json = root?.ToJsonString() ?? "null";
            return Encoding.UTF8.GetBytes(random.Next(10) == 0 ? Twice(json) : json);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException or ArgumentException)
        {
            return Bytes(text, [text]);
        }
    }

    /// <summary>Some property again: <c>"a":1</c> becomes <c>"a":null,"a":1</c>.</summary>
    private string Twice(string json)
    {
        int at = json.IndexOf("\":", random.Next(json.Length), StringComparison.Ordinal);
        int begin = at < 1 ? -1 : json.LastIndexOf('"', at - 1);
        return begin < 0 ? json : json.Insert(begin, $"{json[begin..at]}\":null,");
    }

    private JsonNode Deep()
    {
        JsonNode deep = new JsonArray();
        for (int i = random.Next(1, 60); i > 0; i--)
        {
            deep = random.Next(2) == 0 ? new JsonArray(deep) : new JsonObject { ["a"] = deep };
        }

        return deep;
    }

    private static IEnumerable<JsonNode> All(JsonNode node) => node switch
    {
        JsonObject o => [node, .. o.Select(p => p.Value).OfType<JsonNode>().SelectMany(All)],
        JsonArray a => [node, .. a.OfType<JsonNode>().SelectMany(All)],
        _ => [node],
    };

    private static byte[] Put(byte[] text, int at, int instead, ReadOnlySpan<byte> piece) => [.. text.AsSpan(0, at), .. piece, .. text.AsSpan(at + instead)];
}
