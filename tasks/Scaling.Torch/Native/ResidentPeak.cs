// How much memory a piece of work takes on a processor, as the kernel counts pages.
using System.Globalization;
using System.Runtime.InteropServices;

namespace Scaling.Torch;

/// <summary>
/// The process's resident set at its highest (VmHWM of proc(5)), which Linux starts again from the present when 5 is written to <c>/proc/self/clear_refs</c>. Freed memory that malloc keeps is
/// handed back before, so that the work asks for all that it needs.
/// </summary>
internal static class ResidentPeak
{
    /// <summary>Bytes by which the resident set rose at most while the work was done, the runtime's own garbage included; null where the kernel does not count them so.</summary>
    /// <param name="work">Done once.</param>
    public static long? During(Action work)
    {
        if (NativeLibrary.TryLoad("libc.so.6", out nint libc) && NativeLibrary.TryGetExport(libc, "malloc_trim", out _))
        {
            _ = MallocTrim(0);
        }

        long? before = Restart() ? Read("VmRSS:") : null;
        work();
        return Read("VmHWM:") is { } highest ? highest - before : null;
    }

    private static bool Restart()
    {
        try
        {
            File.WriteAllText("/proc/self/clear_refs", "5");
            return true;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static long? Read(string name)
    {
        const string Status = "/proc/self/status";
        string? line = File.Exists(Status) ? File.ReadLines(Status).FirstOrDefault(l => l.StartsWith(name, StringComparison.Ordinal)) : null;
        return line is null ? null : 1024 * long.Parse(line[name.Length..].Replace("kB", "", StringComparison.Ordinal), CultureInfo.InvariantCulture);
    }

    [DllImport("libc.so.6", EntryPoint = "malloc_trim")]
    private static extern int MallocTrim(nuint kept);
}
