// The system calls of x86-64 that change files, and those that tell the time of day.
using System.Runtime.InteropServices;

namespace Scaling.Faults.Tracing;

/// <summary>What a call does to a file.</summary>
internal enum Change
{
    /// <summary>Opens it for writing, perhaps making it.</summary>
    Open,

    /// <summary>Writes content.</summary>
    Write,

    /// <summary>Makes a name: a folder, a link.</summary>
    Make,

    /// <summary>Gives it another name.</summary>
    Rename,

    /// <summary>Removes a name.</summary>
    Remove,

    /// <summary>Changes its length, rights or times.</summary>
    Alter,

    /// <summary>Brings it to the disk.</summary>
    Flush,

    /// <summary>Takes a lock for itself alone.</summary>
    Lock,

    /// <summary>Changes nothing: asks for the time of day.</summary>
    Clock,
}

/// <summary>A system call.</summary>
/// <param name="Number">On x86-64.</param>
/// <param name="Name">As in its manual page.</param>
/// <param name="Change">What it does.</param>
/// <param name="Path">Argument that is the path, the new one of two; -1: argument 0 is a descriptor.</param>
/// <param name="Folder">Argument that is the descriptor of the folder at which a relative path begins; -1: none.</param>
/// <param name="Size">Argument that is a number of bytes; -1: none.</param>
internal sealed record SystemCall(int Number, string Name, Change Change, int Path = -1, int Folder = -1, int Size = -1)
{
    /// <summary>Bits of <c>open</c>'s flags, of which one makes a call worth a stop: write only, read and write, create, truncate.</summary>
    public const uint Writing = 0x1 | 0x2 | Create | 0x200;

    /// <summary>The flag that makes a file.</summary>
    public const uint Create = 0x40;

    private const uint ShareBlocks = 0x40049409; // FICLONE, by which File.Copy shares blocks where the file system can.

    /// <summary>Every one that a run can make.</summary>
    public static IReadOnlyDictionary<int, SystemCall> All { get; } = new SystemCall[]
    {
        new(2, "open", Change.Open, 0), new(257, "openat", Change.Open, 1, 0), new(437, "openat2", Change.Open, 1, 0), new(85, "creat", Change.Open, 0),
        new(1, "write", Change.Write, Size: 2), new(18, "pwrite64", Change.Write, Size: 2), new(20, "writev", Change.Write), new(296, "pwritev", Change.Write),
        new(326, "copy_file_range", Change.Write), new(40, "sendfile", Change.Write), new(16, "ioctl(FICLONE)", Change.Write),
        new(83, "mkdir", Change.Make, 0), new(258, "mkdirat", Change.Make, 1, 0),
        new(86, "link", Change.Make, 1), new(265, "linkat", Change.Make, 3, 2), new(88, "symlink", Change.Make, 1), new(266, "symlinkat", Change.Make, 2, 1),
        new(82, "rename", Change.Rename, 1), new(264, "renameat", Change.Rename, 3, 2), new(316, "renameat2", Change.Rename, 3, 2),
        new(87, "unlink", Change.Remove, 0), new(263, "unlinkat", Change.Remove, 1, 0), new(84, "rmdir", Change.Remove, 0),
        new(76, "truncate", Change.Alter, 0), new(77, "ftruncate", Change.Alter), new(285, "fallocate", Change.Alter),
        new(90, "chmod", Change.Alter, 0), new(91, "fchmod", Change.Alter), new(268, "fchmodat", Change.Alter, 1, 0), new(280, "utimensat", Change.Alter, 1, 0),
        new(74, "fsync", Change.Flush), new(75, "fdatasync", Change.Flush), new(73, "flock", Change.Lock),
        new(228, "clock_gettime", Change.Clock), new(96, "gettimeofday", Change.Clock), new(201, "time", Change.Clock),
    }.ToDictionary(c => c.Number);

    /// <summary>
    /// A seccomp filter that stops at these calls alone: the tool makes fifty others for each of them. Opening for reading, other ioctls and other clocks pass.
    /// </summary>
    public static byte[] Filter()
    {
        const uint Architecture = 0xC000003E;
        const uint Stop = 0x7ff00000;
        const uint Pass = 0x7fff0000;
        List<Instruction> program = [Load(4), new(Equal, 1, 0, Architecture), Return(Pass), Load(0)];
        foreach (var call in All.Values)
        {
            Instruction[] then = call.Name switch
            {
                "open" => [Load(Low(1)), new(AnyBit, 0, 1, Writing), Return(Stop), Return(Pass)],
                "openat" => [Load(Low(2)), new(AnyBit, 0, 1, Writing), Return(Stop), Return(Pass)],
                "ioctl(FICLONE)" => [Load(Low(1)), IfNot(ShareBlocks, 1), Return(Stop), Return(Pass)],
                "flock" => [Load(Low(1)), new(AnyBit, 0, 1, 2 /* LOCK_EX; .NET's shared ones come with every reading */), Return(Stop), Return(Pass)],
                "clock_gettime" => [Load(Low(0)), new(Equal, 1, 0, 0 /* CLOCK_REALTIME */), IfNot(5 /* CLOCK_REALTIME_COARSE */, 1), Return(Stop), Return(Pass)],
                _ => [Return(Stop)],
            };
            program.Add(IfNot((uint)call.Number, (byte)then.Length));
            program.AddRange(then);
        }

        program.Add(Return(Pass));
        return MemoryMarshal.AsBytes<Instruction>(program.ToArray()).ToArray();
    }

    private const ushort Equal = 0x15;
    private const ushort AnyBit = 0x45;

    /// <summary>Where <c>struct seccomp_data</c> holds the low half of an argument.</summary>
    private static uint Low(int argument) => 16 + (8 * (uint)argument);

    private static Instruction Load(uint offset) => new(0x20, 0, 0, offset);

    private static Instruction IfNot(uint value, byte skip) => new(Equal, 0, skip, value);

    private static Instruction Return(uint action) => new(0x06, 0, 0, action);

    /// <summary><c>struct sock_filter</c>: jump so far where true, so far where false.</summary>
    private readonly record struct Instruction(ushort Code, byte True, byte False, uint Value);
}
