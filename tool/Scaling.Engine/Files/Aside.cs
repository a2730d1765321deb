// Who writes a file aside stands in its name, so that what was left by a process that was killed can be told from what is being written.
using Scaling.Engine.Store;

namespace Scaling.Engine.Files;

/// <summary>The writer's part of an aside's name: <c>PROCESS-BOOT-NAMESPACE</c>. Numbers of processes mean something on one boot of one kernel within one of its namespaces (a container has its own).</summary>
internal static class Aside
{
    /// <summary>Longer than any write takes.</summary>
    private static readonly TimeSpan LongestWrite = TimeSpan.FromDays(1);

    private static readonly string Numbering = $"{LifeSight.Kernel.Split('-')[0]}-{Namespace()}";

    /// <summary>This process.</summary>
    public static string Writer { get; } = $"{Environment.ProcessId}-{Numbering}";

    /// <summary>Whether nobody writes an aside any more: its process is gone; where its number means nothing here, since it is of another host, when it has been still for a day.</summary>
    /// <param name="path">The aside.</param>
    /// <param name="writer">As its name has it.</param>
    public static bool IsLeft(string path, string writer) => writer.Split('-', 2) is [var process, var numbering] && numbering == Numbering && int.TryParse(process, out int id)
        ? !Directory.Exists($"/proc/{id}")
        : File.GetLastWriteTimeUtc(path) < DateTime.UtcNow - LongestWrite;

    private static string Namespace()
    {
        try
        {
            return string.Concat((new FileInfo("/proc/self/ns/pid").LinkTarget ?? "").Where(char.IsAsciiDigit));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return "";
        }
    }
}
