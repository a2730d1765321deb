// What an action printed, of which only the end is ever held: a log may be larger than memory.
using System.Text;

namespace Scaling.Engine.Execution;

/// <summary>Reads the ends of logs.</summary>
public static class ActionLog
{
    private const int Longest = 1 << 20;

    /// <summary>The last mebibyte of a log, after a line that says so where there is more; empty where the log is gone.</summary>
    /// <param name="path">The log.</param>
    public static byte[] End(string path)
    {
        try
        {
            using var log = File.OpenHandle(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            long length = RandomAccess.GetLength(log);
            long skipped = Math.Max(0, length - Longest);
            byte[] end = new byte[length - skipped];
            int read = 0;
            while (read < end.Length && RandomAccess.Read(log, end.AsSpan(read), skipped + read) is > 0 and var more)
            {
                read += more;
            }

            return skipped == 0 ? end[..read] : [.. Encoding.UTF8.GetBytes($"({skipped} bytes before this are in {path})\n"), .. end.AsSpan(0, read)];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return []; // Another run removed it: it executes the action now.
        }
    }
}
