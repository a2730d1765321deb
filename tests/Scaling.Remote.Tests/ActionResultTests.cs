// The decoder of what strangers put under /ac/: it gives what was written, or says that it is none.
using CsCheck;

namespace Scaling.Remote.Tests;

public sealed class ActionResultTests
{
    private static readonly Gen<OutputFileMessage> AnyFile = Gen.Select(Gen.String[1, 40], Gen.Byte.Array[32], Gen.Long[0, long.MaxValue], Gen.Byte.Array[0, 300])
        .Select((path, hash, size, contents) => new OutputFileMessage(new string([.. path.Where(char.IsAscii), 'x']), Convert.ToHexStringLower(hash), size, contents));

    [Fact]
    public void It_reads_what_it_writes() => AnyFile.List[0, 8].Sample(files =>
    {
        var first = files.DistinctBy(f => f.Path).ToArray();
        var read = ActionResultMessage.Decode(ActionResultMessage.Encode(files), [.. first.Select(f => f.Path)]);
        return first.Length == read.Count && first.All(f => read[f.Path] is var r && (f.Path, f.Sha256, f.Bytes, Convert.ToHexString(f.Contents.Span)) == (r.Path, r.Sha256, r.Bytes, Convert.ToHexString(r.Contents.Span)));
    }, iter: 2000);

    [Theory]
    [InlineData("")]
    [InlineData("a")]
    [InlineData("manifest.json")]
    public void A_body_that_names_millions_of_files_takes_no_more_memory_than_itself(string path)
    {
        byte[] one = ActionResultMessage.Encode([new OutputFileMessage(path, "", 0, default)]);
        byte[] body = new byte[(4 << 20) / one.Length * one.Length];
        for (int at = 0; at < body.Length; at += one.Length)
        {
            one.CopyTo(body, at);
        }

        long before = GC.GetAllocatedBytesForCurrentThread();
        int read = ActionResultMessage.Decode(body, "manifest.json", "signature").Count;

        Assert.Equal(path == "manifest.json" ? 1 : 0, read);
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 100_000);
    }

    [Fact]
    public void A_body_longer_than_is_read_is_refused_before_it_is_decoded()
    {
        var entry = RemoteEntry.Read(new byte[RemoteEntry.LongestBody + 1], new string('a', 64), null);

        Assert.Equal((Verdict.Alien, "it is longer than 64 MiB"), (entry.Verdict, entry.Why));
    }

    [Fact]
    public void Whatever_comes_it_throws_nothing_but_its_own_error()
    {
        var mutated = Gen.Select(AnyFile.List[1, 4], Gen.Int.Select(Gen.Byte).List[1, 6]).Select((files, changes) =>
        {
            byte[] body = ActionResultMessage.Encode(files);
            foreach (var (at, value) in changes)
            {
                body[(int)((uint)at % body.Length)] = value;
            }

            return body;
        });
        Gen.OneOf(Gen.Byte.Array[0, 400], mutated).Sample(body =>
        {
            try
            {
                // No more than the body is ever held: contents are slices of it.
                return ActionResultMessage.Decode(body, "x", "ax").Values.Sum(f => (long)f.Contents.Length) <= body.Length;
            }
            catch (FormatException)
            {
                return true;
            }
        }, iter: 20_000);
    }

    [Fact]
    public void It_is_written_as_the_wire_format_says_and_what_servers_add_is_skipped()
    {
        // By the rules of the wire format: output_files { path: "a" digest { hash: "b" size_bytes: 300 } contents: "hi" }, then exit_code: 1 and execution_metadata { worker: "w" }.
        byte[] expected = [0x12, 0x10, 0x0A, 0x01, (byte)'a', 0x12, 0x06, 0x0A, 0x01, (byte)'b', 0x10, 0xAC, 0x02, 0x2A, 0x02, (byte)'h', (byte)'i'];
        expected[1] = (byte)(expected.Length - 2);
        Assert.Equal(expected, ActionResultMessage.Encode([new OutputFileMessage("a", "b", 300, "hi"u8.ToArray())]));
        Assert.Equal(300, ActionResultMessage.Decode((byte[])[.. expected, 0x20, 0x01, 0x4A, 0x03, 0x0A, 0x01, (byte)'w'], "a")["a"].Bytes);
    }
}
