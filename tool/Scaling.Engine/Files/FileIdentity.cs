// What tells that a file's bytes have not changed since they were digested.
using System.Diagnostics.CodeAnalysis;

namespace Scaling.Engine.Files;

/// <summary>Device, inode, change time, modification time and size: equal ones mean equal bytes, unless the change is younger than the clock's tick.</summary>
/// <param name="Device">Major and minor number.</param>
/// <param name="Inode">0 where the system gives none.</param>
/// <param name="Changed">Status change time, nanoseconds since 1970; it cannot be set back by a user.</param>
/// <param name="Modified">Modification time, nanoseconds since 1970.</param>
/// <param name="Size">Bytes.</param>
/// <remarks>A class, because dictionaries of classes are compiled already when the tool starts.</remarks>
public sealed record FileIdentity(ulong Device, ulong Inode, long Changed, long Modified, long Size)
{
    /// <summary>A change within this time before the look could share its time stamp with another one.</summary>
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(100);

    /// <summary>The identity of a file, links followed.</summary>
    /// <param name="path">A file.</param>
    /// <exception cref="FileNotFoundException">There is none.</exception>
    public static FileIdentity Of(string path) =>
        TryOf(path, out var identity) ? identity : throw new FileNotFoundException($"there is no file {path}", path);

    /// <summary>The identity of a file, links followed; false where there is none.</summary>
    /// <param name="path">A file.</param>
    /// <param name="identity">Its identity.</param>
    public static bool TryOf(string path, [NotNullWhen(true)] out FileIdentity? identity)
    {
        identity = null;
        if (!OperatingSystem.IsLinux())
        {
            var file = new FileInfo(path);
            if (file.Exists)
            {
                long modified = Nanoseconds(file.LastWriteTimeUtc);
                identity = new FileIdentity(0, 0, modified, modified, file.Length);
            }

            return identity is not null;
        }

        if (LibC.Statx(LibC.AtWorkingFolder, path, 0, LibC.StatxBasic, out var s) != 0)
        {
            return false;
        }

        identity = new FileIdentity(
            ((ulong)s.DeviceMajor << 32) | s.DeviceMinor, s.Inode, Nanoseconds(s.ChangeSeconds, s.ChangeNanoseconds),
            Nanoseconds(s.ModifySeconds, s.ModifyNanoseconds), (long)s.Size);
        return true;
    }

    /// <summary>Whether there is a file with an end, links followed: no folder, no device, no pipe.</summary>
    /// <param name="path">Any path.</param>
    public static bool IsRegularFile(string path) => OperatingSystem.IsLinux()
        ? LibC.Statx(LibC.AtWorkingFolder, path, 0, LibC.StatxBasic, out var s) == 0 && (s.Mode & 0xF000) == 0x8000 /* S_IFREG */
        : File.Exists(path);

    /// <summary>Whether the file last changed long enough ago that a later change must show. A change in the future (a clock set back) shows nothing.</summary>
    /// <param name="now">When the file was looked at.</param>
    public bool IsSettled(DateTimeOffset now) =>
        Math.Max(Changed, Modified) < Nanoseconds((now - Tick).UtcDateTime);

    private static long Nanoseconds(long seconds, uint nanoseconds) => (seconds * 1_000_000_000) + nanoseconds;

    private static long Nanoseconds(DateTime utc) => (utc - DateTime.UnixEpoch).Ticks * 100;
}
