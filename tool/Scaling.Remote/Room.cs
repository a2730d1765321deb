// Room on the store's disk for what is on its way.

namespace Scaling.Remote;

/// <summary>What may come of what is asked for: as much as the disk has room for, what others are bringing meanwhile counted.</summary>
/// <param name="folder">On the disk.</param>
internal sealed class Room(string folder)
{
    /// <summary>What is left on the disk, bytes.</summary>
    private const long Left = 64 << 20;

    private readonly Lock _counting = new();

    /// <summary>Promised, and not yet on the disk. A decimal, as strangers' sizes add up to anything.</summary>
    private decimal _promised;

    /// <summary>Promises room; null where there is none.</summary>
    /// <param name="bytes">At least 0; 0 always has room.</param>
    public TakenRoom? TryTake(decimal bytes)
    {
        lock (_counting)
        {
            if (bytes > 0 && bytes + _promised + Left > new DriveInfo(folder).AvailableFreeSpace)
            {
                return null;
            }

            _promised += bytes;
            return new TakenRoom(this, bytes);
        }
    }

    internal void Fill(decimal bytes)
    {
        lock (_counting)
        {
            _promised -= bytes;
        }
    }
}

/// <summary>Room for one entry, until it is there or given up.</summary>
internal sealed class TakenRoom(Room room, decimal bytes) : IDisposable
{
    private readonly Lock _counting = new();
    private decimal _left = bytes;

    /// <summary>So much of it came, and the disk itself tells of it now; or went again, where negative.</summary>
    /// <param name="bytes">No more than was promised, but for a buffer.</param>
    public void Fill(long bytes)
    {
        lock (_counting)
        {
            _left -= bytes;
            room.Fill(bytes);
        }
    }

    public void Dispose() => room.Fill(_left);
}
