// The body of /ac/KEY: an ActionResult of Bazel's remote execution API, as much of protobuf as that takes.
using System.Text;

namespace Scaling.Remote;

/// <summary>A file of an ActionResult.</summary>
/// <param name="Path">Relative.</param>
/// <param name="Sha256">Of its content, 64 hex digits.</param>
/// <param name="Bytes">Size.</param>
/// <param name="Contents">The content itself; empty where it lies under <c>/cas/</c>.</param>
internal sealed record OutputFileMessage(string Path, string Sha256, long Bytes, ReadOnlyMemory<byte> Contents);

/// <summary>
/// Servers check that the body is an ActionResult and that what it names is there, and some add to it (bazel-remote writes who put it): other fields are skipped, and nothing is signed but the manifest within.
/// Of build.bazel.remote.execution.v2: ActionResult.output_files = 2; OutputFile.path = 1, digest = 2, contents = 5; Digest.hash = 1, size_bytes = 2.
/// </summary>
internal static class ActionResultMessage
{
    private const int Varint = 0;
    private const int Fixed64 = 1;
    private const int Bytes = 2;
    private const int Fixed32 = 5;

    public static byte[] Encode(IEnumerable<OutputFileMessage> files)
    {
        using var message = new MemoryStream();
        foreach (var file in files)
        {
            using var digest = new MemoryStream();
            Field(digest, 1, Encoding.ASCII.GetBytes(file.Sha256));
            if (file.Bytes > 0)
            {
                Tag(digest, 2, Varint);
                Number(digest, (ulong)file.Bytes);
            }

            using var output = new MemoryStream();
            Field(output, 1, Encoding.UTF8.GetBytes(file.Path));
            Field(output, 2, Of(digest));
            if (file.Contents.Length > 0)
            {
                Field(output, 5, file.Contents.Span);
            }

            Field(message, 2, Of(output));
        }

        return message.ToArray();
    }

    /// <summary>Files of a body, of several of one name the first; contents are slices of it. Of other files nothing is kept or made: a stranger's body may name millions.</summary>
    /// <param name="body">From a stranger.</param>
    /// <param name="names">Paths of the files that are wanted.</param>
    /// <exception cref="FormatException">It is no ActionResult.</exception>
    public static IReadOnlyDictionary<string, OutputFileMessage> Decode(ReadOnlyMemory<byte> body, params string[] names)
    {
        byte[][] wanted = Array.ConvertAll(names, Encoding.UTF8.GetBytes);
        var files = new Dictionary<string, OutputFileMessage>(StringComparer.Ordinal);
        for (var reader = new Reader(body); reader.Next(out int field, out int wire);)
        {
            if (field == 2 && wire == Bytes)
            {
                var file = reader.Slice();
                var path = Path(file).Span;
                int which = 0;
                while (which < wanted.Length && !path.SequenceEqual(wanted[which]))
                {
                    which++;
                }

                if (which < wanted.Length && !files.ContainsKey(names[which]))
                {
                    files.Add(names[which], File(names[which], file));
                }
            }
            else
            {
                reader.Skip(wire);
            }
        }

        return files;
    }

    private static ReadOnlyMemory<byte> Path(ReadOnlyMemory<byte> body)
    {
        ReadOnlyMemory<byte> path = default;
        for (var reader = new Reader(body); reader.Next(out int field, out int wire);)
        {
            if ((field, wire) == (1, Bytes))
            {
                path = reader.Slice();
            }
            else
            {
                reader.Skip(wire);
            }
        }

        return path;
    }

    private static OutputFileMessage File(string path, ReadOnlyMemory<byte> body)
    {
        var (hash, bytes) = ("", 0L);
        ReadOnlyMemory<byte> contents = default;
        for (var reader = new Reader(body); reader.Next(out int field, out int wire);)
        {
            switch (field, wire)
            {
                case (2, Bytes):
                    (hash, bytes) = Digest(reader.Slice());
                    break;
                case (5, Bytes):
                    contents = reader.Slice();
                    break;
                default:
                    reader.Skip(wire);
                    break;
            }
        }

        return new OutputFileMessage(path, hash, bytes, contents);
    }

    private static (string Hash, long Bytes) Digest(ReadOnlyMemory<byte> body)
    {
        var (hash, bytes) = ("", 0L);
        for (var reader = new Reader(body); reader.Next(out int field, out int wire);)
        {
            switch (field, wire)
            {
                case (1, Bytes):
                    hash = Text(reader.Slice());
                    break;
                case (2, Varint):
                    bytes = (long)reader.Number();
                    break;
                default:
                    reader.Skip(wire);
                    break;
            }
        }

        return (hash, bytes);
    }

    private static string Text(ReadOnlyMemory<byte> bytes) => bytes.Length <= 4096 ? Encoding.UTF8.GetString(bytes.Span) : throw Wrong();

    private static FormatException Wrong() => new("it is no ActionResult");

    private static ReadOnlySpan<byte> Of(MemoryStream stream) => stream.GetBuffer().AsSpan(0, (int)stream.Length);

    private static void Field(MemoryStream into, int field, ReadOnlySpan<byte> content)
    {
        Tag(into, field, Bytes);
        Number(into, (ulong)content.Length);
        into.Write(content);
    }

    private static void Tag(MemoryStream into, int field, int wire) => Number(into, (ulong)((field << 3) | wire));

    private static void Number(MemoryStream into, ulong value)
    {
        for (; value >= 0x80; value >>= 7)
        {
            into.WriteByte((byte)(value | 0x80));
        }

        into.WriteByte((byte)value);
    }

    private struct Reader(ReadOnlyMemory<byte> rest)
    {
        private ReadOnlyMemory<byte> _rest = rest;

        public bool Next(out int field, out int wire)
        {
            (field, wire) = (0, 0);
            if (_rest.IsEmpty)
            {
                return false;
            }

            ulong tag = Number();
            (field, wire) = ((int)Math.Min(tag >> 3, int.MaxValue), (int)(tag & 7));
            return field > 0 ? true : throw Wrong();
        }

        public ulong Number()
        {
            ulong value = 0;
            var bytes = _rest.Span;
            for (int i = 0; i < Math.Min(10, bytes.Length); i++)
            {
                value |= (ulong)(bytes[i] & 0x7F) << (7 * i);
                if (bytes[i] < 0x80)
                {
                    _rest = _rest[(i + 1)..];
                    return value;
                }
            }

            throw Wrong();
        }

        public ReadOnlyMemory<byte> Slice()
        {
            ulong length = Number();
            return length <= (ulong)_rest.Length ? Cut((int)length) : throw Wrong();
        }

        public void Skip(int wire)
        {
            switch (wire)
            {
                case Varint:
                    Number();
                    break;
                case Bytes:
                    Slice();
                    break;
                case Fixed64 when _rest.Length >= 8:
                    Cut(8);
                    break;
                case Fixed32 when _rest.Length >= 4:
                    Cut(4);
                    break;
                default:
                    throw Wrong();
            }
        }

        private ReadOnlyMemory<byte> Cut(int length)
        {
            var cut = _rest[..length];
            _rest = _rest[length..];
            return cut;
        }
    }
}
