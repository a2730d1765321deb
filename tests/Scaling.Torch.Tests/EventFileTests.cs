// Event files as TensorBoard reads them: frames checked here, messages parsed by the code that protoc made of TensorFlow's own event.proto.
using System.Buffers.Binary;
using Scaling.TestKit;
using Tensorboard;

namespace Scaling.Torch.Tests;

public sealed class EventFileTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Every_scalar_is_an_event_at_its_step_behind_one_that_names_the_version()
    {
        var events = Written(new(1, "loss/training", 5.5), new(300, "learning_rate", 0.1), new(long.MaxValue, "loss/held_out", -2.25));

        Assert.Equal("brain.Event:2", events[0].FileVersion);
        Assert.Equal([0L, 1, 300, long.MaxValue], events.Select(e => e.Step));
        Assert.Equal([("loss/training", 5.5f), ("learning_rate", 0.1f), ("loss/held_out", -2.25f)], events.Skip(1).Select(Scalar));
    }

    [Fact]
    public void Events_rise_by_step_and_hold_the_step_where_others_hold_the_time()
    {
        var events = Written(new(20, "b", 1), new(10, "a", 2), new(20, "a", 3));

        Assert.Equal([("a", 2f), ("b", 1f), ("a", 3f)], events.Skip(1).Select(Scalar));
        Assert.Equal([0.0, 10, 20, 20], events.Select(e => e.WallTime));
    }

    [Fact]
    public void Tags_may_be_any_text()
    {
        string tag = new('ß', 200);

        Assert.Equal((tag, 1f), Scalar(Written(new EventScalar(1, tag, 1))[1]));
    }

    /// <summary>The check value of CRC-32C (iSCSI) in every catalogue of checksums; without it, two equal mistakes would agree.</summary>
    [Fact]
    public void The_checksum_that_frames_are_checked_with_is_CRC_32C() => Assert.Equal(0xe3069283, Crc32C("123456789"u8));

    private List<Event> Written(params EventScalar[] scalars)
    {
        EventFile.Write(_folder[EventFile.Name], scalars);
        var events = new List<Event>();
        for (ReadOnlySpan<byte> rest = File.ReadAllBytes(_folder[EventFile.Name]); rest.Length > 0;)
        {
            int length = (int)BinaryPrimitives.ReadUInt64LittleEndian(rest);
            Assert.Equal(Masked(rest[..8]), BinaryPrimitives.ReadUInt32LittleEndian(rest[8..]));
            Assert.Equal(Masked(rest.Slice(12, length)), BinaryPrimitives.ReadUInt32LittleEndian(rest[(12 + length)..]));
            events.Add(Event.Parser.ParseFrom(rest.Slice(12, length).ToArray()));
            rest = rest[(16 + length)..];
        }

        return events;
    }

    private static (string Tag, float Value) Scalar(Event record)
    {
        var value = Assert.Single(record.Summary.Value);
        return (value.Tag, value.SimpleValue);
    }

    private static uint Masked(ReadOnlySpan<byte> data)
    {
        uint crc = Crc32C(data);
        return unchecked((crc >> 15 | crc << 17) + 0xa282ead8);
    }

    /// <summary>Bit by bit over the reversed polynomial.</summary>
    private static uint Crc32C(ReadOnlySpan<byte> data)
    {
        uint crc = 0xffffffff;
        foreach (byte b in data)
        {
            crc ^= b;
            for (int i = 0; i < 8; i++)
            {
                crc = crc >> 1 ^ ((crc & 1) == 1 ? 0x82f63b78 : 0);
            }
        }

        return ~crc;
    }
}
