// Memory that tensors free stays with the process: the next step needs as much again.
using System.Runtime.InteropServices;

namespace Scaling.Torch;

/// <summary>
/// glibc's malloc hands large freed blocks back to the system, which zeroes each page when it is asked for again. A step allocates what the step before has freed, so with 0.7M
/// parameters about an eighth of the time went into that. Held memory is what the process has needed at once, no more.
/// </summary>
internal static class FreedMemory
{
    // malloc.h: blocks from M_MMAP_THRESHOLD on are mapped one by one, at most 32 MB may be asked for; M_TRIM_THRESHOLD at the heap's end are given back.
    private const int TrimThreshold = -1, MmapThreshold = -3;

    /// <summary>Keeps it, from now on and in the whole process. It changes speed alone, so a C library without the setting is none the worse.</summary>
    public static void Keep()
    {
        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "mallopt", out _))
        {
            _ = Mallopt(TrimThreshold, 1 << 30);
            _ = Mallopt(MmapThreshold, 32 << 20);
        }
    }

    [DllImport("libc.so.6", EntryPoint = "mallopt")]
    private static extern int Mallopt(int parameter, int value);
}
