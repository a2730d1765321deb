// Files that are there whole or not at all, also after the power went.
using System.Text;

namespace Scaling.Engine.Files;

/// <summary>Writes aside, flushes, renames, and flushes the folder.</summary>
public static class Durable
{
    /// <summary>Publishes text at a path in one step.</summary>
    /// <param name="path">Replaced if there.</param>
    /// <param name="text">Written as UTF-8.</param>
    public static void Write(string path, string text) => Write(path, Encoding.UTF8.GetBytes(text));

    /// <summary>Publishes bytes at a path in one step.</summary>
    /// <param name="path">Replaced if there; its folder is made.</param>
    /// <param name="bytes">Content.</param>
    public static void Write(string path, ReadOnlySpan<byte> bytes)
    {
        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        string aside = Path.Combine(folder, $".{Path.GetFileName(path)}.{Environment.ProcessId}.{Guid.NewGuid():N}");
        try
        {
            using (var handle = File.OpenHandle(aside, FileMode.CreateNew, FileAccess.Write))
            {
                RandomAccess.Write(handle, bytes, 0);
                RandomAccess.FlushToDisk(handle);
            }

            File.Move(aside, path, overwrite: true);
        }
        catch
        {
            File.Delete(aside);
            throw;
        }

        FlushFolder(folder);
    }

    /// <summary>Flushes a written file and moves it to its place on the same file system, in one step.</summary>
    /// <param name="file">Complete, closed.</param>
    /// <param name="path">Replaced if there; its folder is made.</param>
    public static void Move(string file, string path)
    {
        using (var handle = File.OpenHandle(file, FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.FlushToDisk(handle);
        }

        string folder = Path.GetDirectoryName(path)!;
        Directory.CreateDirectory(folder);
        File.Move(file, path, overwrite: true);
        FlushFolder(folder);
    }

    private static void FlushFolder(string folder)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        int descriptor = LibC.Open(folder, LibC.ReadOnly | LibC.CloseOnExec, 0);
        if (descriptor >= 0)
        {
            _ = LibC.Flush(descriptor);
            _ = LibC.Close(descriptor);
        }
    }
}
